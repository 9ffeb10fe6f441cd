"""A source that has said no is left alone, by all scrapers that share an address with the one that heard it.

A source sees an address, not our workers: so a row says until when nobody asks it.
"""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from core.searches.rules import Source, pause_after
from core.tables import SourcePause
from core.work import Work

log = logging.getLogger(__name__)


def until(work: Work, source: Source) -> datetime | None:
    """Until when the source is left alone from here; None while it may be asked."""
    return work.session.scalar(select(SourcePause.until).where(*_ours(work, source), SourcePause.until > func.now()))


def begin(work: Work, source: Source) -> datetime:
    """The source has said no: nobody asks it from here until the moment that comes back.

    Another no while the pause is on (of who was already asking) is the same one, and does not make it longer.
    """
    row = {"source": source, "address": work.settings.map_address, "since": work.now, "until": work.now, "blocks": 0}
    work.session.execute(insert(SourcePause).values(**row).on_conflict_do_nothing())
    pause = work.session.scalars(select(SourcePause).where(*_ours(work, source)).with_for_update()).one()
    if pause.until <= work.now:
        pause.blocks += 1
        pause.since, pause.until = work.now, work.now + pause_after(pause.blocks)
        log.warning("%s is left alone until %s", source, pause.until.isoformat(timespec="seconds"))
    return pause.until


def answered(work: Work, source: Source) -> datetime | None:
    """It has answered: the next no is the first again.  What comes in during a pause was asked before it, and proves
    nothing; the pause's end comes back then.
    """
    pause = work.session.scalar(select(SourcePause.until).where(*_ours(work, source)))
    if pause is None or pause > work.now:
        return pause
    work.session.execute(delete(SourcePause).where(*_ours(work, source), SourcePause.until <= func.now()))
    return None


def lift(work: Work, source: Source) -> int:
    """Ends the source's pauses, of all addresses; how many there were."""
    ended = delete(SourcePause).where(SourcePause.source == source, SourcePause.until > func.now())
    return len(work.session.scalars(ended.returning(SourcePause.address)).all())


def _ours(work: Work, source: Source) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return SourcePause.source == source, SourcePause.address == work.settings.map_address
