"""What stands beside the cards all the time: totals, what is missing, and the one primary button."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from nicegui import ui

from core.campaigns import service as campaigns
from core.campaigns.rules import Level
from ui.calls import do
from ui.pages.campaign_builder.check_card import words_of
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.message_card import message_words
from ui.pages.campaign_builder.parts import part_of, places_of
from ui.pages.campaign_builder.section import StepMark
from ui.parts import safe
from ui.parts.button import button
from ui.parts.campaign_words import audience_words, day_in, days_words, hours_words, joined, moment_in
from ui.parts.confirm import confirm
from ui.parts.text import icon, text
from ui.parts.toast import problem
from ui.words import _, formats, ngettext

TO_THE_TEST = """() => {
  document.getElementById('test').scrollIntoView({behavior: 'smooth', block: 'center'});
  document.querySelector('#test input')?.focus({preventScroll: true});
}"""

SOON = timedelta(minutes=15)  # whoever starts it need not be told


class Summary:
    """`later` asks the card of the pace for a moment to come."""

    def __init__(self, desk: Desk, *, later: Callable[[], None]) -> None:
        self.desk = desk
        self.later = later
        self.marks: dict[str, StepMark] = {}
        self.words: dict[str, ui.element] = {}
        self.lines: dict[str, ui.element] = {}
        with ui.element("aside").classes("p-sum p-m-hide") as aside:
            aside.props["aria-label"] = _("Summary")
            with ui.element("div").classes("p-card"):
                with ui.element("div").classes("p-sum-h"):
                    text(_("Campaign"), "p-t-sm p-t-2", tag="div")
                    with ui.element("div").classes("p-row p-g6 p-baseline"):
                        self.total = text("…", "p-big p-num")
                        self.total_words = text("", "p-b")
                    self.span = text("", "p-t-sm p-t-2", tag="div")
                with ui.element("div").classes("p-sl"):
                    for number, (section, words) in enumerate(_sections(), 1):
                        self._line(number, section, words)
                with ui.element("div").classes("p-sum-f"):
                    if desk.may_write:
                        self.go = button("", self.start, kind="pri", icon="rocket_launch", size="lg").classes("block")
                        with ui.element("div").classes("p-row p-g8 p-sum-more"):
                            self.when = button("", self._when, kind="sec").classes("p-grow")
                            test = button(_("Send test"), kind="sec").classes("p-grow")
                            test.on("click", js_handler=TO_THE_TEST)
            with ui.element("div").classes("p-row p-g8 p-t-xs p-t-3 p-top p-sum-note"):
                icon("volunteer_activism", 16)
                text(_("Whoever answers SAIR or STOP is taken out at once, of this and of every later campaign."))
        with ui.element("div").classes("p-m-only p-mbar"):
            with ui.element("div").classes("p-grow"):
                self.phone_total = text("", "p-b p-num", tag="div")
                self.phone_until = text("", "p-t-xs p-t-3", tag="div")
            if desk.may_write:
                self.phone_go = button("", self.start, kind="pri")
        desk.on_news(self.show)
        self.show()

    def _line(self, number: int, section: str, words: str) -> None:
        with ui.element("a").classes("p-si") as link:
            self.lines[section] = link
            link.props["href"] = f"#{section}"
            self.marks[section] = StepMark(number, is_small=True)
            text(words, "p-b")
            self.words[section] = text("", "p-t-sm p-t-2 p-end")

    # ------------------------------------------------------------ drawing

    def show(self) -> None:
        desk, plan = self.desk, self.desk.plan
        n = desk.audience.recipients if desk.audience else 0
        self.total.text = formats.number(n) if desk.audience else "…"
        self.total_words.text = ngettext("message", "messages", n)
        found = desk.outlook.estimate if desk.outlook else None
        self.span.text = self.phone_until.text = ""
        if found and found.first_at and found.finish_at:
            first, last = day_in(found.first_at, plan.timezone), day_in(found.finish_at, plan.timezone)
            self.span.text = first if first == last else f"{first} → {last}"
            until = moment_in(found.finish_at, plan.timezone)
            self.phone_until.text = _("until {moment}").format(moment=until)
        self.phone_total.text = f"{self.total.text} {self.total_words.text}"
        for section, mark in self.marks.items():
            mood = desk.mood(section)
            mark.set(mood)
            self.lines[section].classes("cur" if mood == "cur" else "", remove="cur")
        self.words["audience"].text = desk.view_name or audience_words(plan.audience)  # type: ignore[attr-defined]
        self.words["message"].text = self._message_words()  # type: ignore[attr-defined]
        self.words["numbers"].text = self._number_words()  # type: ignore[attr-defined]
        self.words["pace"].text = f"{days_words(plan.weekdays)}, {hours_words(plan)}"  # type: ignore[attr-defined]
        self.words["check"].text = self._check_words()  # type: ignore[attr-defined]
        if desk.may_write:
            self.go.text = _("Schedule campaign") if plan.starts_at else _("Start campaign")
            self.when.text = _("Start now instead") if plan.starts_at else _("Schedule")
            self.phone_go.text = _("Schedule") if plan.starts_at else _("Begin")

    def _message_words(self) -> str:
        count = self.desk.length
        if any(not part_of(self.desk.plan, place).text.strip() for place in places_of(self.desk.plan)):
            return _("to be written")
        in_parts = message_words(self.desk)
        if in_parts or not count:
            return in_parts
        return ngettext("{n} character", "{n} characters", count).format(n=formats.number(count))

    def _number_words(self) -> str:
        chosen = self.desk.chosen
        if not chosen:
            return _("to be chosen")
        name = chosen[0].name if len(chosen) == 1 else formats.number(len(chosen))
        return _("{name} · {n} a day").format(name=name, n=formats.number(self._per_day()))

    def _per_day(self) -> int:
        """What goes out on a day at most: of the campaign's own cap and those of its numbers, whichever is less."""
        return min(self.desk.plan.per_day, sum(number.per_day for number in self.desk.chosen) or self.desk.plan.per_day)

    def _when(self) -> None:
        if self.desk.plan.starts_at:
            self.desk.change(starts_at=None)
        else:
            self.later()
            ui.run_javascript("document.getElementById('pace').scrollIntoView({behavior: 'smooth'})")

    def _check_words(self) -> str:
        must = len(self.desk.blocking)
        warnings = sum(check.level is Level.WARN for check in self.desk.checks)
        if must:
            return ngettext("{n} thing missing", "{n} things missing", must).format(n=formats.number(must))
        said = _("all in order") if self.desk.checks else ""
        if warnings:
            said = ngettext("{n} warning", "{n} warnings", warnings).format(n=formats.number(warnings))
        return said if self.desk.is_tested or not said else f"{said} · " + _("not tested")

    # ------------------------------------------------------------ starting

    async def start(self) -> None:
        """Saves, says what stands in the way, asks, and starts what was looked at: that version and no other."""
        desk = self.desk
        if not await desk.flush():
            problem(desk.trouble or _("It could not be saved, and so it was not started."))
            return
        if desk.blocking or desk.audience is None:
            problem(words_of(desk.blocking[0])[1] if desk.blocking else _("Still counting; in a moment."))
            return
        version = desk.version
        if not await self._confirmed():
            return
        if desk.plan.starts_at:
            done = await do(campaigns.schedule, desk.id, version, desk.plan.starts_at)
        else:
            done = await do(campaigns.start, desk.id, version)
        if done:
            for made in (self.go, self.phone_go):
                made.disable()  # its own page is on the way
            safe.go(f"/campaigns/{desk.id}")

    async def _confirmed(self) -> bool:
        """Count, number and window once more, in one sentence each."""
        desk, plan = self.desk, self.desk.plan
        n = desk.audience.recipients if desk.audience else 0
        who = ngettext("{n} person receives it from {number}.", "{n} people receive it from {number}.", n)
        named = joined([number.name for number in desk.chosen])
        body = who.format(n=formats.number(n), number=named)
        when = _("It writes {days}, {hours}, {n} a day at most.")
        per_day = formats.number(self._per_day())
        body += " " + when.format(days=days_words(plan.weekdays), hours=hours_words(plan), n=per_day)
        if plan.follow_up is not None:
            again = ngettext(
                "Whoever has not answered after {n} day gets one more.",
                "Whoever has not answered after {n} days gets one more.",
                plan.follow_up.days,
            )
            body += " " + again.format(n=formats.number(plan.follow_up.days))
        found = desk.outlook.estimate if desk.outlook else None
        wished = plan.starts_at or datetime.now(UTC)
        if found and found.first_at and found.first_at > wished + SOON:
            body += " " + _("The first one leaves {moment}.").format(moment=moment_in(found.first_at, plan.timezone))
        if found and found.finish_at:
            body += " " + _("Finishes around {moment}.").format(moment=moment_in(found.finish_at, plan.timezone))
        if plan.starts_at:
            title = _("Start it {moment}?").format(moment=moment_in(plan.starts_at, plan.timezone))
            return bool(await confirm(title, body, action=_("Schedule campaign"), danger=False))
        return bool(await confirm(_("Start this campaign?"), body, action=_("Start campaign"), danger=False))


def _sections() -> list[tuple[str, str]]:
    return [
        ("audience", _("Audience")),
        ("message", _("Message")),
        ("numbers", _("Numbers")),
        ("pace", _("Pace")),
        ("check", _("Check")),
    ]
