"""What the pages of campaigns say alike: whom a filter means, when it may write, what it is doing, and why not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import get_day_names

from core.campaigns.rules import Now, Plan, Standing
from core.instances.halts import Halt
from core.leads.rules import LeadFilter, LeadStatus, OnWhatsApp, PhoneType
from ui.parts.number_words import TROUBLES, at_time
from ui.parts.status import STATES, Look
from ui.words import N_, _, formats, language, ngettext

STANDINGS: dict[Standing, Look] = {
    Standing.DRAFT: STATES["campaign"]["draft"],
    Standing.SCHEDULED: STATES["campaign"]["scheduled"],
    Standing.STARTING: Look(N_("Preparing the queue"), "", "hourglass_top"),
    Standing.SENDING: STATES["campaign"]["running"],
    Standing.OUTSIDE_WINDOW: Look(N_("Outside its hours"), "", "bedtime"),
    Standing.CAP_REACHED: Look(N_("Done for today"), "", "event_available"),
    Standing.HOUR_FULL: Look(N_("Done for this hour"), "", "hourglass_bottom"),
    Standing.NO_GATEWAY: Look(N_("The gateway does not answer"), "bad", "cloud_off"),
    Standing.NO_QUEUE: Look(N_("Redis does not answer"), "bad", "cloud_off"),
    Standing.NO_WORKER: Look(N_("No worker sends"), "bad", "engineering"),
    Standing.NO_WORKER_CAME: Look(N_("Waiting for a worker"), "warn", "engineering"),
    Standing.WAITING_FOR_ANSWERS: Look(N_("Waiting for answers"), "", "hourglass_empty"),
    Standing.WAITING_FOR_NUMBER: Look(N_("Waiting for its number"), "bad", "link_off"),
    Standing.WAITING_FOR_PROOF: Look(N_("Checking the last ones"), "warn", "help"),
    Standing.PAUSED: Look(N_("Paused"), "", "pause"),
    Standing.FINISHED: STATES["campaign"]["finished"],
    Standing.CANCELLED: Look(N_("Cancelled"), "line", "block"),
}
LOOKS_ALIVE = (
    Standing.SENDING,
    Standing.WAITING_FOR_NUMBER,
    Standing.OUTSIDE_WINDOW,
    Standing.CAP_REACHED,
    Standing.HOUR_FULL,
    Standing.NO_GATEWAY,
    Standing.NO_QUEUE,
    Standing.NO_WORKER,
    Standing.NO_WORKER_CAME,
    Standing.WAITING_FOR_ANSWERS,
)

# What an administrator has to mend before anything leaves, and that it then goes on by itself.
STUCK = {
    Standing.NO_GATEWAY: (
        N_("The gateway does not answer."),
        N_(
            "Nothing leaves until it does. Start it again, or look at its address and key; then this goes on by itself."
        ),
    ),
    Standing.NO_QUEUE: (
        N_("Redis does not answer."),
        N_("The workers cannot be called. Nothing is lost: start Redis again, and this goes on by itself."),
    ),
    Standing.NO_WORKER: (
        N_("No worker is running."),
        N_("Nobody has come for this campaign since {time}. Start a sender, and it goes on by itself."),
    ),
    Standing.NO_WORKER_CAME: (
        N_("No worker has come yet."),
        N_(
            "It waits since {time}: the senders are busy with other numbers, or the timetable that wakes them stands "
            "still. An administrator sees which under “Queues & workers”."
        ),
    ),
}

PAUSE_REASONS = {
    "by_hand": N_("Somebody of the team paused it."),
    "content_refused": N_("WhatsApp refused the text. Nobody else gets it until you have looked at it."),
    "outcomes_unknown": N_("Several messages in a row without an answer we can trust. We stopped rather than guess."),
    "gateway_refused": N_("The gateway does not accept its number any more."),
    "number_logged_out": N_("The device of its number left the account. Reconnect the number, then let this go on."),
    "number_blocked": N_("WhatsApp blocked a number of it. If it goes on, the other numbers write to their own share."),
}
NOT_STARTED_REASONS = {
    "nobody": N_("Nobody was left to write to at that hour."),
    "no_number": N_("It had no number to write from."),
    "number_removed": N_("Its number had been removed."),
}
# Why one person did not get it, as the list of recipients says it.
REASONS = {
    "opted_out": N_("Asked not to be written to."),
    "replied": N_("Wrote to you meanwhile: a person answers."),
    "recently_written": N_("Was written to by another campaign in the days you set."),
    "lead_deleted": N_("The lead was deleted."),
    "missing_variable": N_("Something that the text asks for is not known of this lead."),
    "unanswered": N_("Was written to twice without an answer: no more."),
    "step_gone": N_("What was to be said once more was taken out of the campaign."),
    "no_phone": N_("The lead has no phone any more."),
    "phone_changed": N_("The phone of the lead was changed after the first message."),
    "in_campaign": N_("The phone of the lead was changed to one that this campaign writes to anyway."),
    "in_conversation": N_("The phone of the lead was changed to one that your team has an open conversation with."),
    "landline": N_("The phone of the lead was changed to a landline."),
    "by_hand": N_("Skipped by hand."),
    "not_on_whatsapp": N_("This number is not on WhatsApp."),
    "not_taken": N_("WhatsApp does not deliver this to them now."),
    "content_refused": N_("WhatsApp refused the text."),
    "undelivered": N_("WhatsApp took it and then refused it."),
}
VARIABLES = {
    "company": N_("company"),
    "neighbourhood": N_("neighbourhood"),
    "city": N_("city"),
    "rating": N_("rating"),
    "category": N_("category"),
    "my_name": N_("my name"),
}
LEAD_STATUSES = {
    LeadStatus.NEW: N_("Never written to"),
    LeadStatus.CONTACTED: N_("Written to"),
    LeadStatus.REPLIED: N_("Have replied"),
    LeadStatus.OPTED_OUT: N_("Opted out"),
}
PHONE_TYPES = {PhoneType.MOBILE: N_("Mobile"), PhoneType.LANDLINE: N_("Landline"), PhoneType.OTHER: N_("Other phone")}
ON_WHATSAPP = {
    OnWhatsApp.YES: N_("On WhatsApp"),
    OnWhatsApp.NO: N_("Not on WhatsApp"),
    OnWhatsApp.UNKNOWN: N_("WhatsApp not checked"),
}


def doing_look(standing: Standing, halt: Halt | None) -> Look:
    """What a campaign is doing; while its number keeps it waiting, what is the matter with that."""
    if halt is None:
        return STANDINGS[standing]
    trouble = TROUBLES[halt.reason]
    return Look(trouble.campaign, trouble.tone, trouble.icon)


def stuck_words(now: Now) -> tuple[str, str]:
    """What is wrong and what to do, where only an administrator can help; else twice nothing."""
    title, body = STUCK.get(now.standing, ("", ""))
    return (_(title), _(body).format(time=at_time(now.since))) if title and (now.since or "{" not in body) else ("", "")


def waits_since(halt: Halt) -> str:
    """In the place of an end that nobody can foresee."""
    return _("waits since {time}").format(time=at_time(halt.since))


def filter_labels(which: LeadFilter, file_name: str = "", tags: Mapping[int, str] | None = None) -> dict[str, str]:
    """The name of each field that narrows, with words for it, in the order of the form.

    `file_name`: of the file that the filter means, where it is known; `tags`: the names of all that there are.
    """
    of_file = _("From the import {name}").format(name=file_name) if file_name else _("From one import")
    labels = {
        "text": f"“{which.text}”" if which.text else "",
        "search_id": _("From one search") if which.search_id is not None else "",
        "first_search_id": _("New ones of one search") if which.first_search_id is not None else "",
        "import_id": of_file if which.import_id is not None else "",
        "cities": _("City: {names}").format(names=", ".join(which.cities)) if which.cities else "",
        "categories": _("Category: {names}").format(names=", ".join(which.categories)) if which.categories else "",
        "min_rating": _("Rating ≥ {n}").format(n=formats.rating(which.min_rating)) if which.min_rating else "",
        "min_reviews": _("Reviews ≥ {n}").format(n=formats.number(which.min_reviews)) if which.min_reviews else "",
        "statuses": ", ".join(_(LEAD_STATUSES[status]) for status in which.statuses),
        "tags": _tag_words(which.tags, tags) if which.tags else "",
        "phone_types": ", ".join(_(PHONE_TYPES[kind]) for kind in which.phone_types),
        "on_whatsapp": ", ".join(_(ON_WHATSAPP[state]) for state in which.on_whatsapp),
        "has_phone": _either(which.has_phone, _("With phone"), _("Without phone")),
        "has_website": _either(which.has_website, _("With website"), _("Without website")),
        "has_email": _either(which.has_email, _("With e-mail"), _("Without e-mail")),
        "ids": ngettext("{n} chosen lead", "{n} chosen leads", len(which.ids)).format(n=formats.number(len(which.ids)))
        if which.ids
        else "",
    }
    return {field: words for field, words in labels.items() if words}


def _tag_words(ids: Collection[int], names: Mapping[int, str] | None) -> str:
    if names is None:
        return ngettext("With one tag", "With one of {n} tags", len(ids)).format(n=formats.number(len(ids)))
    named = ", ".join(names.get(tag, _("deleted tag")) for tag in ids)
    return ngettext("Tag: {names}", "Tags: {names}", len(ids)).format(names=named)


def audience_words(which: LeadFilter) -> str:
    """Whom a filter means, in one line."""
    return " · ".join(filter_labels(which).values()) or _("All leads")


def joined(names: Sequence[str]) -> str:
    """A, B and C."""
    *most, last = names or [""]
    return _("{first} and {last}").format(first=", ".join(most), last=last) if most else last


def _either(answer: bool | None, yes: str, no: str) -> str:
    return "" if answer is None else yes if answer else no


def day_name(weekday: int, width: str = "abbreviated") -> str:
    """Of an ISO weekday, 1 is Monday: seg., S, segunda-feira."""
    return get_day_names(width, "stand-alone", locale=language().replace("-", "_"))[weekday - 1]


def days_words(weekdays: Collection[int]) -> str:
    """seg.–sex., all days, or the days one by one."""
    days = sorted(weekdays)
    if days == list(range(1, 8)):
        return _("every day")
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return f"{day_name(days[0])}–{day_name(days[-1])}"
    return ", ".join(day_name(day) for day in days)


def minute_words(minute: int) -> str:
    """09:00, 24:00"""
    return f"{minute // 60:02}:{minute % 60:02}"


def hours_words(plan: Plan) -> str:
    """09:00 – 18:00"""
    return f"{minute_words(plan.window_start_min)} – {minute_words(plan.window_end_min)}"


def in_zone(when: datetime, zone: str) -> datetime:
    """The moment as the clock of another zone shows it, ready for ui.words.formats, which writes the team's."""
    return when.astimezone(ZoneInfo(zone)).replace(tzinfo=formats.zone())


def moment_in(when: datetime | None, zone: str) -> str:
    """seg., 15 jun., 12:30, in that zone."""
    return formats.UNKNOWN if when is None else formats.moment(in_zone(when, zone))


def day_in(when: datetime, zone: str) -> str:
    """seg., 15 jun."""
    return formats.day(in_zone(when, zone), weekday=True)


def back_at(when: datetime, now: datetime, zone: str) -> str:
    """When it goes on: at 14:00, tomorrow at 9:00, or on the day."""
    local, today = in_zone(when, zone), in_zone(now, zone).date()
    days = (local.date() - today).days
    time = formats.clock(local)
    if days == 0:
        return _("at {time}").format(time=time)
    if days == 1:
        return _("tomorrow at {time}").format(time=time)
    return _("{day} at {time}").format(day=formats.day(local, weekday=True), time=time)
