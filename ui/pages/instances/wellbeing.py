"""The lower half of a card: five steps of health with their reason, and the bars of the last fourteen days."""

from __future__ import annotations

from nicegui import ui

from core.instances.health import BEST
from core.instances.queries import NumberCard
from ui.parts.number_words import health_reason, health_words
from ui.parts.text import text
from ui.words import _, formats

TALLEST_PX = 28


class Wellbeing:
    """`with_days`: a number that cannot send has no bars, only what it sent today."""

    def __init__(self, *, with_days: bool) -> None:
        self.with_days = with_days
        self.bars: list[ui.element] = []
        with ui.element("div").classes("p-number-b p-row p-between p-g12" + (" p-top" if with_days else "")):
            with ui.element("div").classes("p-number-health"):
                with ui.element("div").classes("p-row p-g8 p-t-sm"):
                    text(_("Health"), "p-t-2")
                    with ui.element("span").classes("p-health").props("role=img") as self.bar:
                        self.steps = [ui.element("i") for _step in range(BEST)]
                    self.word = text("", "p-b")
                if with_days:
                    self.reason = text("", "p-t-xs p-t-3", tag="div")
            if with_days:
                self.spark = ui.element("div").classes("p-spark").props("role=img")
            else:
                self.today = text("", "p-t-xs p-t-3 p-num p-nowrap")

    def show(self, number: NumberCard) -> None:
        words, tone = health_words(number)
        self.word.text = words
        self.word.classes(replace=f"p-b p-t-{tone}" if tone else "p-t-3")
        self.bar.props["aria-label"] = _("Health: {word}").format(word=words)
        for n, step in enumerate(self.steps, 1):
            step.classes(replace=tone if n <= (number.health or 0) else "")
        if not self.with_days:
            sent, cap = formats.number(number.sent_today), formats.number(number.cap_today)
            self.today.text = _("{n} of {cap} today").format(n=sent, cap=cap)
            return
        self.reason.text = health_reason(number)
        self._show_days(number.sent_by_day)

    def _show_days(self, days: tuple[int, ...]) -> None:
        if len(self.bars) != len(days):
            self.spark.clear()
            with self.spark:
                self.bars = [ui.element("i") for _day in days]
        most = max([*days, 1])
        for bar, sent in zip(self.bars, days, strict=True):
            bar.style(f"height:{TALLEST_PX * sent / most:.1f}px")
        words = _("{n} messages in the last 14 days, {today} of them today")
        words = words.format(n=formats.number(sum(days)), today=formats.number(days[-1] if days else 0))
        self.spark.props["aria-label"] = words
        self.spark.props["title"] = words
