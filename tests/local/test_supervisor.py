"""Processes start in order, end in reverse order, and none is left behind; real ones, killed for real."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable

import pytest

from tests.local.conftest import SmallHouse

Open = Callable[[str], SmallHouse]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


def test_the_second_starts_when_the_first_is_ready_and_ends_before_it(open_house: Open) -> None:
    house = open_house("in_order")
    house.says("hello from first")
    while "third is ready" not in house.story() or "second is ready" not in house.story():
        time.sleep(0.02)

    assert house.stop() == 0
    story = house.story()
    assert story[:2] == ["first starts", "first is ready"]
    assert set(story[2:4]) == {"second starts", "third starts"}
    assert set(story[6:8]) == {"second ends", "third ends"}
    assert story[8] == "first ends"


def test_what_a_process_says_carries_its_name(open_house: Open) -> None:
    house = open_house("in_order")
    assert house.says("hello").split() == ["first", "|", "hello", "from", "first"]
    house.stop()


def test_killed_without_a_word_it_leaves_nothing_not_even_a_grandchild(open_house: Open) -> None:
    house = open_house("with_grandchild")
    house.says("hello from polite")
    time.sleep(0.2)
    assert len(house.processes()) >= 5  # itself, the guard, three children and a grandchild

    house.send(signal.SIGKILL)
    assert house.nothing_is_left()


def test_a_term_stops_it_like_ctrl_c(open_house: Open) -> None:
    house = open_house("in_order")
    house.says("hello from third")
    house.send(signal.SIGTERM)
    assert house.ends() == 0
    assert house.nothing_is_left()


def test_a_second_ctrl_c_does_not_wait_for_the_deaf(open_house: Open) -> None:
    house = open_house("deaf")
    house.says("hello from polite")
    time.sleep(0.3)
    house.send(signal.SIGINT)
    house.says("waiting for deaf")
    since = time.monotonic()
    house.send(signal.SIGINT)
    assert house.ends() == 0
    assert time.monotonic() - since < 3
    assert house.nothing_is_left()


def test_a_worker_that_dies_is_started_again_after_a_growing_pause(open_house: Open) -> None:
    house = open_house("dying_worker")
    assert house.says("worker ended").endswith("worker ended (exit code 3); starting it again in 1 s")
    assert house.says("worker ended").endswith("worker ended (exit code 3); starting it again in 2 s")
    assert house.stop() == 0


def test_the_house_ends_when_the_web_cannot_run(open_house: Open) -> None:
    house = open_house("dying_web")
    assert house.ends() == 1
    assert any("I cannot go on" in line for line in house.lines)
    assert house.lines[-1] == "web ended (exit code 3), and Prumo cannot run without it."
    assert house.story()[-1] == "polite ends"
    assert house.nothing_is_left()


def test_one_that_never_gets_ready_is_named(open_house: Open) -> None:
    house = open_house("never_ready")
    assert house.ends() == 1
    assert house.lines[-1].startswith("web was not ready after")
    assert house.nothing_is_left()


def test_a_line_without_end_is_cut_and_nothing_of_it_is_lost(open_house: Open) -> None:
    house = open_house("talkative")
    assert house.ends() == 0
    said = [line.partition(" | ")[2] for line in house.lines]
    assert sum(line.count("x") for line in said if set(line) == {"x"}) == 200_000
    assert said[-2:] == ["whole line", "no newline at the end"]
