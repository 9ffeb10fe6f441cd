"""Leads stored per second, from `./run bench storing`, which has the figures and the ratios to plain add_all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec

from bench.searching.figures import Figure


def measure(told: Mapping[str, str], say: Callable[[str], None]) -> list[Figure]:
    if find_spec("bench.storing") is None:
        missing = "there is no measure of storing yet"
        return [
            Figure("pages_per_s", "leads stored in pages of 20", None, "rows/s", at_least=3_000, note=missing),
            Figure("import_per_s", "leads imported from a file", None, "rows/s", at_least=20_000, note=missing),
        ]
    raise NotImplementedError
