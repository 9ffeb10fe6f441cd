"""The claim: one transaction that decides who is written to next, freezes the text and takes the slot.

Nothing leaves us without a row that said it would, committed and on disk.  Everything that may forbid a message is
looked at here, under the locks of the number, the campaign and the recipient, milliseconds before the call: so a pause,
a cancel, an opt-out or a reply that was committed before is always seen.
"""

from __future__ import annotations

import logging
import random
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import text

from core.campaigns.places import next_moment, window_at
from core.campaigns.rules import CampaignId, OnMissing
from core.campaigns.text import MissingVariable, render, values_of, with_opt_out_line
from core.campaigns.windows import NeverOpens, is_open
from core.campaigns.windows import local_day as local_day_of
from core.errors import BadInput
from core.instances import breaker
from core.instances.rules import InstanceId
from core.sending import answers, queries
from core.sending.answers import ClaimedAnswer
from core.sending.lease import Lease
from core.sending.queries import Candidate, Number, RunningCampaign
from core.sending.rules import (
    CALL_MARGIN,
    RecipientId,
    SkipReason,
    TroubleReason,
    drawn,
    local_day,
    room,
    stricter,
    why_skip,
)
from core.work import Work

log = logging.getLogger(__name__)
LOOKED_AT = 20  # recipients locked in one look; most of them are only needed when the first are to be skipped
LOOKS = 10  # then it is time to commit what was skipped, and to begin again
LONGEST_POSTPONED = timedelta(days=1)  # then it is looked at anew: hours may have been changed
ASK_AGAIN = timedelta(seconds=30)  # about somebody who is being written to by another campaign
# Who was claimed, written to and settled by another since our look at them was so a moment ago.
UNSEEN = timedelta(seconds=10)


@dataclass(frozen=True)
class Claimed:
    """A recipient whose message may now be sent, once.  What the call and the settling need, and no more."""

    recipient_id: RecipientId
    campaign_id: CampaignId
    instance_id: InstanceId
    team_id: int
    message_id: int
    token: str
    phone: str
    text: str
    media_id: int | None  # a file that the text goes with
    gateway_name: str
    claimed_at: datetime
    least_gap: timedelta
    number_day: date  # whose counts were raised
    campaign_day: date


@dataclass(frozen=True)
class Claim:
    """`wait` until the number's next slot where it has none now; None where there is nothing to wait for.

    `touched` are campaigns of which recipients were skipped on the way.
    """

    claimed: Claimed | ClaimedAnswer | None = None
    wait: timedelta | None = None
    lease_is_lost: bool = False
    touched: frozenset[CampaignId] = frozenset()


PREPARE = text("""
select set_config('synchronous_commit', 'on', true), set_config('lock_timeout', '5s', true)
""")


def claim_next(work: Work, lease: Lease, *, max_in_flight: int) -> Claim:
    """The next message of a number, if one may go now: answers first, and then the campaigns in turn.

    The caller commits, and only then calls the gateway.
    """
    work.session.execute(PREPARE)
    number = queries.lock_number(work.session, lease.instance_id, lease.epoch)
    if number is None or not number.lease_is_ours:
        return Claim(lease_is_lost=True)
    if number.in_flight >= max_in_flight:
        return Claim()
    if number.has_answers:
        answer = answers.claim_answer(work, lease.instance_id, lease.epoch, number.now)
        if answer is not None:
            return Claim(wait=answer) if isinstance(answer, timedelta) else Claim(answer)
    if not number.can_send:
        return Claim()
    if breaker.judges(number.provider):
        refusals = breaker.stop_of_refusals(breaker.refusals_of(work.session, lease.instance_id))
        if refusals is not None and breaker.stop(work, lease.instance_id, refusals):
            return Claim()
    if not room(number.cap_today, number.count, local_day(number.timezone, number.now)):
        return Claim()
    if number.next_send_at is not None and number.next_send_at > number.now:
        return Claim(wait=number.next_send_at - number.now)
    if number.per_hour is not None:
        until = queries.hour_ends(work.session, lease.instance_id, number.per_hour)
        if until is not None and until > number.now:
            queries.rest_until(work.session, lease.instance_id, until)  # nobody is woken before
            return Claim(wait=until - number.now)
    return _Search(work, lease, number).next()


@dataclass(frozen=True)
class _Written:
    text: str
    media_id: int | None


class _Search:
    """One look through the campaigns of a number, in turn, for somebody who may be written to."""

    def __init__(self, work: Work, lease: Lease, number: Number) -> None:
        self.work = work
        self.session = work.session
        self.lease = lease
        self.number = number
        self.touched: set[CampaignId] = set()

    def next(self) -> Claim:
        for seen in queries.running_in_turn(self.session, self.lease.instance_id, self.number.now):
            if not _may_write(seen, self.number.now):
                continue
            campaign = queries.lock_running(self.session, seen.id)
            if campaign is None or not _may_write(campaign, self.number.now):
                continue
            try:
                claim = self._in(campaign)
            except BadInput as broken:  # changed since it was started, into what is no text
                log.error("campaign %s has a text that cannot be read: %s", campaign.id, broken.key)
                queries.pause_campaign(self.session, campaign.id, TroubleReason.CONTENT_REFUSED)
                self.touched.add(campaign.id)
                continue
            if claim is not None:
                return claim
        return Claim(touched=frozenset(self.touched))

    def _in(self, campaign: RunningCampaign) -> Claim | None:
        """Somebody of this campaign; None where nobody of it may be written to now.  Raises BadInput for its text."""
        for _look in range(LOOKS):
            found = queries.candidates(self.session, campaign, self.lease.instance_id, self.number.now, LOOKED_AT)
            closed: set[str | None] = set()  # places at which nobody is written to now
            for candidate in found:
                if candidate.place in closed or not self._is_open_for(campaign, candidate, closed):
                    continue
                message = self._message_to(campaign, candidate)
                claimed = None if message is None else self._take(campaign, candidate, message)
                if claimed is not None:
                    return Claim(claimed, touched=frozenset(self.touched))
            if len(found) < LOOKED_AT:
                return None
        return Claim(wait=timedelta(), touched=frozenset(self.touched))

    def _is_open_for(self, campaign: RunningCampaign, candidate: Candidate, closed: set[str | None]) -> bool:
        """Whether it is this person's hour; one whose hour it is not waits for it, and all at their place with them."""
        now = self.number.now
        window = window_at(campaign.window(), candidate.place) if campaign.local_time else campaign.window()
        week = candidate.opening_hours if campaign.opening_hours_only else None
        try:
            opens_at = next_moment(window, week, now)
            if opens_at <= now:
                return True
            opens_at = min(opens_at, now + LONGEST_POSTPONED)
        except NeverOpens:
            opens_at = now + LONGEST_POSTPONED
        if is_open(window, now):  # the business alone is closed
            queries.postpone(self.session, candidate.id, opens_at)
        else:
            queries.postpone_place(self.session, campaign.id, self.lease.instance_id, candidate.place, now, opens_at)
            closed.add(candidate.place)
        return False

    def _message_to(self, campaign: RunningCampaign, candidate: Candidate) -> _Written | None:
        """What this person gets; None for one who is skipped with a reason, or has to wait for another answer."""
        reason = why_skip(candidate.look)
        if reason is None and candidate.facts is not None:
            if candidate.is_being_written or queries.is_being_answered(self.session, candidate):
                queries.postpone(self.session, candidate.id, self.number.now + ASK_AGAIN)
                return None
            template = queries.template(self.session, campaign.id, candidate.step, candidate.variant)
            if template is None:
                reason = SkipReason.STEP_GONE
            else:
                try:
                    said = render(template.text, values_of(candidate.facts))
                    return _Written(with_opt_out_line(said, campaign.opt_out_line), template.media_id)
                except MissingVariable:
                    reason = SkipReason.MISSING_VARIABLE
        if reason is SkipReason.MISSING_VARIABLE and campaign.on_missing is OnMissing.HOLD:
            queries.hold_queued(self.session, candidate.id, reason)
        else:
            queries.skip(self.session, candidate.id, reason or SkipReason.LEAD_DELETED)
        self.touched.add(campaign.id)
        return None

    def _take(self, campaign: RunningCampaign, candidate: Candidate, message: _Written) -> Claimed | None:
        """None for a person whom somebody else was faster to write to; the next look finds out what that means."""
        now, number = self.number.now, self.number
        number_day = local_day(number.timezone, now)
        campaign_day = local_day_of(campaign.window(), now)
        gap = stricter([campaign.gap, number.gap], self.work.settings.min_gap)
        token = str(uuid.uuid4())
        message_id = self.session.execute(
            FREEZE,
            {
                "team_id": number.team_id,
                "instance_id": self.lease.instance_id,
                "phone": candidate.phone,
                "phone_hash": candidate.phone_hash,
                "lead_id": candidate.lead_id,
                "campaign_id": campaign.id,
                "recipient_id": candidate.id,
                "step": candidate.step,
                "variant": candidate.variant,
                "text": message.text,
                "now": now,
            },
        ).scalar_one()
        taken = self.session.execute(
            TAKE,
            {
                "id": candidate.id,
                "token": token,
                "now": now,
                "in_peace": campaign.repeat_after_days > 0,
                "lately": now - UNSEEN,
                "lease_until": now + self.work.settings.send_timeout + CALL_MARGIN,
                "epoch": self.lease.epoch,
                "instance_id": self.lease.instance_id,
                "message_id": message_id,
            },
        ).first()
        if taken is None:
            self.session.execute(UNFREEZE, {"id": message_id})
            queries.postpone(self.session, candidate.id, now + ASK_AGAIN)
            return None
        queries.take_turn(self.session, campaign.id, now, campaign.count.plus(campaign_day, 1))
        share = random.random()  # noqa: S311 - a pause that looks like a person's, no secret
        idle = now - number.next_send_at if number.next_send_at is not None else timedelta()
        in_row, pause = number.row.plus_one(idle, drawn(gap, share))
        queries.take_slot(self.session, self.lease.instance_id, pause, number.count.plus(number_day, 1), in_row)
        return Claimed(
            recipient_id=candidate.id,
            campaign_id=campaign.id,
            instance_id=self.lease.instance_id,
            team_id=number.team_id,
            message_id=message_id,
            token=token,
            phone=candidate.phone,
            text=message.text,
            media_id=message.media_id,
            gateway_name=number.gateway_name,
            claimed_at=now,
            least_gap=timedelta(seconds=gap.least_s),
            number_day=number_day,
            campaign_day=campaign_day,
        )


def _may_write(campaign: RunningCampaign, now: datetime) -> bool:
    """Whether its hours are open and its cap of the day is not used up; each lead's own hours are looked at then."""
    try:
        window = campaign.window()
    except BadInput as broken:
        log.error("campaign %s has hours that cannot be read: %s", campaign.id, broken.key)
        return False
    return (campaign.local_time or is_open(window, now)) and room(
        campaign.per_day, campaign.count, local_day_of(window, now)
    ) > 0


FREEZE = text("""
insert into messages
    (team_id, instance_id, direction, phone, phone_hash, lead_id, campaign_id, campaign_lead_id, step, variant, text,
     at)
values (:team_id, :instance_id, 'out', :phone, :phone_hash, :lead_id, :campaign_id, :recipient_id, :step, :variant,
    :text, :now)
returning id
""")
TAKE = text("""
update campaign_leads
set status = 'sending', reason = null, claim_token = :token, claimed_at = :now, lease_until = :lease_until,
    lease_epoch = :epoch, instance_id = :instance_id, message_id = :message_id, attempts = attempts + 1,
    changed_at = :now
where id = :id and status = 'queued' and not exists (
    select from campaign_leads o
    where o.team_id = campaign_leads.team_id and o.phone_hash = campaign_leads.phone_hash and o.id <> campaign_leads.id
      and (o.status in ('sending', 'unconfirmed')
           or :in_peace and o.status in ('sent', 'held') and coalesce(o.sent_at, o.claimed_at) > :lately)
)
returning id
""")
UNFREEZE = text("delete from messages where id = :id")

# Rows of our own epoch that we never got to hear of: the connection broke in the commit, and no call was made.
RELEASE_UNCALLED = text("""
with back as (
    update campaign_leads
    set status = 'queued', claim_token = null, lease_until = null, message_id = null,
        changed_at = clock_timestamp()
    where instance_id = :id and status = 'sending' and lease_epoch = :epoch
      and not claim_token = any(cast(:tokens as uuid[]))
    returning id
)
delete from messages m using back
where m.campaign_lead_id = back.id and m.sent_at is null and m.gateway_message_id is null
""")


def release_uncalled(work: Work, lease: Lease, on_the_wire: list[str]) -> int:
    """Puts back what was claimed without our knowing.  Only the holder of the lease can say so, of its own epoch."""
    values = {"id": lease.instance_id, "epoch": lease.epoch, "tokens": on_the_wire}
    put_back = int(work.session.execute(RELEASE_UNCALLED, values).rowcount)  # type: ignore[attr-defined]
    return put_back + answers.release_uncalled(work, lease.instance_id, lease.epoch, on_the_wire)
