"""A site that has changed its form costs fields, places or the page, and never brings a wrong field."""

from __future__ import annotations

import contextlib
import copy
import json
import os
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from core.errors import Blocked, LayoutChanged
from core.ports import Place
from tests.workers.scraper.changing import changes, paths, some, wrong_fields
from tests.workers.scraper.test_parse import recording, records_of
from workers.scraper import parse
from workers.scraper.parse.record import place_of

Record = list[Any]
# Every night at every path; by day the first levels whole, and a third of the rest.
BY_DAY = 1 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 3


def assert_never_wrong(record: Record, most: int | None = None) -> int:
    """Every change at every path, or at `most` of them.  How many changes there were."""
    record = copy.deepcopy(record)
    said = place_of(record)
    assert said is not None
    unchanged = copy.deepcopy(record)
    every = list(paths(record))
    tried = 0
    for tried, what in enumerate(changes(record, some(every, most or len(every))), start=1):  # noqa: B007
        read = place_of(record)
        if read is not None:
            assert wrong_fields(said, read, unchanged) == [], what
    assert record == unchanged
    return tried


def fullest(records: list[Record]) -> Record:
    """The one that says most."""
    return max(records, key=lambda r: len(json.dumps(r)))


def with_hours_of_old(record: Record) -> Record:
    """The same place as it was told until November 2025."""
    old = copy.deepcopy(record)
    days = []
    for ahead, said in enumerate(
        ("7 AM–8:30 PM", "Closed", "18–0", "9–12|13–18:15", "Open 24 hours", "0–12", "6 PM–2 AM")
    ):
        day = date(2024, 12, 14) + timedelta(days=ahead)
        times = {
            "7 AM–8:30 PM": [[7, 0, 20, 30]],
            "Closed": None,
            "18–0": [[18, 0, 0, 0]],
            "9–12|13–18:15": [[9, 0, 12, 0], [13, 0, 18, 15]],
            "Open 24 hours": [[0, 0, 0, 0]],
            "0–12": [[0, 0, 12, 0]],
            "6 PM–2 AM": [[18, 0, 2, 0]],
        }[said]
        days.append([f"{day:%A}", said.split("|"), None, None, day.isoformat(), 2 if times is None else 1, times, 0])
    old[203] = None
    old[34] = [None, days, 6, None, [days[0], 1, 1, 0, "Open ⋅ Closes 8:30 PM"]]
    return old


def few_reviews(record: Record) -> Record:
    """A 5.0 of three: the number looks like a rating."""
    few = copy.deepcopy(record)
    few[4][7], few[4][8], few[4][3][1] = 5, 3, "3 reviews"
    few[175] = None
    return few


def of_the_list(name: str) -> Record:
    return fullest([r for r in records_of(recording(name)) if r[4] and r[4][8]])


def of_the_place() -> Record:
    """With at most three of each kind: three days of popular times show what seven would."""
    record = parse._root(recording("place.txt"))[6]
    return [_few(slot) for slot in record]


def _few(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    alike = all(isinstance(inner, list) for inner in value)
    return [_few(inner) for inner in (value[:3] if alike else value)]


RECORDS: dict[str, Callable[[], Record]] = {
    "the older layout": lambda: of_the_list("list_layout_a.txt"),
    "the present layout": lambda: of_the_list("list_layout_b.txt"),
    "hours of old": lambda: with_hours_of_old(of_the_list("list_layout_a.txt")),
    "three reviews": lambda: few_reviews(of_the_place()),
    "a place's own answer": of_the_place,
}


@pytest.mark.parametrize("which", RECORDS)
def test_a_record_that_has_changed_loses_fields_and_never_gets_wrong_ones(which: str) -> None:
    record = RECORDS[which]()
    assert assert_never_wrong(record, len(list(paths(record))) // BY_DAY) > 1_500 // BY_DAY


def test_hours_of_old_are_all_read_before_they_are_changed() -> None:
    place = place_of(RECORDS["hours of old"]())
    assert place and place.opening_hours == {
        "1": [["18:00", "00:00"]],
        "2": [["09:00", "12:00"], ["13:00", "18:15"]],
        "3": [["00:00", "24:00"]],
        "4": [["00:00", "12:00"]],
        "5": [["18:00", "02:00"]],
        "6": [["07:00", "20:30"]],
        "7": [],
    }
    assert place.details["status"] == "Open ⋅ Closes 8:30 PM"


# ---------------------------------------------------------------- a whole answer

LISTS = {
    "the older layout": "list_layout_a.txt",
    "the present layout": "list_layout_b.txt",
    "both": "list_mixed_wrapped.txt",
}


@pytest.mark.parametrize("which", LISTS)
def test_a_list_that_has_changed_loses_places_and_never_gets_wrong_ones(which: str) -> None:
    """Down to the slots of its records; an ad may not become a result."""
    root = parse._root(recording(LISTS[which]))
    for rows in (root[0][1], root[64] or []):
        del rows[2:]
    most = len(list(paths(root, 4))) // BY_DAY
    assert assert_list_never_wrong(root, deepest=4, most=most) > 300 // BY_DAY


def assert_list_never_wrong(root: list[Any], deepest: int, most: int | None = None) -> int:
    body = ")]}'\n" + json.dumps(root)
    said = parse.read_list(body)
    known = {place.data_id: place for place in (*said.places, *said.ads)}
    records = {record[10]: record for record in (*parse._records(root), *parse._ads(root))}
    records = copy.deepcopy(records)
    every = list(paths(root, deepest))
    tried = 0
    for tried, what in enumerate(changes(root, some(every, most or len(every))), start=1):  # noqa: B007
        read = _read(root)
        for place in (*read.places, *read.ads):
            assert place.data_id in known, what
            assert wrong_fields(known[place.data_id], place, records[place.data_id]) == [], what
        sponsored = {ad.data_id for ad in said.ads} - {place.data_id for place in said.places}
        assert not sponsored & {place.data_id for place in read.places}, what
    return tried


def _read(root: list[Any]) -> parse.ListAnswer:
    """As `read_list` does once the text is an array; a page refused has no places."""
    try:
        answer = parse.list_of(root)
        parse.check(answer)
    except (Blocked, LayoutChanged):
        return parse.ListAnswer(())
    return answer


@pytest.mark.parametrize("name", ["list_layout_b.txt", "list_mixed_wrapped.txt", "place.txt"])
def test_what_is_around_an_answer_may_be_cut_anywhere(name: str) -> None:
    """A body that ends early, begins late, or has lost what it begins or ends with."""
    body = recording(name)
    cuts = [body[:n] for n in range(0, len(body), 997)] + [body[n:] for n in range(1, 400)]
    cuts += [
        body.replace(")]}'", ""),
        body.replace(")]}'", ")]}", 1),
        body.removesuffix('/*""*/'),
        body + body,
        "[" + body,
    ]
    said = (
        parse.read_list(recording("list_layout_b.txt")).places
        + parse.read_list(recording("list_mixed_wrapped.txt")).places
    )
    known = {place.data_id: place for place in said}
    for cut in cuts:
        with contextlib.suppress(Blocked, LayoutChanged):
            for place in parse.read_list(cut).places:
                assert place == known[place.data_id]
        with contextlib.suppress(Blocked, LayoutChanged):
            assert parse.read_place(cut) == parse.read_place(body)


# ---------------------------------------------------------------- a place's page


def page_with(state_3: Any) -> str:
    state = json.dumps([[[3000, -46.6, -23.5], None, [1024, 768], 13.1], [0, 0], None, state_3, None])
    return (
        f"<html><script>window.APP_OPTIONS=[1];window.APP_INITIALIZATION_STATE={state};window.APP_FLAGS=[1];</script>"
    )


def asked_for(place: Place) -> str:
    """What a page is about to ask for: ids, name and where it is."""
    spot = [None, None, place.latitude, place.longitude]
    asked = [place.data_id, place.name, [[3000, -46.6, -23.5]], spot, *[None] * 10]
    return ")]}'\n" + json.dumps([[*asked, [[None, None, None, place.kg_id, place.place_id]]], [1]])


@pytest.mark.parametrize("form", ["a text at 6", "under a name of the day", "under a name, at 5", "a text in a list"])
def test_the_page_of_a_place_holds_its_answer_wherever_it_is_put(form: str) -> None:
    body = recording("place.txt")
    place = parse.read_place(body)
    descriptor = asked_for(place)
    state_3: Any = {
        "a text at 6": [None] * 5 + [descriptor, body],
        "under a name of the day": {"Ab12": [None] * 5 + [descriptor, body]},
        "under a name, at 5": [None, {"xY": [None] * 5 + [body]}],
        "a text in a list": [[None, body]],
    }[form]
    assert parse.read_place_page(page_with(state_3)) == place


def test_a_page_that_has_yet_to_ask_tells_only_who_it_is_and_where() -> None:
    place = parse.read_place(recording("place.txt"))
    read = parse.read_place_page(page_with([None] * 5 + [asked_for(place)]))
    assert read == Place(
        name=place.name,
        latitude=place.latitude,
        longitude=place.longitude,
        cid=place.cid,
        place_id=place.place_id,
        data_id=place.data_id,
        kg_id=place.kg_id,
    )


def test_a_place_that_has_come_by_half_has_no_rating_yet_and_no_wrong_one() -> None:
    root = parse._root(recording("place.txt"))
    root[6][4] = root[6][4][:8]
    place = parse.read_place(")]}'\n" + json.dumps(root))
    assert place.rating is None and place.review_count is None and place.phone
    assert "reviews_per_rating" not in place.details


@pytest.mark.parametrize("html", ["", "<html>unusual traffic from your computer network</html>", "Too Many Requests"])
def test_a_page_that_is_none_of_the_map_is_a_block(html: str) -> None:
    with pytest.raises(Blocked):
        parse.read_place_page(html)


@pytest.mark.parametrize(
    "state_3", [None, [], {}, [")]}'\n"], [")]}'\n[1]"], [")]}'\n{}", ")]}'\n[null,[],3]"], "x", 7]
)
def test_a_page_without_its_place_says_so(state_3: Any) -> None:
    with pytest.raises(LayoutChanged):
        parse.read_place_page(page_with(state_3))


def test_a_state_that_is_broken_says_so() -> None:
    for text in ("[", "[1,2", "{", "function(){}"):
        with pytest.raises(LayoutChanged):
            parse.read_place_page(f"<script>window.APP_INITIALIZATION_STATE={text};</script>")


def test_the_page_of_a_place_that_has_changed_loses_fields_and_never_gets_wrong_ones() -> None:
    body = recording("place.txt")
    place = parse.read_place(body)
    record = parse._root(body)[6]
    state: list[Any] = [[1], None, None, [None, None, None, None, None, asked_for(place), body, [body, 3]], 5]
    for what in changes(state, list(paths(state))):
        with contextlib.suppress(Blocked, LayoutChanged):
            read = parse.read_place_page("window.APP_INITIALIZATION_STATE=" + json.dumps(state) + ";")
            assert wrong_fields(place, read, record) == [], what
