"""Programs that are started for the measure, heard to their last line, and ended with all that they started."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
NAMED = re.compile(r"(error: |ERROR: |[\w.]*(Error|Exception|Failed)\b)")


class Failed(Exception):
    """It did not do what it was started for; the message is what it said last."""


def answer_of(argv: Sequence[str], wish: Mapping[str, Any], env: Mapping[str, str], within_s: float) -> dict[str, Any]:
    """The JSON object of a driver's last line.  Raises Failed."""
    said, complained = run([*argv, json.dumps(dict(wish))], env, within_s)
    try:
        answer = json.loads(said.strip().rpartition("\n")[2])
    except ValueError:
        raise Failed(last_words(complained) or "it said nothing") from None
    if not isinstance(answer, dict):
        raise Failed(f"it answered {str(answer)[:100]}")
    return answer


def run(argv: Sequence[str], env: Mapping[str, str], within_s: float) -> tuple[str, str]:
    """What it said and what it complained of.  Raises Failed when it ends badly, late or not at all.

    In a group of its own, so that a browser it leaves behind can be ended with it.
    """
    try:
        program = subprocess.Popen(  # noqa: S603 - starting programs is what this is for
            list(argv),
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as why:
        raise Failed(f"{Path(argv[0]).name}: {why.strerror}") from None
    try:
        said, complained = program.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        raise Failed(f"not done within {within_s:.0f} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()
    if program.returncode != 0:
        raise Failed(last_words(complained) or f"it ended with {program.returncode}")
    return said, complained


def last_words(text: str) -> str:
    """The line that names the error, as short as a note: the last one that looks like it, else the last at all."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if NAMED.match(line)]
    return (named or lines or [""])[-1][:200]
