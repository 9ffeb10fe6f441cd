"""Anybody can write X-Forwarded headers: nobody is believed who was not named."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import uvicorn

from core.errors import BadSetting
from core.settings import Settings
from tests.people import People, email_of
from tests.ui.conftest import Web
from ui import forwarded

HERE = "127.0.0.1"


async def seen(settings: Settings, peer: str, told: str) -> str:
    """The address that our pages see."""
    found: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.append(scope["client"][0])

    config = uvicorn.Config(app, log_config=None, **forwarded.proxies(settings))
    config.load()
    scope = {"type": "http", "client": (peer, 1), "headers": [(b"x-forwarded-for", told.encode())]}
    await config.loaded_app(scope, None, None)  # type: ignore[arg-type]
    return found[0]


async def test_who_is_asking_is_told_by_named_proxies_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await seen(settings, HERE, "203.0.113.7") == HERE, "not even on this host"
    named = replace(settings, trusted_proxies=("10.1.0.0/16", "::1"))
    assert await seen(named, "10.1.2.3", "203.0.113.7") == "203.0.113.7"
    assert await seen(named, "10.1.2.3", "198.51.100.1, 203.0.113.7") == "203.0.113.7", "what the visitor wrote is left"
    assert await seen(named, HERE, "203.0.113.7") == HERE


@pytest.mark.parametrize("odd", ["*", "proxy.example", "10.0.0.0/99", "10.0.0.1 10.0.0.2", "10.0.0.1/8"])
def test_only_addresses_and_networks_are_named(odd: str) -> None:
    env = {"DATABASE_URL": "postgresql://x", "REDIS_URL": "redis://x", "PRUMO_SECRET_KEY": "s" * 32}
    assert Settings.from_environment(env).trusted_proxies == ()
    good = Settings.from_environment(env | {"FORWARDED_ALLOW_IPS": " 127.0.0.1, 10.0.0.0/8,::1,"})
    assert good.trusted_proxies == ("127.0.0.1", "10.0.0.0/8", "::1")
    with pytest.raises(BadSetting, match="FORWARDED_ALLOW_IPS"):
        Settings.from_environment(env | {"FORWARDED_ALLOW_IPS": odd})


@pytest.mark.parametrize("evil", ["//evil.example", "/evil"])
async def test_our_address_is_nobody_elses_to_tell(web: Web, people: People, evil: str) -> None:
    names = ("X-Forwarded-Prefix", "X-Forwarded-Host", "X-Forwarded-Server", "Forwarded")
    headers = dict.fromkeys(names, evil)
    stranger, ana = web.stranger(), web.stranger(sid=people.token["Ana"])
    assert (await stranger.get("/team", headers=headers)).headers["location"] == "/sign-in?next=/team"
    for browser, path in ((stranger, "/sign-in"), (ana, "/"), (ana, "/team"), (ana, "/nothing")):
        answer = await browser.get(path, headers=headers)
        assert "evil" not in answer.text and "evil" not in str(answer.headers), path


async def test_a_new_address_with_every_guess_is_still_one_guesser(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    browser = web.stranger()
    answers = Counter()
    for n in range(12):
        form = {"email": email_of("Ana"), "password": f"a guess, number {n}"}
        answer = await browser.post("/sign-in", data=form, headers={"x-forwarded-for": f"203.0.113.{n}"})
        answers[answer.status_code] += 1
    assert answers[429] >= 3, answers
    assert len([r for r in caplog.records if "FORWARDED_ALLOW_IPS" in r.getMessage()]) == 1
