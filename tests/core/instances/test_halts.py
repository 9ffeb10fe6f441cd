"""Why nothing leaves from a number: one word for it, the same on every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from core.instances.halts import Halt, HaltReason, halt_of
from core.instances.rules import InstanceStatus

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=2)
S, H = InstanceStatus, HaltReason


@dataclass(frozen=True)
class Number:
    status: InstanceStatus = S.CONNECTED
    status_reason: str | None = None
    status_at: datetime = LATER
    paused_at: datetime | None = None
    pause_reason: str | None = None
    pause_facts: dict[str, object] | None = None
    deaf_since: datetime | None = None


@pytest.mark.parametrize(
    ("number", "halt"),
    [
        (Number(), None),
        (Number(paused_at=NOON, pause_reason="by_hand"), Halt(H.PAUSED, NOON, "by_hand")),
        (
            Number(paused_at=NOON, pause_reason="opt_outs", pause_facts={"of": 40, "since": "2026"}),
            Halt(H.STOPPED, NOON, "opt_outs", {"of": 40}),
        ),
        (Number(deaf_since=NOON), Halt(H.DEAF, NOON)),
        (Number(paused_at=NOON, deaf_since=LATER), Halt(H.PAUSED, NOON)),
        (Number(S.DISCONNECTED, "banned"), Halt(H.BLOCKED, LATER, "banned")),
        (Number(S.DISCONNECTED, "banned", LATER, NOON, "banned"), Halt(H.BLOCKED, NOON, "banned")),
        (Number(S.DISCONNECTED, "qr_limit", LATER, NOON, "banned"), Halt(H.BLOCKED, NOON, "banned")),
        (Number(S.SCANNING, None, LATER, NOON, "banned"), Halt(H.WAITS_FOR_CODE, LATER)),
        (Number(paused_at=NOON, pause_reason="banned"), Halt(H.STOPPED, NOON, "banned")),
        (Number(S.DISCONNECTED, "logged_out", LATER, NOON, "by_hand"), Halt(H.DISCONNECTED, LATER, "logged_out")),
        (Number(S.DISCONNECTED, "reconnecting"), Halt(H.RECONNECTING, LATER, "reconnecting")),
        (Number(S.NEW), Halt(H.WAITS_FOR_CODE, LATER)),
        (Number(S.REMOVED, "by_hand", LATER, NOON, "banned"), Halt(H.REMOVED, LATER, "by_hand")),
    ],
)
def test_what_has_to_be_mended_first_is_told_with_since_when(number: Number, halt: Halt | None) -> None:
    assert halt_of(number) == halt


def test_only_a_connected_number_that_neither_rests_nor_is_deaf_can_send() -> None:
    for status in InstanceStatus:
        for paused_at in (None, NOON):
            for deaf_since in (None, NOON):
                found = halt_of(Number(status, paused_at=paused_at, deaf_since=deaf_since))
                assert (found is None) == (status is S.CONNECTED and paused_at is None and deaf_since is None)
