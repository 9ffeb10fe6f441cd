"""What people want of the gateway, carried out: a number made and its code fetched, an old session removed.

A wish is a row (service.py writes it), so it survives whoever was about to carry it out.  Each is claimed, the claim
committed, the gateway called, and what came of it recorded.  A claim that is older than its call can last is taken up
by the next look; making under a name that is there adopts it, and removing what is gone is success.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, or_, update

from core.errors import OutcomeUnknown, Rejected, Unreachable, WorldTrouble
from core.instances import events, queries, sessions
from core.instances.rules import InstanceId, InstanceStatus, Provider
from core.ports import LinkState, Qr
from core.runtime import Runtime
from core.secrets import seal
from core.tables import GatewayLeftover, Instance

log = logging.getLogger(__name__)
# Longer than a create and a connect can take together, so that two never make one number at once.
LINKING_TAKES = timedelta(seconds=45)
REMOVING_TAKES = timedelta(seconds=45)

Start = Callable[[Callable[[], None]], object]


@dataclass(frozen=True)
class AtGateway:
    """A number as it is to be made, or asked for its code, at its gateway."""

    instance_id: InstanceId
    gateway_name: str
    provider: Provider
    sealed: bytes | None = field(repr=False)
    pairing_phone: str | None


def carry_out_wishes(runtime: Runtime, start: Start | None = None) -> int:
    """How many wishes there were.  `start` runs each, on a thread if it likes; without it they run here, in turn."""
    run = start or (lambda wish: wish())
    with runtime.work() as work:
        to_link = queries.waiting_to_be_linked(work.session, tried_before=work.now - LINKING_TAKES)
        to_remove = queries.leftovers(work.session, tried_before=work.now - REMOVING_TAKES)
    for instance_id in to_link:
        run(lambda instance_id=instance_id: link(runtime, instance_id))  # type: ignore[misc]
    for gateway_name in to_remove:
        run(lambda gateway_name=gateway_name: remove(runtime, gateway_name))  # type: ignore[misc]
    return len(to_link) + len(to_remove)


def link(runtime: Runtime, instance_id: InstanceId) -> None:
    """Makes the number at the gateway and shows its first code.  Does nothing where another is at it."""
    claim = _claim_link(runtime, instance_id)
    if claim is None:
        return
    address = sessions.webhook_address(runtime.settings, instance_id, claim.gateway_name)
    try:
        made = runtime.whatsapp(claim.provider, claim.sealed).create(claim.gateway_name, address.url, address.token)
    except WorldTrouble as trouble:
        _note(runtime, claim, trouble, linking_at=None)
        return
    if not _keep(runtime, claim, made.gateway_id, made.token):
        return
    ask_code(runtime, claim)


def ask_code(runtime: Runtime, number: AtGateway) -> None:
    """Starts the session where it is closed, and shows the code of the moment."""
    try:
        answer = runtime.whatsapp(number.provider, number.sealed).connect(number.gateway_name, number.pairing_phone)
    except WorldTrouble as trouble:
        _note(runtime, number, trouble)
        return
    with runtime.work() as work:
        if isinstance(answer, Qr):
            events.apply_code(work, number.instance_id, number.gateway_name, answer)
        elif answer.state in (LinkState.OPEN, LinkState.ABSENT):
            events.apply_link(work, number.instance_id, number.gateway_name, answer, seen=True)
        # no code yet: the next look asks again, and after a while the page says that WhatsApp cannot be reached


def remove(runtime: Runtime, gateway_name: str) -> None:
    """Logs a left session out and deletes it; the row goes when the gateway has forgotten the name."""
    with runtime.work() as work:
        claimed = work.session.execute(
            update(GatewayLeftover)
            .where(
                GatewayLeftover.gateway_name == gateway_name,
                or_(GatewayLeftover.tried_at.is_(None), GatewayLeftover.tried_at < work.now - REMOVING_TAKES),
            )
            .values(tried_at=work.now, tries=GatewayLeftover.tries + 1)
            .returning(GatewayLeftover.tries, GatewayLeftover.provider, GatewayLeftover.gateway_token)
        ).first()
    if claimed is None:
        return
    try:
        runtime.whatsapp(claimed.provider, claimed.gateway_token).remove(gateway_name)
    except WorldTrouble as trouble:
        log.warning("a session could not be removed at the gateway (try %s): %s", claimed.tries, trouble)
        return
    with runtime.work() as work:
        work.session.execute(delete(GatewayLeftover).where(GatewayLeftover.gateway_name == gateway_name))


def trouble_key(trouble: WorldTrouble) -> str:
    """What is the matter with the gateway, as a key for the pages."""
    if isinstance(trouble, Unreachable):
        return "gateway_unreachable"
    if isinstance(trouble, Rejected):
        return "gateway_licence" if trouble.reason == "licence" else "gateway_refuses_key"
    return "gateway_unclear" if isinstance(trouble, OutcomeUnknown) else "gateway_trouble"


def _claim_link(runtime: Runtime, instance_id: InstanceId) -> AtGateway | None:
    with runtime.work() as work:
        row = work.session.execute(
            update(Instance)
            .where(
                Instance.id == instance_id,
                Instance.status.in_((InstanceStatus.NEW, InstanceStatus.SCANNING)),
                Instance.gateway_name.is_not(None),
                Instance.gateway_id.is_(None),
                or_(Instance.linking_at.is_(None), Instance.linking_at < work.now - LINKING_TAKES),
            )
            .values(linking_at=work.now)
            .returning(Instance.gateway_name, Instance.provider, Instance.gateway_token, Instance.pairing_phone)
        ).first()
    if row is None:
        return None
    return AtGateway(instance_id, row.gateway_name, row.provider, row.gateway_token, row.pairing_phone)


def _keep(runtime: Runtime, claim: AtGateway, gateway_id: str, token: str) -> bool:
    """False when the number was removed or began anew meanwhile: then what was just made is a leftover."""
    with runtime.work() as work:
        team_id = work.session.scalar(
            update(Instance)
            .where(
                Instance.id == claim.instance_id,
                Instance.gateway_name == claim.gateway_name,
                Instance.gateway_id.is_(None),
                Instance.status.in_((InstanceStatus.NEW, InstanceStatus.SCANNING)),
            )
            .values(
                gateway_id=gateway_id,
                gateway_token=seal(runtime.settings.secret_key, token),
                gateway_trouble=None,
                status=InstanceStatus.SCANNING,
            )
            .returning(Instance.team_id)
        )
        if team_id is None:
            sessions.leave(work, claim.instance_id, claim.gateway_name)
        else:
            work.tell(f"instances:{team_id}", {"id": claim.instance_id})
    return team_id is not None


def _note(runtime: Runtime, claim: AtGateway, trouble: WorldTrouble, **changes: object) -> None:
    key = trouble_key(trouble)
    log.warning("number %s: %s (%s)", claim.instance_id, key, trouble)
    with runtime.work() as work:
        team_id = work.session.scalar(
            update(Instance)
            .where(Instance.id == claim.instance_id, Instance.gateway_name == claim.gateway_name)
            .values(gateway_trouble=key, **changes)
            .returning(Instance.team_id)
        )
        if team_id is not None:
            work.tell(f"instances:{team_id}", {"id": claim.instance_id})
