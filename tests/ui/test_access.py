"""The doors: the first visit, signing in and out, invites.  Plain forms, as a browser without JavaScript sends them."""

from __future__ import annotations

import httpx
import pytest

from core.accounts import service as accounts
from core.accounts.rules import Role
from core.runtime import Runtime
from tests.people import PASSWORD, People, email_of
from tests.ui.conftest import ADDRESS, Web

FIRST = {
    "team_name": "Agenda Leve",
    "name": "Marina Prado",
    "email": "marina@agendaleve.example",
    "password": "um prumo na parede",
    "language": "pt-BR",
}


async def test_the_first_visit_creates_the_administrator_and_goes_in(empty_web: Web) -> None:
    browser = empty_web.stranger()
    assert (await browser.get("/")).headers["location"] == "/welcome"
    assert "Vamos começar" in (await browser.get("/welcome")).text
    answer = await browser.post("/welcome", data=FIRST)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Marina" in (await browser.get("/")).text


async def test_after_the_first_visit_there_is_no_second(web: Web) -> None:
    browser = web.stranger()
    assert (await browser.get("/welcome")).headers["location"] == "/sign-in"
    answer = await browser.post("/welcome", data=FIRST)
    assert answer.headers["location"] == "/sign-in"
    assert "set-cookie" not in answer.headers


async def test_what_was_typed_stays_and_every_wrong_field_says_why(empty_web: Web) -> None:
    answer = await empty_web.stranger().post(
        "/welcome", data={**FIRST, "email": "marina@agendaleve", "password": "curta"}
    )
    assert answer.status_code == 422
    assert "Isto não é um e-mail" in answer.text
    assert "Pelo menos 10 caracteres." in answer.text
    assert 'value="Marina Prado"' in answer.text
    assert "curta" not in answer.text


async def test_the_door_speaks_the_language_of_the_browser_or_the_one_chosen(web: Web) -> None:
    browser = web.stranger()
    assert '<html lang="pt-BR">' in (await browser.get("/sign-in")).text
    assert '<html lang="en">' in (await browser.get("/sign-in", headers={"accept-language": "en-US"})).text
    chosen = await browser.get("/sign-in?lang=en&next=/leads")
    assert "Good to have you back." in chosen.text
    assert 'href="/sign-in?lang=pt-BR&amp;next=%2Fleads"' in chosen.text
    assert '<html lang="en">' in (await browser.get("/sign-in")).text


async def test_bea_signs_in_and_comes_to_the_page_she_wanted(web: Web) -> None:
    browser = web.stranger()
    wanted = await browser.get("/team?tab=people")
    assert wanted.headers["location"] == "/sign-in?next=/team%3Ftab%3Dpeople"
    form = {"email": "BEA@prumo.example ", "password": PASSWORD, "next": "/team?tab=people"}
    answer = await browser.post("/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/team?tab=people")
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("sid=") and "httponly" in cookie and "samesite=lax" in cookie and "path=/" in cookie
    assert "expires" not in cookie, "without the tick the session goes with the browser"


async def test_the_tick_keeps_the_session_on_this_computer(web: Web) -> None:
    form = {"email": email_of("Bea"), "password": PASSWORD, "keep": "1"}
    answer = await web.stranger().post("/sign-in", data=form)
    assert "expires=" in answer.headers["set-cookie"].lower()


async def test_a_wrong_sign_in_never_says_which_part_was_wrong(web: Web) -> None:
    for email in (email_of("Bea"), "nobody@prumo.example", "x" * 5000, "não é um e-mail", "a\x00b@c.de"):
        answer = await web.stranger().post("/sign-in", data={"email": email, "password": "not the right one"})
        assert answer.status_code == 422
        assert "E-mail ou senha não confere." in answer.text
        assert "set-cookie" not in answer.headers


async def test_guessing_is_slowed_down_and_says_how_long(web: Web) -> None:
    browser = web.stranger()
    answers = [
        await browser.post("/sign-in", data={"email": email_of("Bea"), "password": f"guess number {n}"})
        for n in range(8)
    ]
    assert answers[0].status_code == 422
    assert answers[-1].status_code == 429
    assert "Muitas tentativas" in answers[-1].text
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_guessing_at_a_new_passwords_door_is_slowed_down_too(web: Web, people: People) -> None:
    browser = web.stranger(sid=people.token["Bea"])
    answers = [
        await browser.post("/password", data={"old": f"guess number {n}", "password": "quite another long one"})
        for n in range(7)
    ]
    assert "Esta não é a sua senha." in answers[0].text
    assert answers[-1].status_code == 429 and "Muitas tentativas" in answers[-1].text


async def test_an_empty_form_asks_for_both_fields(web: Web) -> None:
    answer = await web.stranger().post("/sign-in", data={"email": "", "password": ""})
    assert answer.text.count("Preencha este campo.") == 2


async def test_a_new_sign_in_ends_the_session_before(web: Web, people: People, runtime: Runtime) -> None:
    browser = web.stranger(sid=people.token["Bea"])
    answer = await browser.post("/sign-in", data={"email": email_of("Bea"), "password": PASSWORD})
    assert people.token["Bea"] not in answer.headers["set-cookie"]
    assert (await web.stranger(sid=people.token["Bea"]).get("/")).status_code == 303


async def test_signing_in_never_leads_out_of_the_house(web: Web) -> None:
    elsewhere = (
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/sign-in",
        "/a\nb",
        "x",
    )
    for onward in elsewhere:
        form = {"email": email_of("Bea"), "password": PASSWORD, "next": onward}
        assert (await web.stranger().post("/sign-in", data=form)).headers["location"] == "/", onward


async def test_a_form_of_another_site_is_refused(web: Web) -> None:
    form = {"email": email_of("Bea"), "password": PASSWORD}
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"origin": ADDRESS + ".evil.example"}):
        answer = await web.stranger().post("/sign-in", data=form, headers=headers)
        assert answer.status_code == 403, headers
    bare = httpx.AsyncClient(transport=web.stranger()._transport, base_url=ADDRESS)
    assert (await bare.post("/sign-in", data=form)).status_code == 403
    assert (await bare.post("/sign-in", data=form, headers={"sec-fetch-site": "same-origin"})).status_code == 303


async def test_only_a_form_of_reasonable_size_is_read(web: Web) -> None:
    browser = web.stranger()
    assert (await browser.post("/sign-in", json={"email": email_of("Bea")})).status_code == 400
    assert (await browser.post("/sign-in", data={"password": "x" * 100_000})).status_code == 413

    async def without_a_length() -> object:
        for _ in range(20):
            yield b"password=" + b"x" * 10_000

    answer = await browser.post(
        "/sign-in",
        content=without_a_length(),  # type: ignore[arg-type]
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413


async def test_who_is_signed_in_need_not_sign_in_again(web: Web, people: People) -> None:
    browser = web.stranger(sid=people.token["Bea"])
    assert (await browser.get("/sign-in?next=/team")).headers["location"] == "/team"


async def test_a_dead_cookie_is_taken_away(web: Web) -> None:
    answer = await web.stranger(sid="long-gone").get("/sign-in")
    assert answer.status_code == 200
    assert 'sid=""' in answer.headers["set-cookie"]


async def test_a_signed_out_cookie_opens_nothing(web: Web, people: People, runtime: Runtime) -> None:
    browser = web.stranger(sid=people.token["Bea"])
    assert (await browser.get("/")).status_code == 200
    with runtime.work() as work:
        accounts.sign_out(work, people.token["Bea"])
    assert (await browser.get("/")).status_code == 303


async def test_the_doors_load_nothing_from_elsewhere_and_run_nothing_inline(web: Web) -> None:
    answer = await web.stranger().get("/sign-in")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "<style" not in answer.text and "style=" not in answer.text and "onclick" not in answer.text
    assert "://" not in answer.text.replace("http://www.w3.org", "")


# ---------------------------------------------------------------- invites


@pytest.fixture
def invite(people: People, runtime: Runtime) -> str:
    with runtime.work() as work:
        return accounts.create_invite(work, people["Ana"], email="diego@prumo.example", role=Role.MEMBER)


async def test_an_invite_says_who_invites_where_to_and_what_one_may_do(web: Web, invite: str) -> None:
    answer = await web.stranger().get(f"/invite/{invite}")
    assert "Ana convidou você" in answer.text
    assert "Você vai entrar em <b>Clínica do Prumo</b> como <b>Vendas</b>: busca leads" in answer.text
    assert 'value="diego@prumo.example"' in answer.text


async def test_the_invited_person_joins_once(web: Web, invite: str) -> None:
    browser = web.stranger()
    form = {"name": "Diego Lima", "password": "outro prumo na parede", "role": "owner", "email": "chefe@prumo.example"}
    answer = await browser.post(f"/invite/{invite}", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Diego" in (await browser.get("/")).text
    again = await web.stranger().get(f"/invite/{invite}")
    assert again.status_code == 410
    assert "Peça outro a Ana." in again.text


async def test_a_weak_password_is_told_by_the_field_and_the_invite_stays(web: Web, invite: str) -> None:
    answer = await web.stranger().post(f"/invite/{invite}", data={"name": "Diego", "password": "curta"})
    assert answer.status_code == 422
    assert "Pelo menos 10 caracteres." in answer.text
    assert 'value="Diego"' in answer.text
    assert (await web.stranger().get(f"/invite/{invite}")).status_code == 200


async def test_who_has_an_account_joins_with_their_own_password(web: Web, people: People, runtime: Runtime) -> None:
    with runtime.work() as work:
        token = accounts.create_invite(work, people["Ana"], email=email_of("Carlos"), role=Role.VIEWER)
    assert "Sua senha" in (await web.stranger().get(f"/invite/{token}")).text
    wrong = await web.stranger().post(f"/invite/{token}", data={"password": "not the right one"})
    assert "E-mail ou senha não confere." in wrong.text
    right = await web.stranger().post(f"/invite/{token}", data={"password": PASSWORD})
    assert right.status_code == 303


async def test_an_unknown_invite_says_so(web: Web) -> None:
    for token in ("x", "x" * 5000, "<script>alert(1)</script>", "%00"):
        answer = await web.stranger().get(f"/invite/{token}")
        assert answer.status_code == 404
        assert "<script>alert" not in answer.text


async def test_ana_changes_her_password_and_every_other_device_is_out(
    web: Web, people: People, runtime: Runtime
) -> None:
    old = people.token["Ana"]
    browser = web.stranger(sid=old)
    assert "Trocar a senha" in (await browser.get("/password")).text
    wrong = await browser.post("/password", data={"old": "not hers at all", "password": "uma outra bem longa"})
    assert wrong.status_code == 422
    assert "Esta não é a sua senha" in wrong.text
    weak = await browser.post("/password", data={"old": PASSWORD, "password": "curta"})
    assert "Pelo menos 10 caracteres." in weak.text
    done = await browser.post("/password", data={"old": PASSWORD, "password": "uma outra bem longa"})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert (await browser.get("/")).status_code == 200, "she stays signed in, with a new cookie"
    assert "/sign-in" in (await web.stranger(sid=old).get("/")).headers["location"]


async def test_a_stranger_has_no_password_to_change(web: Web) -> None:
    assert "/sign-in" in (await web.stranger().get("/password")).headers["location"]
    answer = await web.stranger().post("/password", data={"old": PASSWORD, "password": "uma outra bem longa"})
    assert answer.status_code in (303, 401, 403)
