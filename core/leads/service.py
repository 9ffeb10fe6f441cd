"""The leads of a team: the verbs."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain, islice

from phonenumbers import SUPPORTED_REGIONS
from sqlalchemy import select, update

from core import audit
from core.accounts.rules import Actor, Role
from core.errors import BadInput, NotFound
from core.jobs import ImportLeads
from core.leads import imports, queries, sites
from core.leads.files import open_file, safe_csv
from core.leads.importing import Reject, unpacked_rejects
from core.leads.imports import ImportProgress
from core.leads.mapping import SAMPLE, Field, checked, guess
from core.leads.queries import After, Choices, LeadDetails, LeadRow, Moment
from core.leads.rules import BIDI, Basis, LeadFilter, LeadId, LeadSort, as_kept, fold
from core.leads.sites import LeadSite, Wanted
from core.sending.rules import RecipientStatus, SkipReason
from core.tables import CampaignLead, Lead, LeadImport, LeadNote
from core.work import Work

PER_PAGE = 50
MOST_PER_PAGE = 100
LONGEST_NOTE = 2_000
SHOWN_ROWS = 5  # of a file, before it is brought in
SHOWN_REJECTS = 8  # beside what became of it; all of them are in the file of rejects
LONGEST_SHOWN = 60
MOST_WAITING = 5  # files of one team


@dataclass(frozen=True)
class LeadPage:
    """`total` above 10,000 means "more than that"; `next` goes on behind the last row, None on the last page."""

    rows: list[LeadRow]
    total: int
    page: int
    per_page: int
    next: After | None

    @property
    def pages(self) -> int:
        """As many as can be gone to by number."""
        return max(1, -(-min(self.total, queries.COUNTED_UP_TO) // self.per_page))


@dataclass(frozen=True)
class LeadStory:
    """One lead with what happened, newest first."""

    lead: LeadDetails
    timeline: list[Moment]
    site: LeadSite


def page_of(
    work: Work,
    actor: Actor,
    which: LeadFilter,
    *,
    sort: LeadSort = LeadSort.LAST_CONTACT,
    descending: bool = True,
    page: int = 1,
    per_page: int = PER_PAGE,
    after: After | None = None,
) -> LeadPage:
    """A page of the leads meant.  Numbers out of range become the nearest that exists; deeper goes only by `after`."""
    actor.require(Role.VIEWER)
    per_page = max(1, min(per_page, MOST_PER_PAGE))
    total = queries.count(work.session, actor.team_id, which)
    last = max(1, -(-min(total, queries.COUNTED_UP_TO) // per_page))
    page = max(1, min(page, last))
    rows = queries.page(
        work.session,
        actor.team_id,
        which,
        total=total,
        sort=sort,
        descending=descending,
        limit=per_page + 1,
        offset=(page - 1) * per_page,
        after=after,
    )
    shown = rows[:per_page]
    more = len(rows) > per_page
    beyond = queries.after_of(shown[-1], sort, fold(shown[-1].name)[:300]) if more else None
    return LeadPage(shown, total, page, per_page, beyond)


def count_of(work: Work, actor: Actor, which: LeadFilter) -> int:
    """How many are meant; 10,001 stands for "more than 10,000"."""
    actor.require(Role.VIEWER)
    return queries.count(work.session, actor.team_id, which)


def lead(work: Work, actor: Actor, lead_id: int) -> LeadStory:
    """Raises NotFound, also for another team's."""
    actor.require(Role.VIEWER)
    details = queries.lead(work.session, actor.team_id, LeadId(lead_id))
    site = sites.site_of_lead(work.session, actor.team_id, LeadId(lead_id))
    if details is None or site is None:
        raise NotFound
    return LeadStory(details, queries.timeline(work.session, actor.team_id, LeadId(lead_id)), site)


def choices(work: Work, actor: Actor) -> Choices:
    """What the filters offer to choose from."""
    actor.require(Role.VIEWER)
    return queries.choices(work.session, actor.team_id)


def add_note(work: Work, actor: Actor, lead_id: int, text: str) -> int:
    """Raises BadInput("note", …)."""
    actor.require(Role.MEMBER)
    kept = _clean_note(text)
    note = LeadNote(team_id=actor.team_id, lead_id=_own(work, actor, lead_id), written_by=actor.user_id, text=kept)
    work.session.add(note)
    work.session.flush()
    return note.id


def delete(work: Work, actor: Actor, lead_id: int) -> None:
    """Out of every list, also when a later search comes upon it again; who waits in a campaign is skipped.

    Whether this person may be written to is another matter: that is for `optouts`.
    """
    actor.require(Role.MEMBER)
    own = _own(work, actor, lead_id)
    work.session.execute(update(Lead).where(Lead.id == own, Lead.deleted_at.is_(None)).values(deleted_at=work.now))
    touched = work.session.scalars(
        update(CampaignLead)
        .where(
            CampaignLead.team_id == actor.team_id,
            CampaignLead.lead_id == own,
            CampaignLead.status == RecipientStatus.QUEUED,
        )
        .values(status=RecipientStatus.SKIPPED, reason=SkipReason.LEAD_DELETED, changed_at=work.now)
        .returning(CampaignLead.campaign_id)
    )
    for campaign in set(touched):
        work.tell(f"campaign:{campaign}")
    audit.record(work, actor, "lead.deleted", "lead", own)


def read_sites(work: Work, actor: Actor, which: LeadFilter) -> Wanted:
    """Has the websites of the leads meant looked at for e-mails and numbers; what they say appears on the leads.

    What was read within a month, for whichever team, is taken over without asking the site again.
    """
    actor.require(Role.MEMBER)
    wanted = sites.want(work, actor.team_id, which)
    audit.record(work, actor, "leads.sites_wanted", leads=wanted.leads, sites=wanted.sites)
    return wanted


def restore(work: Work, actor: Actor, lead_id: int) -> None:
    """Undoes `delete`.  Recipients who were skipped stay skipped."""
    actor.require(Role.MEMBER)
    own = _own(work, actor, lead_id)
    work.session.execute(update(Lead).where(Lead.id == own).values(deleted_at=None))
    audit.record(work, actor, "lead.restored", "lead", own)


def _own(work: Work, actor: Actor, lead_id: int) -> LeadId:
    found = work.session.scalar(select(Lead.id).where(Lead.team_id == actor.team_id, Lead.id == lead_id))
    if found is None:
        raise NotFound
    return LeadId(found)


def _clean_note(text: str) -> str:
    """Several lines are fine; what cannot be stored or would turn the page around is not."""
    if len(text) > LONGEST_NOTE * 2:
        raise BadInput("note", "too_long", n=LONGEST_NOTE)
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).translate(BIDI).strip()
    if any(unicodedata.category(c) in ("Cc", "Cs", "Cn") and c not in "\n\t" for c in text):
        raise BadInput("note", "unstorable_characters")
    if not any(unicodedata.category(c)[0] in "LNSP" for c in text):
        raise BadInput("note", "required")
    if len(text) > LONGEST_NOTE:
        raise BadInput("note", "too_long", n=LONGEST_NOTE)
    return text


# ---------------------------------------------------------------- files of leads


@dataclass(frozen=True)
class ImportPreview:
    """What a file seems to hold.  `guesses`: which of our fields is which column; columns without a name are "".

    `unread` characters could not be read, the first of them in line `unread_from`.
    """

    file_name: str
    encoding: str
    columns: tuple[str, ...]
    guesses: dict[Field, int]
    sample: list[list[str]]
    rows: int
    unread: int
    unread_from: int


def read_upload(work: Work, actor: Actor, name: str, content: bytes) -> ImportPreview:
    """Looks into a file; nothing of it is kept yet.  Raises BadInput("file", …) with why it cannot be read."""
    actor.require(Role.MEMBER)
    opened = open_file(name, content)
    rows = opened.rows()
    first = list(islice(rows, SAMPLE))
    count = len(first) + sum(1 for _ in rows)
    if not first:
        raise BadInput("file", "file_without_rows")
    sample = [[_shown(cell) for cell in row.cells] for row in first[:SHOWN_ROWS]]
    guesses = guess(opened, first)
    return ImportPreview(_file_name(name), opened.encoding, opened.columns, guesses, sample, count, *opened.unread())


def start_import(
    work: Work,
    actor: Actor,
    *,
    name: str,
    content: bytes,
    columns: Mapping[str, int],
    country: str,
    basis: str,
    only_with_phone: bool = False,
) -> int:
    """Hands the file to a worker; returns the import's id.  Raises BadInput at the field that is wrong."""
    actor.require(Role.MEMBER)
    opened = open_file(name, content)
    chosen = checked(columns, opened, only_with_phone=only_with_phone)
    if country not in SUPPORTED_REGIONS:
        raise BadInput("country", "country_unknown")
    if basis not in set(Basis):
        raise BadInput("basis", "required")
    if imports.waiting(work.session, actor.team_id) >= MOST_WAITING:
        raise BadInput("file", "imports_waiting", n=MOST_WAITING)
    made = LeadImport(
        team_id=actor.team_id,
        created_by=actor.user_id,
        file_name=_file_name(name),
        content=content,
        columns={field.value: at for field, at in chosen.items()},
        country=country,
        basis=basis,
        only_with_phone=only_with_phone,
        rows=sum(1 for _ in opened.rows()),
    )
    work.session.add(made)
    work.session.flush()
    audit.record(work, actor, "leads.import_started", "import", made.id, rows=made.rows, basis=basis)
    work.later(ImportLeads(made.id))
    return made.id


def import_progress(work: Work, actor: Actor, import_id: int) -> ImportProgress:
    """How far a file is, and what became of it.  Raises NotFound."""
    actor.require(Role.VIEWER)
    found = imports.progress(work.session, actor.team_id, import_id)
    if found is None:
        raise NotFound
    return found


def imported_files(work: Work, actor: Actor) -> list[ImportProgress]:
    """The newest files of the team, newest first."""
    actor.require(Role.VIEWER)
    return imports.newest(work.session, actor.team_id)


def import_rejects(
    work: Work, actor: Actor, import_id: int, *, headings: tuple[str, str], say: Callable[[BadInput], str]
) -> bytes:
    """The rows that were not taken, as CSV: `headings` for row and reason, then the file's own columns.

    `say` puts a reason into the words of whoever asks.  Safe to open: nothing in it is run as a formula.
    """
    actor.require(Role.MEMBER)
    packed = imports.rejects(work.session, actor.team_id, import_id)
    if packed is None:
        raise NotFound
    columns, rejects = unpacked_rejects(packed)
    rows = ([str(r.number), say(r.reason), *r.cells] for r in rejects)
    return safe_csv(chain([[*headings, *columns]], rows))


def first_rejects(work: Work, actor: Actor, import_id: int) -> list[Reject]:
    """The first rows that were not taken, and why; none where all were.  Raises NotFound."""
    actor.require(Role.MEMBER)
    import_progress(work, actor, import_id)
    packed = imports.rejects(work.session, actor.team_id, import_id)
    return unpacked_rejects(packed)[1][:SHOWN_REJECTS] if packed else []


def _file_name(name: str) -> str:
    """Its last part: some browsers send the path with it."""
    return as_kept(name.replace("\\", "/").rpartition("/")[2], 200) or "—"


def _shown(cell: str) -> str:
    return (as_kept(cell, LONGEST_SHOWN) or "") if cell else ""
