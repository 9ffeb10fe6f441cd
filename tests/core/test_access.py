"""Every service function, tried as a viewer and as a stranger.  A function without a case fails."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import core
from core.accounts import service as accounts
from core.errors import NotAllowed, NotFound, Refused, WorldTrouble
from tests.core.access import CANARY, Case, Needs, Stranger
from tests.people import People

# These open the doors and so cannot have an Actor yet.
DOORS = {
    accounts.installation_is_new,
    accounts.create_first_administrator,
    accounts.sign_in,
    accounts.sign_out,
    accounts.actor_of,
    accounts.invite_of,
    accounts.accept_invite,
}


# What has outgrown the one file of its feature.
BESIDE = (
    "core.campaigns.changing",
    "core.campaigns.exporting",
    "core.campaigns.media",
    "core.campaigns.telling",
    "core.campaigns.templates",
    "core.campaigns.trying",
    "core.leads.pasting",
    "core.leads.tags",
    "core.leads.views",
    "core.replies.trying",
)


def service_modules() -> Iterator[str]:
    yield from BESIDE
    for package in pkgutil.iter_modules(core.__path__):
        if package.ispkg and (Path(core.__path__[0]) / package.name / "service.py").exists():
            yield f"core.{package.name}.service"


def service_functions() -> list[Callable[..., Any]]:
    found = []
    for name in service_modules():
        module = importlib.import_module(name)
        found += [
            f
            for n, f in inspect.getmembers(module, inspect.isfunction)
            if f.__module__ == name and not n.startswith("_") and (name not in BESIDE or _asks_who(f))
        ]
    return found


def _asks_who(function: Callable[..., Any]) -> bool:
    """Such a module may hold rules beside its verbs, which take no Work."""
    return "work" in inspect.signature(function).parameters


def cases() -> list[Case]:
    found: list[Case] = []
    for path in sorted(Path(__file__).parent.glob("*/access_cases.py")):
        found += importlib.import_module(f"tests.core.{path.parent.name}.access_cases").CASES
    return found


def name_of(case: Case) -> str:
    return f"{case.function.__module__.split('.')[1]}.{case.function.__name__}"


def test_every_service_function_has_a_case() -> None:
    covered = {case.function for case in cases()} | DOORS
    missing = [f"{f.__module__}.{f.__name__}" for f in service_functions() if f not in covered]
    assert missing == []


def test_every_service_function_takes_the_work_and_then_the_actor() -> None:
    for function in service_functions():
        names = list(inspect.signature(function).parameters)
        assert names[0] == "work", function
        if function not in DOORS:
            assert names[1] == "actor", function


def test_the_people_of_our_stories_are_who_their_cookies_say(people: People) -> None:
    with people.runtime.work() as work:
        assert people.actors == {name: accounts.actor_of(work, token) for name, token in people.token.items()}


@pytest.mark.parametrize("case", cases(), ids=name_of)
def test_who_may_call(case: Case, people: People) -> None:
    args, kwargs = case.arguments(people)

    def call(name: str) -> Any:
        with people.runtime.work() as work:
            return case.function(work, people[name], *args, **kwargs)

    may_look = case.needs is Needs.VIEWER
    if may_look:
        call("Vic")
    else:
        with pytest.raises(NotAllowed):
            call("Vic")
    if case.needs in (Needs.OWNER, Needs.ADMIN):
        with pytest.raises(NotAllowed):
            call("Bea")

    if case.needs is Needs.ADMIN:
        with pytest.raises(NotAllowed):
            call("Carlos")
    elif case.stranger is Stranger.NOT_FOUND:
        with pytest.raises(NotFound):
            call("Carlos")
    else:
        try:
            answer = call("Carlos")
        except (Refused, WorldTrouble) as refused:
            assert not isinstance(refused, NotAllowed), "an owner is refused in their own team"
            answer = refused
        assert CANARY not in repr(answer)

    try:  # whoever may, can: anything but NotAllowed and NotFound is the function's own business here
        call("Ana")
    except (NotAllowed, NotFound) as refused:
        pytest.fail(f"Ana was refused: {refused!r}")
    except (Refused, WorldTrouble):
        pass
