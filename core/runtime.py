"""Runtime: builds the real parts from Settings.  The one importer of core/integrations."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import Session, sessionmaker

from core.errors import BadSetting, DatabaseAway
from core.instances.official import Credentials
from core.instances.rules import Provider
from core.integrations.evolution import Evolution
from core.integrations.meta_cloud import MetaCloud
from core.integrations.overpass import Overpass
from core.integrations.places_api import PlacesApi
from core.integrations.rq_queue import RqQueue
from core.integrations.websites import Websites
from core.ports import Capabilities, JobQueue, PlaceSource, WebsiteReader, WhatsApp
from core.settings import Settings
from core.work import Work

log = logging.getLogger(__name__)


class Runtime:
    """One per process.  Nothing is opened before it is first used, so that a process may fork beforehand."""

    def __init__(self, settings: Settings, *, pool_size: int = 4, statement_timeout_s: int = 60) -> None:
        self.settings = settings
        self._pool_size = pool_size
        self._statement_timeout_s = statement_timeout_s

    @cached_property
    def engine(self) -> Engine:
        return create_engine(
            self.settings.database_url,
            pool_size=self._pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            pool_timeout=10,
            executemany_mode="values_plus_batch",
            hide_parameters=True,  # what people wrote, and to whom, is nothing for a log or a failed job's trace
            connect_args={
                "connect_timeout": 10,
                "application_name": "prumo",
                "options": f"-c statement_timeout={self._statement_timeout_s}s -c timezone=UTC",
            },
        )

    @cached_property
    def _sessions(self) -> sessionmaker[Session]:
        return sessionmaker(self.engine, expire_on_commit=False)

    @cached_property
    def queue(self) -> JobQueue:
        return RqQueue(self.settings.redis_url)

    @cached_property
    def evolution(self) -> WhatsApp:
        return Evolution(self.settings.gateway_url, self.settings.gateway_key)

    def whatsapp(self, provider: Provider, sealed: bytes | None) -> WhatsApp:
        """The gateway of a number; `sealed` is the number's own secret, as its row keeps it.

        One that was sealed under another secret key is as none: the gateway then refuses all that needs it.
        """
        if provider is Provider.EVOLUTION:
            return self.evolution
        return MetaCloud(self.settings.meta_url, self._credentials(sealed))

    def _credentials(self, sealed: bytes | None) -> Credentials | None:
        if sealed is None:
            return None
        try:
            return Credentials.unsealed(self.settings.secret_key, sealed)
        except BadSetting as wrong:
            log.error("the credentials of an official number cannot be read: %s", wrong)
            return None

    def capabilities(self, provider: Provider) -> Capabilities:
        """What the gateway of a provider can, whichever the number."""
        return self.whatsapp(provider, None).capabilities()

    def overpass(self, *, should_stop: Callable[[], bool], keep: Callable[[str], None]) -> PlaceSource:
        return Overpass(self.settings.overpass_url, should_stop=should_stop, keep=keep)

    def places_api(self, *, should_stop: Callable[[], bool], keep: Callable[[str], None]) -> PlaceSource:
        settings = self.settings
        return PlacesApi(settings.places_api_url, settings.places_api_key, should_stop=should_stop, keep=keep)

    @cached_property
    def websites(self) -> WebsiteReader:
        """Where there is a demo map, it plays the websites of its invented city, whose names end in `.example`."""
        settings = self.settings
        return Websites(
            contact_url=settings.public_url if settings.is_https else "",
            simulated={".example": settings.demo_map_url} if settings.demo_map_url else {},
        )

    @contextmanager
    def work(self) -> Iterator[Work]:
        """One transaction.  Jobs and news go out after the commit; losing them costs seconds, never truth.

        Raises DatabaseAway where PostgreSQL cannot be reached, is starting or stopping, or has no connection free.
        """
        try:
            with self._sessions() as session:
                work = Work(session, self.settings, self.queue, self.capabilities)
                with session.begin():
                    yield work
        except (DBAPIError, NoConnectionFree) as trouble:
            if _is_away(trouble):
                raise DatabaseAway(type(trouble).__name__) from trouble
            raise
        for job in work.jobs:
            self.queue.put(job)
        for topic, payload in work.news:
            self.queue.tell(topic, payload)

    def close(self) -> None:
        """Closes what was opened; safe to call twice."""
        if "engine" in self.__dict__:
            self.engine.dispose()


def _is_away(trouble: DBAPIError | NoConnectionFree) -> bool:
    """Told from what PostgreSQL itself refused (a broken constraint, a statement that took too long)."""
    if not isinstance(trouble, DBAPIError) or trouble.connection_invalidated:
        return True
    code = getattr(trouble.orig, "pgcode", None)
    if code is None:  # psycopg2 gives none when it could not connect
        return type(trouble.orig).__name__ == "OperationalError"
    return str(code).startswith(("08", "57P", "53300"))
