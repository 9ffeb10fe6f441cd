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


WRITTEN = text("select lead_id, last_sent_at from written_leads")
LAST_SENT = text("select id, last_sent_at from leads where last_sent_at is not null")


def test_when_a_lead_was_written_to_is_still_known_after_going_down_and_up(database: str) -> None:
    engine = create_engine(database, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("insert into teams (id, name) values (1, 'Prumo')"))
        connection.execute(
            text("insert into leads (team_id, place_key, name) select 1, 'test:' || n, '' from generate_series(1, 3) n")
        )
        connection.execute(
            text("insert into written_leads select id, team_id, now() - id * interval '1 h' from leads where id <= 2")
        )
        kept = connection.execute(WRITTEN).all()
    command.downgrade(config_for(database), "0012")
    with engine.connect() as connection:
        assert len(kept) == 2 and sorted(connection.execute(LAST_SENT).all()) == sorted(kept)
    command.upgrade(config_for(database), "head")
    with engine.connect() as connection:
        assert sorted(connection.execute(WRITTEN).all()) == sorted(kept)


OPEN = text("select phone from conversations where status = 'open' order by phone")


def test_what_was_open_with_people_who_had_left_is_closed(database: str) -> None:
    command.downgrade(config_for(database), "0013")
    engine = create_engine(database, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("insert into teams (id, name) values (1, 'Prumo')"))
        connection.execute(text("insert into instances (id, team_id, name) values (1, 1, 'Comercial')"))
        connection.execute(
            text("""
            insert into conversations (team_id, instance_id, phone, phone_hash, heard_at)
            select 1, 1, who, sha256(who::bytea), now() - heard_ago
            from (values ('left', interval '2 h'), ('left and wrote again', '0'), ('came back', '2 h'),
                         ('stays', '2 h')) as them (who, heard_ago)
            """)
        )
        connection.execute(
            text("""
            insert into opt_outs (team_id, phone_hash, reason, created_at, undone_at)
            select 1, phone_hash, 'by_reply', now() - interval '1 h', case when phone = 'came back' then now() end
            from conversations where phone <> 'stays'
            """)
        )
    command.upgrade(config_for(database), "head")
    with engine.connect() as connection:
        assert list(connection.scalars(OPEN)) == ["came back", "left and wrote again", "stays"]


def test_our_folder_does_not_hide_the_library() -> None:
    assert "site-packages" in (alembic.__file__ or "")
    assert not Path("alembic/__init__.py").exists()
