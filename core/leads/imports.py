"""Questions about files that come in, by name, and the nudge to whoever brings them in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.rules import TeamId
from core.jobs import ImportLeads
from core.leads.importing import unfinished
from core.leads.rules import ImportStatus
from core.tables import LeadImport
from core.work import Work

NEWEST = 20
UNDER_WAY = (ImportStatus.WAITING, ImportStatus.RUNNING)


@dataclass(frozen=True)
class ImportProgress:
    """`read` of `rows` so far; the other counts are there once it is done.  `reason`: why it failed, a key."""

    id: int
    file_name: str
    status: ImportStatus
    reason: str | None
    rows: int
    read: int
    added: int
    updated: int
    duplicates: int
    rejected: int
    created_at: datetime
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.status not in UNDER_WAY


SHOWN = (
    LeadImport.id,
    LeadImport.file_name,
    LeadImport.status,
    LeadImport.reason,
    LeadImport.rows,
    LeadImport.read,
    LeadImport.added,
    LeadImport.updated,
    LeadImport.duplicates,
    LeadImport.rejected,
    LeadImport.created_at,
    LeadImport.finished_at,
)


def progress(session: Session, team_id: TeamId, import_id: int) -> ImportProgress | None:
    ask = select(*SHOWN).where(LeadImport.team_id == team_id, LeadImport.id == import_id)
    found = session.execute(ask).first()
    return ImportProgress(*tuple(found)) if found else None


def newest(session: Session, team_id: TeamId) -> list[ImportProgress]:
    """Newest first, by the unique index of team and id."""
    ask = select(*SHOWN).where(LeadImport.team_id == team_id).order_by(LeadImport.id.desc()).limit(NEWEST)
    return [ImportProgress(*tuple(row)) for row in session.execute(ask)]


def waiting(session: Session, team_id: TeamId) -> int:
    """How many files of the team are not over."""
    ask = select(func.count()).where(LeadImport.team_id == team_id, LeadImport.status.in_(UNDER_WAY))
    return session.scalar(ask) or 0


def rejects(session: Session, team_id: TeamId, import_id: int) -> bytes | None:
    """None where there is no such file, or every row of it was taken."""
    return session.scalar(select(LeadImport.rejects).where(LeadImport.team_id == team_id, LeadImport.id == import_id))


def queue_imports(work: Work) -> int:
    """Queues a job for each file that a worker should take up now: the timetable calls this every few seconds."""
    due = unfinished(work)
    for import_id, turn in due:
        work.later(ImportLeads(import_id, turn))
    return len(due)
