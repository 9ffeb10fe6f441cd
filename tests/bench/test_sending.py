"""What `./run bench send` sends through, checks and says: the stand-in, the rows, and a small round of each side."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from bench.searching.figures import Figure, is_met
from bench.send import wish
from bench.sending import measured, speed, table, world
from bench.sending.people import person
from bench.sending.speed import Ran, Side
from core.campaigns import queries
from core.integrations.evolution_answers import read_sent
from core.runtime import Runtime
from core.settings import Settings

RAN = Ran(5_000, 2.0, 1.0, 90.0, 0.0003, 0.00005, 0.0002)


def env_of(settings: Settings, folder: Path) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "PRUMO_SECRET_KEY": settings.secret_key,
        "PRUMO_DATA": str(folder),
    }


def test_the_stand_in_answers_as_evolution_does_and_tells_what_came() -> None:
    who = person(7)
    body = {"number": who.digits, "text": who.text, "linkPreview": False}
    with speed.stand_in() as gateway, requests.Session() as session:
        answers = [session.post(f"{gateway}/message/sendText/bench-1", json=body, timeout=10) for _ in range(2)]
        accepted = [read_sent(answer.status_code, answer.content, who.phone) for answer in answers]
        assert accepted[0].gateway_message_id != accepted[1].gateway_message_id
        assert accepted[0].address == f"{who.digits}@s.whatsapp.net"
        assert session.post(f"{gateway}/message/sendText/bench-1", json={}, timeout=10).status_code == 400
        assert session.get(f"{gateway}/bench/told", timeout=10).json()["numbers"] == {who.digits: 2}
        session.post(f"{gateway}/bench/begin", json={"latency_s": 0.05}, timeout=10)
        late = session.post(f"{gateway}/message/sendText/bench-1", json=body, timeout=10)
        assert late.elapsed.total_seconds() >= 0.05
        assert session.get(f"{gateway}/bench/told", timeout=10).json()["numbers"] == {who.digits: 1}


@pytest.mark.parametrize("kind", list(speed.KINDS))
def test_a_small_round_of_each_side_writes_to_everybody_once(runtime: Runtime, tmp_path: Path, kind: str) -> None:
    side = Side(f"{kind}_0ms", *speed.KINDS[kind], 0.0)
    with speed.stand_in() as gateway:
        ran = speed.one_round(runtime, env_of(runtime.settings, tmp_path), gateway, side, 24)
    assert ran.sent == 24 and ran.per_second > 0 and ran.peak_mb > 10 and ran.own_cpu_s > 0
    assert (ran.database_cpu_s is None) is (kind == "bound")


def test_the_text_that_is_sent_is_the_one_that_the_others_send(runtime: Runtime) -> None:
    made = world.fill(runtime, 3, 2)
    assert (made.people, len(made.numbers)) == (3, 2)
    with runtime.work() as work:
        team_id = work.session.scalars(text("select id from teams")).one()
        draft = queries.draft(work.session, team_id, made.campaign)
        assert draft.plan.opt_out_line in person(1).text
        assert draft.plan.text.partition("{")[0] in person(1).text


def test_whoever_is_left_out_or_told_twice_is_found(runtime: Runtime) -> None:
    made = world.fill(runtime, 3, 1)
    told = {person(0).digits: 1, person(1).digits: 2, "5511900000000": 1}
    wrong = world.wrong_with(runtime, made, told)
    assert (wrong["never written to"], wrong["strangers"], wrong["twice"]) == (1, 1, 1)
    assert (wrong["sent"], wrong["counter of sent"], wrong["counter of queued"]) == (-3, -3, 3)
    assert "rows" not in wrong


def test_the_table_is_read_by_page_and_claim_without_reading_all_of_it(runtime: Runtime, tmp_path: Path) -> None:
    figures = {each.key: each for each in table.measure(env_of(runtime.settings, tmp_path), 1_000, lambda _said: None)}
    assert figures["counters_off"].value == 0
    assert figures["counters_ms"].value and figures["live_ms"].value
    assert figures["claim_statements"].value and figures["claim_ms"].value


def sides(**rates: float) -> list[Side]:
    """At which every bar is met, but for those named."""
    usual = {"bound_0ms": 5_000, "naive_0ms": 300, "one_0ms": 3_100, "two_0ms": 4_000}
    usual |= {"bound_20ms": 1_200, "naive_20ms": 40, "one_20ms": 1_100, "two_20ms": 2_100}
    return [
        Side(key, *speed.KINDS[key.partition("_")[0]], 0.02 if key.endswith("20ms") else 0.0, [replace(RAN, seconds=s)])
        for key, s in ((key, 5_000 / rate) for key, rate in (usual | rates).items())
    ]


def test_what_is_too_slow_or_too_large_misses_its_bar() -> None:
    assert is_met(speed.figures(sides()))
    for slow in ({"one_0ms": 2_900}, {"one_20ms": 1_000}, {"naive_0ms": 320}, {"two_20ms": 1_900}):
        assert not is_met(speed.figures(sides(**slow))), slow
    fat = sides()
    fat[2].runs.append(replace(RAN, peak_mb=151.0, seconds=9.0))
    assert not is_met(speed.figures(fat)), "the worst of the rounds counts, not that of the best"


def test_the_last_line_says_all_of_it() -> None:
    told = json.loads(measured.last_line(speed.figures(sides()), sides(), {"cores": 2}))
    assert told["is_met"] is True and told["bench"] == "send"
    assert told["figures"]["to_bound_0ms"] == {"value": 62.0, "unit": "%", "at_least": 60.0, "is_met": True}
    assert told["sides"]["two_20ms"]["per_second"] == 2_100


def test_the_page_has_the_marks_between_which_it_is_written() -> None:
    page = measured.page.PAGE.read_text()
    for mark in measured.MARKS:
        assert page.count(mark) == 1
    parts = measured.parts(sides(), [Figure("x", "y", 1.0)], {"cores": 2, "cpu": "c", "memory_gb": 1, "python": "3",
                                                              "load_least": 1, "load_most": 2}, 5_000, 3)  # fmt: skip
    assert "5 000 contacts" in parts[1] and "| Prumo" in parts[2]


def test_quick_is_small_and_all_can_be_said() -> None:
    assert (wish([]).contacts, wish([]).rounds, wish([]).rows) == (5_000, 3, 1_000_000)
    assert (wish(["--quick"]).contacts, wish(["--quick"]).rounds, wish(["--quick"]).rows) == (500, 1, 100_000)
    assert (wish(["--contacts", "9", "--rounds", "2"]).contacts, wish(["--rows", "7"]).rows) == (9, 7)
