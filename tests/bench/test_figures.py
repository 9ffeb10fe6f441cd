"""What `./run bench search` makes of its numbers: bars, ratios, tables, and the one line that a machine reads."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.searching import storing
from bench.searching.figures import (
    Figure,
    Run,
    Side,
    figures_table,
    growth,
    is_met,
    last_line,
    phones_found,
    race_table,
    ratio,
    ratio_with_start,
    shown,
    table,
)

PHONES = ["+5511900001111", "+551120002222"]


def side(*seconds: float, name: str = "Prumo", places: int = 120) -> Side:
    rows = [{"name": f"Odonto {n}", "phone": PHONES[0] if n == 0 else None} for n in range(places)]
    return Side(name, "lists", [Run(one, rows, 9) for one in seconds])


@pytest.mark.parametrize(
    ("value", "bars", "met"),
    [
        (15.0, {"at_least": 15}, True),
        (14.99, {"at_least": 15}, False),
        (700.0, {"at_most": 700}, True),
        (700.1, {"at_most": 700}, False),
        (3.0, {}, None),
        (None, {"at_least": 15}, None),
    ],
)
def test_a_bar_is_met_or_not_and_what_has_none_is_neither(
    value: float | None, bars: dict[str, float], met: bool | None
) -> None:
    assert Figure("x", "x", value, **bars).is_met is met


def test_what_could_not_be_measured_fails_nothing_and_says_why() -> None:
    missed = Figure("times_other", "as fast as other", None, "×", at_least=15, note="it is not in the registry")
    assert is_met([missed])
    assert missed.verdict == "not measured"
    told = json.loads(last_line([missed], [Side("other", "a page per place", why_not="gone")], PHONES, {"cores": 2}))
    assert told["not_measured"] == ["times_other"]
    assert told["figures"]["times_other"] == {
        "value": None, "unit": "×", "at_least": 15, "is_met": None, "note": "it is not in the registry",
    }  # fmt: skip
    assert told["sides"] == {"other": {"not_measured": "gone"}}


def test_one_bar_missed_is_all_missed() -> None:
    assert not is_met([Figure("a", "a", 20, at_least=15), Figure("b", "b", 701, at_most=700)])


def test_the_ratio_is_that_of_the_medians() -> None:
    ours, theirs = side(3.0, 2.0, 60.0), side(60.0, 90.0, 45.0, name="other")
    assert (ours.per_minute, theirs.per_minute) == (2400, 120)
    assert ratio(ours, theirs) == 20
    assert ratio(ours, Side("other", "", why_not="gone")) is None
    assert ratio(ours, side(60.0, places=0)) is None, "nothing found is no speed to compare with"


def test_a_start_that_weighs_on_the_shorter_side_is_told_apart() -> None:
    ours = Side("Prumo", "lists", [Run(4.0, side(1.0).runs[0].rows, 8, start_s=2.0)])
    theirs = Side("other", "pages", [Run(64.0, side(1.0).runs[0].rows, 247, start_s=2.0)])
    assert (ratio(ours, theirs), ratio_with_start(ours, theirs)) == (16, 11)


def test_the_row_of_a_side_is_the_run_in_the_middle() -> None:
    assert side(3.0, 2.0, 60.0).typical.seconds == 3.0


def test_a_phone_is_found_however_it_is_written_and_once() -> None:
    rows = [{"phone": "(11) 90000-1111"}, {"phone": "+55 11 90000-1111"}, {"phone": ""}, {"phone": None}, {}]
    assert phones_found(PHONES, rows) == 1
    assert phones_found(PHONES, [{"phone": "+55 11 2000-2222"}, *rows]) == 2
    assert phones_found(PHONES, [{"phone": "(11) 90000-3333"}]) == 0


def test_memory_that_grows_in_the_first_quarter_only_is_flat() -> None:
    assert growth([100, 200, 400, 400, 400, 400, 400, 400]) == 0
    assert growth([1, 1, 100, 100, 105, 105, 110, 110]) == pytest.approx(10)
    with pytest.raises(ValueError, match="no quarters"):
        growth([1, 2, 3])


@given(st.lists(st.floats(1, 1e6), min_size=4, max_size=400))
def test_growth_is_the_same_in_any_unit(samples: list[float]) -> None:
    assert growth([sample * 1024 for sample in samples]) == pytest.approx(growth(samples), abs=1e-6)


def test_numbers_are_shown_as_precisely_as_they_are_known() -> None:
    assert [shown(value) for value in (1950.4, 47.44, 120.0, 15, 21_553.7)] == ["1 950", "47.4", "120", "15", "21 554"]


def test_a_table_stands_in_line_and_is_markdown() -> None:
    text = figures_table([Figure("a", "places a minute", 1950.2), Figure("b", "times as many", 14.2, "×", at_least=15)])
    lines = text.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].startswith("| what") and set(lines[1]) <= set("|-:")
    assert "14.2×" in lines[3] and "≥ 15×" in lines[3] and "NOT met" in lines[3]
    assert table(("who", "n"), [["a", "1"], ["b", "20"]]).splitlines()[2] == "| a   |  1 |"


def test_the_race_shows_who_could_not_run() -> None:
    text = race_table([side(3.0), Side("other 1.0", "a page per place", why_not="gone")], PHONES)
    ours, theirs = text.splitlines()[2:]
    assert "2 400" in ours
    assert theirs.count("–") == 10


def test_what_storing_measured_becomes_figures_with_their_bars() -> None:
    """Reading is told beside it, as a lead costs both."""
    measured = {
        "batches": 3_100.0, "add_all_in_batches": 1_500.0, "batches_to_add_all": 2.1, "read": 7_700.0,
        "import": 19_999.0, "add_all": 2_300.0, "import_to_add_all": 8.7, "import_read": 40_000.0,
        "import_store": 39_000.0, "file_words": 39_000.0,
    }  # fmt: skip
    pages, _, imported, _ = storing.figures(measured, 100_000)
    assert (pages.is_met, imported.is_met) == (True, False)
    assert "7 700" in pages.note and "39 000" in imported.note
    assert pages.as_json()["at_least"] == 3_000
