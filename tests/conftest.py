"""One PostgreSQL and one Valkey per run; a database per test from a template.

DATABASE_URL and REDIS_URL name the servers (`./run test` starts them).  Each pytest process migrates a template once
and gives every test that asks for `runtime` a copy of it, or one that the test before left empty (tests/databases.py).
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import hypothesis
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from core.runtime import Runtime
from core.settings import Settings, with_driver
from tests.databases import Database, Databases
from tests.people import People, gather

# How long one example takes says something of the machine, nothing of the product.  By day the same examples are told
# as yesterday, so that what is red was made so by a change; `HYPOTHESIS_PROFILE=nightly` looks for new ones.
hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.register_profile("nightly", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))
SECRET = "a secret for tests only, long enough to be one"


@pytest.fixture(scope="session")
def server() -> Engine:
    """The maintenance database of the run's PostgreSQL, each statement on its own."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        pytest.exit("DATABASE_URL is not set: run the tests with ./run test", returncode=2)
    return create_engine(with_driver(url), isolation_level="AUTOCOMMIT", poolclass=NullPool)


@pytest.fixture(scope="session")
def template(server: Engine) -> Iterator[str]:
    """A migrated database to copy; one per pytest process."""
    name = f"template_{uuid.uuid4().hex[:12]}"
    with server.connect() as connection:
        connection.execute(text(f"create database {name}"))
    config = Config("alembic.ini")
    config.attributes["url"] = server.url.set(database=name).render_as_string(hide_password=False)
    command.upgrade(config, "head")
    yield name
    with server.connect() as connection:
        connection.execute(text(f"drop database if exists {name} with (force)"))


@pytest.fixture(scope="session")
def databases(server: Engine, template: str) -> Iterator[Databases]:
    made = Databases(server, template)
    yield made
    made.close()


@pytest.fixture
def own_database(databases: Databases) -> Iterator[Database]:
    taken = databases.take()
    yield taken
    databases.give_back(taken)


@pytest.fixture
def database(own_database: Database) -> str:
    """The URL of an empty, migrated database."""
    return own_database.url


@pytest.fixture(scope="session")
def redis_url() -> str:
    """This pytest process's own numbered database, so that workers of xdist do not meet."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = make_url(os.environ["REDIS_URL"])
    number = int(worker) + 1
    if url.drivername == "unix":
        return f"{os.environ['REDIS_URL'].split('?')[0]}?db={number}"
    return url.set(database=str(number)).render_as_string(hide_password=False)


@pytest.fixture
def settings(database: str, redis_url: str) -> Settings:
    return Settings(database_url=database, redis_url=redis_url, secret_key=SECRET, gateway_simulated=True)


@pytest.fixture
def runtime(settings: Settings, own_database: Database) -> Iterator[Runtime]:
    """The real thing on a database of its own; the queue is the run's Valkey, emptied first."""
    made = Runtime(settings, pool_size=8)
    made.engine = own_database.engine
    made.queue.redis.flushdb()  # type: ignore[attr-defined]
    yield made
    del made.engine  # its connections are for the next test
    made.close()


@pytest.fixture
def people(runtime: Runtime) -> People:
    """Ana, Bea, Vic and Carlos, signed in."""
    return gather(runtime)


# They mostly wait, for processes to die and to come back: told first, beside the others who compute.
WAIT_LONG = ("tests/chaos/", "tests/workers/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(WAIT_LONG))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests had to say, and in one line that the real site's answers were not looked at without their folder."""
    ran = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for line in (value for report in ran for name, value in report.user_properties if name == "summary"):
        terminalreporter.write_line(str(line))
    skipped = [report for report in terminalreporter.getreports("skipped") if "captures" in report.keywords]
    if skipped:
        terminalreporter.write_line(f"captures: not here, skipped ({len(skipped)} tests want PRUMO_CAPTURES)")
