"""docker-compose.yml, as a careful administrator reads it before the first start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parent.parent
TEXT = (CHECKOUT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
ENV_EXAMPLE = (CHECKOUT / ".env.example").read_text()
OURS = ("web", "receiver", "scraper", "sender", "enricher", "timetable")
# They do their work and end.
ONE_SHOT = ("migrate", "evolution-database")
# Its leader holds a lock of the database; there is nothing to ask a follower.
WITHOUT_A_PULSE = ("timetable",)
SECRET = re.compile(r"PASSWORD|_KEY$|SECRET|TOKEN|AUTH$")
# They sound like one.
NO_SECRET = ("CACHE_REDIS_PREFIX_KEY",)


def environment(service: str) -> dict[str, str]:
    return SERVICES[service].get("environment", {})


def test_every_process_of_the_product_and_what_it_stands_on_is_there() -> None:
    assert {*OURS, *ONE_SHOT, "postgres", "redis", "evolution"} == set(SERVICES)
    assert SERVICES["postgres"]["image"] == "postgres:15"
    assert SERVICES["redis"]["image"] == "redis:7"
    assert SERVICES["evolution"]["image"] == "evoapicloud/evolution-api:v2.3.7"


WANTED_BY_SOME = ("PRUMO_PLACES_API_KEY",)  # a secret of those who have one


def test_no_secret_is_in_the_file() -> None:
    for name in SERVICES:
        for setting, value in environment(name).items():
            if SECRET.search(setting) and setting not in NO_SECRET:
                assert str(value).startswith("${"), f"{name}: {setting} is written in the file"
            for password in re.findall(r"://[^:/@]*:(.*)@", str(value)):
                assert re.fullmatch(r"\$\{[A-Z_]+:\?.*\}", password), f"{name}: {setting} carries a password"


def test_a_missing_secret_stops_the_start_and_names_itself() -> None:
    for setting, default in re.findall(r"\$\{([A-Z_]+)([^}]*)\}", TEXT):
        if setting in WANTED_BY_SOME:
            assert default == ":-", f"{setting} is empty unless it is given"
        elif SECRET.search(setting):
            assert default.startswith(f":?set {setting} in .env"), f"{setting} has a default, or says nothing"


def test_every_setting_that_is_used_is_in_the_example() -> None:
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", TEXT))
    used |= {name for service in OURS for name in environment(service)}
    named = set(re.findall(r"^#?([A-Z_]+)=", ENV_EXAMPLE, re.MULTILINE))
    assert used <= named, f"not in .env.example: {used - named}"


def test_the_example_holds_no_secret() -> None:
    for setting, value in re.findall(r"^([A-Z_]+)=(.*)$", ENV_EXAMPLE, re.MULTILINE):
        if SECRET.search(setting):
            assert value == "", f"{setting} has a value in .env.example"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(ONE_SHOT) - set(WITHOUT_A_PULSE)))
def test_whoever_goes_on_says_how_it_is(name: str) -> None:
    assert SERVICES[name]["healthcheck"].get("test"), f"{name} has no health check"


@pytest.mark.parametrize("name", OURS)
def test_nothing_of_ours_starts_before_the_tables_are_there(name: str) -> None:
    assert SERVICES[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert SERVICES["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


@pytest.mark.parametrize("name", [*OURS, "migrate"])
def test_ours_hold_no_rights_that_they_do_not_need(name: str) -> None:
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in SERVICES[name]["security_opt"]


def test_only_the_web_page_can_be_reached_from_outside() -> None:
    assert [name for name in SERVICES if "ports" in SERVICES[name]] == ["web"]
    for name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]
    for name in ("receiver", "sender", "timetable"):  # who ask Meta of official numbers
        assert SERVICES[name]["networks"] == ["inside", "outside"]
    assert yaml.safe_load(TEXT)["networks"]["inside"] == {"internal": True}


def test_the_gateway_tells_nobody_and_keeps_what_a_doubtful_message_is_looked_up_in() -> None:
    told = environment("evolution")
    assert told["TELEMETRY_ENABLED"] == "false"
    assert told["AUTHENTICATION_EXPOSE_IN_FETCH_INSTANCES"] == "false"
    for kept in ("INSTANCE", "NEW_MESSAGE"):
        assert told[f"DATABASE_SAVE_DATA_{kept}"] == "true"
    assert told["DATABASE_SAVE_MESSAGE_UPDATE"] == "true"
    assert "/evolution" in told["DATABASE_CONNECTION_URI"]
    assert told["CACHE_REDIS_URI"].endswith("/6")
    assert environment("web")["REDIS_URL"].endswith("/0")


def test_a_sender_is_given_the_time_that_a_message_may_take() -> None:
    assert int(SERVICES["sender"]["stop_grace_period"].removesuffix("s")) > 100


def test_the_scraper_reaps_what_its_browser_leaves() -> None:
    assert SERVICES["scraper"]["init"] is True
    assert SERVICES["scraper"]["shm_size"]
