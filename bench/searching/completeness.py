"""Which of the phones that are in the data end on a lead: over the replay, and over captures of the real site.

What is in the data is counted without our parser: on the replay by the city itself, in a capture by its `tel:` links.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.peers import world
from bench.searching.figures import Figure
from bench.searching.programs import answer_of
from core.leads.phones import NotAPhone, Phone

BAR_REPLAY, BAR_CAPTURES = 99.0, 95.0
TERMS = ("dentista", "padaria", "restaurante", "pet shop", "oficina mecânica")
LAYOUTS = ("A", "B", "mixed")
WITHIN_S = 300.0
TEL = re.compile(r"tel:(\+?\d{6,15})")
ELSEWHERE = "US"  # the country of a capture that does not say where it is from


def over_replay(told: Mapping[str, str], say: Callable[[str], None]) -> Figure:
    """Raises Failed when our own program does."""
    says = f"phones on a lead, replay ({len(TERMS)} terms, {len(LAYOUTS)} layouts)"
    argv = [sys.executable, "-m", "bench.searching.completeness"]
    answer = answer_of(argv, {"chromium": told["PRUMO_CHROMIUM"]}, told, WITHIN_S)
    for row in answer["rows"]:
        say(f"{row['term']}, layout {row['layout']}: {row['kept']} of {row['there']} phones on a lead ({row['said']})")
    there, kept = (sum(row[name] for row in answer["rows"]) for name in ("there", "kept"))
    return Figure("phones_replay", says, 100 * kept / there, "%", at_least=BAR_REPLAY, note=f"{kept} of {there}")


def over_captures(folder: str) -> Figure:
    """Lists and places as the real site once answered; sponsored places are no leads, so their phones do not count."""
    says = "phones on a lead, captures of the real site"
    if not folder or not Path(folder).is_dir():
        note = "PRUMO_CAPTURES names no folder: captures of the real site are not kept here"
        return Figure("phones_captures", says, None, "%", at_least=BAR_CAPTURES, note=note)
    there = kept = 0
    for path in sorted(Path(folder).glob("list/*")):
        in_it, of_them = phones_of_list(path.read_text(encoding="utf-8"))
        there, kept = there + in_it, kept + of_them
    if not there:
        return Figure("phones_captures", says, None, "%", at_least=BAR_CAPTURES, note="no list among them has a phone")
    return Figure("phones_captures", says, 100 * kept / there, "%", at_least=BAR_CAPTURES, note=f"{kept} of {there}")


def phones_of_list(body: str) -> tuple[int, int]:
    """How many numbers one list answer links to, and how many of them a lead of it would have."""
    from workers.scraper import parse

    answer = parse.read_list(body)
    sponsored = {tail(place.phone or "") for place in answer.ads} - {tail(place.phone or "") for place in answer.places}
    there = {tail(number) for number in TEL.findall(body)} - sponsored
    kept = set()
    for place in answer.places:
        try:
            kept.add(tail(Phone.parse(place.phone or "", place.country or ELSEWHERE).e164))
        except NotAPhone:
            continue
    return len(there), len(there & kept)


def tail(number: str) -> str:
    """What stays the same of a number with and without its country."""
    return re.sub(r"\D", "", number)[-8:]


def main() -> None:
    """Reads each term in each layout, from the demo map over HTTP, and compares the leads with the city."""
    from bench.searching.ours import HERE, asked_for, leads_of, new_team
    from bench.searching.replay import Town
    from core.runtime import Runtime
    from core.settings import Settings
    from core.tables import Search
    from sandbox.maps.behaviour import Behaviour
    from sandbox.maps.server import run_in_thread
    from workers.scraper.browser import WarmBrowser
    from workers.scraper.jobs import scrape

    wish = world.asked()
    rows: list[dict[str, Any]] = []
    with run_in_thread(Town(), Behaviour()) as site:
        runtime = Runtime(Settings.from_environment(os.environ | {"PRUMO_DEMO_MAP_URL": site.url}), pool_size=3)
        browser = WarmBrowser(wish["chromium"])
        for layout in LAYOUTS:
            site.behave(layout=layout)
            actor = new_team(runtime)
            for term in TERMS:
                truth = {place.cid: place.phone for place in site.city.find(term, *HERE) if place.phone}
                search_id = asked_for(runtime, actor, source="demo_map", terms=[term], radius_m=2_500)
                scrape(runtime, browser, search_id)
                kept = {lead["cid"]: lead["phone"] for lead in leads_of(runtime, actor)}
                with runtime.work() as work:
                    ended = work.session.get_one(Search, search_id)
                    said = f"{ended.status} {ended.reason or ''}".strip()
                right = sum(kept.get(cid) == phone for cid, phone in truth.items())
                rows.append({"term": term, "layout": layout, "there": len(truth), "kept": right, "said": said})
        browser.close()
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
