"""The schema can be made from nothing, taken down and made again, and is what the tables say."""

from __future__ import annotations

from pathlib import Path

import alembic
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.pool import NullPool

from core.tables import Base


def config_for(url: str) -> Config:
    config = Config("alembic.ini")
    config.attributes["url"] = url
    return config


def tables_of(url: str) -> set[str]:
    engine = create_engine(url, poolclass=NullPool)
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_the_migrated_schema_is_what_the_tables_say(database: str) -> None:
    command.check(config_for(database))
    assert tables_of(database) == set(Base.metadata.tables)


def test_everything_goes_down_and_up_again(database: str) -> None:
    command.downgrade(config_for(database), "base")
    assert tables_of(database) == set()
    with create_engine(database, poolclass=NullPool).connect() as connection:
        assert connection.execute(text("select proname from pg_proc where proname like 'count\\_re%'")).all() == []
    command.upgrade(config_for(database), "head")
    command.check(config_for(database))


def test_our_folder_does_not_hide_the_library() -> None:
    assert "site-packages" in (alembic.__file__ or "")
    assert not Path("alembic/__init__.py").exists()
