"""What a team may ask of a source in a day, counted in requests: a map is not ours to empty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core.accounts.rules import TeamId
from core.searches.rules import Source, next_day
from core.settings import Settings
from core.tables import SourceUse
from core.work import Work

OF_THE_DEMO_MAP = 100_000  # it is ours, and invented
OF_OPENSTREETMAP = 2_000  # a public server, which asks for fewer than 10,000 a day


@dataclass(frozen=True)
class Allowance:
    """Of one day of UTC; `renews_at` is when the next one begins."""

    used: int
    per_day: int
    renews_at: datetime

    @property
    def left(self) -> int:
        return max(0, self.per_day - self.used)


def per_day(settings: Settings, source: Source) -> int:
    return {Source.DEMO_MAP: OF_THE_DEMO_MAP, Source.OPENSTREETMAP: OF_OPENSTREETMAP}.get(
        source, settings.map_requests_per_day
    )


def allowance(work: Work, team_id: TeamId, source: Source) -> Allowance:
    """As it stands now."""
    used = work.session.scalar(
        select(SourceUse.requests).where(
            SourceUse.team_id == team_id, SourceUse.source == source, SourceUse.used_on == _today(work)
        )
    )
    return Allowance(used or 0, per_day(work.settings, source), next_day(work.now))


def spend(work: Work, team_id: TeamId, source: Source, requests: int) -> int:
    """Counts requests that were made; how many are left.  They may go beyond the allowance by what one page costs."""
    row = insert(SourceUse).values(team_id=team_id, source=source, used_on=_today(work), requests=requests)
    more = {"requests": SourceUse.requests + row.excluded.requests}
    counted = row.on_conflict_do_update(index_elements=["team_id", "source", "used_on"], set_=more)
    used = work.session.scalar(counted.returning(SourceUse.requests)) or 0
    return max(0, per_day(work.settings, source) - used)


def _today(work: Work) -> date:
    return work.now.astimezone(UTC).date()
