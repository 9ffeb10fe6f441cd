"""Saved views: what is shown is kept under a name, called up, changed and deleted."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text

from core.errors import BadInput, NotFound
from core.leads import service, views
from core.leads.rules import LeadFilter, LeadSort, LeadStatus, OnWhatsApp, PhoneType
from core.tables import AuditEntry
from tests.core.leads.makers import make_leads
from tests.people import People

DENTISTS = LeadFilter(cities=("São Paulo",), categories=("Odontologia",), min_rating=4.0)
EVERYTHING = LeadFilter(
    text="ipê",
    cities=("São Paulo", "Embu"),
    categories=("Dentista",),
    statuses=(LeadStatus.NEW, LeadStatus.REPLIED),
    on_whatsapp=(OnWhatsApp.YES,),
    phone_types=(PhoneType.MOBILE,),
    tags=(3, 4),
    has_phone=True,
    has_website=False,
    has_email=True,
    min_rating=4.5,
    min_reviews=10,
    search_id=1,
    first_search_id=2,
    import_id=3,
    ids=(7, 8),
)


def save(people: People, name: str, which: LeadFilter = DENTISTS, **how: Any) -> views.SavedView:
    with people.runtime.work() as work:
        return views.save_view(work, people["Bea"], name=name, which=which, **how)


def listed(people: People) -> list[str]:
    with people.runtime.work() as work:
        return [each.name for each in views.list_views(work, people["Vic"])]


def test_a_view_is_what_it_was_saved_as(people: People) -> None:
    made = save(people, " Dentistas  SP ", sort=LeadSort.RATING, descending=False, columns=("phone", "tags"))
    with people.runtime.work() as work:
        found = views.view(work, people["Vic"], made.id)
    assert found == made
    assert (found.name, found.filter) == ("Dentistas SP", DENTISTS)
    assert (found.sort, found.descending, found.columns) == (LeadSort.RATING, False, ("phone", "tags"))


def test_a_view_asks_for_the_leads_that_fit_it_by_then(people: People) -> None:
    made = save(people, "Recife", LeadFilter(cities=("Recife",)))
    make_leads(people.runtime, people.team_id, {"name": "Nova", "city": "Recife"}, {"name": "Outra", "city": "Olinda"})
    with people.runtime.work() as work:
        which = views.view(work, people["Vic"], made.id).filter
        assert [row.name for row in service.page_of(work, people["Vic"], which).rows] == ["Nova"]


@pytest.mark.parametrize("typed", ["%%%", "🙂", "\x07"])
def test_a_view_that_was_saved_with_signs_alone_means_nobody(people: People, typed: str) -> None:
    made = save(people, "Ninguém", LeadFilter(text=typed))
    make_leads(people.runtime, people.team_id, {"name": "Nova"})
    with people.runtime.work() as work:
        which = views.view(work, people["Vic"], made.id).filter
        assert not which.is_empty
        assert service.count_of(work, people["Vic"], which) == 0


def test_every_filter_that_there_is_can_be_kept(people: People) -> None:
    assert save(people, "Tudo", EVERYTHING).filter == EVERYTHING


def test_views_keep_their_places(people: People) -> None:
    for name in ("Zebra", "Abelha", "Mel"):
        save(people, name)
    assert listed(people) == ["Zebra", "Abelha", "Mel"]
    with people.runtime.work() as work:
        assert views.list_views(work, people["Carlos"]) == []


def test_a_name_is_taken_once_in_a_team(people: People) -> None:
    save(people, "Dentistas São Paulo")
    other = save(people, "Outra")
    with pytest.raises(BadInput) as told:
        save(people, "dentistas sao PAULO")
    assert (told.value.field, told.value.key) == ("view", "view_is_there")
    with people.runtime.work() as work:
        with pytest.raises(BadInput):
            views.rename_view(work, people["Bea"], other.id, "DENTISTAS SÃO PAULO")
        assert views.rename_view(work, people["Bea"], other.id, "OUTRA").name == "OUTRA"
        views.save_view(work, people["Carlos"], name="Outra", which=LeadFilter())
    assert listed(people) == ["Dentistas São Paulo", "OUTRA"]


def test_a_view_can_be_brought_up_to_what_is_shown(people: People) -> None:
    made = save(people, "Dentistas SP")
    wider = LeadFilter(cities=("São Paulo",))
    with people.runtime.work() as work:
        views.update_view(
            work, people["Bea"], made.id, which=wider, sort=LeadSort.NAME, descending=False, columns=("phone",)
        )
    with people.runtime.work() as work:
        found = views.view(work, people["Vic"], made.id)
    assert (found.name, found.filter, found.sort, found.columns) == ("Dentistas SP", wider, LeadSort.NAME, ("phone",))


def test_a_deleted_view_is_gone_and_its_leads_are_not(people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Loja", "city": "Recife"})
    made = save(people, "Recife", LeadFilter(cities=("Recife",)))
    with people.runtime.work() as work:
        views.delete_view(work, people["Bea"], made.id)
    with people.runtime.work() as work:
        with pytest.raises(NotFound):
            views.view(work, people["Vic"], made.id)
        assert service.count_of(work, people["Vic"], LeadFilter()) == 1
    assert listed(people) == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\x07b", "\u202e"])
def test_what_is_no_name_is_told(people: People, name: str) -> None:
    with pytest.raises(BadInput) as told:
        save(people, name)
    assert told.value.field == "view"
    assert listed(people) == []


@pytest.mark.parametrize("columns", [("phone; drop",), ("x" * 25,), ("phone",) * 25, ("",)])
def test_columns_are_names_and_few(people: People, columns: tuple[str, ...]) -> None:
    with pytest.raises(BadInput):
        save(people, "Colunas", columns=columns)


def test_a_team_has_only_so_many_views(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST_VIEWS", 1)
    save(people, "Primeira")
    with pytest.raises(BadInput) as told:
        save(people, "Segunda")
    assert told.value.key == "too_many_views"


def test_a_filter_that_cannot_be_read_never_becomes_a_wider_one(people: People) -> None:
    """As after going back to an older Prumo, which does not know all that a newer one asks for."""
    made = save(people, "Do futuro")
    save(people, "De hoje")
    with people.runtime.work() as work:
        work.session.execute(
            text('update lead_views set filter = \'{"mood": "sunny"}\' where id = :id'), {"id": made.id}
        )
    assert listed(people) == ["De hoje"]
    with people.runtime.work() as work, pytest.raises(BadInput):
        views.view(work, people["Vic"], made.id)


def test_it_is_written_down_who_did_it(people: People) -> None:
    made = save(people, "Dentistas SP")
    with people.runtime.work() as work:
        views.rename_view(work, people["Bea"], made.id, "Dentistas")
        views.delete_view(work, people["Bea"], made.id)
    with people.runtime.work() as work:
        entries = work.session.scalars(select(AuditEntry).where(AuditEntry.team_id == people.team_id))
        told = [(entry.action, entry.details) for entry in entries]
    assert told == [
        ("view.saved", {"name": "Dentistas SP"}),
        ("view.renamed", {"before": "Dentistas SP", "name": "Dentistas"}),
        ("view.deleted", {"name": "Dentistas"}),
    ]
