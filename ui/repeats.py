"""The same trace twice tells nothing new: after the first it is one line, and after ten of those in a minute none.

A signed-in page can raise one of these as often as it likes, by sending a list where a form holds a number.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

MINUTE_S = 60.0
LINES_A_MINUTE = 10


class Repeats(logging.Filter):
    """For loggers whose errors carry an id that a person was shown: it stays in the line as long as there is one."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, tuple[float, int]] = {}  # as many as there are places in the code that can raise

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return True
        place, now = place_of(error), time.monotonic()
        since, count = self._seen.get(place, (now, 0))
        if now - since > MINUTE_S:
            since, count = now, 0
        self._seen[place] = since, count + 1
        if count:
            record.msg = f"{record.getMessage()}: {place}, as before"
            record.args, record.exc_info, record.exc_text = None, None, None
        return count <= LINES_A_MINUTE


def place_of(error: BaseException) -> str:
    """What kind of error, and where; without its message, which may quote a stranger."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    return f"{type(error).__name__} at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


repeats = Repeats()
