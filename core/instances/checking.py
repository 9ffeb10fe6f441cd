"""Which phones somebody wants looked up on WhatsApp: a row for each, kept until it was told or given up.

What is known already goes onto the leads at once and asks nobody.  The others wait as wishes; core/sending/checking.py
carries them out, a few at a time, from the number that is to write to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Interval, Subquery, and_, case, exists, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from core.accounts.rules import TeamId, UserId
from core.instances.check_pace import ASK_AGAIN_AFTER, GOOD_FOR, MOST_WAITING, how_long, pace_of
from core.instances.rules import InstanceId, InstanceStatus
from core.leads.queries import conditions
from core.leads.rules import LeadFilter
from core.tables import Instance, Lead, OptOut, PhoneCheck
from core.work import Work

# Whoever changes several leads locks them by id: so do all others.
LOCK_LEADS = text("select from leads where id = any(:ids) order by id for no key update")


@dataclass(frozen=True)
class CheckWanted:
    """What came of asking for some leads' phones to be looked up.

    `wanted` wait from now on, `waiting` did so before; `known`, `asked_lately` (and not told) and `opted_out` ask
    nobody.  `left_over` were too many for one time.  `lasts`: about how long all that waits at this number takes.
    """

    wanted: int
    waiting: int = 0
    known: int = 0
    asked_lately: int = 0
    opted_out: int = 0
    without_phone: int = 0
    left_over: int = 0
    lasts: timedelta = timedelta()


@dataclass(frozen=True)
class Checker:
    """A number that can ask, with how many phones wait for it, and about how long those take."""

    id: InstanceId
    name: str
    phone: str | None
    is_connected: bool
    is_paused: bool
    waiting: int
    lasts: timedelta


def topic(team_id: int) -> str:
    """What the pages that show leads look at."""
    return f"leads:{team_id}"


# ---------------------------------------------------------------- wishes


def want(work: Work, team_id: TeamId, which: LeadFilter, number: Instance, by: UserId) -> CheckWanted:
    """As many wishes as the number has room for, those leads first that the team has had longest.

    The caller holds the number's row locked, so that two wishes do not fill the same room.
    """
    judged = _judged(work, team_id, which)
    _take_over(work, team_id, which)
    counted = {
        state: n
        for state, n in work.session.execute(select(judged.c.state, func.count()).group_by(judged.c.state)).all()
    }
    before = waiting_at(work.session, InstanceId(number.id))
    new = counted.get("new", 0)
    wanted = _wish(work, team_id, number, by, judged, min(new, max(0, MOST_WAITING - before)))
    pace = pace_of(ceiling_of(number), is_simulated=work.settings.gateway_simulated)
    if wanted:
        work.tell(topic(team_id))
    return CheckWanted(
        wanted=wanted,
        waiting=counted.get("waiting", 0),
        known=counted.get("known", 0),
        asked_lately=counted.get("asked_lately", 0),
        opted_out=counted.get("opted_out", 0),
        without_phone=work.session.scalar(
            select(func.count()).select_from(Lead).where(*conditions(team_id, which), Lead.phone_hash.is_(None))
        )
        or 0,
        left_over=new - wanted,
        lasts=how_long(before + wanted, pace),
    )


def stop(work: Work, team_id: TeamId) -> int:
    """Nobody asks about those who still wait; what is on its way to WhatsApp is told all the same.  How many."""
    gone = work.session.execute(
        update(PhoneCheck)
        .where(PhoneCheck.team_id == team_id, PhoneCheck.wanted_at.is_not(None))
        .values(wanted_at=None)
        .execution_options(synchronize_session=False)
    )
    if gone.rowcount:  # type: ignore[attr-defined]
        work.tell(topic(team_id))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def checkers(work: Work, team_id: TeamId) -> list[Checker]:
    """The team's numbers whose gateway can be asked, those that can ask now first."""
    rows = work.session.scalars(
        select(Instance)
        .where(
            Instance.team_id == team_id,
            Instance.status.in_((InstanceStatus.CONNECTED, InstanceStatus.DISCONNECTED)),
        )
        .order_by(Instance.id)
    )
    found = [_checker(work, row) for row in rows if work.capabilities(row.provider).number_check]
    return sorted(found, key=lambda each: (not each.is_connected, each.is_paused))


def waiting_at(session: Session, instance_id: InstanceId) -> int:
    """By ix_phone_checks_wanted."""
    return (
        session.scalar(
            select(func.count())
            .select_from(PhoneCheck)
            .where(PhoneCheck.instance_id == instance_id, PhoneCheck.wanted_at.is_not(None))
        )
        or 0
    )


def ceiling_of(number: Instance) -> int:
    """How many people it may write to in a day."""
    return number.per_day if number.cap is None else min(number.per_day, number.cap)


def _checker(work: Work, row: Instance) -> Checker:
    waiting = waiting_at(work.session, InstanceId(row.id))
    pace = pace_of(ceiling_of(row), is_simulated=work.settings.gateway_simulated)
    return Checker(
        id=InstanceId(row.id),
        name=row.name,
        phone=row.phone,
        is_connected=row.status is InstanceStatus.CONNECTED,
        is_paused=row.paused_at is not None,
        waiting=waiting,
        lasts=how_long(waiting, pace),
    )


def _judged(work: Work, team_id: TeamId, which: LeadFilter) -> Subquery:
    """Each person of the filter once, under their first lead's phone, with why nobody need be asked about them."""
    person = (
        select(Lead.id, Lead.phone, Lead.phone_hash, Lead.on_whatsapp, Lead.whatsapp_checked_at)
        .where(*conditions(team_id, which), Lead.phone_hash.is_not(None))
        .ext(distinct_on(Lead.phone_hash))
        .order_by(Lead.phone_hash, Lead.id)
        .subquery()
    )
    check = PhoneCheck
    left_alone = exists().where(
        OptOut.team_id == team_id, OptOut.phone_hash == person.c.phone_hash, OptOut.undone_at.is_(None)
    )
    state = case(
        (left_alone, "opted_out"),
        (and_(check.wanted_at.is_not(None), ~_is_orphan()), "waiting"),
        (_is_good(person.c.on_whatsapp, person.c.whatsapp_checked_at, work.now), "known"),
        (_is_good(check.on_whatsapp, check.checked_at, work.now), "known"),
        (and_(check.wanted_at.is_(None), check.tried_at > work.now - ASK_AGAIN_AFTER), "asked_lately"),
        else_="new",
    )
    return (
        select(person.c.id, person.c.phone, person.c.phone_hash, state.label("state"))
        .select_from(person)
        .outerjoin(check, and_(check.team_id == team_id, check.phone_hash == person.c.phone_hash))
        .subquery()
    )


def _is_good(on_whatsapp: Any, told_at: Any, now: datetime) -> ColumnElement[bool]:
    return or_(*(and_(on_whatsapp == answer.value, told_at > now - good_for) for answer, good_for in GOOD_FOR.items()))


def _is_orphan() -> ColumnElement[bool]:
    """Its number was removed: it waits for nobody, and another number may take it."""
    return exists().where(Instance.id == PhoneCheck.instance_id, Instance.status == InstanceStatus.REMOVED)


def _wish(work: Work, team_id: TeamId, number: Instance, by: UserId, judged: Subquery, most: int) -> int:
    """The rows, in the order of their keys so that two of these do not deadlock.

    `wanted_at` rises by a microsecond from one to the next: they are asked about in the order of their leads.
    """
    if not most:
        return 0
    chosen = select(judged).where(judged.c.state == "new").order_by(judged.c.id).limit(most).subquery()
    turn = func.row_number().over(order_by=chosen.c.id) * literal(timedelta(microseconds=1), Interval)
    rows = select(
        literal(int(team_id)),
        chosen.c.phone_hash,
        chosen.c.phone,
        literal(number.id),
        func.now() + turn,
        literal(int(by)),
    ).order_by(chosen.c.phone_hash)
    wish = insert(PhoneCheck).from_select(
        ["team_id", "phone_hash", "phone", "instance_id", "wanted_at", "wanted_by"], rows
    )
    told = wish.excluded
    done = work.session.execute(
        wish.on_conflict_do_update(
            index_elements=["team_id", "phone_hash"],
            set_={
                "phone": told.phone,
                "instance_id": told.instance_id,
                "wanted_at": told.wanted_at,
                "wanted_by": told.wanted_by,
                "tries": 0,
            },
            where=or_(PhoneCheck.wanted_at.is_(None), _is_orphan()),
        )
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def _take_over(work: Work, team_id: TeamId, which: LeadFilter) -> None:
    """What a phone's other leads, or earlier ones, were told of goes onto those that have not heard of it."""
    told = PhoneCheck
    behind = and_(
        told.team_id == Lead.team_id,
        told.phone_hash == Lead.phone_hash,
        _is_good(told.on_whatsapp, told.checked_at, work.now),
        or_(Lead.whatsapp_checked_at.is_(None), Lead.whatsapp_checked_at < told.checked_at),
    )
    ids: Sequence[int] = work.session.scalars(
        select(Lead.id).join(told, behind).where(*conditions(team_id, which))
    ).all()
    if not ids:
        return
    work.session.execute(LOCK_LEADS, {"ids": list(ids)})
    work.session.execute(
        update(Lead)
        .where(Lead.id.in_(ids), behind)
        .values(on_whatsapp=told.on_whatsapp, whatsapp_checked_at=told.checked_at)
        .execution_options(synchronize_session=False)
    )
    work.tell(topic(team_id))
