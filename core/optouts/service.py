"""Do not contact: the verbs."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import update

from core import audit
from core.accounts.rules import Actor, Role
from core.errors import NotFound
from core.leads.phones import Phone, phone_hash
from core.optouts import queries
from core.optouts.queries import OptOutCard
from core.optouts.recording import record_opt_out
from core.optouts.rules import OptOutReason
from core.tables import Lead, OptOut, Team
from core.work import Work

PAGE = 50


@dataclass(frozen=True)
class OptOutPage:
    cards: list[OptOutCard]
    total: int


def page_of(work: Work, actor: Actor, page: int = 1) -> OptOutPage:
    """Newest first, 50 to a page."""
    page = max(1, min(page, 1000))
    return OptOutPage(
        queries.in_force(work.session, actor.team_id, limit=PAGE, offset=(page - 1) * PAGE),
        queries.count_in_force(work.session, actor.team_id),
    )


def opt_out(work: Work, actor: Actor, phone: str, reason: OptOutReason = OptOutReason.BY_HAND) -> bool:
    """Nobody of the team writes to this phone from now on.  False when it was so already; raises BadInput("phone")."""
    actor.require(Role.MEMBER)
    country = work.session.get_one(Team, actor.team_id).country
    e164 = Phone.parse(phone, country).e164
    return _enter(work, actor, e164, OptOutReason(reason))


def opt_out_lead(work: Work, actor: Actor, lead_id: int) -> bool:
    """The same for a lead's phone.  Raises NotFound for a lead without one."""
    actor.require(Role.MEMBER)
    lead = work.session.get(Lead, lead_id)
    if lead is None or lead.team_id != actor.team_id or lead.phone is None:
        raise NotFound
    return _enter(work, actor, lead.phone, OptOutReason.BY_HAND)


def undo(work: Work, actor: Actor, key: str) -> None:
    """Only an owner, and it stays in the audit log: the person had a reason.  Recipients skipped stay skipped."""
    actor.require(Role.OWNER)
    try:
        hashed = bytes.fromhex(key)
    except ValueError:
        raise NotFound from None
    undone = work.session.execute(
        update(OptOut)
        .where(OptOut.team_id == actor.team_id, OptOut.phone_hash == hashed, OptOut.undone_at.is_(None))
        .values(undone_at=work.now)
        .returning(OptOut.phone_hash)
    ).scalar()
    if undone is None:
        raise NotFound
    work.session.execute(
        update(Lead).where(Lead.team_id == actor.team_id, Lead.phone_hash == hashed).values(opted_out_at=None)
    )
    audit.record(work, actor, "opt_out.undone", "opt_out", None, key=key)


def _enter(work: Work, actor: Actor, e164: str, reason: OptOutReason) -> bool:
    hashed = phone_hash(work.settings.secret_key, e164)
    is_news = record_opt_out(work, actor.team_id, hashed, phone=e164, reason=reason, by=actor.user_id)
    if is_news:
        audit.record(work, actor, "opt_out.entered", "opt_out", None, key=hashed.hex(), reason=reason.value)
    return is_news
