"""What is made of what was measured: figures with their bars, tables, and the one JSON object at the end.  No I/O."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One number and what it has to be.  A value of None was not measured; `note` says why, and that is no failure."""

    key: str
    says: str
    value: float | None
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """None where there is no bar, or nothing was measured."""
        if self.value is None or (self.at_least is None and self.at_most is None):
            return None
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    @property
    def bar(self) -> str:
        if self.at_least is not None:
            return f"≥ {shown(self.at_least)}{self._unit}"
        return "" if self.at_most is None else f"≤ {shown(self.at_most)}{self._unit}"

    @property
    def reading(self) -> str:
        return "–" if self.value is None else f"{shown(self.value)}{self._unit}"

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        return {True: "met", False: "NOT met", None: ""}[self.is_met]

    @property
    def _unit(self) -> str:
        return self.unit if self.unit in ("×", "%", "") else f" {self.unit}"

    def as_json(self) -> dict[str, Any]:
        told = {"value": None if self.value is None else round(self.value, 3), "unit": self.unit}
        bars = {"at_least": self.at_least, "at_most": self.at_most}
        told |= {name: bar for name, bar in bars.items() if bar is not None}
        return told | {"is_met": self.is_met} | ({"note": self.note} if self.note else {})


@dataclass(frozen=True)
class Run:
    """One side's reading of the list once: how long, what came, and what the server was asked for it."""

    seconds: float
    rows: Sequence[Mapping[str, Any]]
    requests: int
    said: str = ""
    start_s: float | None = None  # of its browser, which is not in `seconds`

    @property
    def per_minute(self) -> float:
        return 60 * len(self.rows) / self.seconds

    @property
    def per_minute_with_start(self) -> float:
        return 60 * len(self.rows) / (self.seconds + (self.start_s or 0.0))


@dataclass(frozen=True)
class Side:
    """All runs of one side; without runs `why_not` says why there are none."""

    name: str
    way: str
    runs: Sequence[Run] = field(default=())
    why_not: str = ""

    @property
    def per_minute(self) -> float | None:
        return statistics.median(run.per_minute for run in self.runs) if self.runs else None

    @property
    def per_minute_with_start(self) -> float | None:
        return statistics.median(run.per_minute_with_start for run in self.runs) if self.runs else None

    @property
    def typical(self) -> Run:
        """The run in the middle, whose other figures stand for this side."""
        return sorted(self.runs, key=lambda run: run.per_minute)[len(self.runs) // 2]


def ratio(ours: Side, theirs: Side) -> float | None:
    """How many times as many places a minute, median against median; None where one has not run or found nothing."""
    return ours.per_minute / theirs.per_minute if ours.per_minute and theirs.per_minute else None


def ratio_with_start(ours: Side, theirs: Side) -> float | None:
    """The same with the start of each side's browser in its time: of one search by a worker that has just begun."""
    mine, others = ours.per_minute_with_start, theirs.per_minute_with_start
    return mine / others if mine and others else None


def phones_found(true: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> int:
    """How many of the phones that exist stand in the rows, however they are written; each counts once."""
    digits = {"".join(filter(str.isdigit, str(row.get("phone") or "")))[-10:] for row in rows}
    return len({phone for phone in true if phone[-10:] in digits})


def filled(rows: Sequence[Mapping[str, Any]], name: str) -> int:
    return sum(bool(row.get(name)) for row in rows)


def growth(samples: Sequence[float]) -> float:
    """How much more the last quarter holds than the second, in per cent.  The first is left out: things get warm."""
    quarter = len(samples) // 4
    if not quarter:
        raise ValueError(f"{len(samples)} samples have no quarters")
    before, after = samples[quarter : 2 * quarter], samples[-quarter:]
    return 100 * (statistics.mean(after) / statistics.mean(before) - 1)


def shown(value: float) -> str:
    """Thousands with a space, and as many decimals as mean something."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}"


# ---------------------------------------------------------------- tables


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up, so that it reads in a terminal as well; numbers to the right."""
    everything = [head, *rows]
    widths = [max(len(row[n]) for row in everything) for n in range(len(head))]
    right = [n > 0 and all(not row[n] or row[n][0] in "0123456789–≥≤-" for row in rows) for n in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        ]
        return f"| {' | '.join(aligned)} |"

    rule = ["-" * (width + 1) + (":" if to_right else "-") for width, to_right in zip(widths, right, strict=True)]
    return "\n".join([line(head), f"|{'|'.join(rule)}|", *map(line, rows)])


RACE = ("who", "how", "start", "seconds", "places/min", "from – to", "places", "phones", "sites")
RACE += ("addresses", "ratings", "asked")


def race_table(sides: Sequence[Side], true_phones: Sequence[str]) -> str:
    rows = []
    for side in sides:
        if not side.runs:
            rows.append([side.name, side.way, *["–"] * (len(RACE) - 2)])
            continue
        run, rates = side.typical, [run.per_minute for run in side.runs]
        rows.append(
            [
                side.name,
                side.way,
                "" if run.start_s is None else f"{run.start_s:.1f}",
                f"{run.seconds:.1f}",
                shown(side.per_minute or 0),
                f"{shown(min(rates))} – {shown(max(rates))}",
                str(len(run.rows)),
                str(phones_found(true_phones, run.rows)),
                *(str(filled(run.rows, name)) for name in ("website", "address", "rating")),
                str(run.requests),
            ]
        )
    return table(RACE, rows)


def figures_table(figures: Sequence[Figure]) -> str:
    return table(("what", "measured", "bar", ""), [[f.says, f.reading, f.bar, f.verdict] for f in figures])


def notes(figures: Sequence[Figure]) -> list[str]:
    return [f"{figure.says}: {figure.note}" for figure in figures if figure.note]


# ---------------------------------------------------------------- the last line


def is_met(figures: Sequence[Figure]) -> bool:
    """What was not measured does not fail; it is listed."""
    return not any(figure.is_met is False for figure in figures)


def last_line(
    figures: Sequence[Figure], sides: Sequence[Side], true_phones: Sequence[str], machine: Mapping[str, Any]
) -> str:
    told = {
        "bench": "search",
        "machine": dict(machine),
        "figures": {figure.key: figure.as_json() for figure in figures},
        "sides": {side.name: side_as_json(side, true_phones) for side in sides},
        "not_measured": [figure.key for figure in figures if figure.value is None],
        "is_met": is_met(figures),
    }
    return json.dumps(told, ensure_ascii=False)


def side_as_json(side: Side, true_phones: Sequence[str]) -> dict[str, Any]:
    if not side.runs:
        return {"not_measured": side.why_not}
    run = side.typical
    return {
        "places_per_minute": round(side.per_minute or 0, 1),
        "seconds": [round(run.seconds, 2) for run in side.runs],
        "browser_start_s": None if run.start_s is None else round(run.start_s, 2),
        "places": len(run.rows),
        "phones": phones_found(true_phones, run.rows),
        "phones_that_exist": len(true_phones),
        "websites": filled(run.rows, "website"),
        "addresses": filled(run.rows, "address"),
        "ratings": filled(run.rows, "rating"),
        "requests": run.requests,
    }
