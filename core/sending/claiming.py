"""The claim: one transaction that decides who is written to next, freezes the texts and takes the slot.

Nothing leaves us without a row that said it would, committed and on disk.  Everything that may forbid a message is
looked at here, under the locks of the number, the campaign and the recipient, milliseconds before the call: so a pause,
a cancel, an opt-out or a reply that was committed before is always seen.

A claim takes no more than can be on the wire before the next one, and of a number that pauses between its messages one
at a time.
"""

from __future__ import annotations

import logging
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.campaigns.places import next_moment, window_at
from core.campaigns.rules import CampaignId, OnMissing
from core.campaigns.text import MissingVariable, render, values_of, with_opt_out_line
from core.campaigns.windows import NeverOpens, Window, is_open
from core.campaigns.windows import local_day as local_day_of
from core.errors import BadInput
from core.instances import breaker
from core.instances.rules import InstanceId
from core.sending import answers, new_phones, queries
from core.sending.answers import ClaimedAnswer
from core.sending.lease import Lease
from core.sending.prepared import Prepared
from core.sending.queries import Candidate, Number, RunningCampaign
from core.sending.rules import (
    CALL_MARGIN,
    Gap,
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
LOOKED_AT = 20  # recipients locked in one look, where the first that were looked at are not to be written to
LOOKS = 10  # then it is time to commit what was skipped, and to begin again
LONGEST_POSTPONED = timedelta(days=1)  # then it is looked at anew: hours may have been changed
ASK_AGAIN = timedelta(seconds=30)  # about somebody who is being written to by another campaign
UNIQUE_VIOLATION = "23505"
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
    """`taken` may be sent now, all at once: those of one campaign, or one answer.

    `wait` until the number's next slot where it has none now; None where there is nothing to wait for.  `touched` are
    campaigns of which recipients were skipped on the way.
    """

    taken: Sequence[Claimed | ClaimedAnswer] = ()
    wait: timedelta | None = None
    lease_is_lost: bool = False
    touched: frozenset[CampaignId] = frozenset()

    @property
    def claimed(self) -> Claimed | ClaimedAnswer | None:
        """The one, where no more than one may be on the wire."""
        return self.taken[0] if self.taken else None


def claim_next(work: Work, lease: Lease, *, max_in_flight: int, under_way: int = 0) -> Claim:
    """What of a number may go now, at most `max_in_flight` messages: answers first, and then the campaigns in turn.

    Beside the `under_way` that the caller claimed before and has not settled; whatever else is under way takes room.
    The caller commits, and only then calls the gateway.
    """
    number = queries.lock_number(work.session, lease.instance_id, lease.epoch)
    if number is None or not number.lease_is_ours:
        return Claim(lease_is_lost=True)
    most = max_in_flight - max(0, number.in_flight - under_way)
    if most <= 0:
        return Claim()
    if number.has_answers:
        answer = answers.claim_answer(work, lease.instance_id, lease.epoch, number.now)
        if answer is not None:
            return Claim(wait=answer) if isinstance(answer, timedelta) else Claim([answer])
    if not number.can_send:
        return Claim()
    if breaker.judges(number.provider):
        refusals = breaker.stop_of_refusals(number.refused)
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
    return _Search(work, lease, number, most).next()


@dataclass(frozen=True)
class _Written:
    """What somebody gets, by the token that their claim will have."""

    to: Candidate
    text: str
    media_id: int | None
    token: str


class _Search:
    """One look through the campaigns of a number, in turn, for people of one of them who may be written to.

    `most` is how many of its messages may be claimed at once.
    """

    def __init__(self, work: Work, lease: Lease, number: Number, most: int) -> None:
        self.work = work
        self.session = work.session
        self.lease = lease
        self.number = number
        self.most = most
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
        """Some of this campaign; None where nobody of it may be written to now.  Raises BadInput for its text."""
        gap = stricter([campaign.gap, self.number.gap], self.work.settings.min_gap)
        most = self._most_of(campaign, gap)
        looked_at = most
        for _look in range(LOOKS):
            found = queries.candidates(self.session, campaign, self.lease.instance_id, self.number.now, looked_at)
            if self._follow_new_phones(campaign, found):
                continue
            written = self._written_to(campaign, self._whose_hour_it_is(campaign, found), most)
            taken = self._take(campaign, gap, written) if written else []
            if taken:
                return Claim(taken, touched=frozenset(self.touched))
            if len(found) < looked_at:
                return None
            looked_at = max(most, LOOKED_AT)
        return Claim(wait=timedelta(), touched=frozenset(self.touched))

    def _follow_new_phones(self, campaign: RunningCampaign, found: Sequence[Candidate]) -> bool:
        """Whether some were queued with a phone that is not their lead's any more; then they are to be looked at anew,
        with the new one."""
        old = [each.id for each in found if each.phone_is_old]
        if old:
            new_phones.follow(self.session, old)
            self.touched.add(campaign.id)
        return bool(old)

    def _most_of(self, campaign: RunningCampaign, gap: Gap) -> int:
        """As many as asked for and as the caps of the day have room for; one, where anything else paces the number."""
        number, now = self.number, self.number.now
        if gap.most_s > 0 or number.row.after or number.per_hour is not None:
            return 1
        of_number = room(number.cap_today, number.count, local_day(number.timezone, now))
        of_campaign = room(campaign.per_day, campaign.count, local_day_of(campaign.window(), now))
        return min(self.most, of_number, of_campaign)

    def _whose_hour_it_is(self, campaign: RunningCampaign, found: Sequence[Candidate]) -> list[Candidate]:
        """Whoever's hour it is not waits for it, and all at their place with them."""
        if not campaign.local_time and not campaign.opening_hours_only:
            return list(found)  # the campaign's own hours are theirs
        now = self.number.now
        theirs: list[Candidate] = []
        closed: set[str | None] = set()  # places at which nobody is written to now
        shut: dict[RecipientId, datetime] = {}  # businesses, until when
        for candidate in found:
            if candidate.place in closed:
                continue
            opens_at = _opens_at(campaign, candidate, now)
            if opens_at is None:
                theirs.append(candidate)
            elif is_open(_window_of(campaign, candidate), now):  # the business alone is closed
                shut[candidate.id] = opens_at
            else:
                instance_id = self.lease.instance_id
                queries.postpone_place(self.session, campaign.id, instance_id, candidate.place, now, opens_at)
                closed.add(candidate.place)
        queries.postpone(self.session, shut)
        return theirs

    def _written_to(self, campaign: RunningCampaign, found: Sequence[Candidate], most: int) -> list[_Written]:
        """What the first of them get, at most so many.  Whoever was passed over on the way is skipped or held with a
        reason, or waits while they get something else."""
        answered = queries.being_answered(self.session, [each for each in found if why_skip(each.look) is None])
        written: list[_Written] = []
        not_to_be: dict[RecipientId, SkipReason] = {}
        later: dict[RecipientId, datetime] = {}
        for candidate in found:
            reason = why_skip(candidate.look)
            if reason is None and (candidate.is_being_written or candidate.conversation_id in answered):
                later[candidate.id] = self.number.now + ASK_AGAIN
                continue
            said = reason or _said_to(campaign, candidate)
            if isinstance(said, _Written):
                written.append(said)
                if len(written) == most:
                    break
            else:
                not_to_be[candidate.id] = said
        self._skip_or_hold(campaign, not_to_be)
        queries.postpone(self.session, later)
        return written

    def _skip_or_hold(self, campaign: RunningCampaign, not_to_be: dict[RecipientId, SkipReason]) -> None:
        """A person decides about a hole in the text, where the campaign asks for it."""
        held: list[RecipientId] = []
        if campaign.on_missing is OnMissing.HOLD:
            held = [id_ for id_, reason in not_to_be.items() if reason is SkipReason.MISSING_VARIABLE]
        queries.hold_queued(self.session, held, SkipReason.MISSING_VARIABLE)
        queries.skip(self.session, {id_: reason for id_, reason in not_to_be.items() if id_ not in held})
        if not_to_be:
            self.touched.add(campaign.id)

    def _take(self, campaign: RunningCampaign, gap: Gap, written: Sequence[_Written]) -> list[Claimed]:
        """Without those whom somebody else was faster to write to: the next look finds out what that means."""
        if len(written) == 1:
            return self._take_all(campaign, gap, written, TAKE)
        try:
            return self._take_all(campaign, gap, written, TAKE_MANY)
        except IntegrityError as trouble:
            # One of them has just been claimed by another number: uq_campaign_leads_person_in_flight.  Of many, one
            # after the other might be, again and again; so this time the first goes alone.
            if getattr(trouble.orig, "pgcode", None) != UNIQUE_VIOLATION:
                raise
            self.session.connection().exec_driver_sql("rollback to savepoint many")
            return self._take_all(campaign, gap, written[:1], TAKE)

    def _take_all(
        self, campaign: RunningCampaign, gap: Gap, written: Sequence[_Written], take: Prepared
    ) -> list[Claimed]:
        now, number = self.number.now, self.number
        number_day, campaign_day = local_day(number.timezone, now), local_day_of(campaign.window(), now)
        # Everybody takes people in the same order, so that two numbers with the same people do not wait for each other.
        in_order = sorted(written, key=lambda each: each.to.phone_hash)
        rows = take.execute(
            self.session,
            {
                "ids": [each.to.id for each in in_order],
                "texts": [each.text for each in in_order],
                "tokens": [each.token for each in in_order],
                "now": now,
                "in_peace": campaign.repeat_after_days > 0,
                "lately": now - UNSEEN,
                "lease_until": now + self.work.settings.send_timeout + CALL_MARGIN,
                "epoch": self.lease.epoch,
                "instance_id": self.lease.instance_id,
            },
        )
        message_ids = {row.id: row.message_id for row in rows}
        queries.postpone(
            self.session, {each.to.id: now + ASK_AGAIN for each in written if each.to.id not in message_ids}
        )
        if not message_ids:
            return []
        number_count = number.count.plus(number_day, len(message_ids))
        campaign_count = campaign.count.plus(campaign_day, len(message_ids))
        share = random.random()  # noqa: S311 - a pause that looks like a person's, no secret
        idle = now - number.next_send_at if number.next_send_at is not None else timedelta()
        in_row, pause = number.row.plus(len(message_ids), idle, drawn(gap, share))
        queries.take_slot(
            self.session,
            campaign.id,
            self.lease.instance_id,
            now,
            gap=pause,
            in_row=in_row,
            campaign_count=campaign_count,
            number_count=number_count,
        )
        return [
            Claimed(
                recipient_id=each.to.id,
                campaign_id=campaign.id,
                instance_id=self.lease.instance_id,
                team_id=number.team_id,
                message_id=message_ids[each.to.id],
                token=each.token,
                phone=each.to.phone,
                text=each.text,
                media_id=each.media_id,
                gateway_name=number.gateway_name,
                claimed_at=now,
                least_gap=timedelta(seconds=gap.least_s),
                number_day=number_day,
                campaign_day=campaign_day,
            )
            for each in written
            if each.to.id in message_ids
        ]


def _window_of(campaign: RunningCampaign, candidate: Candidate) -> Window:
    return window_at(campaign.window(), candidate.place) if campaign.local_time else campaign.window()


def _opens_at(campaign: RunningCampaign, candidate: Candidate, now: datetime) -> datetime | None:
    """When this person's hours begin, or when they are to be looked at anew; None where it is their hour."""
    week = candidate.opening_hours if campaign.opening_hours_only else None
    try:
        opens_at = next_moment(_window_of(campaign, candidate), week, now)
    except NeverOpens:
        return now + LONGEST_POSTPONED
    return None if opens_at <= now else min(opens_at, now + LONGEST_POSTPONED)


def _said_to(campaign: RunningCampaign, candidate: Candidate) -> _Written | SkipReason:
    """The text for this person, or why there is none."""
    template = candidate.template
    if candidate.facts is None:
        return SkipReason.LEAD_DELETED
    if template is None:
        return SkipReason.STEP_GONE
    try:
        said = render(template.text, values_of(candidate.facts))
    except MissingVariable:
        return SkipReason.MISSING_VARIABLE
    text_ = with_opt_out_line(said, campaign.opt_out_line)
    return _Written(candidate, text_, template.media_id, token=str(uuid.uuid4()))


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


# Each of them if nobody else writes to this person: the row is taken, and with it the text frozen.
# "not (select exists …)" keeps the look at other rows of the person a look-up by ix_campaign_leads_person for each.
TAKE = Prepared(
    """
with written as (
    select * from unnest(:ids, :texts, :tokens) as written (id, words, token)
), taken as (
    update campaign_leads r
    set status = 'sending', reason = null, claim_token = written.token, claimed_at = :now, lease_until = :lease_until,
        lease_epoch = :epoch, instance_id = :instance_id,
        message_id = nextval('messages_id_seq'), attempts = attempts + 1, changed_at = :now
    from written
    where r.id = written.id and r.status = 'queued' and not (select exists (
        select from campaign_leads o
        where o.team_id = r.team_id and o.phone_hash = r.phone_hash and o.id <> r.id
          and (o.status in ('sending', 'unconfirmed')
               or :in_peace and o.status in ('sent', 'held') and coalesce(o.sent_at, o.claimed_at) > :lately)
    ))
    returning r.*, written.words
), frozen as (
    insert into messages
        (id, team_id, instance_id, direction, phone, phone_hash, lead_id, campaign_id, campaign_lead_id, step, variant,
         text, at)
    select message_id, team_id, instance_id, 'out', phone, phone_hash, lead_id, campaign_id, id, step, variant, words,
        :now
    from taken
)
select id, message_id from taken
""",
    {
        "ids": "bigint[]",
        "texts": "text[]",
        "tokens": "uuid[]",
        "now": "timestamptz",
        "in_peace": "boolean",
        "lately": "timestamptz",
        "lease_until": "timestamptz",
        "epoch": "int",
        "instance_id": "bigint",
    },
)
# In the same round trip, since another number of the campaign waits until this claim is committed.
TAKE_MANY = replace(TAKE, first="savepoint many;\n")

# The number and its campaigns first, as everybody; of their counts of the day goes what was claimed on that day.
LOCK_ABOVE = text("""
with number as materialized (select id from instances where id = :id for no key update)
select c.id from campaigns c, number
where c.id in (
    select campaign_id from campaign_leads
    where instance_id = :id and status = 'sending' and lease_epoch = :epoch
      and not claim_token = any(cast(:tokens as uuid[]))
)
order by c.id for no key update of c
""")
RELEASE_UNCALLED = text("""
with uncalled as (
    select id, message_id from campaign_leads
    where instance_id = :id and status = 'sending' and lease_epoch = :epoch
      and not claim_token = any(cast(:tokens as uuid[]))
    for no key update
), back as (
    update campaign_leads r
    set status = 'queued', claim_token = null, lease_until = null, message_id = null,
        changed_at = clock_timestamp()
    from uncalled where r.id = uncalled.id
    returning r.id, r.campaign_id, r.claimed_at, uncalled.message_id
), forgotten as (  -- not the text of an earlier call
    delete from messages m using back
    where m.id = back.message_id and m.sent_at is null and m.gateway_message_id is null
), of_number as (
    update instances i set sent_today = greatest(0, sent_today - (
        select count(*) from back join teams t on t.id = i.team_id
        where (back.claimed_at at time zone t.timezone)::date = i.sent_on))
    where i.id = :id and exists (select from back)
), of_campaigns as (
    update campaigns c set sent_today = greatest(0, sent_today - (
        select count(*) from back
        where back.campaign_id = c.id and (back.claimed_at at time zone c.timezone)::date = c.sent_on))
    where c.id in (select campaign_id from back)
)
select count(*) from back
""")


def release_uncalled(work: Work, lease: Lease, called: list[str]) -> int:
    """Puts back what was claimed and not called, whether or not we came to hear of it; how many.

    Only the holder of the lease can say so, of its own epoch, and only while it claims nothing.
    """
    values = {"id": lease.instance_id, "epoch": lease.epoch, "tokens": called}
    work.session.execute(LOCK_ABOVE, values)
    put_back: int = work.session.execute(RELEASE_UNCALLED, values).scalar_one()
    return put_back + answers.release_uncalled(work, lease.instance_id, lease.epoch, called)
