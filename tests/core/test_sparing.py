from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from core import sparing
from core.sparing import Sparing


def test_what_is_told_too_often_is_counted_until_the_next_line(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(sparing.time, "monotonic", lambda: now)
    lines = Sparing(60, lines=2)
    assert [lines.count(7) for _ in range(5)] == [1, 1, 0, 0, 0]
    assert lines.count(8) == 1, "of another there is no line yet"
    now = 161.0
    assert [lines.count(7) for _ in range(3)] == [4, 1, 0]


def test_many_threads_lose_no_count() -> None:
    lines = Sparing(3600)
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(lambda _: lines.count(), range(200))) == [0] * 199 + [1]


def test_it_does_not_remember_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparing, "MOST_KEYS", 10)
    lines = Sparing(3600)
    assert all(lines.count(key) == 1 for key in range(1_000))
    assert len(lines._spells) <= 10
