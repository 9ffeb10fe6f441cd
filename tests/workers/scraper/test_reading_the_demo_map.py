"""The whole way, in a real Chromium against the demo map: every outcome, and what ends in the rows.

The demo map answers over HTTP as the real one does, and knows the truth that the rows are compared with.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.leads.phones import Phone
from core.ports import PageOutcome, PlacePage, PlaceQuery
from core.searches import service
from core.searches.rules import MOST_PAGES, CellStatus, SearchReason, SearchStatus, distance_m
from core.tables import Search
from sandbox.maps import Running
from tests.core.searches.makers import cells, row
from tests.people import People
from tests.workers.scraper.makers import (
    CHROMIUM,
    HERE,
    NEAR_M,
    ask,
    leads,
    needs_browser,
    truth,
    wait_until,
)
from workers.scraper import browser as browsing
from workers.scraper import memory
from workers.scraper.browser import MapBrowser, WarmBrowser, is_list, offset_in, with_offset, zoom_for
from workers.scraper.jobs import scrape

O, S = PageOutcome, SearchStatus  # noqa: E741
pytestmark = [pytest.mark.browser, needs_browser]


@pytest.fixture
def read(demo_map: Running, chrome: WarmBrowser) -> Iterator[Callable[..., list[PlacePage]]]:
    """All pages for a term around the centre of the city."""
    chrome.cookies.clear()
    with MapBrowser(chrome, demo_map.url, language="pt-BR") as visit:

        def pages(term: str, **how: Any) -> list[PlacePage]:
            query: dict[str, Any] = {"radius_m": 5000, "language": "pt-BR", "country": "BR"} | how
            return list(visit.pages(PlaceQuery(term, *HERE, **query)))

        yield pages


def told(pages: list[PlacePage]) -> list[tuple[PageOutcome, int]]:
    return [(page.outcome, len(page.places)) for page in pages]


WHOLE = [(O.OK, 20)] * 6 + [(O.END_OF_LIST, 0)]


@pytest.mark.parametrize("term", ["dentista", "dentista layoutantigo", "dentista embrulhado", "dentista semlink"])
def test_a_list_is_read_to_its_end_whatever_form_it_has(read: Any, term: str) -> None:
    pages = read(term)
    assert told(pages) == WHOLE
    ids = [place.data_id for page in pages for place in page.places]
    assert len(ids) == len(set(ids)) == 120
    assert [page.offset for page in pages] == [0, 20, 40, 60, 80, 100, 120]


@pytest.mark.parametrize(
    ("term", "outcomes"),
    [
        ("naoexiste padaria", [(O.NO_RESULTS, 0)]),
        ("heliponto", [(O.NO_RESULTS, 0)]),
        ("umsozinho dentista", [(O.SINGLE_RESULT, 1)]),
        ("fimprecoce dentista", [(O.END_OF_LIST, 10)]),
        ("bloqueado dentista", [(O.BLOCKED, 0)]),
        ("respostavazia dentista", [(O.BLOCKED, 0)]),
        ("layoutnovo dentista", [(O.LAYOUT_CHANGED, 0)]),
        ("linhasmovidas dentista", [(O.LAYOUT_CHANGED, 0)]),
        ("vistalimitada dentista", [*WHOLE[:-1], (O.LIMITED_VIEW, 0)]),
        ("dentista retrô", [*WHOLE[:-1], (O.LIMITED_VIEW, 0)]),
        ("consentimento dentista", WHOLE),
        ("consentimentoeterno dentista", [(O.CONSENT, 0)]),
    ],
)
def test_every_page_ends_in_one_of_the_eight_outcomes(
    read: Any, term: str, outcomes: list[tuple[PageOutcome, int]]
) -> None:
    assert told(read(term)) == outcomes


def test_a_single_result_that_opens_its_own_page_is_read_there(read: Any, demo_map: Running) -> None:
    demo_map.behave(single_by="redirect")
    [page] = read("umsozinho dentista")
    assert page.outcome is O.SINGLE_RESULT
    assert page.places[0].phone


def test_consent_is_answered_without_reading_a_label_and_once(read: Any, demo_map: Running) -> None:
    demo_map.behave(consent=True)
    assert told(read("dentista")) == WHOLE
    assert told(read("padaria"))[0] == (O.OK, 20)
    assert demo_map.site.asked["consent_saved"] == 1


def test_a_consent_page_that_always_comes_back_is_not_fought(read: Any, demo_map: Running) -> None:
    demo_map.behave(consent=True, consent_again=True)
    assert told(read("dentista")) == [(O.CONSENT, 0)]
    assert demo_map.site.asked["consent_saved"] <= 2


def test_who_says_no_in_the_middle_is_not_asked_again(read: Any, demo_map: Running) -> None:
    demo_map.behave(block_after=2)
    assert told(read("dentista")) == [(O.OK, 20), (O.OK, 20), (O.BLOCKED, 0)]
    assert demo_map.site.asked["list"] == 3


def test_reading_goes_on_where_it_was(read: Any) -> None:
    whole, rest = read("dentista"), read("dentista", offset=60)
    assert [page.offset for page in rest] == [60, 80, 100, 120]
    assert [p.cid for page in rest for p in page.places] == [p.cid for page in whole[3:] for p in page.places]


def test_the_number_of_reviews_is_shown_to_whoever_came_by_the_front_door(read: Any) -> None:
    places = [place for page in read("dentista") for place in page.places]
    assert sum(p.review_count is not None for p in places) > 0.7 * len(places)


def test_where_our_own_requests_do_not_work_the_page_s_are_listened_to(
    read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "FETCH", "async () => ({status: 0, url: '', text: 'refused'})")
    pages = read("dentista")
    assert sum(len(page.places) for page in pages) == 120
    assert pages[-1].outcome is O.END_OF_LIST


def nothing_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "is_list", lambda url: False)
    monkeypatch.setattr(MapBrowser, "_link", lambda self, start: None)
    monkeypatch.setattr(browsing, "LIST_MS", 300)
    monkeypatch.setattr(browsing, "SCROLL_MS", 1_500)


def test_where_nothing_can_be_heard_the_cards_are_read(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_is_heard(monkeypatch)
    [page] = read("dentista")
    assert (page.outcome, len(page.places), page.is_cut_off) == (O.END_OF_LIST, 120, False)
    assert all(p.name and p.cid and p.place_id and p.latitude for p in page.places)
    assert sum(p.phone is not None for p in page.places) >= 80


def test_a_place_whose_card_shows_no_phone_is_looked_up_on_its_own_page(
    read: Any, demo_map: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing_is_heard(monkeypatch)
    monkeypatch.setattr(browsing, "CARDS", browsing.CARDS.replace("text('.UsdlK')", "null"))
    demo_map.behave(ceiling=8)
    [page] = read("dentista")
    told = [place for place in page.places if place.phone]
    assert 3 <= len(told) <= browsing.MOST_LOOKED_UP == demo_map.site.asked["preview"]
    for place in told:
        real = demo_map.city.by_cid(place.cid or "")
        assert real and Phone.parse(place.phone or "", "BR").e164 == real.phone
    assert page.requests >= 1 + 2 * browsing.MOST_LOOKED_UP


def test_a_list_of_cards_that_stops_growing_is_told_as_cut_off(
    read: Any, demo_map: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing_is_heard(monkeypatch)
    demo_map.behave(stall_at=20)
    [page] = read("dentista")
    assert (page.outcome, page.is_cut_off) == (O.END_OF_LIST, True)
    assert 10 <= len(page.places) <= 40


def test_a_named_place_is_found_and_an_unknown_one_is_not_guessed(demo_map: Running, chrome: WarmBrowser) -> None:
    with MapBrowser(chrome, demo_map.url, language="pt-BR") as visit:

        def where(name: str) -> tuple[float, float] | None:
            return visit.locate(name, language="pt-BR", country="BR")

        assert where("Serra Clara") == HERE
        neighbourhood = where("Bairro Alto, Serra Clara")
        assert neighbourhood and 0 < distance_m(*neighbourhood, *HERE) < 10_000
        assert where("Atlântida do Sul") is None
        assert where("padaria") is None, "many of them: not a place"


def test_the_circle_fits_the_screen() -> None:
    for radius in (500, 5_000, 25_000):
        metres_per_pixel = 156_543.034 * 0.9168 / 2 ** zoom_for(radius, -23.55)
        assert 2 * radius <= metres_per_pixel * 768 <= 2.1 * radius


def test_a_list_s_address_is_taken_further() -> None:
    url = "https://www.google.com/search?tbm=map&hl=pt-BR&q=pet+shop&pb=%211spet+shop%217i20%2110b1%2112m8%218i2"
    assert is_list(url) and not is_list("https://www.google.com/search?q=x")
    assert offset_in(with_offset(url, 40)) == 40
    assert "%217i20%218i60" in with_offset(with_offset(url, 40), 60)


# ---------------------------------------------------------------- from an id to the rows


def test_a_search_of_the_demo_map_ends_in_leads_that_are_true_and_all_there_are(
    house: People, chrome: WarmBrowser, demo_map: Running
) -> None:
    search_id = ask(house, terms=["dentista", "padaria"])
    scrape(house.runtime, chrome, search_id)

    search = row(house, search_id)
    assert (search.status, search.reason, search.complete) == (S.DONE, None, True)
    assert (search.latitude, search.longitude) == HERE
    assert search.cells == search.cells_over > 2, "what was full was cut"
    real = truth(demo_map, "dentista", NEAR_M) | truth(demo_map, "padaria", NEAR_M)
    assert search.found == len(real)
    kept = leads(house)
    assert sorted(lead.cid or "" for lead in kept) == sorted(cid for cid, place in real.items() if place.phone)
    assert len(kept) == search.added == search.with_phone
    for lead in kept:
        place = real[lead.cid or ""]
        assert lead.phone == place.phone and Phone.parse(lead.phone or "", "BR").e164 == lead.phone
        assert lead.name == place.name
        assert (lead.city, lead.state, lead.country) == ("Serra Clara", "São Paulo", "BR")
        assert lead.place_key == f"cid:{place.cid}"


def test_the_same_search_again_brings_nothing_new(house: People, chrome: WarmBrowser) -> None:
    first, again = ask(house), None
    scrape(house.runtime, chrome, first)
    before = len(leads(house))
    again = ask(house)
    scrape(house.runtime, chrome, again)
    assert len(leads(house)) == before
    assert (row(house, again).added, row(house, again).found) == (0, row(house, first).found)


def test_a_small_circle_leaves_out_what_the_map_shows_beyond_it(
    house: People, chrome: WarmBrowser, demo_map: Running
) -> None:
    search_id = ask(house, terms=["ótica"], radius_m=600)
    scrape(house.runtime, chrome, search_id)
    search = row(house, search_id)
    assert search.outside > 0
    assert {lead.cid for lead in leads(house)} <= set(truth(demo_map, "ótica", 600))
    assert (search.status, search.complete) == (S.DONE, True)


@pytest.mark.parametrize(
    ("terms", "status", "reason"),
    [
        (["naoexiste padaria"], S.DONE, SearchReason.NO_RESULTS),
        (["umsozinho dentista"], S.DONE, None),
        (["vistalimitada dentista"], S.DONE, SearchReason.LIMITED_VIEW),
        (["ótica", "bloqueado padaria", "dentista"], S.QUEUED, SearchReason.BLOCKED),
        (["layoutnovo dentista"], S.FAILED, SearchReason.LAYOUT_CHANGED),
    ],
)
def test_how_it_ended_is_told_and_what_was_found_is_kept(
    house: People, chrome: WarmBrowser, terms: list[str], status: SearchStatus, reason: SearchReason | None
) -> None:
    search_id = ask(house, terms=terms)
    scrape(house.runtime, chrome, search_id)
    ended = row(house, search_id)
    assert (ended.status, ended.reason) == (status, reason)
    assert len(leads(house)) == ended.added
    if reason is SearchReason.BLOCKED:
        assert ended.added > 0
        assert [cell.status for cell in cells(house, search_id)] == [CellStatus.DONE] + [CellStatus.WAITING] * 2
        assert ended.resumes_at and ended.heartbeat_at and ended.resumes_at - ended.heartbeat_at > timedelta(minutes=14)
    if reason is SearchReason.LAYOUT_CHANGED:
        [kept] = (Path(house.runtime.settings.data_folder) / "unread-map-answers").iterdir()
        assert kept.read_text().startswith(")]}'")


def test_the_limit_ends_a_search(house: People, chrome: WarmBrowser) -> None:
    search_id = ask(house, limit=33)
    scrape(house.runtime, chrome, search_id)
    assert (row(house, search_id).reason, len(leads(house))) == (SearchReason.LIMIT_REACHED, 33)


def test_a_place_that_the_map_does_not_know_is_said(house: People, chrome: WarmBrowser) -> None:
    search_id = ask(house, place_name="Atlântida do Sul")
    scrape(house.runtime, chrome, search_id)
    assert (row(house, search_id).status, row(house, search_id).reason) == (S.FAILED, SearchReason.PLACE_NOT_FOUND)


def test_a_machine_without_a_browser_says_so(house: People) -> None:
    search_id = ask(house)
    missing = WarmBrowser("/nowhere/chromium")
    elsewhere = threading.Thread(target=scrape, args=(house.runtime, missing, search_id))
    elsewhere.start()
    elsewhere.join()
    assert (row(house, search_id).status, row(house, search_id).reason) == (S.FAILED, SearchReason.NO_BROWSER)


def test_a_map_that_does_not_answer_is_tried_four_times(
    house: People, chrome: WarmBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.scraper.jobs.WAIT_BEFORE_NEXT_TRY_S", (0.1, 0.1, 0.1))
    house.runtime.settings = replace(house.runtime.settings, demo_map_url="http://127.0.0.1:9")
    search_id = ask(house)
    scrape(house.runtime, chrome, search_id)
    assert (row(house, search_id).status, row(house, search_id).reason) == (S.FAILED, SearchReason.UNREACHABLE)


def test_cancelling_takes_effect_within_two_seconds(house: People, chrome: WarmBrowser, demo_map: Running) -> None:
    house.runtime.settings = replace(house.runtime.settings, map_pause=timedelta(seconds=1))
    search_id = ask(house)
    cancelled_at = []

    def cancel() -> None:
        wait_until(lambda: row(house, search_id).found > 0)
        with house.runtime.work() as work:
            service.cancel(work, house["Bea"], search_id)
        cancelled_at.append(time.monotonic())

    person = threading.Thread(target=cancel)
    person.start()
    scrape(house.runtime, chrome, search_id)
    over_after = time.monotonic() - cancelled_at[0]
    person.join()
    assert over_after < 2
    ended = row(house, search_id)
    assert ended.status is S.CANCELLED
    assert len(leads(house)) == ended.added > 0


def test_a_browser_that_is_killed_is_replaced_and_the_search_goes_on(
    house: People, chrome: WarmBrowser, demo_map: Running
) -> None:
    house.runtime.settings = replace(house.runtime.settings, map_pause=timedelta(seconds=0.4))
    search_id = ask(house)

    def kill() -> None:
        wait_until(lambda: row(house, search_id).found > 0)
        for pid in memory.browsers(os.getpid()):
            os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    scrape(house.runtime, chrome, search_id)
    killer.join()
    ended = row(house, search_id)
    assert (ended.status, ended.turn, ended.complete) == (S.DONE, 1, True)
    assert ended.found == len(truth(demo_map, "dentista", NEAR_M))
    assert len(leads(house)) == ended.added


def test_a_browser_that_has_grown_is_replaced_before_the_next_visit(
    demo_map: Running, chrome: WarmBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_now() -> list[int]:
        with MapBrowser(chrome, demo_map.url, language="pt-BR") as visit:
            assert visit.locate("Serra Clara", language="pt-BR", country="BR") == HERE
            return sorted(memory.browsers(os.getpid()))

    first = of_now()
    assert 30 < memory.of_browsers_mb() < browsing.MOST_MB
    assert set(of_now()) & set(first), "the same one"
    monkeypatch.setattr(browsing, "MOST_MB", 1)
    assert not set(of_now()) & set(first)


KILLED = """
import sys
from workers.scraper.jobs import scrape_search
scrape_search(int(sys.argv[1]))
"""


def test_a_scraper_killed_in_the_middle_loses_no_page_and_stores_none_twice(
    house: People, chrome: WarmBrowser, demo_map: Running
) -> None:
    search_id = ask(house)
    settings = house.runtime.settings
    told = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "PRUMO_SECRET_KEY": settings.secret_key,
        "PRUMO_DEMO_MAP_URL": settings.demo_map_url,
        "PRUMO_MAP_PAUSE_S": "0.5",
        "PRUMO_CHROMIUM": str(CHROMIUM),
    }
    scraper = subprocess.Popen([sys.executable, "-c", KILLED, str(search_id)], env=os.environ | told)
    try:
        wait_until(lambda: row(house, search_id).pages >= 2, 40)
    finally:
        its_browsers = memory.browsers(scraper.pid)
        scraper.kill()
        scraper.wait()
        for pid in its_browsers:  # they would notice within 15 s
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    half = row(house, search_id)
    assert half.status is S.RUNNING, "nobody has noticed yet"

    scrape(house.runtime, chrome, search_id)
    assert row(house, search_id).turn == 1, "twenty seconds have not passed: it may still live"

    with house.runtime.work() as work:
        work.session.get_one(Search, search_id).heartbeat_at = work.now - timedelta(seconds=21)
    scrape(house.runtime, chrome, search_id)
    ended = row(house, search_id)
    assert (ended.status, ended.turn, ended.complete) == (S.DONE, 2, True)
    assert cells(house, search_id)[0].read == 120, "every page once"
    assert ended.found == len(truth(demo_map, "dentista", NEAR_M))
    kept = leads(house)
    assert len({lead.cid for lead in kept}) == len(kept) == ended.added


def test_two_searches_of_one_team_at_once_store_nothing_twice(house: People, demo_map: Running) -> None:
    ids = [ask(house, terms=["dentista"]), ask(house, terms=["clínica odontológica", "dentista"])]
    browsers = [WarmBrowser(str(CHROMIUM)) for _ in ids]

    def one(n: int) -> None:
        scrape(house.runtime, browsers[n], ids[n])
        browsers[n].close()

    threads = [threading.Thread(target=one, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = leads(house)
    assert [row(house, i).status for i in ids] == [S.DONE, S.DONE]
    assert len({lead.cid for lead in kept}) == len(kept) == sum(row(house, i).added for i in ids)


def test_no_list_is_read_beyond_twelve_pages() -> None:
    assert MOST_PAGES * 20 == 240
