"""A text as WhatsApp shows it."""

from __future__ import annotations

import time

import pytest

from core.campaigns.text import Piece
from ui.parts.whatsapp_text import Run, reading_s, runs


def looks(text: str) -> list[Run]:
    return runs([Piece(text)])


def test_what_was_filled_in_is_marked_and_the_rest_is_not() -> None:
    found = runs([Piece("Oi, "), Piece("Clínica Azul", "company"), Piece("!")])
    assert found == [Run("Oi, "), Run("Clínica Azul", is_filled=True), Run("!")]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("*oi*", Run("oi", is_bold=True)),
        ("_oi_", Run("oi", is_italic=True)),
        ("~oi~", Run("oi", is_struck=True)),
        ("*_oi_*", Run("oi", is_bold=True, is_italic=True)),
    ],
)
def test_the_marks_of_whatsapp_are_drawn_and_not_shown(written: str, shown: Run) -> None:
    assert looks(written) == [shown]


@pytest.mark.parametrize("plain", ["2*3*4", "* oi *", "a_b_c", "*oi", "**", "*\n*", "snake_case_name"])
def test_what_is_no_mark_stays_as_it_was_written(plain: str) -> None:
    assert looks(plain) == [Run(plain)]


def test_a_value_with_a_mark_in_it_is_still_marked_as_filled() -> None:
    found = runs([Piece("*Oi "), Piece("Ana", "my_name"), Piece("*")])
    assert found == [Run("Oi ", is_bold=True), Run("Ana", is_filled=True, is_bold=True)]


@pytest.mark.parametrize("text", ["*a" * 10_000, "* " * 10_000, "_" * 20_000, "<b>x</b>" * 2_000])
def test_a_hostile_text_costs_no_time_and_loses_nothing_but_marks(text: str) -> None:
    began = time.process_time()
    shown = "".join(run.text for run in looks(text))
    assert time.process_time() - began < 1
    assert [c for c in shown if c not in "*_~"] == [c for c in text if c not in "*_~"]


def test_reading_takes_a_second_at_least() -> None:
    assert (reading_s(""), reading_s("x" * 241)) == (1, 14)


@pytest.mark.parametrize("message", ["*a* " * 101, "*a* " + "a" * 65_532], ids=["marks alone", "very long"])
def test_what_would_be_a_page_of_its_own_is_shown_as_it_came(message: str) -> None:
    """65,536 characters of marks, which a stranger may write, would be 30,000 elements."""
    assert runs([Piece(message)]) == [Run(message)]
