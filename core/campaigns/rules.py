"""What is to be said, to whom, when: pure decisions about a campaign."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any, NewType

from core.campaigns.text import Gap, parts_of, plain_text
from core.campaigns.windows import DAY_MIN, NeverOpens, Span, Window, is_open, local_day, next_opening, spans
from core.errors import BadInput, BadInputs
from core.instances.halts import Halt, HaltReason
from core.instances.rules import InstanceId, InstanceStatus
from core.leads.rules import LeadFilter

CampaignId = NewType("CampaignId", int)

NAME_LENGTH = 120
SENDER_LENGTH = 60
GAP_LIMIT_S = 86_400
REAL_GAP_S = 20  # below it a number that really writes is refused, where nobody has set it otherwise
PER_DAY_LIMIT = 10_000
REPEAT_LIMIT_DAYS = 365
SCHEDULE_AHEAD = timedelta(days=365)
MANY_DAYS = 30  # of sending: the list will have grown old before its end
ESTIMATE_SPANS = 800  # of open time; what lies beyond ends "in more than a year"
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
        if required and not text.strip():
            wrong.append(BadInput(name, "required"))
        return text

    name = " ".join(tried(plan.name, "name", NAME_LENGTH, required=True).split())
    sender = " ".join(tried(plan.sender_name, "sender_name", SENDER_LENGTH).split())
    variants = [replace(each, text=tried(each.text, "text", TEXT_DRAFT_LIMIT)) for each in plan.variants]
    follow_up = plan.follow_up
    if follow_up is not None:
        follow_up = replace(follow_up, text=tried(follow_up.text, "follow_up", TEXT_DRAFT_LIMIT))
    line = tried(plan.opt_out_line, "opt_out_line", 200, required=True)
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
    if plan.gap_min_s < min_gap_s:
        wrong.append(BadInput("gap_min_s", "gap_too_short", seconds=min_gap_s))
    elif plan.gap_max_s < plan.gap_min_s:
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
    longest message, opt-out line included, and `longest_caption` of one that goes with a file.
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

    def count(self, reason: LeftOut) -> int:
        return self.left_out.get(reason, 0)


# ---------------------------------------------------------------- when it will be done


@dataclass(frozen=True)
class Sender:
    """A number as far as pace goes.  `free_today` messages are left of its cap today; `per_day` is that of the days
    after.  After each `rest_after` in a row it makes a pause of `rest_s`; 0: it makes none."""

    per_day: int
    free_today: int
    gap_min_s: int
    gap_max_s: int
    next_send_at: datetime | None = None
    rest_after: int = 0
    rest_s: int = 0


@dataclass(frozen=True)
class Rhythm:
    """`gap` between two messages; one in `rest_after` is followed by `rest` instead, where that is longer."""

    gap: timedelta
    rest_after: int = 0
    rest: timedelta = timedelta()

    def takes(self, n: int) -> timedelta:
        """From the first of `n` messages to the last."""
        rests = (n - 1) // self.rest_after if self.rest_after else 0
        return self.gap * (n - 1) + max(timedelta(), self.rest - self.gap) * rests

    def fits(self, length: timedelta) -> int:
        """How many messages, one at the very beginning, go in less than that time."""
        if length <= timedelta():
            return 0
        left = length - timedelta(microseconds=1)
        if not self.rest_after:
            return int(left / self.gap) + 1
        rows, left = divmod(left, self.takes(self.rest_after + 1))
        return rows * self.rest_after + min(self.rest_after, int(left / self.gap) + 1)


@dataclass(frozen=True)
class Point:
    at: datetime
    sent: int


@dataclass(frozen=True)
class Estimate:
    """`finish_at` None: not within the time we look ahead.  `points` rise where messages go, flat in between;
    `open_spans` is the open time they lie in; `days` counts the local days on which something is sent."""

    first_at: datetime | None
    finish_at: datetime | None
    days: int
    points: tuple[Point, ...] = ()
    open_spans: tuple[Span, ...] = ()

    def sent_by(self, moment: datetime) -> float:
        """How many will have gone at a moment, on the straight line between two points."""
        place = bisect_right([point.at for point in self.points], moment)
        if place == 0:
            return 0
        if place == len(self.points):
            return self.points[-1].sent
        before, after = self.points[place - 1], self.points[place]
        length, passed = after.at - before.at, moment - before.at
        return before.sent + (after.sent - before.sent) * (passed / length if length else 1)


def gap_between(plan_gap: tuple[int, int], number_gap: tuple[int, int]) -> tuple[int, int]:
    """Least and most seconds between two messages: the slower of what campaign and number ask for."""
    least = max(plan_gap[0], number_gap[0])
    return least, max(plan_gap[1], number_gap[1], least)


def estimate(plan: Plan, sender: Sender, *, window: Window, left: int, now: datetime, sent_today: int = 0) -> Estimate:
    """When `left` messages will have gone, by the arithmetic of the engine with the average of its drawn gaps.

    `sent_today` are those of this campaign on the local day of `now`.  What the number will send for others is not
    foreseen.
    """
    if left <= 0:
        return Estimate(None, None, 0)
    least, most = gap_between((plan.gap_min_s, plan.gap_max_s), (sender.gap_min_s, sender.gap_max_s))
    gap = timedelta(seconds=(least + most) / 2)
    rhythm = Rhythm(gap, sender.rest_after, timedelta(seconds=sender.rest_s))
    since = max(filter(None, [now, plan.starts_at, sender.next_send_at]))
    today = local_day(window, now)
    sent_on: dict[date, int] = {}
    points: list[Point] = []
    opened: list[Span] = []
    sent, first_at, may_go_at = 0, None, since
    for span in spans(window, since):
        if len(opened) >= ESTIMATE_SPANS:
            break
        opened.append(span)
        begins = max(span.opens_at, may_go_at)
        cap = min(plan.per_day, sender.per_day)
        if span.day == today:
            cap = min(plan.per_day - sent_today, sender.free_today)
        room = rhythm.fits(span.closes_at - begins)
        now_sent = max(0, min(left - sent, room, cap - sent_on.get(span.day, 0)))
        if not now_sent:
            continue
        first_at = first_at or begins
        ends = begins + rhythm.takes(now_sent)
        may_go_at = ends + gap
        sent_on[span.day] = sent_on.get(span.day, 0) + now_sent
        points += [Point(begins, sent), Point(ends, sent + now_sent)]
        sent += now_sent
        if sent == left:
            return Estimate(first_at, ends, len(sent_on), tuple(points), tuple(opened))
    return Estimate(first_at, None, len(sent_on), tuple(points), tuple(opened))


# ---------------------------------------------------------------- what it is doing now


class Standing(StrEnum):
    """What a campaign is doing at this moment: its state, and within RUNNING what it waits for."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    STARTING = "starting"
    SENDING = "sending"
    OUTSIDE_WINDOW = "outside_window"  # goes on at `until`
    CAP_REACHED = "cap_reached"  # the messages of the day are sent; goes on at `until`
    WAITING_FOR_NUMBER = "waiting_for_number"  # none of its numbers can send
    WAITING_FOR_PROOF = "waiting_for_proof"  # nothing left to send; some outcomes are not known yet
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Now:
    standing: Standing
    until: datetime | None = None


def standing(
    status: CampaignStatus,
    *,
    window: Window,
    now: datetime,
    can_send: bool,
    queued: int,
    free_today: int,
) -> Now:
    """`free_today`: messages left today of the campaign's and the number's caps, whichever is less."""
    if status is not CampaignStatus.RUNNING:
        return Now(Standing(status.value))
    if not queued:
        return Now(Standing.WAITING_FOR_PROOF)
    if not can_send:
        return Now(Standing.WAITING_FOR_NUMBER)
    if not is_open(window, now):
        return Now(Standing.OUTSIDE_WINDOW, _opening(window, now))
    if free_today <= 0:
        return Now(Standing.CAP_REACHED, _opening_after_today(window, now))
    return Now(Standing.SENDING)


def _opening(window: Window, since: datetime) -> datetime | None:
    try:
        return next_opening(window, since)
    except NeverOpens:
        return None


def _opening_after_today(window: Window, now: datetime) -> datetime | None:
    today = local_day(window, now)
    return next((span.opens_at for span in islice(spans(window, now), 10) if span.day > today), None)


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

    @property
    def cap_today(self) -> int:
        return self.per_day if self.cap is None else min(self.per_day, self.cap)

    @property
    def can_send(self) -> bool:
        return self.status is InstanceStatus.CONNECTED and not self.is_paused

    def as_sender(self) -> Sender:
        """A cap that grows with good days is not foreseen to."""
        return Sender(
            self.cap_today,
            self.free_today,
            self.gap_min_s,
            self.gap_max_s,
            self.next_send_at,
            self.rest_after,
            self.rest_s,
        )


def checks(
    plan: Plan,
    audience: Audience,
    numbers: Sequence[NumberChoice],
    outlook: Estimate | None,
    *,
    limit: int,
    is_simulated: bool,
) -> list[Check]:
    """What to know before the start, in the order of the page.

    `limit` is the longest text that the number can send; `is_simulated`: nothing leaves, whatever is sent.
    """
    return [
        *_audience_checks(plan, audience),
        *_text_checks(plan, audience, limit),
        *_number_checks(plan, numbers),
        *_pace_checks(plan, numbers, outlook, is_simulated),
    ]


def _audience_checks(plan: Plan, audience: Audience) -> list[Check]:
    def ok(key: str, **values: object) -> Check:
        return Check(key, Level.OK, "audience", values)

    def warn(key: str, values: dict[str, Any], **fix: object) -> Check:
        return Check(key, Level.WARN, "audience", values, fix)

    if not audience.recipients:
        return [Check("nobody", Level.MUST, "audience", {"matched": audience.matched})]
    found = [
        ok("recipients", n=audience.recipients, matched=audience.matched),
        ok("nobody_who_left", n=audience.count(LeftOut.OPTED_OUT)),
        ok("nobody_twice", n=audience.count(LeftOut.REPEATED)),
    ]
    if plan.repeat_after_days:
        n = audience.count(LeftOut.RECENTLY_WRITTEN) + audience.count(LeftOut.IN_ANOTHER_CAMPAIGN)
        found.append(ok("nobody_lately", n=n, days=plan.repeat_after_days))
    else:
        found.append(warn("repeats_at_once", {"days": 30}, repeat_after_days=30))
    if plan.include_landlines and audience.landlines:
        found.append(warn("landlines", {"n": audience.landlines}, include_landlines=False))
    return found


def _text_checks(plan: Plan, audience: Audience, limit: int) -> list[Check]:
    def of(level: Level, key: str, **values: object) -> Check:
        return Check(key, level, "message", values)

    if not plan.text.strip():
        return [of(Level.MUST, "text_empty")]
    try:
        parts = parts_of(plan.text)
    except BadInput as bad:
        return [of(Level.MUST, bad.key, **bad.values)]
    asked = {part.name for part in parts if isinstance(part, Gap)}
    if "my_name" in asked and not plan.sender_name:
        return [of(Level.MUST, "sender_name_missing")]
    if audience.longest > limit:
        return [of(Level.MUST, "message_too_long", length=audience.longest, limit=limit)]
    holes = {name: n for name, n in audience.missing.items() if n and name in asked}
    found = [of(Level.WARN, "lead_without", variable=name, n=n) for name, n in holes.items()]
    found += [of(Level.WARN, key) for key in odd_about(plan.text)]
    if "my_name" not in asked and (not plan.sender_name or plan.sender_name.casefold() not in plan.text.casefold()):
        found.append(of(Level.WARN, "nobody_signs"))
    return found or [of(Level.OK, "text_complete")]


def _number_checks(plan: Plan, numbers: Sequence[NumberChoice]) -> list[Check]:
    if not numbers:
        return [Check("no_number", Level.MUST, "numbers")]
    found = [check for number in numbers for check in _checks_of(number)]
    bears = sum(number.per_day for number in numbers)
    if plan.per_day > bears:
        values = {"name": numbers[0].name, "n": len(numbers), "per_day": bears}
        found.append(Check("number_bears_less", Level.WARN, "numbers", values, {"per_day": bears}))
    return found


def _checks_of(number: NumberChoice) -> list[Check]:
    of: dict[str, Any] = {"name": number.name}
    if number.status is InstanceStatus.REMOVED:
        return [Check("number_removed", Level.MUST, "numbers", of)]
    if number.halt is not None and number.halt.reason is HaltReason.BLOCKED:
        found = [Check("number_blocked", Level.WARN, "numbers", of)]
    elif number.status is not InstanceStatus.CONNECTED:
        found = [Check("number_not_connected", Level.WARN, "numbers", of)]
    elif number.is_paused:
        found = [Check("number_paused", Level.WARN, "numbers", of)]
    else:
        found = [Check("number_ready", Level.OK, "numbers", of)]
    if number.other_campaigns:
        found.append(Check("number_shared", Level.WARN, "numbers", {**of, "n": number.other_campaigns}))
    return found


def _pace_checks(
    plan: Plan, numbers: Sequence[NumberChoice], outlook: Estimate | None, is_simulated: bool
) -> list[Check]:
    found = []
    if (plan.window_end_min - plan.window_start_min) * 60 < plan.gap_max_s:
        found.append(Check("window_shorter_than_gap", Level.WARN, "pace"))
    if outlook is not None and outlook.first_at is not None:
        if outlook.finish_at is None:
            found.append(Check("takes_over_a_year", Level.WARN, "pace"))
        elif outlook.days > MANY_DAYS:
            found.append(Check("takes_many_days", Level.WARN, "pace", {"days": outlook.days}))
    if plan.window_start_min < 8 * 60 or plan.window_end_min > 20 * 60:
        found.append(Check("early_or_late", Level.WARN, "pace", {}, {"window_start_min": 540, "window_end_min": 1080}))
    found += _hasty(plan, numbers, is_simulated)
    return found or [Check("pace_calm", Level.OK, "pace")]


def _hasty(plan: Plan, numbers: Sequence[NumberChoice], is_simulated: bool) -> list[Check]:
    """Pauses that no real number would be let: fine where nothing leaves, and to be known even there."""
    least = max(plan.gap_min_s, min((number.gap_min_s for number in numbers), default=0))
    if least >= REAL_GAP_S:
        return []
    usual = {"gap_min_s": Plan.gap_min_s, "gap_max_s": Plan.gap_max_s}
    key = "pace_simulated" if is_simulated else "pace_hasty"
    return [Check(key, Level.WARN, "pace", {"least": least, "seconds": REAL_GAP_S}, usual)]


SHORTENERS = ("bit.ly/", "tinyurl.com/", "t.co/", "goo.gl/", "cutt.ly/", "is.gd/", "ow.ly/", "encurtador.com.br/")
INVISIBLE = "\u200b\u200c\u2060\ufeff"
MANY_LINKS = 3


def odd_about(text: str) -> list[str]:
    """What makes people (and WhatsApp) wary of a text: keys of sentences, possibly none."""
    words = text.split()
    links = [word for word in words if word.casefold().startswith(("http://", "https://", "www."))]
    found = []
    if links and len(links) == len(words):
        found.append("only_a_link")
    elif len(links) > MANY_LINKS:
        found.append("many_links")
    if any(mark in text.casefold() for mark in SHORTENERS):
        found.append("short_link")
    if any(mark in text for mark in INVISIBLE):
        found.append("invisible_characters")
    return found


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
