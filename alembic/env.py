"""Runs the migrations against DATABASE_URL, or on the connection that a test hands over."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from core.settings import with_driver
from core.tables import Base


def migrate(connection: Connection) -> None:
    # A migration waits briefly for a lock and then gives up, rather than holding everybody behind it.
    connection.execute(text("set lock_timeout = '10s'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    url = context.config.attributes.get("url") or os.environ["DATABASE_URL"]
    with create_engine(with_driver(url), poolclass=NullPool).connect() as own:
        migrate(own)
