"""Do not contact: the verbs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from zoneinfo import ZoneInfo

from sqlalchemy import update

from core import audit
from core.accounts.rules import Actor, Role
from core.errors import BadInput, NotFound
from core.leads.files import safe_csv
from core.leads.phones import phone_hash
from core.leads.rules import as_kept
from core.optouts import lists, queries
from core.optouts.lists import Rejected
from core.optouts.queries import OptOutCard, OptOutFilter
from core.optouts.recording import record_opt_out, record_opt_outs, topic
from core.optouts.rules import OptOutReason
from core.tables import Lead, OptOut, Team
from core.work import Work

PAGE = 50
LONGEST_NOTE = 200
EVERYBODY = OptOutFilter()
# What a person may enter; the others are for what came by itself.
BY_PEOPLE = (OptOutReason.BY_HAND, OptOutReason.COMPLAINT)


@dataclass(frozen=True)
class OptOutPage:
    """`total` of those that the filter means, `everybody` without one."""

    cards: list[OptOutCard]
    total: int
    everybody: int


@dataclass(frozen=True)
class Imported:
    """`added` are news, `known` were on the list; `rejected` are the first lines that hold no phone, of so many."""

    added: int
    known: int
    rejected: tuple[Rejected, ...]
    rejects: int


def page_of(work: Work, actor: Actor, page: int = 1, which: OptOutFilter = EVERYBODY) -> OptOutPage:
    """Newest first, 50 to a page."""
    page = max(1, min(page, 1000))
    everybody = queries.count_in_force(work.session, actor.team_id, EVERYBODY, work.now)
    found = queries.in_force(work.session, actor.team_id, which, work.now, limit=PAGE, offset=(page - 1) * PAGE)
    total = everybody if which.is_empty else queries.count_in_force(work.session, actor.team_id, which, work.now)
    return OptOutPage(found, total, everybody)


def opt_out(work: Work, actor: Actor, phone: str, reason: OptOutReason = OptOutReason.BY_HAND, note: str = "") -> bool:
    """Nobody of the team writes to this phone from now on.  False when it was so already.

    Raises BadInput at "phone" or "note".  Either form of a number will do, also the one of eight digits.
    """
    actor.require(Role.MEMBER)
    if reason not in BY_PEOPLE:
        raise BadInput("reason", "required")
    country = work.session.get_one(Team, actor.team_id).country
    return _enter(work, actor, lists.phone_in(phone, country), reason, _note(note))


def opt_out_lead(work: Work, actor: Actor, lead_id: int) -> bool:
    """The same for a lead's phone.  Raises NotFound for a lead without one."""
    actor.require(Role.MEMBER)
    lead = work.session.get(Lead, lead_id)
    if lead is None or lead.team_id != actor.team_id or lead.phone is None:
        raise NotFound
    return _enter(work, actor, lead.phone, OptOutReason.BY_HAND, None)


def undo(work: Work, actor: Actor, key: str, why: str) -> None:
    """Only an owner, who says why, and it stays in the audit log: the person had a reason, too.

    Recipients skipped stay skipped.  Raises BadInput("why", …).
    """
    actor.require(Role.OWNER)
    because = _note(why, "why")
    if because is None:
        raise BadInput("why", "required")
    try:
        hashed = bytes.fromhex(key)
    except ValueError:
        raise NotFound from None
    undone = work.session.execute(
        update(OptOut)
        .where(OptOut.team_id == actor.team_id, OptOut.phone_hash == hashed, OptOut.undone_at.is_(None))
        .values(undone_at=work.now)
        .returning(OptOut.reason)
    ).scalar()
    if undone is None:
        raise NotFound
    work.session.execute(
        update(Lead).where(Lead.team_id == actor.team_id, Lead.phone_hash == hashed).values(opted_out_at=None)
    )
    audit.record(work, actor, "opt_out.undone", "opt_out", None, key=key, was=undone.value, why=because)
    work.tell(topic(actor.team_id))


def import_list(work: Work, actor: Actor, *, text: str = "", name: str = "", content: bytes = b"") -> Imported:
    """Puts all phones of a pasted text, or of a file where one is given, on the list.

    Raises BadInput at "text" or "file": nothing there, more than fits, or a file without a column of phones.
    """
    actor.require(Role.MEMBER)
    country = work.session.get_one(Team, actor.team_id).country
    read = lists.read_file(name, content, country) if content else lists.read_text(text, country)
    phones = {phone_hash(work.settings.secret_key, e164): e164 for e164 in read.phones}
    note = as_kept(name, LONGEST_NOTE) if content else None
    added = record_opt_outs(work, actor.team_id, phones, reason=OptOutReason.IMPORTED, words=note, by=actor.user_id)
    audit.record(
        work, actor, "opt_out.imported", "opt_out", None, added=added, phones=len(phones), rejected=read.rejects
    )
    return Imported(added, len(phones) - added, read.rejected, read.rejects)


def export_list(
    work: Work,
    actor: Actor,
    which: OptOutFilter = EVERYBODY,
    *,
    headings: Sequence[str],
    say: Callable[[OptOutReason], str],
) -> bytes:
    """CSV with a row for each, newest first: phone, business, reason, words or note, who entered it, and when.

    `headings` are the names of those six columns, `say` puts a reason into words.  Times are of the team's zone.
    Whose phone was erased has none in it.
    """
    actor.require(Role.MEMBER)
    zone = ZoneInfo(work.session.get_one(Team, actor.team_id).timezone)
    cards = queries.all_in_force(work.session, actor.team_id, which, work.now)
    rows = (
        [
            each.phone or "",
            each.lead_name or "",
            say(each.reason),
            each.words or "",
            each.entered_by or "",
            f"{each.created_at.astimezone(zone):%Y-%m-%d %H:%M}",
        ]
        for each in cards
    )
    table = safe_csv(chain([list(headings)], rows))
    audit.record(work, actor, "opt_out.exported", "opt_out", None)
    return table


def _enter(work: Work, actor: Actor, e164: str, reason: OptOutReason, note: str | None) -> bool:
    hashed = phone_hash(work.settings.secret_key, e164)
    is_news = record_opt_out(work, actor.team_id, hashed, phone=e164, reason=reason, words=note, by=actor.user_id)
    if is_news:
        audit.record(work, actor, "opt_out.entered", "opt_out", None, key=hashed.hex(), reason=reason.value)
    return is_news


def _note(text: str, field: str = "note") -> str | None:
    """On one line; None for nothing."""
    if len(text) > LONGEST_NOTE * 4:
        raise BadInput(field, "too_long", n=LONGEST_NOTE)
    kept = as_kept(text, LONGEST_NOTE * 4)
    if kept is not None and len(kept) > LONGEST_NOTE:
        raise BadInput(field, "too_long", n=LONGEST_NOTE)
    return kept
