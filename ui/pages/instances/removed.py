"""The numbers that were disconnected for good, folded below the others: their history stays with the team."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import events, ui

from core.instances import service as instances
from core.instances.history import RemovedNumber
from ui.calls import ask
from ui.parts.text import text
from ui.words import formats, ngettext


class Removed:
    """Counted and listed only when somebody opens it."""

    def __init__(self) -> None:
        self.count = 0
        with ui.expansion(on_value_change=self._opened).classes("p-full p-number-removed") as self.fold:
            self.list = ui.element("div").classes("p-col p-full")
        self.fold.visible = False

    async def look(self) -> None:
        count = await ask(instances.count_removed)
        self.fold.visible = bool(count)
        if count == self.count:
            return
        self.count = count
        words = ngettext("{n} removed number", "{n} removed numbers", count)
        self.fold.props["label"] = words.format(n=formats.number(count))
        if self.fold.value:
            await self._list()

    async def _opened(self, event: events.ValueChangeEventArguments) -> None:
        if event.value:
            await self._list()

    async def _list(self) -> None:
        self._draw(await ask(instances.removed_numbers))

    def _draw(self, numbers: Sequence[RemovedNumber]) -> None:
        self.list.clear()
        with self.list:
            for number in numbers:
                with ui.element("div").classes("p-row p-g12 p-number-gone"):
                    with ui.element("div").classes("p-grow"):
                        text(number.name, "p-b p-ell", tag="div")
                        text(formats.phone(number.phone), "p-t-xs p-t-3 p-num", tag="div")
                    text(_story_of(number), "p-t-sm p-t-2 p-num p-right")


def _story_of(number: RemovedNumber) -> str:
    words = ngettext("removed on {day}, {n} message", "removed on {day}, {n} messages", number.messages)
    return words.format(day=formats.day(number.removed_at), n=formats.number(number.messages))
