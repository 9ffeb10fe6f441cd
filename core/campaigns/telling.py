"""What a campaign tells of itself besides its progress: which text is answered, what became of one person, and what
broke on the way and came out right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core.accounts.rules import Actor, TeamId
from core.campaigns import queries
from core.campaigns.measuring import Arm, Verdict, verdict
from core.campaigns.queries import UNDER_WAY, RecipientRow
from core.campaigns.rules import LETTERS, CampaignId, CampaignStatus
from core.errors import NotFound
from core.instances.rules import InstanceId
from core.sending.rules import AttemptOutcome, RecipientId, RecipientStatus
from core.tables import Attempt, AuditEntry, Campaign, CampaignCounter, CampaignLead, Instance, Message
from core.work import Work

# ---------------------------------------------------------------- which text is answered


@dataclass(frozen=True)
class VariantResult:
    letter: str
    text: str
    sent: int
    read: int
    replied: int


@dataclass(frozen=True)
class FollowUpResult:
    """What is said once more: `next_at` is the day on which the next ones are queued for it."""

    days: int
    queued: int
    sent: int
    replied: int
    next_at: datetime | None


@dataclass(frozen=True)
class Results:
    """`verdict` where there is more than one variant."""

    variants: list[VariantResult]
    verdict: Verdict | None
    follow_up: FollowUpResult | None


def results(work: Work, actor: Actor, campaign_id: CampaignId) -> Results:
    """Read from what triggers keep; nothing is counted.  Raises NotFound."""
    plan = queries.draft(work.session, actor.team_id, campaign_id).plan
    n = _counters(work.session, actor.team_id, campaign_id)
    variants = [
        VariantResult(LETTERS[k], each.text, n[f"v{k}_sent"], n[f"v{k}_read"], n[f"v{k}_replied"])
        for k, each in enumerate(plan.variants)
    ]
    judged = None
    if len(variants) > 1:
        to_go = sum(n[status.value] for status in UNDER_WAY)
        judged = verdict([Arm(each.sent, each.replied) for each in variants], to_go)
    again = None
    if plan.follow_up is not None:
        again = FollowUpResult(
            days=plan.follow_up.days,
            queued=n["again_queued"] + n["again_sending"],
            sent=n["again_sent"],
            replied=n["again_replied"],
            next_at=_next_follow_up(work.session, actor.team_id, campaign_id),
        )
    return Results(variants, judged, again)


def _counters(session: Session, team_id: TeamId, campaign_id: CampaignId) -> Mapping[str, int]:
    """By the name of the counter; what was never counted is 0."""
    rows = session.execute(
        select(CampaignCounter.name, CampaignCounter.n).where(
            CampaignCounter.team_id == team_id, CampaignCounter.campaign_id == campaign_id
        )
    )
    return defaultdict(int, {name: n for name, n in rows})


def _next_follow_up(session: Session, team_id: TeamId, campaign_id: CampaignId) -> datetime | None:
    """The first entry of ix_campaign_leads_follow_up; None once it is cancelled, for then no more leave."""
    asked = (
        select(func.min(CampaignLead.follow_up_at))
        .join(Campaign, Campaign.id == CampaignLead.campaign_id)
        .where(
            CampaignLead.team_id == team_id,
            CampaignLead.campaign_id == campaign_id,
            CampaignLead.follow_up_at.is_not(None),
            Campaign.status != CampaignStatus.CANCELLED,
        )
    )
    return session.execute(asked).scalar()


# ---------------------------------------------------------------- who is next


def next_in_turn(work: Work, actor: Actor, campaign_id: CampaignId, instance_id: InstanceId) -> RecipientRow | None:
    """Who of this campaign the number writes to next, as the engine takes them; by ix_campaign_leads_due.

    None: nobody waits for it.  Raises NotFound.
    """
    queries.head(work.session, actor.team_id, campaign_id)
    id = work.session.execute(
        select(CampaignLead.id)
        .where(
            CampaignLead.team_id == actor.team_id,
            CampaignLead.campaign_id == campaign_id,
            CampaignLead.instance_id == instance_id,
            CampaignLead.status == RecipientStatus.QUEUED,
        )
        .order_by(CampaignLead.not_before, CampaignLead.id)
        .limit(1)
    ).scalar()
    found = queries.recipients_by_id(work.session, actor.team_id, campaign_id, [] if id is None else [RecipientId(id)])
    return next(iter(found), None)


# ---------------------------------------------------------------- what became of one person


class What(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"  # taken from the queue, its text frozen
    ACCEPTED = "accepted"  # an attempt, by its outcome
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    UNCONFIRMED = "unconfirmed"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    UNDELIVERED = "undelivered"
    REPLIED = "replied"
    OPTED_OUT = "opted_out"
    HELD = "held"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    DECIDED_ARRIVED = "decided_arrived"  # by a person
    DECIDED_AGAIN = "decided_again"
    DECIDED_SKIP = "decided_skip"
    RETRIED = "retried"  # with all the others whose failure may end differently


ORDER = {what: n for n, what in enumerate(What)}  # of what bears the same time
RETRIED = "campaign.retried_failed"
DECISIONS = {
    "recipient.arrived": What.DECIDED_ARRIVED,
    "recipient.sent_again": What.DECIDED_AGAIN,
    "recipient.skipped": What.DECIDED_SKIP,
}


@dataclass(frozen=True)
class Moment:
    """`number` is the name of the one it went from; `detail` a reason or what the gateway said, `who` a person, `proof`
    how we know that it went out where it was not the gateway's own answer.  `is_again`: of what is said once more."""

    at: datetime
    what: What
    number: str | None = None
    detail: str | None = None
    who: str | None = None
    text: str | None = None
    proof: str | None = None
    is_again: bool = False


@dataclass(frozen=True)
class Story:
    """A recipient and all that happened, oldest first."""

    row: RecipientRow
    variant: str
    moments: list[Moment] = field(default_factory=list)


def timeline(work: Work, actor: Actor, recipient_id: RecipientId) -> Story:
    """One person in one campaign, from the queue to the answer, with what was said once more.  Raises NotFound."""
    session, team_id = work.session, actor.team_id
    mine = session.execute(
        select(CampaignLead.campaign_id, CampaignLead.phone_hash).where(
            CampaignLead.team_id == team_id, CampaignLead.id == recipient_id
        )
    ).one_or_none()
    if mine is None:
        raise NotFound
    campaign_id = CampaignId(mine.campaign_id)
    rows = session.execute(
        select(CampaignLead, Message, Instance.name)
        .outerjoin(Message, Message.id == CampaignLead.message_id)
        .outerjoin(Instance, Instance.id == CampaignLead.instance_id)
        .where(CampaignLead.campaign_id == campaign_id, CampaignLead.phone_hash == mine.phone_hash)
        .order_by(CampaignLead.step)
    ).all()
    moments: list[Moment] = []
    for row, message, number in rows:
        tries = _attempts(session, row.id)
        started = queries.head(session, team_id, campaign_id).started_at if row.step == 0 else None
        moments += _of_queue(row, tries, started)
        moments += _of_attempts(row, tries)
        moments += _of_end(row, message, number, tries)
        moments += _of_retries(session, team_id, row, tries)
    moments += _of_people(session, team_id, campaign_id, [row.id for row, _message, _number in rows])
    moments += _of_answer(session, team_id, [row for row, _message, _number in rows])
    [shown] = queries.recipients_by_id(session, team_id, campaign_id, [recipient_id])
    variant = LETTERS[next(row.variant for row, _message, _number in rows if row.id == recipient_id)]
    return Story(shown, variant, sorted(moments, key=lambda moment: (moment.at, ORDER[moment.what])))


@dataclass(frozen=True)
class _Try:
    started_at: datetime
    ended_at: datetime
    outcome: AttemptOutcome
    detail: str | None
    number: str


def _attempts(session: Session, recipient_id: int) -> list[_Try]:
    rows = session.execute(
        select(Attempt.started_at, Attempt.ended_at, Attempt.outcome, Attempt.detail, Instance.name)
        .join(Instance, Instance.id == Attempt.instance_id)
        .where(Attempt.campaign_lead_id == recipient_id)
        .order_by(Attempt.id)
    )
    return [_Try(row.started_at, row.ended_at, AttemptOutcome(row.outcome), row.detail, row.name) for row in rows]


def _of_queue(row: CampaignLead, tries: Sequence[_Try], started_at: datetime | None) -> Iterator[Moment]:
    """When it came into the queue: the first message with the campaign, the second as long as nothing else changed."""
    again = row.step > 0
    if started_at is not None:
        yield Moment(started_at, What.QUEUED)
    elif row.status is RecipientStatus.QUEUED and not tries:
        yield Moment(row.changed_at, What.QUEUED, is_again=again)


def _of_attempts(row: CampaignLead, tries: Sequence[_Try]) -> Iterator[Moment]:
    again = row.step > 0
    for each in tries:
        yield Moment(each.started_at, What.CLAIMED, each.number, is_again=again)
        yield Moment(each.ended_at, What(each.outcome.value), each.number, each.detail, is_again=again)


def _of_end(row: CampaignLead, message: Message | None, number: str | None, tries: Sequence[_Try]) -> Iterator[Moment]:
    """What state it is in, and since when; and what WhatsApp and the person did with it."""
    again = row.step > 0
    last = tries[-1].ended_at if tries else None
    match row.status:
        case RecipientStatus.SENDING if row.claimed_at is not None:
            yield Moment(row.claimed_at, What.CLAIMED, number, is_again=again)
        case RecipientStatus.HELD:
            yield Moment(row.changed_at, What.HELD, detail=row.reason, is_again=again)
        case RecipientStatus.FAILED:
            yield Moment(last or row.changed_at, What.FAILED, detail=row.reason, is_again=again)
        case RecipientStatus.SKIPPED if row.reason != "by_hand":
            yield Moment(row.changed_at, What.SKIPPED, detail=row.reason, is_again=again)
        case RecipientStatus.CANCELLED:
            yield Moment(row.changed_at, What.CANCELLED, is_again=again)
    text = message.text if message is not None else None
    if row.sent_at is not None:
        proof = str((row.evidence or {}).get("by", "")) or None
        yield Moment(row.sent_at, What.SENT, number, text=text, proof=proof, is_again=again)
    for what, at in (
        (What.DELIVERED, message.delivered_at if message else None),
        (What.READ, message.read_at if message else None),
        (What.UNDELIVERED, message.failed_at if message else None),
        (What.OPTED_OUT, row.opted_out_at),
    ):
        if at is not None:
            yield Moment(at, what, is_again=again)


def _of_people(session: Session, team_id: TeamId, campaign_id: CampaignId, ids: Sequence[int]) -> Iterator[Moment]:
    """What somebody of the team decided about them, from the audit log."""
    entries = session.scalars(
        select(AuditEntry).where(
            AuditEntry.team_id == team_id,
            AuditEntry.object_type == "campaign",
            AuditEntry.object_id == campaign_id,
            AuditEntry.action.in_(DECISIONS),
        )
    )
    for entry in entries:
        if set(ids).intersection(entry.details.get("recipients", ())):
            yield Moment(entry.at, DECISIONS[entry.action], who=entry.user_name)


def _of_retries(session: Session, team_id: TeamId, row: CampaignLead, tries: Sequence[_Try]) -> Iterator[Moment]:
    """Who pressed for the failures to be tried again while this was one of them.

    The audit log has how many they were, not which: it was one if it had been refused by then and is not what it was.
    """
    if AttemptOutcome.REJECTED not in {each.outcome for each in tries}:
        return
    for entry in session.scalars(_retried(team_id, row.campaign_id)):
        before = [each for each in tries if each.ended_at <= entry.at]
        is_since = row.changed_at >= entry.at and (row.status is not RecipientStatus.FAILED or len(before) < len(tries))
        if before and before[-1].outcome is AttemptOutcome.REJECTED and is_since:
            yield Moment(entry.at, What.RETRIED, who=entry.user_name, is_again=row.step > 0)


def _retried(team_id: TeamId, campaign_id: int) -> Select[AuditEntry]:
    return (
        select(AuditEntry)
        .where(
            AuditEntry.team_id == team_id,
            AuditEntry.object_type == "campaign",
            AuditEntry.object_id == campaign_id,
            AuditEntry.action == RETRIED,
        )
        .order_by(AuditEntry.at)
    )


def _of_answer(session: Session, team_id: TeamId, rows: Sequence[CampaignLead]) -> Iterator[Moment]:
    """The first answer, once, with its words where they are still kept."""
    answered = [row for row in rows if row.replied_at is not None]
    if not answered:
        return
    at = min(row.replied_at for row in answered if row.replied_at is not None)
    said = session.execute(
        select(Message.text)
        .where(
            Message.team_id == team_id,
            Message.phone_hash == answered[0].phone_hash,
            Message.direction == "in",
            Message.at >= at,
        )
        .order_by(Message.at)
        .limit(1)
    ).scalar()
    yield Moment(at, What.REPLIED, text=said)


# ---------------------------------------------------------------- what was tried again


@dataclass(frozen=True)
class Retry:
    """Somebody had all failures tried again that could end differently: `n` of them."""

    at: datetime
    who: str
    n: int


def last_retry(work: Work, actor: Actor, campaign_id: CampaignId) -> Retry | None:
    """The latest one, of whatever day.  Raises NotFound."""
    queries.head(work.session, actor.team_id, campaign_id)
    entries = _retried(actor.team_id, campaign_id).order_by(None).order_by(AuditEntry.at.desc()).limit(1)
    entry = work.session.scalars(entries).first()
    return None if entry is None else Retry(entry.at, entry.user_name, int(entry.details.get("recipients", 0)))


# ---------------------------------------------------------------- what broke on the way

LATELY = timedelta(days=1)
ONE_RESTART = timedelta(seconds=60)  # several numbers of one sender are taken over one after the other
SENDER_GONE = "sender_gone"


@dataclass(frozen=True)
class Incident:
    """A sender died over messages that it had in hand.  `checked` of them were found out about: `arrived` had gone out,
    `held` wait for a person; `checking` are still looked for.  `repeated` went out
    more than once, by what WhatsApp gave them."""

    at: datetime
    messages: int
    arrived: int
    held: int
    checking: int
    repeated: int

    @property
    def checked(self) -> int:
        return self.messages - self.checking


def incidents(work: Work, actor: Actor, campaign_id: CampaignId) -> list[Incident]:
    """Those of the last day, the latest first; by ix_attempts_sender_gone.  Raises NotFound."""
    queries.head(work.session, actor.team_id, campaign_id)
    went_out = (
        select(func.count())
        .where(Message.campaign_lead_id == CampaignLead.id, Message.gateway_message_id.is_not(None))
        .scalar_subquery()
    )
    rows = work.session.execute(
        select(Attempt.ended_at, CampaignLead.id, CampaignLead.status, went_out.label("went_out"))
        .join(CampaignLead, CampaignLead.id == Attempt.campaign_lead_id)
        .where(
            Attempt.detail == SENDER_GONE,
            Attempt.ended_at > work.now - LATELY,
            CampaignLead.team_id == actor.team_id,
            CampaignLead.campaign_id == campaign_id,
        )
        .order_by(Attempt.ended_at)
    ).all()
    groups: list[list[tuple[datetime, int, RecipientStatus, int]]] = []
    for ended_at, id, status, n in rows:
        if not groups or ended_at - groups[-1][-1][0] > ONE_RESTART:
            groups.append([])
        groups[-1].append((ended_at, id, RecipientStatus(status), n))
    return [_incident(group) for group in reversed(groups)]


def _incident(group: Sequence[tuple[datetime, int, RecipientStatus, int]]) -> Incident:
    people = {id: (status, n) for _at, id, status, n in group}
    statuses = [status for status, _n in people.values()]
    return Incident(
        at=group[0][0],
        messages=len(people),
        arrived=statuses.count(RecipientStatus.SENT),
        held=statuses.count(RecipientStatus.HELD),
        checking=statuses.count(RecipientStatus.UNCONFIRMED),
        repeated=sum(n > 1 for _status, n in people.values()),
    )
