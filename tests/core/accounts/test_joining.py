"""The first administrator, and everybody after by invite."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from core.accounts import service
from core.accounts.rules import Role, clean_email, clean_name
from core.errors import BadInput, BadInputs, NotAllowed, NotFound, StateChanged, WrongCredentials
from core.runtime import Runtime
from core.tables import AuditEntry, Membership, User
from tests.people import PASSWORD, People, email_of

FIRST = {
    "name": "Ana",
    "email": "ana@prumo.example",
    "password": "a long password",
    "team_name": "Clínica",
    "language": "en",
}


def test_the_first_visit_makes_an_administrator_who_owns_a_team(runtime: Runtime) -> None:
    with runtime.work() as work:
        assert service.installation_is_new(work)
        opened = service.create_first_administrator(work, **FIRST, ip="10.0.0.1")
    with runtime.work() as work:
        assert not service.installation_is_new(work)
        ana = service.actor_of(work, opened.token)
    assert (ana.is_admin, ana.role, ana.team_name, ana.language) == (True, Role.OWNER, "Clínica", "en")


def test_fifty_first_visits_at_once_make_one_administrator(runtime: Runtime) -> None:
    outcomes: list[str] = []

    def visit(n: int) -> None:
        try:
            with runtime.work() as work:
                service.create_first_administrator(work, **(FIRST | {"email": f"ana{n}@prumo.example"}))
            outcomes.append("made")
        except StateChanged:
            outcomes.append("late")

    threads = [threading.Thread(target=visit, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("made") == 1
    assert len(outcomes) == 50
    with runtime.work() as work:
        assert work.session.query(User).count() == 1


def test_every_wrong_field_is_told_at_once(runtime: Runtime) -> None:
    with pytest.raises(BadInputs) as told, runtime.work() as work:
        service.create_first_administrator(work, name=" ", email="a@b", password="short", team_name="\x00")
    assert [(bad.field, bad.key) for bad in told.value.inputs] == [
        ("name", "required"),
        ("email", "not_an_email"),
        ("password", "password_too_short"),
        ("team_name", "unstorable_characters"),
    ]
    with runtime.work() as work:
        assert service.installation_is_new(work), "nothing is half stored"


def invite(people: People, email: str = "dora@prumo.example", role: Role = Role.MEMBER) -> str:
    with people.runtime.work() as work:
        return service.create_invite(work, people["Ana"], email=email, role=role)


def accept(people: People, token: str, name: str = "Dora", password: str = "a long password") -> str:
    with people.runtime.work() as work:
        return service.accept_invite(work, token=token, name=name, password=password).token


def test_dora_joins_by_invite_with_the_role_it_names(people: People) -> None:
    token = invite(people, role=Role.VIEWER)
    with people.runtime.work() as work:
        card = service.invite_of(work, token)
    assert (card.email, card.role, card.team_name, card.invited_by, card.is_open, card.has_account) == (
        "dora@prumo.example",
        Role.VIEWER,
        "Clínica do Prumo",
        "Ana",
        True,
        False,
    )
    with people.runtime.work() as work:
        dora = service.actor_of(work, accept(people, token))
    assert (dora.name, dora.role, dora.is_admin, dora.team_id) == ("Dora", Role.VIEWER, False, people.team_id)


def test_an_invite_works_once(people: People) -> None:
    token = invite(people)
    accept(people, token)
    with pytest.raises((StateChanged, WrongCredentials)):
        accept(people, token, password="another long one")
    with pytest.raises(StateChanged):
        accept(people, token)


@pytest.mark.parametrize("change", ["expires_at = now()", "revoked_at = now()"])
def test_a_closed_invite_says_so(people: People, change: str) -> None:
    token = invite(people)
    with people.runtime.work() as work:
        work.session.execute(text(f"update invites set {change}"))
    with people.runtime.work() as work:
        assert not service.invite_of(work, token).is_open
    with pytest.raises(StateChanged):
        accept(people, token)
    with people.runtime.work() as work:
        assert work.session.query(User).filter_by(email="dora@prumo.example").count() == 0


def test_a_second_invite_withdraws_the_first(people: People) -> None:
    first, second = invite(people), invite(people)
    with pytest.raises(StateChanged):
        accept(people, first)
    accept(people, second)


@pytest.mark.parametrize("token", ["", "made up", "x" * 100_000])
def test_a_made_up_link_is_not_found(people: People, token: str) -> None:
    with pytest.raises(NotFound), people.runtime.work() as work:
        service.invite_of(work, token)


def test_somebody_with_an_account_joins_with_their_own_password(people: People) -> None:
    token = invite(people, email=email_of("Carlos"))
    with pytest.raises(WrongCredentials):
        accept(people, token, password="not his password")
    with people.runtime.work() as work:
        carlos = service.actor_of(work, accept(people, token, password=PASSWORD))
    assert (carlos.team_id, carlos.role) == (people.team_id, Role.MEMBER)
    with people.runtime.work() as work:
        assert {t.name for t in service.my_teams(work, people["Carlos"])} == {"Clínica do Prumo", "Outra Equipe"}
        service.switch_team(work, people["Carlos"], people.team_id)
    with people.runtime.work() as work:
        assert service.actor_of(work, people.token["Carlos"]).team_id == people.team_id


def test_who_is_in_the_team_already_is_not_invited_again(people: People) -> None:
    with pytest.raises(BadInput) as told:
        invite(people, email="BEA@prumo.example")
    assert told.value.key == "already_in_the_team"


def test_a_new_role_holds_on_the_next_call(people: People) -> None:
    with people.runtime.work() as work:
        service.set_role(work, people["Ana"], people["Bea"].user_id, "viewer")
    with people.runtime.work() as work:
        bea = service.actor_of(work, people.token["Bea"])
        with pytest.raises(NotAllowed):
            bea.require(Role.MEMBER)
        assert work.session.query(AuditEntry).filter_by(action="role.changed").count() == 1


def test_a_team_keeps_an_owner(people: People) -> None:
    ana = people["Ana"]
    for leave in (
        lambda w: service.set_role(w, ana, ana.user_id, Role.MEMBER),
        lambda w: service.remove_person(w, ana, ana.user_id),
    ):
        with pytest.raises(StateChanged) as told, people.runtime.work() as work:
            leave(work)
        assert told.value.now == "last_owner"
    with people.runtime.work() as work:
        service.set_role(work, ana, people["Bea"].user_id, Role.OWNER)
        service.set_role(work, ana, ana.user_id, Role.MEMBER)


def test_who_is_removed_is_out_of_this_team_at_once(people: People) -> None:
    with people.runtime.work() as work:
        service.remove_person(work, people["Ana"], people["Bea"].user_id)
    with people.runtime.work() as work:
        assert work.session.get(Membership, (people.team_id, people["Bea"].user_id)) is None
    from core.errors import SignedOut

    with pytest.raises(SignedOut), people.runtime.work() as work:
        service.actor_of(work, people.token["Bea"])


@pytest.mark.parametrize(
    "email",
    ["", " ", "a@b", "a b@c.com", '"a b"@c.com', "a@b..com", "@c.com", "a@", "a@-c.com", "a@c.com.",
     "x" * 255 + "@c.com", "a@c.com\x00", "a\n@c.com", "a@c.com,b@c.com", "a" * 1_000_000],
)  # fmt: skip
def test_what_is_no_email(email: str) -> None:
    with pytest.raises(BadInput) as told:
        clean_email(email)
    assert told.value.field == "email"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" A@B.COM ", "a@b.com"),
        ("ana+leads@prumo.example", "ana+leads@prumo.example"),
        ("ana@açaí.example", "ana@açaí.example"),
    ],
)
def test_an_email_is_kept_in_lower_case(typed: str, kept: str) -> None:
    assert clean_email(typed) == kept


@pytest.mark.parametrize(
    "name", ["", " ", "\u00a0\u00a0", "\u200b" * 200, "\t\n", "x" * 121, "a\0b", "a\ud800", "a" + "\u0301" * 500]
)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(BadInput):
        clean_name("name", name)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ana  ", "Ana"),
        ("Sa\u0303o", "São"),
        ("\u202egpj.exe", "gpj.exe"),
        ("𠮷野家", "𠮷野家"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("'; DROP TABLE leads;--", "'; DROP TABLE leads;--"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
    ],
)
def test_a_name_is_kept_as_typed(typed: str, kept: str) -> None:
    assert clean_name("name", typed) == kept
