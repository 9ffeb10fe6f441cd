"""The world as a side sees it while it is measured: www.google.com is the replay, and there is nothing else.

Used by the drivers of the peers and by our own side alike, so that all of them ask the same addresses of the same
server in the same browser.  Only the standard library and Playwright: it runs in the peers' environments too.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any


def rules(port: int) -> list[str]:
    """What Chromium is told: the map's host is the replay, no other host exists, its certificate may be our own."""
    here = f"127.0.0.1:{port}"
    return [
        f"--host-resolver-rules=MAP *.google.com {here},MAP google.com {here},MAP * ~NOTFOUND",
        "--ignore-certificate-errors",
        "--no-sandbox",
    ]


def enter(kinds: list[Any], executable: str, port: int) -> None:
    """From now on every browser of these BrowserTypes is `executable` and sees only the replay."""
    for kind in kinds:
        kind.launch = _launching(kind.launch, executable, port)


def _launching(launch: Callable[..., Any], executable: str, port: int) -> Callable[..., Any]:
    def into_the_replay(self: Any, **asked: Any) -> Any:
        asked["executable_path"] = executable
        asked["args"] = [*(asked.get("args") or []), *rules(port)]
        asked.pop("channel", None)
        return launch(self, **asked)

    return into_the_replay


def asked() -> dict[str, Any]:
    """What the measure wants, as the driver's only argument."""
    told: dict[str, Any] = json.loads(sys.argv[1])
    return told


class Clock:
    """Starts with the driver; `up` when its browser is there, `over` when everything is read.

    The time between is what is compared, so that it is the same whether a browser is started for each search or not.
    """

    def __init__(self) -> None:
        self._began = self._up = self._over = time.monotonic()

    def up(self) -> None:
        self._up = time.monotonic()

    def over(self) -> None:
        self._over = time.monotonic()

    @property
    def seconds(self) -> float:
        return self._over - self._up

    @property
    def start_s(self) -> float:
        return self._up - self._began


def answer(clock: Clock, rows: list[dict[str, Any]], **more: Any) -> None:
    """The driver's last line: how long it took, what was found, and what else it has to say."""
    print(json.dumps({"seconds": clock.seconds, "start_s": clock.start_s, "rows": rows, **more}), flush=True)
