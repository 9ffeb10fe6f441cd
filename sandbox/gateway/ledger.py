"""The ledger: every message that left, in the order in which it left, kept apart from everything else.

It is what "WhatsApp" knows.  A test compares it with what the product says, and nothing that the product does or that
a fault breaks can change a line of it: *never twice* and *nobody forgotten* are questions to this list alone.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.gateway.people import canonical


@dataclass(frozen=True)
class Sent:
    """One message on its way to a person.

    `at` is wall time (UTC, ISO), `at_s` the same in seconds since 1970; `number` the digits as WhatsApp writes them
    and `jid` the address that it went to; `id` the message's own id.  `stored` is False where the gateway kept no
    row of it, `fault` names the switch that was on, or is None.
    """

    seq: int
    at: str
    at_s: float
    instance: str
    instance_id: str
    sender: str | None
    number: str
    jid: str
    text: str
    id: str
    stored: bool
    fault: str | None


class Ledger:
    """Append-only: JSON lines in `path` (when there is one) and the same in memory.  Safe between threads."""

    def __init__(self, path: Path | None = None) -> None:
        self._lines: list[Sent] = []
        self._lock = threading.Lock()
        self._path = path
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lines = [Sent(**json.loads(line)) for line in _whole_lines(path)]

    def add(self, **what: object) -> Sent:
        """Write one line, on disk before it is in memory."""
        with self._lock:
            sent = Sent(seq=len(self._lines) + 1, **what)  # type: ignore[arg-type]
            if self._path is not None:
                with self._path.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(asdict(sent), ensure_ascii=False) + "\n")
            self._lines.append(sent)
            return sent

    def all(self, *, instance: str | None = None, number: str | None = None, after: int = 0) -> list[Sent]:
        """The lines in order; only those of an instance, to a number (in any form), after a `seq`."""
        with self._lock:
            lines = self._lines[after:]
        digits = None if number is None else canonical(number)
        return [line for line in lines if instance in (None, line.instance) and digits in (None, line.number)]

    def __len__(self) -> int:
        with self._lock:
            return len(self._lines)

    def written_twice(self) -> dict[tuple[str, str], int]:
        """(number, text) → how often, for every pair that left more than once.  Empty is what we want."""
        counts = Counter((line.number, line.text) for line in self.all())
        return {pair: n for pair, n in counts.items() if n > 1}


def _whole_lines(path: Path) -> list[str]:
    """The lines of a ledger that goes on; a last line cut by a crash has no end and is left out."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    return [line for line in whole.splitlines() if line]
