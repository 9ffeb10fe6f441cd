"""Comparing two JSON documents by their members and types, and reading the recordings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parents[2] / "recordings" / "evolution"


def recordings(kind: str) -> dict[str, dict[str, Any]]:
    """Name → recording, of "http" or "webhooks"."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((RECORDINGS / kind).glob("*.json"))}


def differences(recorded: object, ours: object, allowed: dict[str, str], path: str = "") -> list[str]:
    """What differs in members and types, as sentences; `allowed` maps a path to the reason why it may.

    Elements of a list must each look like one of the recorded ones; a path writes them as `[]`.
    """
    if path in allowed:
        return []
    if _is_bytes(recorded) and _is_bytes(ours):
        return []
    if isinstance(recorded, dict) and isinstance(ours, dict):
        found = [
            f"{path}.{name} is missing" for name in recorded if name not in ours and f"{path}.{name}" not in allowed
        ]
        found += [f"{path}.{name} is new" for name in ours if name not in recorded and f"{path}.{name}" not in allowed]
        for name in recorded.keys() & ours.keys():
            found += differences(recorded[name], ours[name], allowed, f"{path}.{name}")
        return found
    if isinstance(recorded, list) and isinstance(ours, list):
        return _in_lists(recorded, ours, allowed, f"{path}[]")
    if _type(recorded) != _type(ours):
        return [f"{path} is {_type(ours)}, recorded as {_type(recorded)}"]
    return []


def _in_lists(recorded: list[Any], ours: list[Any], allowed: dict[str, str], path: str) -> list[str]:
    if path in allowed:
        return []
    if bool(recorded) != bool(ours):
        return [f"{path} has {len(ours)} elements, recorded with {len(recorded)}"]
    found = []
    for element in ours:
        best = min((differences(like, element, allowed, path) for like in recorded), key=len)
        found += best
    return found


def _is_bytes(value: object) -> bool:
    """A Uint8Array as JSON.stringify writes it: an object with a member for each byte."""
    return isinstance(value, dict) and bool(value) and list(value) == [str(n) for n in range(len(value))]


def _type(value: object) -> str:
    if isinstance(value, bool):
        return "a bool"
    if isinstance(value, int | float):
        return "a number"
    return {dict: "an object", list: "a list", str: "a text", type(None): "null"}[type(value)]


def say_share(
    say: Callable[[str, object], None], what: str, recorded: int, used: set[str], unmatched: dict[str, str]
) -> None:
    """For the end of the run: how much of what was recorded is matched, and by name what is not."""
    used_and_matched = len(used - unmatched.keys())
    share = (recorded - len(unmatched)) / recorded
    say(
        "summary",
        f"sandbox gateway: {recorded - len(unmatched)} of {recorded} recorded {what} matched ({share:.1%}); "
        f"of the kinds that the product uses {used_and_matched} of {len(used)}",
    )
    for name, why in unmatched.items():
        say("summary", f"  not matched: {name}: {why}")
