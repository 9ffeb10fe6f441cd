"""Where small rounds take place: the run's PostgreSQL, a Valkey of each round's own, and a nursery for all of them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.storms import round as rounds
from bench.storms.processes import Nursery
from bench.storms.round import Outcome, Story, Surroundings
from bench.storms.servers import postgres_of_our_own, valkey_of_our_own
from local.account import server_account
from tests.databases import Databases

Told = tuple[Story, int, Mapping[str, str]]  # a story, for how many people, and what its processes are told besides


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery("tests.chaos.broken_senders") as nursery:
        yield nursery


@pytest.fixture
def at_once(nursery: Nursery, databases: Databases) -> Iterator[Callable[[Mapping[str, Told]], dict[str, Outcome]]]:
    """Tells several rounds side by side, since they wait most of their time; what became of each, by its name."""
    # Below /tmp, since the path of a socket is short by law; passable for the account of the servers.
    folder = Path(tempfile.mkdtemp(prefix="prumo-", dir="/tmp"))
    folder.chmod(0o711)

    account = server_account(os.environ)

    def tell(stories: Mapping[str, Told]) -> dict[str, Outcome]:
        with ExitStack() as stack, ThreadPoolExecutor(len(stories)) as threads:
            told = []
            for name, (story, contacts, extra) in stories.items():
                here = folder / name
                valkey, redis_url = stack.enter_context(valkey_of_our_own(here, os.environ, account))
                its_own = None
                if story.has_own_postgres:
                    its_own = stack.enter_context(postgres_of_our_own(here / "pg", os.environ, account))
                    url = stack.enter_context(its_own.database())
                else:
                    taken = databases.take()
                    stack.callback(databases.give_back, taken)
                    url = taken.url
                around = Surroundings(nursery, here, url, redis_url, valkey, its_own, dict(extra))
                told.append((name, threads.submit(rounds.run, story, around, contacts, 1)))
            return {name: outcome.result() for name, outcome in told}

    yield tell
    shutil.rmtree(folder, ignore_errors=True)
