"""What a search is, which state may follow which, and what its pages mean."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

SearchId = NewType("SearchId", int)


class SearchStatus(StrEnum):
    QUEUED = "queued"  # waits for a scraper
    RUNNING = "running"  # a scraper reads pages for it, or died doing so: its heartbeat tells
    DONE = "done"  # read to an end; `complete` says whether that was everything
    FAILED = "failed"  # could not go on; `reason` says why, and what was found is kept
    CANCELLED = "cancelled"  # a person stopped it; what was found is kept


MAY_FOLLOW: dict[SearchStatus, set[SearchStatus]] = {
    SearchStatus.QUEUED: {SearchStatus.RUNNING, SearchStatus.FAILED, SearchStatus.CANCELLED},
    SearchStatus.RUNNING: {
        SearchStatus.QUEUED,
        SearchStatus.DONE,
        SearchStatus.FAILED,
        SearchStatus.CANCELLED,
    },
    SearchStatus.DONE: set(),
    SearchStatus.FAILED: set(),
    SearchStatus.CANCELLED: set(),
}


class CellStatus(StrEnum):
    WAITING = "waiting"  # not begun
    READING = "reading"  # pages are stored up to `next_offset`
    DONE = "done"  # read to its end, or as far as the map lets one
    FAILED = "failed"  # `outcome` says how it ended


class Source(StrEnum):
    GOOGLE_MAPS = "google_maps"
    DEMO_MAP = "demo_map"  # the sandbox: labelled as simulated wherever it is shown
    FILE = "file"
