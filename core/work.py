"""Work: one transaction, one clock, and what is to happen after the commit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.jobs import Job

if TYPE_CHECKING:
    from core.instances.rules import Provider
    from core.ports import Capabilities, JobQueue
    from core.settings import Settings


class Work:
    """Handed to every service.  Made by Runtime.work(), which commits it and then queues and tells."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        queue: JobQueue,
        capabilities: Callable[[Provider], Capabilities],
    ) -> None:
        self.session = session
        self.settings = settings
        self.queue = queue  # to look at and to mend; what is to be done goes through `later`
        self.capabilities = capabilities  # of a provider's gateway: known without asking it
        self.jobs: list[Job] = []
        self.news: list[tuple[str, dict[str, Any]]] = []

    @cached_property
    def now(self) -> datetime:
        """The database's clock at the start of this transaction, aware UTC: no worker's clock decides anything."""
        return self.session.execute(select(func.now())).scalar_one()

    def later(self, job: Job) -> None:
        """Queues a job, but only once this Work is committed: a job must never see less than we did."""
        if job not in self.jobs:
            self.jobs.append(job)

    def tell(self, topic: str, payload: dict[str, Any] | None = None) -> None:
        """Tells the pages that look at `topic` to read again, after the commit."""
        news = (topic, payload or {})
        if news not in self.news:
            self.news.append(news)
