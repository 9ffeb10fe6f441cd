"""Which of the phones that are in the data end on a lead: over the replay, and over captures of the real site.

What is in the data is counted without our parser: on the replay by the city itself, in a capture by the `tel:` links
of an answer and by what the cards print.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bench.peers import world
from bench.searching.figures import Figure
from bench.searching.ours import HERE, asked_for, leads_of, new_team
from bench.searching.programs import answer_of
from bench.searching.replay import Town
from core.accounts.rules import Actor
from core.leads.phones import NotAPhone, Phone
from core.ports import Place
from core.runtime import Runtime
from core.settings import Settings
from core.tables import Search
from sandbox.maps.behaviour import Behaviour
from sandbox.maps.server import Running, run_in_thread
from workers.scraper import parse
from workers.scraper.browser import CARDS, WarmBrowser
from workers.scraper.jobs import scrape

BAR_REPLAY, BAR_CAPTURES = 99.0, 95.0
TERMS = ("dentista", "padaria", "restaurante", "pet shop", "oficina mecânica")
LAYOUTS = ("A", "B", "mixed")
RADIUS_M = 2_500  # holds every place of each of the lists
WITHIN_S = 300.0
TEL = re.compile(r"tel:(\+?\d{6,15})")
PRINTED = "div[role=feed] .Nv2PK:not(:has(.kpih0e)) .UsdlK"
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


def over_captures(told: Mapping[str, str], folder: str) -> Figure:
    """Lists as the real site once answered, and its cards; sponsored places are no leads, so theirs do not count."""
    says = "phones on a lead, captures of the real site"
    if not folder or not Path(folder).is_dir():
        note = "PRUMO_CAPTURES names no folder: captures of the real site are not kept here"
        return Figure("phones_captures", says, None, "%", at_least=BAR_CAPTURES, note=note)
    lists = [phones_of_list(path.read_text(encoding="utf-8")) for path in sorted(Path(folder).glob("list/*"))]
    argv = [sys.executable, "-m", "bench.searching.completeness"]
    pages = [str(path.resolve()) for path in sorted(Path(folder).glob("html/*results*.html"))]
    cards = answer_of(argv, {"chromium": told["PRUMO_CHROMIUM"], "pages": pages}, told, WITHIN_S)["rows"]
    there, kept = (sum(pair[n] for pair in [*lists, *cards]) for n in range(2))
    if not there:
        return Figure("phones_captures", says, None, "%", at_least=BAR_CAPTURES, note="none of them has a phone")
    note = f"{kept} of {there}, in {len(lists)} list answers and the cards of {len(cards)} pages"
    return Figure("phones_captures", says, 100 * kept / there, "%", at_least=BAR_CAPTURES, note=note)


def phones_of_list(body: str) -> tuple[int, int]:
    """How many numbers one list answer links to, and how many of them a lead of it would have."""
    answer = parse.read_list(body)
    sponsored = {tail(place.phone or "") for place in answer.ads} - {tail(place.phone or "") for place in answer.places}
    there = {tail(number) for number in TEL.findall(body)} - sponsored
    return len(there), len(there & kept_of(answer.places))


def phones_of_cards(page: Any) -> tuple[int, int]:
    """The same of a page with cards: what they print of a phone, and what a lead has of it."""
    told = [card for card in page.eval_on_selector_all("div[role=feed] .Nv2PK", CARDS) if not card["sponsored"]]
    printed = page.eval_on_selector_all(PRINTED, "found => found.map((one) => one.textContent)")
    places = [parse.read_card(card["href"], card) for card in told]
    there = {tail(text) for text in printed}
    return len(there), len(there & kept_of([place for place in places if place is not None]))


def kept_of(places: Iterable[Place]) -> set[str]:
    kept = set()
    for place in places:
        try:
            kept.add(tail(Phone.parse(place.phone or "", place.country or ELSEWHERE).e164))
        except NotAPhone:
            continue
    return kept


def tail(number: str) -> str:
    """What stays the same of a number with and without its country."""
    return re.sub(r"\D", "", number)[-8:]


def main() -> None:
    wish = world.asked()
    rows = read_cards(wish["chromium"], wish["pages"]) if "pages" in wish else read_replay(wish["chromium"])
    print(json.dumps({"rows": rows}))


def read_cards(chromium: str, pages: Sequence[str]) -> list[tuple[int, int]]:
    """Captured pages as they stood: without their scripts, and without a way out."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        page = browser.new_context(java_script_enabled=False, offline=True).new_page()
        page.route("**/*", lambda route: route.abort())
        found = []
        for path in pages:
            page.set_content(Path(path).read_text(encoding="utf-8", errors="replace"), wait_until="commit")
            found.append(phones_of_cards(page))
        browser.close()
    return found


def read_replay(chromium: str) -> list[dict[str, Any]]:
    """Each term in each layout, from the demo map over HTTP, and the leads beside what the city knows."""
    rows: list[dict[str, Any]] = []
    with run_in_thread(Town(), Behaviour()) as site:
        runtime = Runtime(Settings.from_environment(os.environ | {"PRUMO_DEMO_MAP_URL": site.url}), pool_size=3)
        browser = WarmBrowser(chromium)
        for layout in LAYOUTS:
            site.behave(layout=layout)
            actor = new_team(runtime)
            rows += [_one(runtime, browser, actor, site, term) | {"layout": layout} for term in TERMS]
        browser.close()
    return rows


def _one(runtime: Runtime, browser: WarmBrowser, actor: Actor, site: Running, term: str) -> dict[str, Any]:
    truth = {place.cid: place.phone for place in site.city.find(term, *HERE) if place.phone}
    search_id = asked_for(runtime, actor, source="demo_map", terms=[term], radius_m=RADIUS_M)
    scrape(runtime, browser, search_id)
    kept = {lead["cid"]: lead["phone"] for lead in leads_of(runtime, actor)}
    with runtime.work() as work:
        ended = work.session.get_one(Search, search_id)
        said = f"{ended.status} {ended.reason or ''}".strip()
    right = sum(kept.get(cid) == phone for cid, phone in truth.items())
    return {"term": term, "there": len(truth), "kept": right, "said": said}


if __name__ == "__main__":
    main()
