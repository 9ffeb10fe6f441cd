"""From a search asked of OpenStreetMap or the Places API to leads, which are one with those that the map showed.

Real servers of the sandbox, all about one city; no browser is started for these.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core.leads.keeping import keep_places
from core.leads.phones import Phone
from core.ports import Place
from core.searches import service
from core.searches.rules import SearchReason, SearchStatus, Source, distance_m
from core.tables import Lead, SourceUse
from sandbox import overpass, places
from sandbox.maps import City, plan
from sandbox.maps import Place as Business
from tests.core.searches.makers import cells, row
from tests.people import People
from workers.scraper.browser import WarmBrowser
from workers.scraper.jobs import scrape

HERE = (plan.CENTRE_LAT, plan.CENTRE_LNG)
S = SearchStatus
NO_BROWSER = WarmBrowser("/nowhere/chromium")
DENTISTS = ("dentist", "dental_clinic", "dental_implants_provider", "orthodontist")


@pytest.fixture(scope="module")
def city() -> City:
    return City(size=5_000)


@pytest.fixture(scope="module")
def openstreetmap(city: City) -> Iterator[overpass.Running]:
    with overpass.run_in_thread(city) as running:
        yield running


@pytest.fixture(scope="module")
def places_api(city: City) -> Iterator[places.Running]:
    with places.run_in_thread(city) as running:
        yield running


@pytest.fixture
def osm(openstreetmap: overpass.Running) -> overpass.Running:
    openstreetmap.server.reset()
    return openstreetmap


@pytest.fixture
def api(places_api: places.Running) -> places.Running:
    places_api.server.reset()
    return places_api


@pytest.fixture
def house(people: People, osm: overpass.Running, api: places.Running, tmp_path: Path) -> People:
    people.runtime.settings = replace(
        people.runtime.settings,
        overpass_url=osm.url,
        places_api_url=api.url,
        places_api_key=places.KEY,
        map_pause=timedelta(0),
        data_folder=str(tmp_path),
    )
    return people


def searched(people: People, source: Source, **changed: Any) -> int:
    """A search for dentists in the city, as Ana, read to its end."""
    values: dict[str, Any] = {
        "source": source.value,
        "terms": ["dentista"],
        "place_name": "Serra Clara",
        "radius_m": 6_000,
        "limit": 2_000,
        "language": "pt-BR",
    }
    with people.runtime.work() as work:
        search_id = service.start(work, people["Ana"], **values | changed).id
    scrape(people.runtime, NO_BROWSER, search_id)
    return search_id


def leads(people: People) -> list[Lead]:
    with people.runtime.work() as work:
        return list(work.session.scalars(select(Lead).where(Lead.team_id == people.team_id).order_by(Lead.id)))


def requests_of(people: People, source: Source) -> int:
    with people.runtime.work() as work:
        used = select(SourceUse.requests).where(SourceUse.team_id == people.team_id, SourceUse.source == source)
        return work.session.scalar(used) or 0


def around(city: City, radius_m: float, trades: tuple[str, ...] = DENTISTS) -> list[Business]:
    return [
        place
        for place in city.places()
        if place.trade.key in trades and distance_m(place.lat, place.lng, *HERE) <= radius_m
    ]


def test_a_search_of_openstreetmap_ends_in_leads_and_is_complete(house: People, osm: overpass.Running) -> None:
    search_id = searched(house, Source.OPENSTREETMAP)
    ended = row(house, search_id)
    assert (ended.status, ended.complete, ended.reason) == (S.DONE, True, None)
    assert (ended.latitude, ended.longitude) == HERE
    mapped = [place for place in around(osm.server.city, 6_000) if overpass.is_mapped(place)]
    real = {(place.name, place.phone) for place in mapped if overpass.shows_phone(place)}
    assert len(real) > 20
    kept = leads(house)
    assert {(lead.name, lead.phone) for lead in kept} == real
    assert all(lead.source == Source.OPENSTREETMAP for lead in kept)
    assert all(lead.details["osm"].startswith(("node/", "way/")) for lead in kept)
    assert len(osm.server.asked) == 2, "where it is, and all of it at once"


def test_a_search_of_the_places_api_goes_past_its_sixty_and_counts_what_it_cost(
    house: People, api: places.Running
) -> None:
    search_id = searched(house, Source.PLACES_API)
    ended = row(house, search_id)
    assert (ended.status, ended.complete) == (S.DONE, True)
    real = {place.cid for place in around(api.server.city, 5_990) if place.phone}
    kept = {lead.cid for lead in leads(house)}
    assert len(real) > 60
    assert len(real & kept) >= 0.99 * len(real)
    assert requests_of(house, Source.PLACES_API) == len(api.server.asked)
    assert {lead.source for lead in leads(house)} == {Source.PLACES_API}


def seen_by_the_map(people: People, businesses: list[Business]) -> None:
    """As the map itself shows them: by their ids."""
    shown = [
        Place(
            name=each.name,
            cid=each.cid,
            place_id=each.place_id,
            data_id=each.data_id,
            phone=each.phone,
            latitude=each.lat,
            longitude=each.lng,
        )
        for each in businesses
    ]
    with people.runtime.work() as work:
        keep_places(work, people.team_id, shown, country="BR", source=Source.GOOGLE_MAPS)


def test_a_business_that_the_map_showed_before_is_one_lead(house: People, city: City) -> None:
    seen_by_the_map(house, around(city, 6_000))
    before = {lead.id: lead.place_key for lead in leads(house)}

    of_osm, of_api = searched(house, Source.OPENSTREETMAP), searched(house, Source.PLACES_API)

    after = leads(house)
    assert {lead.id: lead.place_key for lead in after} == before
    assert (row(house, of_osm).added, row(house, of_api).added) == (0, 0)
    assert row(house, of_osm).found > 20
    assert {lead.source for lead in after} == {Source.GOOGLE_MAPS}, "where the team has it from"
    assert any("osm" in lead.details for lead in after), "and what the other source knew is added"


def test_a_business_that_openstreetmap_showed_first_gets_the_map_s_id(house: People, city: City) -> None:
    searched(house, Source.OPENSTREETMAP)
    first = {lead.id: (lead.name, lead.phone) for lead in leads(house)}
    assert all(lead.place_key.startswith("name:") for lead in leads(house))

    searched(house, Source.PLACES_API)

    kept = {lead.id: lead for lead in leads(house)}
    assert {lead_id: (kept[lead_id].name, kept[lead_id].phone) for lead_id in first} == first
    assert all(kept[lead_id].place_key.startswith("cid:") for lead_id in first)
    assert {kept[lead_id].source for lead_id in first} == {Source.OPENSTREETMAP}
    assert len({(lead.name, lead.phone) for lead in kept.values()}) == len(kept)


def test_its_phones_can_be_written_to(house: People) -> None:
    searched(house, Source.OPENSTREETMAP)
    for lead in leads(house):
        assert lead.phone and Phone.parse(lead.phone, "BR").e164 == lead.phone


@pytest.mark.parametrize("source", [Source.OPENSTREETMAP, Source.PLACES_API])
def test_nothing_of_the_kind_there_is_said(house: People, source: Source) -> None:
    ended = row(house, searched(house, source, terms=["zzyzx"]))
    assert (ended.status, ended.complete, ended.reason) == (S.DONE, True, SearchReason.NO_RESULTS)


@pytest.mark.parametrize("source", [Source.OPENSTREETMAP, Source.PLACES_API])
def test_a_place_that_the_source_does_not_know_is_said(house: People, source: Source) -> None:
    ended = row(house, searched(house, source, place_name="Atlântida do Sul"))
    assert (ended.status, ended.reason) == (S.FAILED, SearchReason.PLACE_NOT_FOUND)


@pytest.mark.parametrize(("source", "asked_at"), [(Source.OPENSTREETMAP, "osm"), (Source.PLACES_API, "api")])
def test_a_source_that_asks_us_to_stop_is_left_alone_for_a_while(
    house: People, osm: overpass.Running, api: places.Running, source: Source, asked_at: str
) -> None:
    osm.behave(refuses="429")
    api.behave(refuses="quota")
    search_id = searched(house, source, latitude=HERE[0], longitude=HERE[1])
    waiting = row(house, search_id)
    assert (waiting.status, waiting.reason) == (S.QUEUED, SearchReason.BLOCKED)
    assert waiting.resumes_at is not None
    scrape(house.runtime, NO_BROWSER, search_id)
    assert len({"osm": osm, "api": api}[asked_at].server.asked) == 1


@pytest.mark.parametrize("named", [True, False])
def test_a_key_that_is_refused_ends_the_search_and_is_told_to_nobody(
    house: People, api: places.Running, caplog: pytest.LogCaptureFixture, named: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    api.behave(refuses="not_enabled", quotes_key=True)
    point = {} if named else {"latitude": HERE[0], "longitude": HERE[1]}
    ended = row(house, searched(house, Source.PLACES_API, **point))
    assert (ended.status, ended.reason) == (S.FAILED, SearchReason.REFUSED)
    assert len(api.server.asked) == 1
    assert "SERVICE_DISABLED" in caplog.text
    assert places.KEY not in caplog.text


def test_an_answer_of_another_form_ends_the_search_and_is_kept_for_who_mends_the_reader(
    house: People, osm: overpass.Running
) -> None:
    osm.behave(garbage="html")
    ended = row(house, searched(house, Source.OPENSTREETMAP, latitude=HERE[0], longitude=HERE[1]))
    assert (ended.status, ended.reason) == (S.FAILED, SearchReason.LAYOUT_CHANGED)
    [kept] = (Path(house.runtime.settings.data_folder) / "unread-map-answers").iterdir()
    assert "wireless" in kept.read_text()


def test_a_server_that_is_not_there_is_tried_again_and_then_said(
    house: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.scraper.jobs.WAIT_BEFORE_NEXT_TRY_S", (0.05, 0.05, 0.05))
    house.runtime.settings = replace(house.runtime.settings, overpass_url="http://127.0.0.1:9/api/interpreter")
    ended = row(house, searched(house, Source.OPENSTREETMAP))
    assert (ended.status, ended.reason) == (S.FAILED, SearchReason.UNREACHABLE)


def test_the_limit_ends_a_search_and_what_is_beyond_is_not_paid_for(house: People, api: places.Running) -> None:
    search_id = searched(house, Source.PLACES_API, limit=10, latitude=HERE[0], longitude=HERE[1])
    assert (row(house, search_id).reason, len(leads(house))) == (SearchReason.LIMIT_REACHED, 10)
    assert len(api.server.asked) == 1


def test_cancelling_does_not_wait_for_a_slow_server(house: People, osm: overpass.Running) -> None:
    import threading

    osm.behave(latency_s=8.0)
    with house.runtime.work() as work:
        search_id = service.start(
            work,
            house["Ana"],
            source="openstreetmap",
            terms=["dentista"],
            place_name=None,
            latitude=HERE[0],
            longitude=HERE[1],
            radius_m=3_000,
            limit=100,
            language="pt-BR",
        ).id
    cancelled_at: list[float] = []

    def cancel() -> None:
        while not osm.server.asked:
            time.sleep(0.02)
        with house.runtime.work() as work:
            service.cancel(work, house["Bea"], search_id)
        cancelled_at.append(time.monotonic())

    person = threading.Thread(target=cancel)
    person.start()
    scrape(house.runtime, NO_BROWSER, search_id)
    over_after = time.monotonic() - cancelled_at[0]
    person.join()
    assert over_after < 2
    assert row(house, search_id).status is S.CANCELLED
    assert cells(house, search_id)[0].read == 0
