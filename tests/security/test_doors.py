"""Guessing at the doors: no way of knocking is quicker than waiting one's turn."""

from __future__ import annotations

import asyncio
from collections import Counter

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
    assert set(answers) == {422, 429} and answers[422] <= 15, answers


async def test_an_invite_is_no_way_around_the_waiting_at_sign_in(web: Web, people: People, runtime: Runtime) -> None:
    with runtime.work() as work:
        token = accounts.create_invite(work, people["Ana"], email=email_of("Carlos"), role=Role.VIEWER)
    browser = web.stranger()
    answers = [
        (await browser.post(f"/invite/{token}", data={"password": f"a guess, number {n}"})).status_code
        for n in range(8)
    ]
    assert answers[:5] == [422] * 5 and 429 in answers[5:], answers
