"""The faults that any call can have, whatever it is about: before it is looked at, and once it was done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sandbox.gateway import answers
from sandbox.gateway.answers import ConnectionDropped, Refusal
from sandbox.gateway.faults import Fault, Kind

if TYPE_CHECKING:
    from sandbox.gateway.world import World

PAGES = {
    Kind.HTML_200: 200,
    Kind.ERROR_500: 500,
    Kind.ERROR_502: 502,
    Kind.ERROR_503: 503,
    Kind.ERROR_504: 504,
}


async def fail_before(world: World, fault: Fault | None) -> None:
    """What happens before a call is looked at."""
    match fault and fault.kind:
        case Kind.DROP_BEFORE:
            raise ConnectionDropped
        case Kind.LICENCE:
            raise answers.licence_required(world.base_url, world.installation)
        case Kind.ANSWER:
            assert fault is not None, "matched above"
            raise Refusal(fault.status, fault.body)
        case Kind.SLOW:
            assert fault is not None, "matched above"
            await asyncio.sleep(seconds_of(fault, world.timings.slow_s))


async def fail_after(world: World, fault: Fault | None) -> None:
    """What happens once it was done: the answer is late or is not ours."""
    if fault is None:
        return
    if fault.kind is Kind.SLOW_ANSWER:
        await asyncio.sleep(seconds_of(fault, world.timings.slow_s))
    elif fault.kind is Kind.MALFORMED:
        raise answers.half_a_document()
    elif fault.kind in PAGES:
        if fault.kind is Kind.ERROR_504:
            await asyncio.sleep(seconds_of(fault, world.timings.whatsapp_timeout_s))
        raise answers.page(PAGES[fault.kind])


def seconds_of(fault: Fault | None, otherwise: float) -> float:
    return otherwise if fault is None or fault.seconds is None else fault.seconds
