"""What is to be said, to whom, when: pure decisions about a campaign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType

from core.campaigns.text import is_seen, plain_text
from core.campaigns.windows import DAY_MIN, Window
from core.errors import BadInput, BadInputs
from core.instances.halts import Halt
from core.instances.rules import InstanceId, InstanceStatus
from core.leads.rules import LeadFilter
from core.optouts.rules import says_how_to_leave

CampaignId = NewType("CampaignId", int)

NAME_LENGTH = 120
SENDER_LENGTH = 60
GAP_LIMIT_S = 86_400
REAL_GAP_S = 20  # below it a number that really writes is refused, where nobody has set it otherwise
PER_DAY_LIMIT = 10_000
REPEAT_LIMIT_DAYS = 365
SCHEDULE_AHEAD = timedelta(days=365)
TEXT_DRAFT_LIMIT = 20_000  # a draft may be too long for WhatsApp, and is told so; beyond this it is no draft


class CampaignStatus(StrEnum):
    DRAFT = "draft"  # being written; nothing is queued
    SCHEDULED = "scheduled"  # starts by itself at `starts_at`
    STARTING = "starting"  # its queue is being built, by a job
    RUNNING = "running"  # its recipients are claimed when they are due
    PAUSED = "paused"  # nothing new is claimed; `pause_reason` says why
    FINISHED = "finished"  # every recipient has come to an end
    CANCELLED = "cancelled"  # a person ended it; what was sent stays sent


C = CampaignStatus
MAY_FOLLOW: dict[CampaignStatus, set[CampaignStatus]] = {
    C.DRAFT: {C.SCHEDULED, C.STARTING, C.CANCELLED},
    C.SCHEDULED: {C.DRAFT, C.STARTING, C.CANCELLED},
    C.STARTING: {C.RUNNING, C.DRAFT, C.CANCELLED},  # a draft again where nobody is left to write to
    C.RUNNING: {C.PAUSED, C.FINISHED, C.CANCELLED},
    C.PAUSED: {C.RUNNING, C.CANCELLED},
    C.FINISHED: set(),
    C.CANCELLED: set(),
}


def may_become(status: CampaignStatus) -> list[CampaignStatus]:
    """The states from which a campaign may come into this one."""
    return [before for before, after in MAY_FOLLOW.items() if status in after]


class Rotation(StrEnum):
    """How the recipients are shared out among several numbers."""

    BALANCED = "balanced"  # by what each may send in a day
    HEALTH = "health"  # by that and its health
    IN_ORDER = "in_order"  # the first takes what it can in a day, then the second
    WEIGHTS = "weights"  # as a person said


class OnMissing(StrEnum):
    """What becomes of a lead for whom the text would have a hole."""

    SKIP = "skip"
    HOLD = "hold"  # a person decides


class LeftOut(StrEnum):
    """Why a lead of the audience will not be written to.  The first that is true counts, in this order."""

    NO_PHONE = "no_phone"
    CLOSED = "closed"  # the map says that the business has closed
    OPTED_OUT = "opted_out"
    NO_BASIS = "no_basis"  # nobody has said why they may be written to
    LANDLINE = "landline"  # may have no WhatsApp; a switch takes them in
    NOT_ON_WHATSAPP = "not_on_whatsapp"
    IN_CONVERSATION = "in_conversation"  # has written to the team, and nobody has called that done
    UNANSWERED = "unanswered"  # two messages of campaigns, ever, and no answer: no more
    BY_COLLEAGUE = "by_colleague"  # written to lately, last by a campaign of somebody else
    RECENTLY_WRITTEN = "recently_written"  # written to lately in any other way
    IN_ANOTHER_CAMPAIGN = "in_another_campaign"  # waits for its turn there
    MISSING_VARIABLE = "missing_variable"  # the text would have a hole
    REPEATED = "repeated"  # another lead of the audience has the same phone


# ---------------------------------------------------------------- what a person decides

MOST_VARIANTS = 5
MOST_WEIGHT = 100
FOLLOW_UP_DAYS = (3, 60)  # least and most
LETTERS = "ABCDE"


@dataclass(frozen=True)
class Variant:
    """One of several texts for the same message; `weight` is its share beside the others'."""

    text: str
    weight: int = 1
    media_id: int | None = None


@dataclass(frozen=True)
class FollowUp:
    """What is said once more, `days` later, to those who have not answered."""

    text: str
    days: int = FOLLOW_UP_DAYS[0]
    media_id: int | None = None


@dataclass(frozen=True)
class Plan:
    """A campaign as people fill it in.  Incomplete is fine; what cannot be kept at all is refused by `checked`.

    `text`, `weight` and `media_id` are the first variant's; `number_weights` go with `instance_ids`, in their order,
    and are the shares where `rotation` is WEIGHTS.
    """

    name: str
    audience: LeadFilter
    text: str
    opt_out_line: str
    sender_name: str
    instance_ids: tuple[InstanceId, ...]
    timezone: str
    weekdays: tuple[int, ...]
    repeat_after_days: int = 30
    include_landlines: bool = False
    window_start_min: int = 540
    window_end_min: int = 1080
    skip_holidays: bool = True
    gap_min_s: int = 45
    gap_max_s: int = 120
    per_day: int = 50
    starts_at: datetime | None = None
    weight: int = 1
    media_id: int | None = None
    other_variants: tuple[Variant, ...] = ()
    follow_up: FollowUp | None = None
    on_missing: OnMissing = OnMissing.SKIP
    rotation: Rotation = Rotation.BALANCED
    number_weights: tuple[int, ...] = ()
    local_time: bool = False
    opening_hours_only: bool = False

    @property
    def variants(self) -> tuple[Variant, ...]:
        return (Variant(self.text, self.weight, self.media_id), *self.other_variants)

    def weight_of(self, instance_id: InstanceId) -> int:
        """Of one of its numbers, as a person said; 1 where nobody did."""
        return dict(zip(self.instance_ids, self.number_weights, strict=False)).get(instance_id, 1)

    def window(self, country: str) -> Window:
        """Raises BadInput by the field."""
        return Window(
            self.timezone,
            self.window_start_min,
            self.window_end_min,
            self.weekdays,
            country if self.skip_holidays else None,
        )


def shortest_gap_s(allowed: timedelta) -> int:
    """The shortest pause that a plan may have, of what the installation allows: whole seconds, one at least."""
    return max(1, round(allowed.total_seconds()))


def checked(plan: Plan, *, min_gap_s: int) -> Plan:
    """The plan with its texts in one form.  Raises BadInputs, every field that cannot be kept.

    A text whose gaps are wrong, no audience and no number are no reason: a draft may be incomplete.
    """
    wrong: list[BadInput] = []

    def tried(value: str, name: str, limit: int, *, required: bool = False) -> str:
        try:
            text = plain_text(value, field=name, limit=limit)
        except BadInput as bad:
            wrong.append(bad)
            return value
        if required and not is_seen(text):
            wrong.append(BadInput(name, "required"))
        return text

    name = " ".join(tried(plan.name, "name", NAME_LENGTH, required=True).split())
    sender = " ".join(tried(plan.sender_name, "sender_name", SENDER_LENGTH).split())
    variants = [replace(each, text=tried(each.text, "text", TEXT_DRAFT_LIMIT)) for each in plan.variants]
    follow_up = plan.follow_up
    if follow_up is not None:
        follow_up = replace(follow_up, text=tried(follow_up.text, "follow_up", TEXT_DRAFT_LIMIT))
    line = tried(plan.opt_out_line, "opt_out_line", 200)
    if not says_how_to_leave(line):
        wrong.append(BadInput("opt_out_line", "required"))
    try:
        plan.window("")
    except BadInput as bad:
        wrong.append(bad)
    wrong += [*_wrong_pace(plan, min_gap_s), *_wrong_shares(plan)]
    if wrong:
        raise BadInputs(wrong)
    return replace(
        plan,
        name=name,
        sender_name=sender,
        text=variants[0].text,
        other_variants=tuple(variants[1:]),
        follow_up=follow_up,
        opt_out_line=" ".join(line.split()),
        weekdays=tuple(sorted(set(plan.weekdays))),
        instance_ids=tuple(dict.fromkeys(plan.instance_ids)),
        number_weights=tuple(plan.weight_of(each) for each in dict.fromkeys(plan.instance_ids)),
    )


def _wrong_pace(plan: Plan, min_gap_s: int) -> list[BadInput]:
    wrong: list[BadInput] = []
    if not plan.gap_min_s >= min_gap_s:
        wrong.append(BadInput("gap_min_s", "gap_too_short", seconds=min_gap_s))
    elif not plan.gap_max_s >= plan.gap_min_s:
        wrong.append(BadInput("gap_max_s", "gap_backwards"))
    elif plan.gap_max_s > GAP_LIMIT_S:
        wrong.append(BadInput("gap_max_s", "gap_too_long", seconds=GAP_LIMIT_S))
    if not 1 <= plan.per_day <= PER_DAY_LIMIT:
        wrong.append(BadInput("per_day", "out_of_range", least=1, most=PER_DAY_LIMIT))
    if not 0 <= plan.repeat_after_days <= REPEAT_LIMIT_DAYS:
        wrong.append(BadInput("repeat_after_days", "out_of_range", least=0, most=REPEAT_LIMIT_DAYS))
    return wrong


def _wrong_shares(plan: Plan) -> list[BadInput]:
    wrong: list[BadInput] = []
    if len(plan.variants) > MOST_VARIANTS:
        wrong.append(BadInput("variants", "too_many_variants", most=MOST_VARIANTS))
    if not all(1 <= each.weight <= MOST_WEIGHT for each in plan.variants):
        wrong.append(BadInput("weight", "out_of_range", least=1, most=MOST_WEIGHT))
    if not all(1 <= weight <= MOST_WEIGHT for weight in plan.number_weights):
        wrong.append(BadInput("number_weights", "out_of_range", least=1, most=MOST_WEIGHT))
    least, most = FOLLOW_UP_DAYS
    if plan.follow_up is not None and not least <= plan.follow_up.days <= most:
        wrong.append(BadInput("follow_up_days", "out_of_range", least=least, most=most))
    return wrong


def check_start(starts_at: datetime, now: datetime) -> None:
    """Raises BadInput("starts_at", …) for a moment that is gone or too far off."""
    if starts_at <= now:
        raise BadInput("starts_at", "moment_is_past")
    if starts_at > now + SCHEDULE_AHEAD:
        raise BadInput("starts_at", "moment_too_far", days=SCHEDULE_AHEAD.days)


# ---------------------------------------------------------------- who receives


@dataclass(frozen=True)
class Audience:
    """`matched` leads fit the filter; `recipients` of them will be written to, `held` wait for a person since the text
    has a hole for them, and the rest is in `left_out` by reason.

    Among the recipients: `landlines`, those not known to be on WhatsApp of late (`unverified`), and those of whom
    nothing tells their time zone (`nowhere`, only where local time counts).  `longest` are the characters of the
    longest message, opt-out line included, `longest_caption` of one that goes with a file, and `longest_again` of what
    is said to those who do not answer.  `places`: how many recipients are at each, only where local time counts.
    """

    matched: int
    recipients: int
    left_out: Mapping[LeftOut, int] = field(default_factory=dict)
    landlines: int = 0
    longest: int = 0
    missing: Mapping[str, int] = field(default_factory=dict)  # leads without a value, by canonical name
    held: int = 0
    unverified: int = 0
    nowhere: int = 0
    longest_caption: int = 0
    longest_again: int = 0
    places: Mapping[str, int] = field(default_factory=dict)

    def count(self, reason: LeftOut) -> int:
        return self.left_out.get(reason, 0)


@dataclass(frozen=True)
class Waiting:
    """So many recipients at one place, of whom the first is due `since`; None: as long as all the others."""

    n: int
    since: datetime | None = None


# ---------------------------------------------------------------- what it is doing now


class Standing(StrEnum):
    """What a campaign is doing at this moment: its state, and within RUNNING what it waits for."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    STARTING = "starting"
    SENDING = "sending"
    OUTSIDE_WINDOW = "outside_window"  # goes on at `until`
    CAP_REACHED = "cap_reached"  # the messages of the day are sent; goes on at `until`
    HOUR_FULL = "hour_full"  # and those of the hour
    NO_GATEWAY = "no_gateway"  # its number is connected, and what it is connected by is not heard of
    NO_WORKER_CAME = "no_worker_came"  # nothing is in the way, workers are there, and none has come `since`
    NO_WORKER = "no_worker"  # … since there is none
    NO_QUEUE = "no_queue"  # … since Redis, over which they are called, is away
    WAITING_FOR_ANSWERS = "waiting_for_answers"  # all have been written to; who is silent `until` then, once more
    WAITING_FOR_NUMBER = "waiting_for_number"  # none of its numbers can send
    WAITING_FOR_PROOF = "waiting_for_proof"  # nothing left to send; some outcomes are not known yet
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Now:
    standing: Standing
    until: datetime | None = None
    since: datetime | None = None


# ---------------------------------------------------------------- the last look


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"  # may be started so; a person should know
    MUST = "must"  # stands in the way of the start


@dataclass(frozen=True)
class Check:
    """`key` names the sentence, `values` fill it; `fix` are fields of the Plan that would settle it, in one click."""

    key: str
    level: Level
    section: str  # audience, message, numbers or pace: which card of the page it belongs to
    values: Mapping[str, Any] = field(default_factory=dict)
    fix: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NumberChoice:
    """A number that a campaign may leave from, as far as starting is concerned.

    `is_paused`: it stands still, whoever or whatever is the reason; `halt` says which, and is there too of one that is
    not connected.  `cap`: what it may send today, where its health allows less than `per_day`; `free_today` is left of
    that by all that left from it, whichever campaign it was of.
    """

    id: InstanceId
    name: str
    phone: str | None
    status: InstanceStatus
    is_paused: bool
    per_day: int
    free_today: int
    gap_min_s: int
    gap_max_s: int
    next_send_at: datetime | None = None
    other_campaigns: int = 0  # running from it
    cap: int | None = None
    rest_after: int = 0
    rest_s: int = 0
    health: int | None = None  # 1 to 5, 5 is best; None while too little is known
    halt: Halt | None = None
    is_limited: bool = False  # may send less than before, or soon will
    per_hour: int | None = None
    in_row: int = 0  # sent since its last long pause
    gateway_trouble: str | None = None  # key of a sentence, while the gateway does not do its part
    leased_until: datetime | None = None  # a worker has it
    others_wait: tuple[int, ...] = ()  # messages of each other campaign that runs from it, as far as it was asked

    @property
    def cap_today(self) -> int:
        return self.per_day if self.cap is None else min(self.per_day, self.cap)

    @property
    def can_send(self) -> bool:
        return self.status is InstanceStatus.CONNECTED and not self.is_paused


def blocks_start(found: Sequence[Check]) -> list[Check]:
    return [check for check in found if check.level is Level.MUST]


def minutes(text: str) -> int:
    """Minutes after midnight of "9:05" or "24:00".  Raises BadInput("window", "time_unreadable")."""
    hours, colon, rest = text.strip().partition(":")
    if not (colon and hours.isascii() and hours.isdigit() and rest.isascii() and rest.isdigit() and len(rest) == 2):
        raise BadInput("window", "time_unreadable")
    value = int(hours[:3]) * 60 + int(rest)
    if int(rest) > 59 or value > DAY_MIN:
        raise BadInput("window", "time_unreadable")
    return value
