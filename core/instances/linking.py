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

from sqlalchemy import Update, delete, or_, update

from core.errors import OutcomeUnknown, Rejected, Unreachable, WorldTrouble
from core.instances import events, queries, sessions
from core.instances.rules import InstanceId, InstanceStatus, Provider, StatusReason
from core.ports import LinkReport, LinkState, Qr, RejectedKind
from core.runtime import Runtime
from core.secrets import seal
from core.tables import GatewayLeftover, Instance
from core.work import Work

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
    address = sessions.webhook_address(runtime.settings, instance_id, claim.gateway_name, claim.provider)
    whatsapp = runtime.whatsapp(claim.provider, claim.sealed)
    try:
        if claim.provider is Provider.META and not _may_be_ours(runtime, claim, whatsapp.describe(claim.gateway_name)):
            return
        made = whatsapp.create(claim.gateway_name, address.url, address.token)
    except WorldTrouble as trouble:
        if claim.provider is not Provider.META:
            _note(runtime, claim, trouble, linking_at=None)
        elif _is_for_good(trouble):
            _give_up(runtime, claim, StatusReason.CREDENTIALS_REFUSED, trouble)
        else:  # its own limits are strict: again when the claim has run out
            _note(runtime, claim, trouble)
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


# What Meta refuses a number for, by the reason that its adapter gives.
OFFICIAL_TROUBLES = {
    **dict.fromkeys(("no_credentials", "meta_0", "meta_190"), "official_token"),
    **dict.fromkeys(("meta_3", "meta_10", "meta_200", "meta_131005"), "official_permissions"),
    **dict.fromkeys(("meta_33", "meta_not_there", "number_of_another_account"), "official_account"),
    **dict.fromkeys(("meta_368", "meta_131031", "meta_131045", "meta_131048"), "official_locked"),
    "meta_131042": "official_payment",
    "meta_app_secret": "official_secret",
    "meta_callback": "official_callback",
}


def trouble_key(trouble: WorldTrouble) -> str:
    """What is the matter with the gateway, as a key for the pages."""
    if isinstance(trouble, Unreachable):
        return "gateway_unreachable"
    if isinstance(trouble, Rejected):
        if trouble.reason in OFFICIAL_TROUBLES:
            return OFFICIAL_TROUBLES[trouble.reason]
        if trouble.reason.startswith("meta_"):
            return "gateway_unclear" if trouble.kind == RejectedKind.THROTTLED else "official_refuses"
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


def _may_be_ours(runtime: Runtime, claim: AtGateway, told: LinkReport) -> bool:
    """Of an official number, before Meta is told to tell us of it: that would take it from whoever has it here."""
    if told.state in (LinkState.CLOSED, LinkState.ABSENT):
        gone = Rejected(RejectedKind.CONFIG, "meta_not_there") if told.state is LinkState.ABSENT else None
        _give_up(runtime, claim, StatusReason.CREDENTIALS_REFUSED if gone else told.reason, gone)
        return False
    with runtime.work() as work:
        if told.phone is None:
            return True
        if queries.is_phone_in_use(work.session, told.phone, but=claim.instance_id):
            _end_link(work, claim, StatusReason.ALREADY_CONNECTED, None)
            return False
        if queries.has_other_past(work.session, claim.instance_id, told.phone):
            _end_link(work, claim, StatusReason.CREDENTIALS_REFUSED, "official_account")
            return False
        work.session.execute(_still_wanted(claim).values(phone=told.phone))
    return True


def _is_for_good(trouble: WorldTrouble) -> bool:
    """Only other credentials can help.  An address that Meta does not reach may be reached later."""
    return (
        isinstance(trouble, Rejected)
        and trouble.kind in (RejectedKind.CONFIG, RejectedKind.CONTENT)
        and trouble.reason != "meta_callback"
    )


def _give_up(runtime: Runtime, claim: AtGateway, reason: str, trouble: WorldTrouble | None) -> None:
    log.warning("number %s: not linked, %s (%s)", claim.instance_id, reason, trouble)
    with runtime.work() as work:
        _end_link(work, claim, reason, trouble_key(trouble) if trouble else None)


def _end_link(work: Work, claim: AtGateway, reason: str, key: str | None) -> None:
    ended = _still_wanted(claim).values(
        status=InstanceStatus.DISCONNECTED,
        status_reason=reason,
        status_at=work.now,
        gateway_trouble=key,
        linking_at=None,
    )
    team_id = work.session.scalar(ended.returning(Instance.team_id))
    if team_id is not None:
        work.tell(f"instances:{team_id}", {"id": claim.instance_id})


def _still_wanted(claim: AtGateway) -> Update:
    """Of the number only while it waits for this link, with the credentials that the link was begun with."""
    return (
        update(Instance)
        .where(
            Instance.id == claim.instance_id,
            Instance.gateway_name == claim.gateway_name,
            Instance.gateway_token.is_not_distinct_from(claim.sealed),
            Instance.gateway_id.is_(None),
            Instance.status.in_((InstanceStatus.NEW, InstanceStatus.SCANNING)),
        )
        .execution_options(synchronize_session=False)
    )


def _keep(runtime: Runtime, claim: AtGateway, gateway_id: str, token: str) -> bool:
    """False when the number was removed or began anew meanwhile: then what was just made is a leftover."""
    changes: dict[str, object] = {"gateway_id": gateway_id, "gateway_trouble": None}
    if token:
        changes["gateway_token"] = seal(runtime.settings.secret_key, token)
    with runtime.work() as work:
        kept = _still_wanted(claim).values(status=InstanceStatus.SCANNING, **changes)
        team_id = work.session.scalar(kept.returning(Instance.team_id))
        if team_id is not None:
            work.tell(f"instances:{team_id}", {"id": claim.instance_id})
        elif not queries.has_name(work.session, claim.instance_id, claim.gateway_name):
            sessions.leave(work, claim.instance_id, claim.gateway_name, claim.provider, claim.sealed)
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
