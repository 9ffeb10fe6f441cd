"""Our side: the sender's own job, again and again until nobody of the campaign is left, as the timetable calls it.

All is as in a sender process, the modules too, but for three limits: how many messages a number may have on the wire,
how many lines the adapter keeps, and the pause that an installation never goes below.
"""

from __future__ import annotations

import logging
import sys
import time
from dataclasses import replace
from datetime import timedelta
from functools import cached_property, partial
from typing import Any

from sqlalchemy import text

from bench.sending import side
from core.integrations import evolution
from core.integrations.evolution import Evolution
from core.integrations.one_post import OnePost
from core.ports import Capabilities, WhatsApp
from core.runtime import Runtime
from core.settings import Settings
from workers.run import import_jobs
from workers.sender import jobs

LOOK_AGAIN_S = 0.02  # the other sender may hold the last of them
LEFT = text("""
select exists (
    select from campaign_leads where campaign_id = :id and status in ('queued', 'sending', 'unconfirmed')
)
""")


class Unlimited(Evolution):
    """The real adapter, with as many lines as may be used at once."""

    def __init__(self, url: str, key: str, at_once: int) -> None:
        super().__init__(url, key)
        self._at_once = at_once
        self._post = OnePost(self._headers, at_once=at_once, keep_alive_s=evolution.KEEP_ALIVE_S)

    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), max_in_flight=self._at_once)


class UnlimitedRuntime(Runtime):
    """The real one, but for the gateway that it builds."""

    def __init__(self, settings: Settings, *, at_once: int, pool_size: int = 4, statement_timeout_s: int = 60) -> None:
        unhurried = replace(settings, min_gap=timedelta(0))
        super().__init__(unhurried, pool_size=pool_size, statement_timeout_s=statement_timeout_s)
        self._lines = at_once

    @cached_property
    def evolution(self) -> WhatsApp:  # type: ignore[override]
        return Unlimited(self.settings.gateway_url, self.settings.gateway_key, self._lines)


def send(wish: dict[str, Any]) -> int:
    """Ends when nobody is left, or when the time is over; how many jobs it took."""
    jobs.Runtime = partial(UnlimitedRuntime, at_once=wish["at_once"])  # type: ignore[misc, assignment]
    look = Runtime(Settings.from_environment(), pool_size=1)
    until = time.monotonic() + wish["within_s"]
    calls = 0
    try:
        while time.monotonic() < until:
            with look.work() as work:
                if not work.session.scalars(LEFT, {"id": wish["campaign"]}).one():
                    break
            jobs.send_due(wish["number"])
            calls += 1
            time.sleep(LOOK_AGAIN_S)
    finally:
        look.close()
    return calls


def main() -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    import_jobs("sender")
    asked = side.wish()
    side.ready()
    side.over({"calls": send(asked)})


if __name__ == "__main__":
    main()
