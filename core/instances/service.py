"""The WhatsApp numbers of a team: what people may ask for.

None of these calls the gateway: they write what is wanted, and core/instances/linking.py carries it out within a
second, whatever is killed in between.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import select, update

from core import audit
from core.accounts.rules import Actor, Role
from core.errors import BadInput, NotFound, StateChanged
from core.instances import breaker, checking, history, queries, sessions
from core.instances.checking import Checker, CheckWanted
from core.instances.history import NumberRecord, RemovedNumber
from core.instances.official import Credentials
from core.instances.queries import NumberCard
from core.instances.rules import (
    MAY_FOLLOW,
    InstanceId,
    InstanceStatus,
    Pace,
    Provider,
    StatusReason,
    check_name,
    check_pace,
)
from core.instances.sessions import WebhookAddress
from core.leads.phones import Phone
from core.leads.rules import LeadFilter
from core.secrets import seal
from core.tables import Instance, Team
from core.work import Work

MOST_NUMBERS = 20  # each takes its memory at the gateway


def numbers(work: Work, actor: Actor) -> list[NumberCard]:
    """All but the removed ones, in the order they were added; only an owner is shown their codes."""
    found = queries.numbers_of(work.session, actor.team_id, work.now)
    return [_as_seen_by(actor, card) for card in found]


def number(work: Work, actor: Actor, instance_id: InstanceId) -> NumberCard:
    found = queries.numbers_of(work.session, actor.team_id, work.now, instance_id=instance_id)
    if not found:
        raise NotFound
    return _as_seen_by(actor, found[0])


def _as_seen_by(actor: Actor, card: NumberCard) -> NumberCard:
    is_owner = actor.role is Role.OWNER
    return card if is_owner else replace(card, qr_text=None, pairing_code=None, pairing_phone=None)


def record(work: Work, actor: Actor, instance_id: InstanceId) -> NumberRecord:
    """Who accepted the terms, and what people did with it."""
    return history.record_of(work.session, actor.team_id, instance_id)


def count_removed(work: Work, actor: Actor) -> int:
    return history.count_removed(work.session, actor.team_id)


def removed_numbers(work: Work, actor: Actor) -> list[RemovedNumber]:
    """Those that were disconnected for good, the last first."""
    return history.removed_of(work.session, actor.team_id)


def sends_today(work: Work, actor: Actor) -> tuple[int, int]:
    """Sent today, and what may be in all: a number that is not connected adds no more than it had sent."""
    return queries.sends_today_of(work.session, actor.team_id, work.now)


def room_today(work: Work, actor: Actor) -> int:
    """How many more messages of campaigns may leave today from the numbers that can send."""
    return queries.room_today(work.session, actor.team_id, work.now)


def connect_new(work: Work, actor: Actor, name: str, *, accepts_terms: bool, was_in_use: bool = False) -> InstanceId:
    """A number to be linked; its code is there in about three seconds.

    `was_in_use`: the person says that customers have been written to from it for months; it then needs no warm-up.
    Raises BadInput("name") or BadInput("terms"): whoever links a number says that they know what WhatsApp forbids.
    """
    actor.require(Role.OWNER)
    name = check_name(name)
    if not accepts_terms:
        raise BadInput("terms", "terms_not_accepted")
    if not work.settings.gateway_url:
        raise BadInput("name", "gateway_not_set_up")
    _check_room(work, actor)
    row = Instance(
        team_id=actor.team_id,
        created_by=actor.user_id,
        name=name,
        terms_accepted_by=actor.user_id,
        terms_accepted_at=work.now,
        was_in_use=was_in_use,
    )
    _set(row, _first_pace(work, actor))
    work.session.add(row)
    work.session.flush()
    row.gateway_name = sessions.new_name(InstanceId(row.id))
    audit.record(work, actor, "instance.added", "instance", row.id, name=name, was_in_use=was_in_use)
    _tell(work, actor, row.id)
    return InstanceId(row.id)


def rename(work: Work, actor: Actor, instance_id: InstanceId, name: str) -> None:
    """Within the team; WhatsApp's own profile stays as it is.  Raises BadInput("name")."""
    actor.require(Role.OWNER)
    row = _mine(work, actor, instance_id)
    was, row.name = row.name, check_name(name)
    audit.record(work, actor, "instance.renamed", "instance", row.id, was=was, now=row.name)
    _tell(work, actor, row.id)


def connect_official(
    work: Work, actor: Actor, name: str, credentials: Credentials, *, accepts_terms: bool
) -> InstanceId:
    """A number of WhatsApp's own Cloud API.  Meta is asked in a moment: then it is connected, or says what is refused.

    Raises BadInput("name") or BadInput("terms"), and BadInputs for what cannot be a credential.
    """
    actor.require(Role.OWNER)
    name = check_name(name)
    entered = credentials.checked()
    if not accepts_terms:
        raise BadInput("terms", "terms_not_accepted")
    if not _can_be_called_by_meta(work):
        raise BadInput("name", "callback_not_https")
    _check_room(work, actor)
    row = Instance(
        team_id=actor.team_id,
        created_by=actor.user_id,
        name=name,
        provider=Provider.META,
        gateway_token=seal(work.settings.secret_key, entered.to_text()),
        terms_accepted_by=actor.user_id,
        terms_accepted_at=work.now,
    )
    _set(row, _first_pace(work, actor))
    work.session.add(row)
    work.session.flush()
    row.gateway_name = sessions.new_name(InstanceId(row.id))
    audit.record(work, actor, "instance.added", "instance", row.id, name=name, provider=Provider.META)
    _tell(work, actor, row.id)
    return InstanceId(row.id)


def set_credentials(work: Work, actor: Actor, instance_id: InstanceId, credentials: Credentials) -> None:
    """New ones for an official number, as when its token has run out.  They are verified as those of a new one are.

    Raises BadInputs, and BadInput("phone_number_id") where the number is no official one, or another than these are of.
    """
    actor.require(Role.OWNER)
    entered = credentials.checked()
    row = _mine(work, actor, instance_id)
    if row.provider is not Provider.META:
        raise BadInput("phone_number_id", "not_official")
    if row.gateway_id is not None and row.gateway_id != entered.phone_number_id:
        raise BadInput("phone_number_id", "another_number")
    changes = sessions.blank(Provider.META) | {"gateway_token": seal(work.settings.secret_key, entered.to_text())}
    status = InstanceStatus.NEW if row.status is InstanceStatus.NEW else InstanceStatus.SCANNING
    _change(work, actor, row, status=status, status_reason=None, **changes)
    audit.record(work, actor, "instance.credentials_set", "instance", instance_id)


def callback(work: Work, actor: Actor, instance_id: InstanceId) -> WebhookAddress:
    """Where Meta tells us of an official number, for who has to enter it there by hand.  NotFound for any other."""
    actor.require(Role.OWNER)
    row = _mine(work, actor, instance_id)
    if row.provider is not Provider.META or row.gateway_name is None:
        raise NotFound
    return sessions.webhook_address(work.settings, instance_id, row.gateway_name, Provider.META)


def _can_be_called_by_meta(work: Work) -> bool:
    """Meta calls https addresses only; a stand-in for it calls any."""
    settings = work.settings
    callback = settings.meta_callback_url or settings.receiver_url
    return callback.startswith("https://") or not settings.meta_url.startswith("https://")


def _check_room(work: Work, actor: Actor) -> None:
    work.session.scalars(select(Team.id).where(Team.id == actor.team_id).with_for_update()).one()
    if queries.count_live(work.session, actor.team_id) >= MOST_NUMBERS:
        raise BadInput("name", "too_many_numbers", most=MOST_NUMBERS)


def accept_terms(work: Work, actor: Actor, instance_id: InstanceId) -> None:
    """Stored once: who, and when.  A second time changes nothing."""
    actor.require(Role.OWNER)
    row = _mine(work, actor, instance_id)
    if row.terms_accepted_at is None:
        row.terms_accepted_by, row.terms_accepted_at = actor.user_id, work.now
        audit.record(work, actor, "instance.terms_accepted", "instance", row.id)


def new_code(work: Work, actor: Actor, instance_id: InstanceId) -> None:
    """Another code for a number that was not scanned yet.  Raises StateChanged when it has been meanwhile."""
    actor.require(Role.OWNER)
    _begin_anew(work, actor, instance_id, "instance.new_code")


def pairing_code(work: Work, actor: Actor, instance_id: InstanceId, phone: str) -> None:
    """Eight letters to be typed on the phone of that number, beside the QR.  Raises BadInput("phone")."""
    actor.require(Role.OWNER)
    country = work.session.scalars(select(Team.country).where(Team.id == actor.team_id)).one()
    wanted = Phone.parse(phone, country).e164
    _begin_anew(work, actor, instance_id, "instance.pairing_code", pairing_phone=wanted)


def reconnect(work: Work, actor: Actor, instance_id: InstanceId) -> None:
    """A new session for a number that was lost; its campaigns, its pace and its history are as they were."""
    actor.require(Role.OWNER)
    _begin_anew(work, actor, instance_id, "instance.reconnect")


def disconnect(work: Work, actor: Actor, instance_id: InstanceId) -> None:
    """For good: logged out and deleted at the gateway.  What it wrote and heard stays."""
    actor.require(Role.OWNER)
    row = _mine(work, actor, instance_id)
    left = row.gateway_name, row.provider, row.gateway_token
    _change(
        work,
        actor,
        row,
        status=InstanceStatus.REMOVED,
        status_reason=StatusReason.BY_HAND,
        removed_at=work.now,
        gateway_name=None,
        **sessions.BLANK,
    )
    sessions.leave(work, instance_id, *left)
    audit.record(work, actor, "instance.disconnected", "instance", instance_id, name=row.name)


def pause(work: Work, actor: Actor, instance_id: InstanceId) -> None:
    """Nothing leaves from it until a person lets it go on; a second pause changes nothing."""
    actor.require(Role.MEMBER)
    row = _mine(work, actor, instance_id)
    if row.paused_at is None:
        row.paused_at, row.pause_reason = work.now, StatusReason.BY_HAND
        audit.record(work, actor, "instance.paused", "instance", row.id)
        _tell(work, actor, row.id)


def unpause(work: Work, actor: Actor, instance_id: InstanceId) -> None:
    """Raises BadInput("pause", "number_rests") while a number rests after a sign of a ban."""
    actor.require(Role.MEMBER)
    row = _mine(work, actor, instance_id)
    if row.paused_at is None:
        return
    if row.rests_until is not None and row.rests_until > work.now:
        raise BadInput("pause", "number_rests", until=row.rests_until)
    audit.record(work, actor, "instance.unpaused", "instance", row.id, was=row.pause_reason, facts=row.pause_facts)
    if row.pause_reason != StatusReason.BY_HAND:
        row.pause_facts = breaker.looked_at(work.now)
    row.paused_at = row.pause_reason = None
    row.unconfirmed_in_a_row = 0
    _tell(work, actor, row.id)


def set_pace(
    work: Work,
    actor: Actor,
    instance_id: InstanceId,
    *,
    per_day: int,
    gap_min_s: int,
    gap_max_s: int,
    rest_after: int | None = None,
    rest_s: int | None = None,
    per_hour: int | None = None,
) -> None:
    """Holds from the next message on; a long pause and a cap of the hour that are not named stay as they are.

    `per_hour` 0: as many as the pauses let.  Raises BadInputs.
    """
    actor.require(Role.OWNER)
    row = _mine(work, actor, instance_id)
    pace = Pace(
        per_day,
        gap_min_s,
        gap_max_s,
        row.rest_after if rest_after is None else rest_after,
        row.rest_s if rest_s is None else rest_s,
    )
    check_pace(pace, least_gap_s=work.settings.min_gap.total_seconds(), per_hour=per_hour)
    was = asdict(Pace(row.per_day, row.gap_min_s, row.gap_max_s, row.rest_after, row.rest_s))
    now = asdict(pace)
    if per_hour is not None and (per_hour or None) != row.per_hour:
        was["per_hour"], now["per_hour"] = row.per_hour, per_hour or None
        row.per_hour = per_hour or None
    _set(row, pace)
    audit.record(work, actor, "instance.pace_set", "instance", row.id, was=was, now=now)
    _tell(work, actor, row.id)


def team_defaults(work: Work, actor: Actor) -> Pace:
    """The pace that a new number of the team begins with."""
    row = work.session.get_one(Team, actor.team_id)
    return Pace(
        row.number_per_day, row.number_gap_min_s, row.number_gap_max_s, row.number_rest_after, row.number_rest_s
    )


def set_team_defaults(work: Work, actor: Actor, pace: Pace) -> None:
    """For numbers connected from now on; those that are there keep their own.  Raises BadInputs."""
    actor.require(Role.OWNER)
    check_pace(pace, least_gap_s=work.settings.min_gap.total_seconds())
    was = team_defaults(work, actor)
    row = work.session.get_one(Team, actor.team_id)
    row.number_per_day, row.number_gap_min_s, row.number_gap_max_s = pace.per_day, pace.gap_min_s, pace.gap_max_s
    row.number_rest_after, row.number_rest_s = pace.rest_after, pace.rest_s
    audit.record(work, actor, "instance.defaults_set", "team", actor.team_id, was=asdict(was), now=asdict(pace))
    work.tell(f"instances:{actor.team_id}")


def _first_pace(work: Work, actor: Actor) -> Pace:
    """The team's own.  Where it has set none and the gateway is simulated, a quick one: nobody waits for that."""
    pace = team_defaults(work, actor)
    if not work.settings.gateway_simulated or pace != Pace():
        return pace
    least = max(1, round(work.settings.min_gap.total_seconds()))
    return replace(pace, gap_min_s=least, gap_max_s=max(least, 3), rest_after=0)


def _set(row: Instance, pace: Pace) -> None:
    row.per_day, row.gap_min_s, row.gap_max_s = pace.per_day, pace.gap_min_s, pace.gap_max_s
    row.rest_after, row.rest_s = pace.rest_after, pace.rest_s


def numbers_that_check(work: Work, actor: Actor) -> list[Checker]:
    """Those that can find out who is on WhatsApp, with what waits for each; those that can do so now first."""
    actor.require(Role.VIEWER)
    return checking.checkers(work, actor.team_id)


def check_phones(work: Work, actor: Actor, which: LeadFilter, instance_id: InstanceId) -> CheckWanted:
    """Has the phones of the leads meant looked up on WhatsApp from this number, at its pace: a day, or several.

    Raises NotFound, and BadInput("instance", "cannot_check") for a number whose gateway cannot be asked.
    """
    actor.require(Role.MEMBER)
    row = _mine(work, actor, instance_id)
    if not work.capabilities(row.provider).number_check:
        raise BadInput("instance", "cannot_check")
    told = checking.want(work, actor.team_id, which, row, actor.user_id)
    audit.record(work, actor, "leads.check_wanted", "instance", row.id, phones=told.wanted)
    return told


def stop_checking(work: Work, actor: Actor) -> int:
    """Takes back all that waits to be looked up, at whichever number; how many phones that were."""
    actor.require(Role.MEMBER)
    stopped = checking.stop(work, actor.team_id)
    if stopped:
        audit.record(work, actor, "leads.check_stopped", phones=stopped)
    return stopped


def _begin_anew(
    work: Work, actor: Actor, instance_id: InstanceId, action: str, *, pairing_phone: str | None = None
) -> None:
    """A session that was used is not used again: it may have gone deaf.  Its code ends with it."""
    row = _mine(work, actor, instance_id)
    if row.status is InstanceStatus.CONNECTED:
        raise StateChanged(row.status.value)
    if row.terms_accepted_at is None:
        raise BadInput("terms", "terms_not_accepted")
    left = row.gateway_name, row.provider, row.gateway_token
    changes: dict[str, Any] = {**sessions.blank(row.provider), "pairing_phone": pairing_phone}
    is_official = row.provider is Provider.META  # it has no session that could be used up, and is where it was
    _change(
        work,
        actor,
        row,
        status=InstanceStatus.NEW if row.status is InstanceStatus.NEW else InstanceStatus.SCANNING,
        status_reason=None,
        gateway_name=left[0] if is_official else sessions.new_name(instance_id),
        **changes,
    )
    if not is_official:
        sessions.leave(work, instance_id, *left)
    audit.record(work, actor, action, "instance", instance_id)


def _change(work: Work, actor: Actor, row: Instance, *, status: InstanceStatus, **values: Any) -> None:
    """Raises StateChanged when it is in another state by now, or when this one cannot follow."""
    if status is not row.status and status not in MAY_FOLLOW[row.status]:
        raise StateChanged(row.status.value)
    won = work.session.scalar(
        update(Instance)
        .where(Instance.id == row.id, Instance.status == row.status)
        .values(status=status, status_at=work.now, **values)
        .returning(Instance.id)
        .execution_options(synchronize_session=False)
    )
    if won is None:
        raise StateChanged("changed")
    _tell(work, actor, row.id)


def _mine(work: Work, actor: Actor, instance_id: InstanceId) -> Instance:
    """The number, locked until the end of this Work.  Raises NotFound for another team's and for a removed one."""
    row = work.session.scalars(
        select(Instance)
        .where(
            Instance.id == instance_id,
            Instance.team_id == actor.team_id,
            Instance.status != InstanceStatus.REMOVED,
        )
        .with_for_update()
    ).first()
    if row is None:
        raise NotFound
    return row


def _tell(work: Work, actor: Actor, instance_id: int) -> None:
    work.tell(f"instances:{actor.team_id}", {"id": instance_id})
