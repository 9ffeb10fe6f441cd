"""The section of docs/benchmarks.md that holds the last measured search: between two marks, replaced as a whole."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from bench.searching.figures import Figure, Side, figures_table, notes, race_table
from bench.searching.programs import ROOT
from bench.searching.speed import LATENCY_S

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench search: begin -->", "<!-- bench search: end -->"


def write(sides: Sequence[Side], phones: Sequence[str], figures: Sequence[Figure], about: Mapping[str, Any]) -> None:
    PAGE.write_text(replaced(PAGE.read_text(), section(sides, phones, figures, about)))


def replaced(text: str, new: str, between: tuple[str, str] = (BEGIN, END)) -> str:
    """Raises ValueError where a mark is missing: then nobody knows what may go."""
    before, begin, rest = text.partition(between[0])
    _, end, after = rest.partition(between[1])
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has lost its marks {between[0]} … {between[1]}")
    return f"{before}{begin}\n{new}\n{end}{after}"


def section(sides: Sequence[Side], phones: Sequence[str], figures: Sequence[Figure], about: Mapping[str, Any]) -> str:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    parts = [f"{today}. {machine_says(about)}"]
    if sides:
        parts += [race_says(phones), race_table(sides, phones)]
    parts.append(figures_table(figures))
    if said := notes(figures):
        parts.append("\n".join(f"- {note}" for note in said))
    return "\n\n".join(parts)


def race_says(phones: Sequence[str]) -> str:
    return (
        f"A list of places read from its start to its end, {LATENCY_S} s for every page and answer, no pause anywhere."
        ' The seconds begin when the browser is there; "start" is what that took. Each row is the run in the middle;'
        f' "asked" is what the server counted. {len(phones)} of the places have a phone.'
    )


def machine_says(about: Mapping[str, Any]) -> str:
    return (
        f"{about['cores']} cores ({about['cpu']}), {about['memory_gb']} GB, Python {about['python']};"
        f" load from {about['load_least']} to {about['load_most']} meanwhile, the measures' own included."
    )
