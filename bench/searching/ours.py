"""Our side of the race: one search, from its id to the leads in PostgreSQL, by the scraper's own job.

A program of its own, as the peers' drivers are: it gets its wish as JSON and answers with seconds and rows as they do.
The seconds begin when the browser is there and end when the search is over and its leads are committed.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserType
from sqlalchemy import select

from bench.peers import world
from bench.searching.replay import Replay
from core.accounts.rules import Actor, Role
from core.runtime import Runtime
from core.searches import service
from core.settings import Settings
from core.tables import Lead, Membership, Search, Team, User
from sandbox.maps import plan
from workers.scraper.browser import WarmBrowser
from workers.scraper.jobs import scrape

HERE = (plan.CENTRE_LAT, plan.CENTRE_LNG)
RADIUS_M = 1_000  # holds every place of the replay's list
_numbers = count(int(time.time() * 1000))


def new_team(runtime: Runtime) -> Actor:
    """A team without a lead, so that every lead of a run is a new row, and its owner."""
    number = next(_numbers)
    with runtime.work() as work:
        team = Team(name=f"Equipe {number}")
        user = User(email=f"u{number}@prumo.example", name="Ana", password_hash="-", language="pt-BR")  # noqa: S106
        work.session.add_all([team, user])
        work.session.flush()
        work.session.add(Membership(team_id=team.id, user_id=user.id, role=Role.OWNER))
        return Actor(user.id, team.id, Role.OWNER, False, user.name, team.name, "pt-BR", "system", 0)


def asked_for(runtime: Runtime, actor: Actor, **said: Any) -> int:
    """A search around the centre, queued."""
    values: dict[str, Any] = {
        "source": "google_maps",
        "place_name": plan.CITY,
        "latitude": HERE[0],
        "longitude": HERE[1],
        "radius_m": RADIUS_M,
        "limit": 500,
        "language": "pt-BR",
        # What the peers give: every place, whether it has a phone or not.
        "only_with_phone": False,
    }
    with runtime.work() as work:
        return service.start(work, actor, **values | said).id


def leads_of(runtime: Runtime, actor: Actor) -> list[dict[str, Any]]:
    with runtime.work() as work:
        kept = work.session.scalars(select(Lead).where(Lead.team_id == actor.team_id))
        return [
            {
                "cid": lead.cid,
                "name": lead.name,
                "phone": lead.phone,
                "website": lead.website,
                "address": lead.address,
                "rating": lead.rating,
            }
            for lead in kept
        ]


def main() -> None:
    """A worker's first search, and one more, for which the map knows it already."""
    wish = world.asked()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    runtime = Runtime(Settings.from_environment(), pool_size=3)
    world.enter([BrowserType], wish["chromium"], wish["port"])
    clock = world.Clock()
    browser = WarmBrowser(wish["chromium"])
    browser.visit(locale="pt-BR", base_url="about:blank").close()
    clock.up()
    with Replay(wish["port"], Path(wish["certificate"])) as replay:
        first, later = (one_search(runtime, browser, wish, replay) for _ in range(2))
    browser.close()
    print(json.dumps({**first, "start_s": clock.start_s, "later": later}))


def one_search(runtime: Runtime, browser: WarmBrowser, wish: dict[str, Any], replay: Replay) -> dict[str, Any]:
    actor = new_team(runtime)
    search_id = asked_for(runtime, actor, terms=[wish["term"]], limit=wish["places"])
    asked_before = sum(replay.asked().values())
    began = time.monotonic()
    scrape(runtime, browser, search_id)
    seconds = time.monotonic() - began
    requests = sum(replay.asked().values()) - asked_before
    with runtime.work() as work:
        ended = work.session.get_one(Search, search_id)
        said = f"{ended.status} {ended.reason or ''}".strip()
    return {"seconds": seconds, "rows": leads_of(runtime, actor), "requests": requests, "said": said}


if __name__ == "__main__":
    main()
