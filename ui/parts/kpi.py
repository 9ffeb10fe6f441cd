"""A strip of large numbers in one card, and the meter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from nicegui import ui

from ui.parts.text import text

Tone = Literal["", "ok", "warn", "bad", "c2", "c3", "mut"]


@contextmanager
def kpi_strip(label: str) -> Iterator[ui.element]:
    """One card with two to five cells.  `label` names the strip for who listens to it."""
    with ui.element("section").classes("p-card p-kpis") as strip:
        strip.props["aria-label"] = label
        yield strip


class Kpi:
    """A cell; `set` changes the number where it stands."""

    def __init__(
        self, label: str, value: str = "—", *, of: str = "", hint: str = "", share: float | None = None
    ) -> None:
        with ui.element("div").classes("p-kpi"):
            text(label, "k", tag="div")
            with ui.element("div").classes("v"):
                self._value = text(value)
                self._of = text(of, tag="small")
            self._meter = meter(share) if share is not None else None
            self._hint = text(hint, "d", tag="div") if share is None else None

    def set(self, value: str, *, of: str | None = None, hint: str | None = None, share: float | None = None) -> None:
        self._value.text = value
        if of is not None:
            self._of.text = of
        if hint is not None and self._hint is not None:
            self._hint.text = hint
        if share is not None and self._meter is not None:
            self._meter.set(share)


class Meter:
    """A thin bar that is full at 1.0."""

    def __init__(self, share: float, tone: Tone = "", label: str = "") -> None:
        with ui.element("div").classes("p-meter") as self.track:
            self._bar = ui.element("i").classes(tone)
        self.track.props["role"] = "progressbar"
        self.track.props["aria-valuemin"] = "0"
        self.track.props["aria-valuemax"] = "100"
        if label:
            self.track.props["aria-label"] = label
        self.set(share)

    def set(self, share: float) -> None:
        percent = round(max(0.0, min(1.0, share)) * 100, 1)
        self._bar.style(f"width:{percent}%")
        self.track.props["aria-valuenow"] = str(round(percent))


def meter(share: float, *, tone: Tone = "", label: str = "") -> Meter:
    return Meter(share, tone, label)


def share(part: int, whole: int) -> float:
    """Part of whole as 0.0 to 1.0; nothing of nothing is 0."""
    return part / whole if whole else 0.0
