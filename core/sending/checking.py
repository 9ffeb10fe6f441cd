"""Carries the wishes of core/instances/checking.py out: which phones are on WhatsApp, a few at a time.

A group is claimed and committed, then the gateway is asked without a transaction, then what it said is written down.
Whoever dies on the way leaves wishes that are taken up again later, each a few times at most.  Nobody is asked about
while a message of the number could leave within seconds, nor from a number that could not send itself.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from core.accounts.rules import TeamId
from core.errors import WorldTrouble
from core.instances.check_pace import (
    BACKOFF,
    DAY,
    GROUP,
    MOST_TRIES,
    QUIET,
    next_group_at,
    pace_of,
)
from core.instances.checking import LOCK_LEADS, topic
from core.instances.rules import InstanceId, Provider
from core.jobs import CheckPhones
from core.leads.phones import forms, from_address
from core.leads.rules import OnWhatsApp
from core.ports import NumberFound, WhatsApp
from core.runtime import Runtime
from core.sending.addresses import Person
from core.sending.dispatch import writing_by
from core.sending.queries import CAN_SEND
from core.sending.receipts import meet
from core.work import Work

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """A phone of a group; `phone` is E.164."""

    phone: str
    phone_hash: bytes


@dataclass(frozen=True)
class Group:
    """Phones that are about to be asked about, of one number; `at` marks them as this group's."""

    instance_id: InstanceId
    team_id: TeamId
    gateway_name: str
    provider: Provider
    sealed: bytes | None = field(repr=False)
    at: datetime
    asked: tuple[Asked, ...]


# ---------------------------------------------------------------- which number may ask now

# Numbers with a wish whose time has come, by ix_phone_checks_wanted; their last group by ix_phone_checks_tried.
# Whoever was killed in the last try of all leaves a wish that is tried once more.
DUE = """
w.wanted_at is not null
and (w.tries = 0 or w.tried_at + (cast(:backoff as interval[]))[least(w.tries, :last)] <= :now)
"""
ASKING = text(f"""
select i.id, i.team_id, i.gateway_name, i.provider, i.gateway_token, least(i.per_day, i.cap) as ceiling,
       last.tried_at as last_at, coalesce(last.told_nothing, false) as told_nothing,
       (select count(*) from phone_checks d where d.instance_id = i.id and d.tried_at > :now - :day) as asked_today
from instances i
left join lateral (
    select max(p.tried_at) as tried_at, bool_and(p.wanted_at is not null) as told_nothing
    from phone_checks p
    where p.instance_id = i.id
      and p.tried_at = (select max(m.tried_at) from phone_checks m where m.instance_id = i.id)
) last on true
where {CAN_SEND}
  and (i.rests_until is null or i.rests_until <= :now)
  and (i.lease_until is null or i.lease_until < :now)
  and exists (select from phone_checks w where w.instance_id = i.id and {DUE})
  and not exists (select from campaign_leads r where r.instance_id = i.id and r.status = 'sending')
  and not exists (select from answers a where a.instance_id = i.id and a.status = 'sending')
  and (cast(:only as bigint) is null or i.id = :only)
order by i.id
""")  # noqa: S608 - our own text, no value of anybody's
LOCK_NUMBER = text("select id from instances where id = :id for no key update skip locked")


def queue_checks(work: Work) -> int:
    """Queues a job for each number that may ask now; the timetable calls this every few seconds.  How many."""
    numbers = _may_ask(work)
    for row in numbers:
        work.later(CheckPhones(row.id))
    return len(numbers)


def _may_ask(work: Work, only: InstanceId | None = None) -> list[Row[Any]]:
    asked = {"now": work.now, "day": DAY, "backoff": list(BACKOFF), "last": len(BACKOFF), "only": only}
    found = [row for row in work.session.execute(ASKING, asked) if _is_due(work, row)]
    if not found:
        return []
    busy = writing_by(work, work.now + QUIET)
    return [row for row in found if row.id not in busy]


def _is_due(work: Work, row: Row[Any]) -> bool:
    pace = pace_of(row.ceiling, is_simulated=work.settings.gateway_simulated)
    if row.asked_today >= pace.per_day:
        return False
    return row.last_at is None or next_group_at(pace, last_at=row.last_at, told_nothing=row.told_nothing) <= work.now


# ---------------------------------------------------------------- one group

# Nobody is asked about who asked to be left alone meanwhile, or whom the team has taken off its list.
DROP = text("""
update phone_checks p set wanted_at = null
where p.instance_id = :id and p.wanted_at is not null and (
    exists (
        select from opt_outs o where o.team_id = p.team_id and o.phone_hash = p.phone_hash and o.undone_at is null
    )
    or not exists (
        select from leads l where l.team_id = p.team_id and l.phone_hash = p.phone_hash and l.deleted_at is null
    )
)
""")
# As a CTE it is read once: a mere subquery may be read again for each row, and its limit is none.
CLAIM = text(f"""
with due as materialized (
    select team_id, phone_hash from phone_checks w
    where w.instance_id = :id and {DUE}
    order by w.wanted_at limit :most for no key update skip locked
)
update phone_checks p set tried_at = :now, tries = p.tries + 1
from due
where p.team_id = due.team_id and p.phone_hash = due.phone_hash
returning p.phone, p.phone_hash, p.wanted_at
""")  # noqa: S608


def check_next(runtime: Runtime, instance_id: InstanceId) -> int:
    """Asks about the next group of a number, if one may be asked about now; how many phones were told of."""
    with runtime.work() as work:
        group = _claim(work, instance_id)
    if group is None:
        return 0
    found = _ask(runtime.whatsapp(group.provider, group.sealed), group)
    _learn(runtime, group, found)
    with runtime.work() as work:
        return _settle(work, group, found)


def _claim(work: Work, instance_id: InstanceId) -> Group | None:
    """Everything is looked at again under the number's lock: of two jobs at once the second finds nothing to do."""
    if work.session.execute(LOCK_NUMBER, {"id": instance_id}).one_or_none() is None:
        return None
    work.session.execute(DROP, {"id": instance_id})
    numbers = _may_ask(work, only=instance_id)
    if not numbers:
        return None
    [row] = numbers
    claimed = work.session.execute(
        CLAIM, {"id": instance_id, "now": work.now, "backoff": list(BACKOFF), "last": len(BACKOFF), "most": GROUP}
    ).all()
    if not claimed:
        return None
    return Group(
        instance_id=instance_id,
        team_id=TeamId(row.team_id),
        gateway_name=row.gateway_name,
        provider=Provider(row.provider),
        sealed=row.gateway_token,
        at=work.now,
        asked=tuple(
            Asked(each.phone, bytes(each.phone_hash)) for each in sorted(claimed, key=lambda each: each.wanted_at)
        ),
    )


def _ask(whatsapp: WhatsApp, group: Group) -> list[NumberFound]:
    """One answer for each phone of the group.

    Where WhatsApp knows nobody under a number, it may know the same person under the number's other form: only two
    times "no" is one.
    """
    phones = [each.phone for each in group.asked]
    nothing = [NumberFound(phone, None) for phone in phones]
    if not whatsapp.capabilities().number_check:
        return nothing
    try:
        first = whatsapp.check_numbers(group.gateway_name, phones)
    except WorldTrouble as trouble:
        log.warning("number %s: nobody was told of (%s)", group.instance_id, trouble)
        return nothing
    other = {each.phone: _other_form(each.phone) for each in first if each.exists is False}
    again = [form for form in other.values() if form is not None]
    if not again:
        return first
    try:
        second = {each.phone: each for each in whatsapp.check_numbers(group.gateway_name, again)}
    except WorldTrouble as trouble:
        log.warning("number %s: the other forms were not told of (%s)", group.instance_id, trouble)
        second = {}
    return [_of_both(each, other.get(each.phone), second) for each in first]


def _other_form(phone: str) -> str | None:
    return next((form for form in forms(phone) if form != phone), None)


def _of_both(first: NumberFound, form: str | None, second: dict[str, NumberFound]) -> NumberFound:
    if form is None:
        return first
    told = second.get(form, NumberFound(form, None))
    return NumberFound(first.phone, told.exists, told.address, told.hidden_address)


# ---------------------------------------------------------------- what was told

# By the mark of the group: whoever is so late that another has asked meanwhile changes nothing.
KEEP = text("""
update phone_checks
set on_whatsapp = :answer, address = coalesce(:address, address), checked_at = now(), wanted_at = null
where team_id = :team_id and phone_hash = :phone_hash and tried_at = :at
returning phone_hash
""")
GIVE_UP = text("""
update phone_checks set wanted_at = null
where team_id = :team_id and phone_hash = any(:hashes) and tried_at = :at and tries >= :most
""")
LEADS_OF = text("select id from leads where team_id = :team_id and phone_hash = any(:hashes)")
TELL_LEADS = text("""
update leads set on_whatsapp = :answer, whatsapp_checked_at = now()
where team_id = :team_id and phone_hash = any(:hashes)
""")


def _settle(work: Work, group: Group, found: Sequence[NumberFound]) -> int:
    """Writes down what was told, on every lead of each phone; what was not told stays as it was, and is no "no"."""
    told = {each.phone: each for each in found}
    known: dict[OnWhatsApp, list[bytes]] = {OnWhatsApp.YES: [], OnWhatsApp.NO: []}
    for asked in sorted(group.asked, key=lambda each: each.phone_hash):
        answer = told[asked.phone]
        if answer.exists is None:
            continue
        is_there = OnWhatsApp.YES if answer.exists else OnWhatsApp.NO
        values = {
            "team_id": group.team_id,
            "phone_hash": asked.phone_hash,
            "at": group.at,
            "answer": is_there.value,
            "address": answer.address,
        }
        if work.session.execute(KEEP, values).one_or_none() is not None:
            known[is_there].append(asked.phone_hash)
    hashes = [each.phone_hash for each in group.asked]
    mark = {"team_id": group.team_id, "hashes": hashes, "at": group.at, "most": MOST_TRIES}
    work.session.execute(GIVE_UP, mark)
    ids = work.session.scalars(LEADS_OF, {"team_id": group.team_id, "hashes": hashes}).all()
    work.session.execute(LOCK_LEADS, {"ids": list(ids)})
    for is_there, some in known.items():
        work.session.execute(TELL_LEADS, {"team_id": group.team_id, "hashes": some, "answer": is_there.value})
    work.tell(topic(group.team_id))
    return sum(map(len, known.values()))


def _learn(runtime: Runtime, group: Group, found: Sequence[NumberFound]) -> None:
    """A hidden id that is told belongs to a person, and so does what was said under it: it may be an opt-out.

    Before the rest is written down, and each in a Work of its own: whoever dies here is told all of it again.
    """
    hashes = {each.phone: each.phone_hash for each in group.asked}
    for answer in found:
        addresses = [each for each in (answer.address, answer.hidden_address) if each is not None]
        if not any(from_address(each) is None for each in addresses):
            continue  # it names its number by itself
        with runtime.work() as work:
            for campaign_id in meet(work, group.team_id, Person(answer.phone, hashes[answer.phone]), addresses):
                work.tell(f"campaign:{campaign_id}")
