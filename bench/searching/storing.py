"""Leads stored per second, from `bench.storing`, as figures with their bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench import storing
from bench.searching.figures import Figure, shown
from core.runtime import Runtime
from core.settings import Settings

ROWS, FEW_ROWS = 100_000, 10_000


def measure(told: Mapping[str, str], rows: int, say: Callable[[str], None]) -> list[Figure]:
    runtime = Runtime(Settings.from_environment(told), pool_size=3, statement_timeout_s=600)
    measured = storing.measure(runtime, rows)
    runtime.engine.dispose()
    for line in storing.lines(measured):
        say(line)
    return figures(measured, rows)


def figures(measured: Mapping[str, float], rows: int) -> list[Figure]:
    def rate(key: str) -> str:
        return shown(measured[key])

    return [
        Figure(
            "stored_in_pages",
            f"leads deduplicated and stored, {shown(rows)} in pages of {storing.BATCH}",
            measured["batches"],
            "rows/s",
            at_least=storing.BATCHES_BAR,
            note=f"add_all of the same, which looks for nothing known, {rate('add_all_in_batches')} rows/s;"
            f" reading a place of the map before it {rate('read')} a second",
        ),
        Figure("pages_to_add_all", "the same, times the ORM's add_all", measured["batches_to_add_all"], "×"),
        Figure(
            "imported",
            f"leads imported, {shown(rows)} from a CSV file",
            measured["import"],
            "rows/s",
            at_least=storing.IMPORT_BAR,
            note=f"reading the file alone {rate('import_read')} rows/s, storing alone {rate('import_store')};"
            f" their words are filed behind them at {rate('file_words')};"
            f" add_all of what was read {rate('add_all')}",
        ),
        Figure("import_to_add_all", "the same, times the ORM's add_all", measured["import_to_add_all"], "×"),
    ]
