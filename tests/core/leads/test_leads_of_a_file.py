"""Those that a file brought in are found again by it, whether the team had them before or not."""

from __future__ import annotations

import pytest

from core.leads import service
from core.leads.queries import Origin
from core.leads.rules import LeadFilter
from core.searches.rules import Source
from tests.core.leads.makers import make_leads
from tests.people import People
from workers.enricher.importing import bring_in


def brought(people: People, name: str, rows: str, who: str = "Bea") -> int:
    content = ("Nome;Telefone\n" + rows).encode()
    columns = {"name": 0, "phone": 1}
    with people.runtime.work() as work:
        import_id = service.start_import(
            work, people[who], name=name, content=content, columns=columns, country="BR", basis="consent"
        )
    bring_in(people.runtime, import_id)
    return import_id


def of_file(people: People, import_id: int, who: str = "Vic") -> set[str]:
    with people.runtime.work() as work:
        return {row.name for row in service.page_of(work, people[who], LeadFilter(import_id=import_id)).rows}


def origin(people: People, name: str) -> Origin:
    with people.runtime.work() as work:
        [row] = service.page_of(work, people["Vic"], LeadFilter(text=name)).rows
        return service.lead(work, people["Vic"], row.id).lead.origin


def test_the_leads_of_a_file_are_all_that_it_named(people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "De antes"})
    first = brought(people, "maio.csv", "Loja A;11 90000-0001\nLoja B;11 90000-0002\n")
    second = brought(people, "junho.csv", "Loja B;11 90000-0002\nLoja C;11 90000-0003\nLoja D;abc\n")

    assert of_file(people, first) == {"Loja A", "Loja B"}
    assert of_file(people, second) == {"Loja B", "Loja C"}, "one that was there already is in the file too"


def test_a_file_of_another_team_has_nobody_for_us(people: People) -> None:
    import_id = brought(people, "maio.csv", "Loja A;11 90000-0001\n")
    assert of_file(people, import_id, who="Carlos") == set()


def test_a_lead_tells_the_file_that_it_came_with_first(people: People) -> None:
    first = brought(people, "maio.csv", "Loja A;11 90000-0001\n")
    brought(people, "junho.csv", "Loja A;11 90000-0001\n")
    found = origin(people, "Loja A")
    assert (found.source, found.import_id, found.file_name) == (Source.FILE, first, "maio.csv")
    assert found.search_id is None


@pytest.mark.parametrize(
    ("kept", "told"),
    [("demo_map", Source.DEMO_MAP), ("openstreetmap", Source.OPENSTREETMAP), ("file", Source.FILE), (None, None)],
)
def test_a_lead_whose_search_or_file_is_not_known_still_tells_its_source(
    people: People, kept: str | None, told: Source | None
) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Loja A", "source": kept})
    found = origin(people, "Loja A")
    assert (found.source, found.search_id, found.import_id) == (told, None, None)
