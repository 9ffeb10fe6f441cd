"""Google's Places API: what is asked and paid, what an answer means, and that its key is nowhere else."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Blocked, LayoutChanged, Rejected, Unreachable
from core.integrations import places_api as adapter
from core.integrations.bounded_call import Answer
from core.integrations.places_answers import FIELDS, read_page, read_point
from core.integrations.places_api import PlacesApi
from core.ports import Box, PageOutcome, PlacePage, PlaceQuery, RejectedKind
from core.settings import Settings
from sandbox.maps import City, plan
from sandbox.places import KEY, Running, run_in_thread
from tests.integrations.raw_server import answering, closes, drips, hangs, says

RECORDINGS = Path(__file__).parent.parent / "recordings" / "places_api"
HERE = (plan.CENTRE_LAT, plan.CENTRE_LNG)
O = PageOutcome  # noqa: E741


def recorded(name: str, status: int = 200) -> Answer:
    return Answer(status, (RECORDINGS / name).read_bytes())


def query(term: str = "dentista", **said: Any) -> PlaceQuery:
    values: dict[str, Any] = {"radius_m": 9_000, "language": "pt-BR", "country": "BR"} | said
    return PlaceQuery(term, *HERE, **values)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with run_in_thread(City(size=3_000)) as server:
        yield server


@pytest.fixture
def api(running: Running) -> Running:
    running.server.reset()
    return running


def source(api: Running, **how: Any) -> PlacesApi:
    return PlacesApi(api.url, KEY, **how)


def told(pages: list[PlacePage]) -> list[tuple[PageOutcome, int]]:
    return [(page.outcome, len(page.places)) for page in pages]


# ---------------------------------------------------------------- what an answer means


def test_every_field_that_we_pay_for_is_read() -> None:
    page = read_page(recorded("page.json"))
    whole, bare = page.places
    assert page.next_token == "AeCexemplo"
    assert (whole.name, whole.place_id, whole.cid) == (
        "Clínica Sorriso Novo", "ChIJexemplo0000000000000001", "1234567890123456789",
    )  # fmt: skip
    assert (whole.latitude, whole.longitude) == (-23.5512, -46.6333)
    assert (whole.street, whole.neighbourhood, whole.city) == ("Rua das Acácias, 12", "Centro", "Serra Clara")
    assert (whole.state, whole.postal_code, whole.country) == ("São Paulo", "08600-000", "BR")
    assert whole.address == "R. das Acácias, 12 - Centro, Serra Clara - SP, 08600-000, Brasil"
    assert (whole.phone, whole.website) == ("+55 11 90000-0001", "https://sorriso-novo.example/")
    assert (whole.rating, whole.review_count, whole.price) == (4.8, 132, "$$")
    assert (whole.categories, whole.timezone) == (("Clínica odontológica",), "America/Sao_Paulo")
    assert (whole.plus_code, whole.closed) == ("588MC9X9+22", None)
    assert whole.details["types"][0] == "dental_clinic"
    assert (bare.phone, bare.rating, bare.review_count, bare.closed, bare.cid) == (
        None,
        None,
        None,
        "permanently",
        "42",
    )


def test_their_week_begins_on_sunday_and_ours_on_monday() -> None:
    hours = read_page(recorded("page.json")).places[0].opening_hours
    assert hours is not None
    assert hours["1"] == [["08:00", "12:00"], ["13:30", "18:00"]]
    assert (hours["5"], hours["6"], hours["7"]) == ([["20:00", "02:00"]], [], [["09:00", "12:00"]])


def place_with(**fields: Any) -> Answer:
    said = {"id": "ChIJ-1", "displayName": {"text": "Odonto"}} | fields
    return Answer(200, json.dumps({"places": [said]}).encode())


def test_one_opening_that_never_closes_is_always() -> None:
    hours = {"periods": [{"open": {"day": 0, "hour": 0, "minute": 0}}]}
    assert read_page(place_with(regularOpeningHours=hours)).places[0].opening_hours == {
        str(day): [["00:00", "24:00"]] for day in range(1, 8)
    }


def test_nothing_found_is_no_list_at_all() -> None:
    page = read_page(recorded("empty.json"))
    assert (page.places, page.next_token) == ((), "")
    assert read_point(recorded("empty.json")) is None


def test_a_business_that_bears_the_name_of_a_place_is_not_that_place() -> None:
    assert read_point(recorded("page.json")) is None


@pytest.mark.parametrize(
    ("answer", "error", "why"),
    [
        (recorded("key_not_valid.json", 400), Rejected, "config: places api 400 API_KEY_INVALID"),
        (recorded("blocked_key.json", 403), Rejected, "config: places api 403 API_KEY_SERVICE_BLOCKED"),
        (Answer(401, b"<html>"), Rejected, "config: places api 401"),
        (recorded("quota.json", 429), Blocked, "places api 429 RATE_LIMIT_EXCEEDED"),
        (Answer(429, b""), Blocked, "places api 429"),
        (recorded("bad_request.json", 400), LayoutChanged, "places api 400"),
        (Answer(404, b"{}"), LayoutChanged, "places api 404"),
        (Answer(503, b"{}"), Unreachable, "places api 503"),
        (Answer(200, b"<html>"), LayoutChanged, "not JSON"),
        (Answer(200, b"[]"), LayoutChanged, "not JSON"),
        (Answer(200, b'{"places": 7}'), LayoutChanged, "no list of places"),
        (Answer(200, b'{"places": [7, {"id": "x"}]}'), LayoutChanged, "2 places, none readable"),
    ],
)
def test_what_is_no_answer_is_told_apart(answer: Answer, error: type[Exception], why: str) -> None:
    with pytest.raises(error) as told:
        read_page(answer)
    assert str(told.value) == why


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)


@given(
    st.sampled_from([part.removeprefix("places.") for part in FIELDS.split(",") if part.startswith("places.")]), JUNK
)
def test_a_field_that_is_something_else_is_one_that_was_not_said(field: str, junk: Any) -> None:
    if field in ("id", "displayName"):
        return
    assert read_page(place_with(**{field: junk})).places[0].name == "Odonto"


# ---------------------------------------------------------------- what is asked and paid


def test_a_list_is_three_pages_of_twenty_and_each_is_a_request(api: Running) -> None:
    pages = list(source(api).pages(query()))
    assert told(pages) == [(O.OK, 20)] * 3, "it just stops: there may be more"
    assert [(page.offset, page.requests) for page in pages] == [(0, 1), (20, 1), (40, 1)]
    assert len(api.server.asked) == 3
    assert len({place.place_id for page in pages for place in page.places}) == 60


def test_a_list_that_ends_says_so(api: Running) -> None:
    pages = list(source(api).pages(query(radius_m=1_000)))
    assert pages[-1].outcome is O.END_OF_LIST
    assert 0 < sum(len(page.places) for page in pages) < 60
    assert told(list(source(api).pages(query("zzyzx")))) == [(O.NO_RESULTS, 0)]


def test_only_what_is_stored_is_asked_for_in_the_language_and_the_area(api: Running) -> None:
    list(source(api).pages(query(box=Box(-23.6, -46.7, -23.5, -46.6))))
    body, mask = api.server.asked[0]
    assert mask == FIELDS
    assert "*" not in mask and "reviews" not in mask and "photos" not in mask
    assert (body["textQuery"], body["languageCode"], body["regionCode"], body["pageSize"]) == (
        "dentista",
        "pt-BR",
        "BR",
        20,
    )
    assert body["locationRestriction"]["rectangle"] == {
        "low": {"latitude": -23.6, "longitude": -46.7},
        "high": {"latitude": -23.5, "longitude": -46.6},
    }


def test_going_on_in_the_middle_pays_for_what_lies_before_and_says_so(api: Running) -> None:
    whole = list(source(api).pages(query()))
    rest = list(source(api).pages(query(offset=40)))
    assert [(page.offset, page.requests) for page in rest] == [(40, 3)]
    assert rest[0].places == whole[2].places
    assert list(source(api).pages(query(offset=60))) == []


def test_its_places_are_those_of_the_city_by_the_map_s_own_ids(api: Running) -> None:
    for place in source(api).pages(query("padaria")).__next__().places:
        real = api.server.city.by_cid(place.cid or "")
        assert real is not None
        assert (place.place_id, place.name) == (real.place_id, real.name)
        assert (place.phone or "").replace(" ", "").replace("-", "") == (real.phone or "")
        assert (place.city, place.state, place.country) == ("Serra Clara", "São Paulo", "BR")


def test_a_place_is_found_by_its_name(api: Running) -> None:
    assert source(api).locate("Serra Clara", language="pt-BR", country="BR") == HERE
    assert source(api).locate("Atlântida", language="pt-BR", country="BR") is None
    assert len(api.server.asked) == 2


@pytest.mark.parametrize(
    ("fault", "outcomes"),
    [
        ({"refuses": "quota"}, [(O.BLOCKED, 0)]),
        ({"refuses_after": 1}, [(O.OK, 20), (O.BLOCKED, 0)]),
        ({"refuses": "400"}, [(O.LAYOUT_CHANGED, 0)]),
        ({"garbage": "html"}, [(O.LAYOUT_CHANGED, 0)]),
        ({"garbage": "json"}, [(O.LAYOUT_CHANGED, 0)]),
        ({"garbage": "places"}, [(O.LAYOUT_CHANGED, 0)]),
        ({"garbage": "fields"}, [(O.LAYOUT_CHANGED, 0)]),
    ],
)
def test_a_refusal_and_an_unknown_answer_end_the_list(api: Running, fault: Any, outcomes: Any) -> None:
    api.behave(**fault)
    assert told(list(source(api).pages(query()))) == outcomes


@pytest.mark.parametrize("fault", [{"refuses": "500"}, {"refuses": "503"}, {"huge": True}])
def test_a_service_that_is_not_well_did_not_answer(api: Running, fault: Any) -> None:
    api.behave(**fault)
    with pytest.raises(Unreachable):
        list(source(api).pages(query()))


@pytest.mark.parametrize("behaviour", [closes(), hangs(), drips(b"HTTP/1.1 200 X\r\n" * 50)])
def test_no_server_keeps_us_beyond_the_time(behaviour: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "CALL_S", 0.6)
    began = time.monotonic()
    with answering(behaviour) as server, pytest.raises(Unreachable):
        list(PlacesApi(server.url, KEY).pages(query()))
    assert time.monotonic() - began < 2


def test_a_cancelled_search_asks_no_more(api: Running) -> None:
    pages = source(api, should_stop=lambda: len(api.server.asked) >= 2).pages(query())
    assert len(list(pages)) <= 2
    assert len(api.server.asked) == 2


# ---------------------------------------------------------------- the key


@pytest.mark.parametrize("refuses", ["bad_key", "not_enabled", "no_billing", "wrong_address"])
def test_a_key_that_is_refused_is_its_own_reason(api: Running, refuses: str) -> None:
    api.behave(refuses=refuses)
    for ask in (
        lambda: list(source(api).pages(query())),
        lambda: [source(api).locate("Serra Clara", language="pt-BR", country="BR")],
    ):
        with pytest.raises(Rejected) as refused:
            ask()
        assert refused.value.kind == RejectedKind.CONFIG


@pytest.mark.parametrize("key", ["", "two words", "with\nnewline", "não-ascii"])
def test_what_cannot_be_a_key_is_not_sent(api: Running, key: str) -> None:
    with pytest.raises(Rejected):
        list(PlacesApi(api.url, key).pages(query()))
    assert api.server.asked == []


@pytest.mark.parametrize(
    "fault",
    [
        *({"refuses": why, "quotes_key": True} for why in ("bad_key", "not_enabled", "quota", "500", "400")),
        {"garbage": "html"},
        {"huge": True},
    ],
)
def test_the_key_is_in_no_error_no_note_no_log_and_no_kept_body(
    api: Running, fault: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api.behave(**fault)
    said: list[str] = []
    try:
        said += [page.note for page in source(api, keep=said.append).pages(query())]
    except (Rejected, Unreachable) as trouble:
        error: BaseException | None = trouble
        while error is not None:
            said += [str(error), repr(error)]
            error = error.__cause__
    assert said
    assert KEY not in "".join(said) + caplog.text


def test_a_body_that_quotes_the_key_is_kept_without_it() -> None:
    kept: list[str] = []
    with answering(says(200, f"<html>what is {KEY}?</html>")) as server:
        assert told(list(PlacesApi(server.url, KEY, keep=kept.append).pages(query()))) == [(O.LAYOUT_CHANGED, 0)]
        assert kept == ["<html>what is (the key)?</html>"]
        assert f"X-Goog-Api-Key: {KEY}" in server.requests[0][0], "in a header"
        assert KEY not in server.requests[0][0].splitlines()[0], "and not in the address"


def test_nothing_that_is_printed_of_the_settings_or_the_source_holds_the_key() -> None:
    settings = Settings(database_url="x", redis_url="x", secret_key="x" * 32, places_api_key=KEY)
    assert KEY not in repr(settings)
    assert KEY not in repr(PlacesApi("http://127.0.0.1:9", KEY))
