"""Guessing at the doors: no way of knocking is quicker than waiting one's turn."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from core.accounts import service as accounts
from core.accounts.rules import Role
from core.runtime import Runtime
from tests.people import People, email_of
from tests.ui.conftest import Web


async def test_guesses_sent_all_at_once_are_slowed_down_like_one_after_the_other(web: Web) -> None:
    browser = web.stranger()
    guesses = [
        browser.post("/sign-in", data={"email": email_of("Ana"), "password": f"a guess, number {n}"}) for n in range(40)
    ]
    answers = Counter(answer.status_code for answer in await asyncio.gather(*guesses))
    assert set(answers) == {422, 429} and answers[422] <= 10, answers


async def test_an_invite_is_no_way_around_the_waiting_at_sign_in(web: Web, people: People, runtime: Runtime) -> None:
    with runtime.work() as work:
        token = accounts.create_invite(work, people["Ana"], email=email_of("Carlos"), role=Role.VIEWER)
    browser = web.stranger()
    answers = [
        (await browser.post(f"/invite/{token}", data={"password": f"a guess, number {n}"})).status_code
        for n in range(8)
    ]
    assert answers[:5] == [422] * 5 and 429 in answers[5:], answers


BOUNDED = "multipart/form-data; boundary=x"
ODD_FORMS: dict[str, tuple[str, bytes]] = {
    "no type": ("", b"email=a"),
    "JSON": ("application/json", b"{}"),
    "XML": ("text/xml", b"<a/>"),
    "a form's name, and more": ("application/x-www-form-urlencoded-not", b"email=a"),
    "no boundary": ("multipart/form-data", b"--x\r\n"),
    "a boundary that never comes": (BOUNDED, b"email=a"),
    "a part without a header": (BOUNDED, b"--x\r\n\r\nv\r\n--x--"),
    "a part without a name": (BOUNDED, b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--"),
    "a header of one letter": (BOUNDED, b"--x\r\n:\r\n\r\nv\r\n--x--"),
    "a file": (BOUNDED, b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nv\r\n--x--'),
    "many fields": ("application/x-www-form-urlencoded", b"a=1&" * 1000),
    "many parts": (BOUNDED, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nv\r\n' * 50 + b"--x--"),
    "a boundary of odd letters": ("multipart/form-data; boundary=\u00e9\u00ff", b"--x--"),
    "a boundary of a thousand letters": ("multipart/form-data; boundary=" + "x" * 1000, b"--x--"),
}


@pytest.mark.parametrize("path", ["/sign-in", "/welcome", "/invite/{token}", "/password"])
async def test_what_is_no_form_gets_our_page_in_the_language_of_who_sent_it(
    web: Web, people: People, runtime: Runtime, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with runtime.work() as work:
        token = accounts.create_invite(work, people["Ana"], email="diego@prumo.example", role=Role.VIEWER)
    browser = web.stranger(sid=people.token["Bea"])
    for name, (kind, body) in ODD_FORMS.items():
        headers = {"content-type": kind.encode("latin-1"), "accept-language": "en"} if kind else {}
        answer = await browser.post(path.format(token=token), content=body, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 400 and answer.headers["content-type"].startswith("text/html"), (name, answer.text)
        speaks_english = kind and path != "/password"  # behind which one is signed in, and Bea's is Portuguese
        told = "This form could not be read" if speaks_english else "Não foi possível ler este formulário"
        assert told in answer.text and "detail" not in answer.text, name
    assert not [record for record in caplog.records if record.exc_info]
