"""What earlier searches tell of the next one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.ports import PageOutcome
from core.searches import reading, service
from core.searches.experience import NOTHING, Learned, Question, Run, learned_from, to_the_limit
from core.searches.forecast import forecast
from core.searches.rules import RADIUS_M, Source
from tests.core.searches.makers import PINHEIROS, ask, cell_ids, page, store, taken
from tests.people import People

PAUSE = timedelta(seconds=1.5)
FAR = (PINHEIROS[0] + 1, PINHEIROS[1])
ASKED = Question(Source.GOOGLE_MAPS, ("dentista",), "Pinheiros", PINHEIROS, 6_000, limit=500)
RUN = Run(
    source=Source.GOOGLE_MAPS,
    terms=("Dentista",),
    place_name="Pinheiros",
    point=PINHEIROS,
    radius_m=6_000,
    requests=90,
    kept=400,
    took=timedelta(seconds=180),
    is_whole=True,
)


def learned(*runs: Run, asked: Question = ASKED) -> Learned:
    return learned_from(runs, asked)


def test_who_has_searched_nothing_has_learned_nothing() -> None:
    assert learned() == NOTHING
    assert learned(replace(RUN, source=Source.DEMO_MAP)) == NOTHING, "another map says nothing of this one"


def test_the_same_question_takes_as_long_as_last_time() -> None:
    told = learned(RUN, replace(RUN, requests=70))
    assert told.whole == 90, "the newest counts"
    wide = forecast(Source.GOOGLE_MAPS, terms=1, radius_m=6_000, limit=20_000, pause=PAUSE)
    narrow = forecast(Source.GOOGLE_MAPS, terms=1, radius_m=6_000, limit=20_000, pause=PAUSE, learned=told)
    assert not wide.is_one_figure
    assert narrow.is_one_figure and narrow.requests == 90
    assert learned(RUN, asked=replace(ASKED, limit=200, skip_known=False)).whole == 45, "they count again"


def test_a_search_for_other_signs_is_another_one() -> None:
    c_plus = replace(RUN, terms=("C++",))
    assert learned(c_plus, asked=replace(ASKED, terms=("c++",))).whole == 90
    assert learned(c_plus, asked=replace(ASKED, terms=("C#",))).whole is None


def test_a_name_and_a_point_are_both_the_place() -> None:
    named = replace(ASKED, point=None, place_name="pinheiros")
    assert learned(RUN, asked=named).whole == 90
    assert learned(RUN, asked=replace(named, place_name="Moema")).whole is None
    assert learned(RUN, asked=replace(named, place_name="")).whole is None
    assert learned(RUN, asked=replace(ASKED, point=FAR)).whole is None


def test_one_that_ended_at_its_limit_does_not_tell_how_much_there_is() -> None:
    told = learned(replace(RUN, is_whole=False))
    assert (told.whole, told.an_area) == (None, None)
    assert told.known == 400, "but what it kept is known now"


def test_known_leads_are_passed_on_the_way_to_the_limit() -> None:
    told = learned(replace(RUN, is_whole=False))
    needed = [
        forecast(Source.GOOGLE_MAPS, terms=1, radius_m=6_000, limit=100, pause=PAUSE, learned=each).most
        for each in (NOTHING, told)
    ]
    assert needed[1] > 2 * needed[0]
    assert learned(RUN, asked=replace(ASKED, skip_known=False)).known == 0, "they count, then"


def test_a_smaller_circle_holds_its_part_of_them_and_other_terms_none() -> None:
    assert learned(RUN, asked=replace(ASKED, radius_m=3_000)).known == 100
    assert learned(RUN, asked=replace(ASKED, radius_m=25_000)).known == 400
    assert learned(RUN, asked=replace(ASKED, terms=("padaria",))).known == 0
    assert learned(RUN, asked=replace(ASKED, terms=("padaria", "dentista"))).known == 400


def test_three_searches_of_other_things_tell_what_little_and_much_is() -> None:
    others = [replace(RUN, terms=("padaria",), point=FAR, requests=n * 9) for n in (4, 2, 7)]
    assert learned(*others[:2]).an_area is None
    assert learned(*others).an_area == (2, 7)
    same = replace(RUN, point=FAR, place_name="Campinas", requests=27)
    assert learned(*others, same).an_area == (3, 3), "one for the same term says more"


def test_a_search_that_waited_for_hours_does_not_make_the_others_slow() -> None:
    quick = replace(RUN, requests=10, took=timedelta(seconds=20))
    slow = replace(quick, took=timedelta(hours=9))
    assert learned(quick, slow, slow).a_request == timedelta(seconds=2)
    assert learned(slow).a_request is None


def test_how_many_leads_a_request_brings_is_learned_and_not_assumed() -> None:
    """On a busy map three of four that come have come before."""
    told = learned(replace(RUN, is_whole=False, point=FAR, place_name="Campinas"))
    assert to_the_limit(500, NOTHING) == 50
    assert to_the_limit(500, told) == 113, "400 came in 90 requests"


@given(
    requests=st.integers(0, 5_000), kept=st.integers(0, 20_000), then=st.integers(*RADIUS_M), now=st.integers(*RADIUS_M)
)
def test_whatever_was_learned_the_forecast_stands(requests: int, kept: int, then: int, now: int) -> None:
    run = replace(RUN, requests=requests, kept=kept, radius_m=then)
    asked = replace(ASKED, radius_m=now)
    told = forecast(asked.source, terms=1, radius_m=now, limit=500, pause=PAUSE, learned=learned(run, asked=asked))
    assert timedelta(0) < told.least <= told.most
    assert told.requests >= told.areas


def test_it_is_read_from_the_searches_that_are_over(people: People) -> None:
    running = ask(people, terms=["padaria"])
    store(people, taken(people, running), page(range(3)))
    search_id = ask(people)
    mine = taken(people, search_id)
    store(people, mine, page(range(5), outcome=PageOutcome.END_OF_LIST))
    with people.runtime.work() as work:
        reading.end_cell(work, mine, cell_ids(people, mine)[0], PageOutcome.END_OF_LIST)
        reading.finish(work, mine)
    with people.runtime.work() as work:
        [run] = service.experience(work, people["Vic"])
        assert service.experience(work, people["Carlos"]) == []
    assert (run.terms, run.point, run.requests, run.kept, run.is_whole) == (("dentista",), PINHEIROS, 1, 5, True)
