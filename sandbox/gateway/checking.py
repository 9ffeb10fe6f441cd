"""Whether numbers are on WhatsApp: `chat/whatsappNumbers`, and the same question before each send.

What was said to exist is remembered for all instances and not asked again; what does not exist is asked each time.
So a cached number is answered even while the line is closed, or dead without anybody having noticed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sandbox.gateway import answers
from sandbox.gateway.addresses import lid_of, make_jid, person_digits
from sandbox.gateway.answers import Refusal
from sandbox.gateway.faults import Fault, Kind
from sandbox.gateway.history import Row
from sandbox.gateway.instance import BAILEYS, Instance
from sandbox.gateway.mishaps import fail_after, fail_before, seconds_of

if TYPE_CHECKING:
    from sandbox.gateway.world import World

NOT_ASKED = ("@g.us", "@broadcast", "@lid")


async def require_number(world: World, instance: Instance, jid: str, number: str) -> None:
    """What a send asks first.  Raises Refusal for one that is not on WhatsApp, and for a line that is not open."""
    if instance.integration != BAILEYS:
        return
    seen = jid in world.seen_numbers
    _require_line(world, instance, seen)
    if seen or jid.endswith(NOT_ASKED):
        return
    if world.link(instance).is_dead:
        await asyncio.sleep(world.timings.whatsapp_timeout_s)
        raise answers.check_timed_out()
    await asyncio.sleep(world.timings.number_check_s)
    if not world.people.behind(jid).exists:
        raise answers.not_on_whatsapp(jid, number)
    world.remember_number(jid)


def _require_line(world: World, instance: Instance, seen: bool) -> None:
    state = world.link(instance).state
    if state == "open":
        return
    if state is None:  # not observed: the process knows the row and has not loaded the instance
        raise answers.broken("Cannot read properties of undefined (reading 'textMessage')")
    if state == "connecting" and not instance.is_paired:
        raise answers.bad_request("TypeError: Cannot read properties of undefined (reading 'id')")
    raise answers.connection_closed(seen)


async def check_numbers(world: World, instance: Instance, numbers: list[object]) -> list[Row]:
    """One question for the whole list; the input is echoed, the address is what to store."""
    given = [str(number) for number in numbers]
    jids = [make_jid(number) for number in given]
    for jid in jids:
        fault = world.faults.take("check", instance=instance.name, number=person_digits(jid))
        if fault is not None:
            return await _check_with_fault(world, instance, given, jids, fault)
    return await _look_up(world, instance, given, jids, None)


async def _check_with_fault(
    world: World, instance: Instance, numbers: list[str], jids: list[str], fault: Fault
) -> list[Row]:
    await fail_before(world, fault)
    if fault.kind in (Kind.CLOSED_400, Kind.CLOSED_500):
        raise answers.closed_during_check()
    if fault.kind in (Kind.NUMBER_CHECK_TIMEOUT, Kind.FROZEN_LINK):
        await asyncio.sleep(seconds_of(fault, world.timings.whatsapp_timeout_s))
        raise Refusal(400, {})
    found = await _look_up(world, instance, numbers, jids, fault)
    await fail_after(world, fault)
    return found


async def _look_up(
    world: World, instance: Instance, numbers: list[str], jids: list[str], fault: Fault | None
) -> list[Row]:
    if any(jid not in world.seen_numbers and not jid.endswith(NOT_ASKED) for jid in jids):
        await _ask_whatsapp(world, instance)
    denied = fault.number if fault and fault.kind is Kind.NOT_ON_WHATSAPP else None
    rows = []
    for number, jid in zip(numbers, jids, strict=True):
        exists = jid in world.seen_numbers or world.people.behind(jid).exists
        if fault and fault.kind is Kind.NOT_ON_WHATSAPP and denied in (None, person_digits(jid)):
            exists = False
        elif exists:
            world.remember_number(jid)
        rows.append({"jid": jid, "exists": exists, "number": number} | _known(world, instance, jid, exists))
    return rows


async def _ask_whatsapp(world: World, instance: Instance) -> None:
    link = world.link(instance)
    if link.state != "open":
        raise answers.closed_during_check()
    if link.is_dead:
        await asyncio.sleep(world.timings.whatsapp_timeout_s)
        raise Refusal(400, {})
    await asyncio.sleep(world.timings.number_check_s)


def _known(world: World, instance: Instance, jid: str, exists: bool) -> Row:
    """`name` of one who has written to this instance, `lid` of one who writes from a hidden address."""
    if not exists:
        return {}
    person = world.people.behind(jid)
    name = world.history.name_of(instance.id, person.digits)
    known = {"name": name} if name else {}
    return known | ({"lid": lid_of(person.digits)} if person.uses_lid else {})
