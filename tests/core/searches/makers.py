"""Searches and pages for stories."""

from __future__ import annotations

from typing import Any

from core.ports import PageOutcome, Place, PlacePage
from core.searches import reading, service
from core.searches.reading import Taken
from core.tables import Search, SearchCell
from tests.people import People

PINHEIROS = (-23.5614, -46.7016)


def ask(people: People, who: str = "Ana", **changed: Any) -> int:
    """Starts a search for dentists around a point, as Ana."""
    values: dict[str, Any] = {
        "source": "google_maps",
        "terms": ["dentista"],
        "place_name": "Pinheiros, São Paulo",
        "latitude": PINHEIROS[0],
        "longitude": PINHEIROS[1],
        "radius_m": 3000,  # one cell for each term
        "limit": 500,
        "language": "pt-BR",
    }
    with people.runtime.work() as work:
        return service.start(work, people[who], **values | changed).id


def take(people: People, search_id: int, token: str = "scraper-1") -> Taken | None:
    with people.runtime.work() as work:
        return reading.take(work, search_id, token)


def taken(people: People, search_id: int, token: str = "scraper-1") -> Taken:
    mine = take(people, search_id, token)
    assert mine is not None
    return mine


def dentist(n: int, **said: Any) -> Place:
    values: dict[str, Any] = {
        "name": f"Odonto {n}",
        "cid": str(10_000 + n),
        "place_id": f"ChIJ-{n}",
        "phone": f"+55 11 9{n:08}",
        "latitude": PINHEIROS[0] + n * 1e-5,
        "longitude": PINHEIROS[1],
        "categories": ("Dentista",),
    }
    return Place(**values | said)


def page(numbers: range, offset: int = 0, outcome: PageOutcome = PageOutcome.OK, **said: Any) -> PlacePage:
    return PlacePage(offset, outcome, tuple(dentist(n, **said) for n in numbers))


def cell_ids(people: People, mine: Taken) -> list[int]:
    return [cell.id for cell in cells(people, mine.id)]


def store(people: People, mine: Taken, pages: PlacePage, cell: int = 0) -> reading.Stored:
    with people.runtime.work() as work:
        return reading.store_page(work, mine, cell_ids(people, mine)[cell], pages)


def counters(people: People, search_id: int) -> dict[str, int]:
    with people.runtime.work() as work:
        s = work.session.get_one(Search, search_id)
        return {
            "found": s.found,
            "added": s.added,
            "with_phone": s.with_phone,
            "known": s.known,
            "outside": s.outside,
        }


def row(people: People, search_id: int) -> Search:
    with people.runtime.work() as work:
        return work.session.get_one(Search, search_id)


def cells(people: People, search_id: int) -> list[SearchCell]:
    with people.runtime.work() as work:
        return list(work.session.query(SearchCell).filter_by(search_id=search_id).order_by(SearchCell.position))
