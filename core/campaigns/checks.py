"""The last look before a start: what is fine, what a person should know, what stands in the way; each with its remedy.

Pure: who receives, from which numbers and until when is told by the caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.campaigns.forecast import Estimate
from core.campaigns.rules import (
    LETTERS,
    REAL_GAP_S,
    Audience,
    Check,
    LeftOut,
    Level,
    NumberChoice,
    Plan,
)
from core.campaigns.sharing import shared_out
from core.campaigns.text import MAX_CAPTION, Gap, is_seen, parts_of, says_source, with_source
from core.errors import BadInput
from core.instances.halts import HaltReason
from core.instances.rules import InstanceStatus

MANY_DAYS = 30  # of sending: the list will have grown old before its end
AGAIN = "again"  # in the place of a variant's letter: what is said to those who do not answer


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
        *_number_checks(plan, audience, numbers),
        *_pace_checks(plan, numbers, outlook, is_simulated),
    ]


# ---------------------------------------------------------------- who receives


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
        lately = (LeftOut.RECENTLY_WRITTEN, LeftOut.BY_COLLEAGUE, LeftOut.IN_ANOTHER_CAMPAIGN)
        n = sum(audience.count(reason) for reason in lately)
        found.append(ok("nobody_lately", n=n, days=plan.repeat_after_days))
    else:
        found.append(warn("repeats_at_once", {"days": 30}, repeat_after_days=30))
    if audience.held:
        found.append(ok("held_for_you", n=audience.held))
    if plan.include_landlines and audience.landlines:
        found.append(warn("landlines", {"n": audience.landlines}, include_landlines=False))
    if audience.unverified:
        found.append(warn("not_verified", {"n": audience.unverified}))
    if plan.local_time and audience.nowhere:
        found.append(warn("zone_unknown", {"n": audience.nowhere}))
    return found


# ---------------------------------------------------------------- what is said


def _text_checks(plan: Plan, audience: Audience, limit: int) -> list[Check]:
    wrong = list(_unreadable(plan))
    if wrong:
        return wrong
    if not plan.sender_name and any("my_name" in _asked(text) for _, text in _texts(plan)):
        return [_of(Level.MUST, "sender_name_missing")]
    too_long = list(_too_long(plan, audience, limit))
    if too_long:
        return too_long
    first = [(where, variant.text) for where, variant in zip(_letters(plan), plan.variants, strict=True)]
    asked = set().union(*(_asked(text) for _, text in first))
    holes = {name: n for name, n in audience.missing.items() if n and name in asked}
    found = [_of(Level.WARN, "lead_without", variable=name, n=n) for name, n in holes.items()]
    found += [_of(Level.WARN, key, **where) for where, text in _texts(plan) for key in odd_about(text)]
    found += [_of(Level.WARN, "nobody_signs", **where) for where, text in first if not _is_signed(plan, text)]
    found += _source_unsaid(plan)
    if plan.follow_up is not None:
        found.append(_of(Level.OK, "said_again", days=plan.follow_up.days))
    return found if any(check.level is Level.WARN for check in found) else [_of(Level.OK, "text_complete"), *found]


def _of(level: Level, key: str, **values: object) -> Check:
    return Check(key, level, "message", values)


def _letters(plan: Plan) -> list[dict[str, str]]:
    """Which variant a check is about; nothing where there is one."""
    return [{"where": letter} if plan.other_variants else {} for letter, _ in zip(LETTERS, plan.variants, strict=False)]


def _texts(plan: Plan) -> list[tuple[dict[str, str], str]]:
    """All that is said, each with where it stands."""
    again = [({"where": AGAIN}, plan.follow_up.text)] if plan.follow_up is not None else []
    return [(where, variant.text) for where, variant in zip(_letters(plan), plan.variants, strict=True)] + again


def _unreadable(plan: Plan) -> Iterator[Check]:
    for where, text in _texts(plan):
        if not is_seen(text):
            yield _of(Level.MUST, "text_empty", **where)
            continue
        try:
            parts_of(text)
        except BadInput as bad:
            yield _of(Level.MUST, bad.key, **bad.values, **where)


def _asked(text: str) -> set[str]:
    return {part.name for part in parts_of(text) if isinstance(part, Gap)}


def _too_long(plan: Plan, audience: Audience, limit: int) -> Iterator[Check]:
    """With the longest lead's values in it: of all variants the longest, and what is said once more."""
    again = {"where": AGAIN}
    if audience.longest > limit:
        yield _of(Level.MUST, "message_too_long", length=audience.longest, limit=limit)
    elif audience.longest_caption > MAX_CAPTION:
        yield _of(Level.MUST, "caption_too_long", length=audience.longest_caption, limit=MAX_CAPTION)
    if plan.follow_up is None:
        return
    if audience.longest_again > limit:
        yield _of(Level.MUST, "message_too_long", length=audience.longest_again, limit=limit, **again)
    elif plan.follow_up.media_id is not None and audience.longest_again > MAX_CAPTION:
        yield _of(Level.MUST, "caption_too_long", length=audience.longest_again, limit=MAX_CAPTION, **again)


def _is_signed(plan: Plan, text: str) -> bool:
    return "my_name" in _asked(text) or bool(plan.sender_name and plan.sender_name.casefold() in text.casefold())


def _source_unsaid(plan: Plan) -> list[Check]:
    """Whoever is written to first asks where one has the contact from.  Of a list of their own only people know."""
    unsaid = [
        where for where, variant in zip(_letters(plan), plan.variants, strict=True) if not says_source(variant.text)
    ]
    if not unsaid:
        return []
    fix: Mapping[str, Any] = {}
    if plan.audience.import_id is None:
        said = [replace(variant, text=with_source(variant.text, plan.opt_out_line)) for variant in plan.variants]
        fix = {"text": said[0].text, "other_variants": tuple(said[1:])}
    return [Check("source_unsaid", Level.WARN, "message", unsaid[0], fix)]


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


# ---------------------------------------------------------------- from where


def _number_checks(plan: Plan, audience: Audience, numbers: Sequence[NumberChoice]) -> list[Check]:
    if not numbers:
        return [Check("no_number", Level.MUST, "numbers")]
    parts = shared_out(audience.recipients, plan, numbers)
    found = [check for number in numbers for check in _checks_of(number, plan, parts[number.id])]
    away = [number for number in numbers if not number.can_send]
    if 0 < len(away) < len(numbers):
        waits = sum(parts[number.id] for number in away)
        found.append(Check("some_wait", Level.WARN, "numbers", {"n": waits, "of": audience.recipients}))
    bears = sum(number.per_day for number in numbers)
    if plan.per_day > bears:
        key = "number_bears_less" if len(numbers) == 1 else "numbers_bear_less"
        values = {"name": numbers[0].name, "n": len(numbers), "per_day": bears}
        found.append(Check(key, Level.WARN, "numbers", values, {"per_day": bears}))
    return found


def _checks_of(number: NumberChoice, plan: Plan, part: int) -> list[Check]:
    """`part`: how many recipients it would write to."""
    of: dict[str, Any] = {"name": number.name}
    others = tuple(each for each in plan.instance_ids if each != number.id)
    weights = tuple(plan.weight_of(each) for each in others)
    leave_out = {"instance_ids": others, "number_weights": weights} if others else {}
    if number.status is InstanceStatus.REMOVED:
        return [Check("number_removed", Level.MUST, "numbers", of, leave_out)]
    if number.halt is not None and number.halt.reason is HaltReason.BLOCKED:
        found = [Check("number_blocked", Level.WARN, "numbers", of, leave_out)]
    elif number.status is not InstanceStatus.CONNECTED:
        found = [Check("number_not_connected", Level.WARN, "numbers", of, leave_out)]
    elif number.is_paused:
        found = [Check("number_paused", Level.WARN, "numbers", of, leave_out)]
    else:
        found = [Check("number_ready", Level.OK, "numbers", of)]
    if number.other_campaigns:
        between = sum(min(part, waiting) for waiting in number.others_wait)
        values = {**of, "n": number.other_campaigns, "between": between}
        found.append(Check("number_shared", Level.WARN, "numbers", values))
    return found


# ---------------------------------------------------------------- when


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
