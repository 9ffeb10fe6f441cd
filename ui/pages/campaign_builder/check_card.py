"""5 · Check & start: the last look, with a remedy in one click where there is one."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from core.campaigns.checks import AGAIN
from core.campaigns.rules import Check, Level
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.section import section_card
from ui.pages.campaign_builder.trial import Trial
from ui.parts import safe
from ui.parts.button import button
from ui.parts.campaign_words import VARIABLES
from ui.parts.text import icon, text
from ui.words import N_, _
from ui.words.errors import all_sentences, written

ICONS = {
    Level.OK: ("check_circle", "p-t-ok"),
    Level.WARN: ("warning", "p-t-warn"),
    Level.MUST: ("error", "p-t-bad"),
}
# key of the check → what it is about, and what is so
WORDS: dict[str, tuple[str, str]] = {
    "recipients": (N_("Somebody to write to"), N_("{n} of {matched} leads receive it")),
    "nobody": (N_("Nobody to write to"), N_("None of the {matched} leads with these filters can receive it.")),
    "nobody_who_left": (N_("Nobody who opted out"), N_("{n} taken out of the audience")),
    "nobody_twice": (N_("Nobody twice"), N_("{n} repeated phones joined")),
    "nobody_lately": (
        N_("Nobody written to lately"),
        N_("{n} were written to within {days} days, or wait in another campaign, and are left out"),
    ),
    "repeats_at_once": (
        N_("People may be written to again at once"),
        N_("Nothing keeps apart two campaigns to the same person. We suggest {days} days."),
    ),
    "landlines": (N_("{n} landlines"), N_("Many have no WhatsApp. Messages that fail wear out a number.")),
    "held_for_you": (
        N_("{n} wait for you"),
        N_("Something that the text asks for is not known of them. Nothing goes to them before you decide."),
    ),
    "not_verified": (
        N_("{n} not looked up on WhatsApp lately"),
        N_("Messages to who has no WhatsApp wear out a number. They can be looked up in the list of leads."),
    ),
    "zone_unknown": (N_("The time zone of {n} is not known"), N_("For them the hours of the campaign count.")),
    "text_empty": (N_("No message yet"), N_("Write what you want to say.")),
    "text_complete": (N_("Message complete"), N_("Says who writes and how to leave, and has no gap left open")),
    "sender_name_missing": (N_("Nobody signs"), N_("The text says “my name”, and no name is given.")),
    "message_too_long": (
        N_("The message is too long"),
        N_("For the longest lead it has {length} characters; WhatsApp takes {limit}."),
    ),
    "caption_too_long": (
        N_("Too long to go with a file"),
        N_("For the longest lead it has {length} characters; with a file WhatsApp takes {limit}."),
    ),
    "said_again": (
        N_("Once more after {days} days"),
        N_("Only to those who have not answered, from the same number and with the way out"),
    ),
    "source_unsaid": (
        N_("The text does not say where you have the contact from"),
        N_("It is the first thing that people ask. One sentence is enough."),
    ),
    "lead_without": (N_("Not known of {n} leads: {variable}"), N_("Without it they are left out.")),
    "only_a_link": (N_("Nothing but a link"), N_("People take that for spam. Say who you are and why you write.")),
    "many_links": (N_("Many links"), N_("One link at most reads like a person.")),
    "short_link": (N_("A shortened link"), N_("People cannot see where it leads, and WhatsApp may hold it back.")),
    "invisible_characters": (
        N_("Invisible characters"),
        N_("There are characters in the text that nobody sees. Type that part again."),
    ),
    "nobody_signs": (
        N_("The text does not say who writes"),
        N_("A first message that names its sender is answered more and reported less."),
    ),
    "no_number": (N_("No number chosen"), N_("Choose where the messages leave from.")),
    "number_ready": (N_("{name} is connected"), N_("and can send")),
    "number_blocked": (N_("{name} is blocked by WhatsApp"), N_("Nothing leaves from it. Its page says what to do.")),
    "number_not_connected": (N_("{name} is not connected"), N_("You can start; it waits until the number is back.")),
    "number_paused": (N_("{name} is paused"), N_("You can start; it waits until somebody lets it go on.")),
    "number_removed": (N_("{name} was removed"), N_("Choose another number.")),
    "number_shared": (
        N_("{name} sends for others too: {n}"),
        N_("They take turns: {between} of their messages go in between, and the forecast counts them."),
    ),
    "some_wait": (
        N_("{n} of {of} wait for a number"),
        N_("They are written to when it is back: no other takes its place by itself."),
    ),
    "numbers_bear_less": (
        N_("The {n} numbers send {per_day} a day"),
        N_("More than their own limits does not go out."),
    ),
    "number_bears_less": (N_("{name} sends {per_day} a day"), N_("More than its own limit does not go out.")),
    "field_refused": (N_("A field of the pace cannot be kept"), N_("It is marked where it stands: {why}")),
    "message_refused": (N_("A field of the message cannot be kept"), N_("It is marked where it stands: {why}")),
    "numbers_refused": (N_("A weight cannot be kept"), N_("It is marked where it stands: {why}")),
    "pace_calm": (N_("Calm pace"), N_("Within business hours, with pauses")),
    "pace_simulated": (
        N_("A pace for the simulation only"),
        N_("Pauses of {least} s pass because nothing leaves. With a real number less than {seconds} s is refused."),
    ),
    "pace_hasty": (
        N_("Hasty pace"),
        N_("Pauses of {least} s; below {seconds} s a number is reported and blocked more often."),
    ),
    "window_shorter_than_gap": (
        N_("The window is shorter than a pause"),
        N_("One message a day would go out."),
    ),
    "takes_many_days": (
        N_("Takes {days} days of sending"),
        N_("By then the list is old. A smaller audience reads better."),
    ),
    "takes_over_a_year": (N_("Takes more than a year"), N_("Narrow the audience, or send more a day.")),
    "early_or_late": (N_("Early or late messages"), N_("People answer less and report more outside business hours.")),
}
FIXES: dict[str, str] = {
    "repeats_at_once": N_("Use {days} days"),
    "landlines": N_("Leave them out"),
    "number_bears_less": N_("Use {per_day}"),
    "numbers_bear_less": N_("Use {per_day}"),
    "number_removed": N_("Leave it out"),
    "number_blocked": N_("Leave it out"),
    "number_not_connected": N_("Leave it out"),
    "number_paused": N_("Leave it out"),
    "source_unsaid": N_("Add a sentence"),
    "early_or_late": N_("Use 09:00 – 18:00"),
    "pace_simulated": N_("Use 45 – 120 s"),
    "pace_hasty": N_("Use 45 – 120 s"),
}


class CheckCard:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._drawn: list[Check] | None = None
        with section_card("check", 5, _("Check & start"), _("A last look before it begins")) as self.mark:
            with ui.element("div").classes("p-sb"):
                self.list = ui.element("div").classes("p-checks")
                self.trial = Trial(desk)
        desk.on_news(self.show)

    def show(self) -> None:
        self.mark.set(self.desk.mood("check"))
        self.trial.show()
        if self.desk.checks == self._drawn:
            return
        self._drawn = self.desk.checks
        self.list.clear()
        with self.list:
            for check in self.desk.checks:
                self._line(check)

    def _line(self, check: Check) -> None:
        name, tone = ICONS[check.level]
        title, detail = words_of(check)
        with ui.element("div").classes("p-ck"):
            icon(name, 20, tone)
            with ui.element("div").classes("p-grow"):
                text(title, "p-b")
                text(detail, "p-t-2 p-t-sm p-ck-more")
            if check.fix and self.desk.may_write:
                words = _(FIXES.get(check.key, N_("Set it right"))).format(**shown(check.values))
                button(words, lambda: self.desk.use_fix(check), size="xs")
            elif check.key in ("number_blocked", "number_not_connected", "number_paused"):
                safe.link("/instances", _("See number"), "p-link")


def words_of(check: Check) -> tuple[str, str]:
    """What it is about and what is so; a text that cannot be read is told as by its field."""
    values, where = shown(check.values), _where(check)
    if check.key in WORDS:
        title, detail = WORDS[check.key]
        return where + _(title).format(**values), _(detail).format(**values)
    sentence = all_sentences().get(check.key, N_("This value cannot be used."))
    return where + _("The text cannot be read yet"), _(sentence).format(**values)


def _where(check: Check) -> str:
    """Which of several texts it is about; nothing where there is one."""
    where = check.values.get("where")
    if not where:
        return ""
    return f"{_('Follow-up') if where == AGAIN else _('Variant {letter}').format(letter=where)} · "


def shown(values: Any) -> dict[str, str]:
    """Numbers and names as people read them."""
    words = written(values)
    if values.get("variable") in VARIABLES:
        words["variable"] = _(VARIABLES[values["variable"]])
    return words
