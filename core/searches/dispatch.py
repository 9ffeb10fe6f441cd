"""Nudges the scrapers: the timetable calls this every few seconds, so a lost job costs a search no more than that."""

from __future__ import annotations

from core.jobs import ScrapeSearch
from core.searches import queries
from core.work import Work


def queue_searches(work: Work) -> int:
    """Queues a job for each search that a scraper should take up now; returns how many those are.

    A job that waits already is not queued twice, and one that finds nothing to do ends at once.
    """
    due = queries.to_take_up(work.session, work.now)
    for search_id, turn in due:
        work.later(ScrapeSearch(search_id, turn))
    return len(due)
