"""What the judge says of rows and of lines in the ledger."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bench.storms.judge import (
    Kill,
    Person,
    claimed_within,
    days_above,
    gaps_below,
    judge,
    worst_wait,
    written_after,
)


@dataclass(frozen=True)
class Sent:
    number: str
    id: str = "A"
    at_s: float = 100.0
    instance: str = "vendas"
    stored: bool = True


def row(status: str, **values: object) -> Person:
    return Person(1, "55", status, **values)  # type: ignore[arg-type]


ONCE, TWICE, NEVER = [Sent("55")], [Sent("55"), Sent("55", "B")], list[Sent]()
WITHOUT_TRACE = [Sent("55", stored=False)]


@pytest.mark.parametrize(
    ("person", "ledger", "kind"),
    [
        (row("sent", gateway_id="A"), TWICE, "twice"),
        (row("held"), TWICE, "twice"),
        (row("sent", gateway_id="A"), NEVER, "false"),
        (row("sent", gateway_id="B"), ONCE, "unmarked"),
        (row("sent"), ONCE, "unmarked"),
        (row("held"), ONCE, "unmarked"),
        (row("failed", reason="not_on_whatsapp"), ONCE, "unmarked"),
        (row("queued"), ONCE, "unmarked"),
        (row("queued"), NEVER, "lost"),
        (row("sending"), NEVER, "lost"),
        (row("unconfirmed"), NEVER, "lost"),
        (row("failed"), NEVER, "lost"),
    ],
)
def test_what_may_never_be_is_counted_by_its_kind(person: Person, ledger: list[Sent], kind: str) -> None:
    verdict = judge([person], ledger)
    assert verdict.wrong == 1
    assert getattr(verdict, kind) == 1
    assert verdict.offences


@pytest.mark.parametrize(
    ("person", "ledger", "kind"),
    [
        (row("sent", gateway_id="A"), ONCE, "sent"),
        (row("held"), NEVER, "held_unsent"),
        (row("held"), WITHOUT_TRACE, "held_untold"),
        (row("skipped", reason="opted_out"), NEVER, "ended"),
    ],
)
def test_what_may_be_is_nothing_wrong(person: Person, ledger: list[Sent], kind: str) -> None:
    verdict = judge([person], ledger)
    assert (verdict.wrong, getattr(verdict, kind)) == (0, 1)


def test_a_message_to_nobody_we_know_is_wrong() -> None:
    assert judge([], [Sent("77")]).unmarked == 1


def test_a_gap_is_that_of_a_number() -> None:
    lines = [Sent("1", at_s=10.0), Sent("2", at_s=10.5, instance="suporte"), Sent("3", at_s=10.9)]
    assert len(gaps_below(lines, 1.0)) == 1
    assert gaps_below(lines, 0.5) == []


def test_a_day_is_that_of_its_zone() -> None:
    lines = [Sent("1", at_s=0.0), Sent("2", at_s=3 * 3600 + 1.0)]  # 21:00 of the day before, and the first second
    assert days_above(lines, 1, "America/Sao_Paulo") == []
    assert len(days_above(lines, 1, "UTC")) == 1


def test_what_was_on_the_wire_when_it_was_closed_may_arrive() -> None:
    before, within = Person(1, "1", "sent", claimed_at=9.9), Person(2, "2", "sent", claimed_at=10.1)
    lines = [Sent("1", at_s=10.2), Sent("2", at_s=10.4)]
    assert len(claimed_within([before, within], lines, [(10.0, 12.0)], "pause")) == 1
    assert claimed_within([before, within], lines, [(11.0, 12.0)], "pause") == []
    assert len(written_after([before, within], lines, {"1": 10.0, "2": 10.0})) == 1


def test_the_worst_wait_is_from_a_kill_to_the_next_message() -> None:
    lines = [Sent("1", at_s=10.0), Sent("2", at_s=14.0), Sent("3", at_s=15.0)]
    assert worst_wait([Kill(9.0), Kill(11.0), Kill(14.5)], lines, 15.0) == 3.0
    assert worst_wait([Kill(16.0)], lines, 15.0) is None


def test_who_took_over_and_was_killed_at_sending_before_anybody_wrote_begins_a_wait_of_their_own() -> None:
    lines = [Sent("1", at_s=40.0)]
    assert worst_wait([Kill(10.0), Kill(26.0, began=25.0)], lines, 40.0) == 16.0
    at_work_before, at_what_is_not_known = Kill(26.0, began=9.0), Kill(26.0)
    assert worst_wait([Kill(10.0), at_work_before], lines, 40.0) == 30.0
    assert worst_wait([Kill(10.0), at_what_is_not_known], lines, 40.0) == 30.0
