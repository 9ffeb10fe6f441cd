"""The jobs by name.  A job is a nudge, "look at row 7": ids only, may be lost, may run twice, holds no truth.

`turn` counts how often the row was taken up.  It makes the job's key: while nobody has taken the row up again the
same job is queued once at most, and a job that died holding its key does not stand in the way of the next turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class ScrapeSearch:
    """Go on with a search where its rows say it stands."""

    search_id: int
    turn: int = 0
    queue: ClassVar[str] = "scraper"
    timeout_s: ClassVar[int] = 3600

    @property
    def key(self) -> str:
        return f"search-{self.search_id}-{self.turn}"


@dataclass(frozen=True)
class SendDue:
    """Send what is due from one WhatsApp number, for at most 50 s."""

    instance_id: int
    turn: int = 0
    queue: ClassVar[str] = "sender"
    timeout_s: ClassVar[int] = 240

    @property
    def key(self) -> str:
        return f"send-{self.instance_id}-{self.turn}"


@dataclass(frozen=True)
class Reconcile:
    """Look for evidence of the messages of one number whose outcome is not known."""

    instance_id: int
    turn: int = 0
    queue: ClassVar[str] = "sender"
    timeout_s: ClassVar[int] = 240

    @property
    def key(self) -> str:
        return f"reconcile-{self.instance_id}-{self.turn}"


@dataclass(frozen=True)
class BuildQueue:
    """Put everybody who receives a campaign that is starting into its queue."""

    campaign_id: int
    turn: int = 0
    queue: ClassVar[str] = "campaigns"
    timeout_s: ClassVar[int] = 600

    @property
    def key(self) -> str:
        return f"build-{self.campaign_id}-{self.turn}"


@dataclass(frozen=True)
class CheckPhones:
    """Ask from one number whether the next few phones are on WhatsApp.

    Whoever comes a second time finds the group taken and the next one not due yet: it needs no turn.
    """

    instance_id: int
    queue: ClassVar[str] = "sender"
    timeout_s: ClassVar[int] = 240

    @property
    def key(self) -> str:
        return f"check-{self.instance_id}"


@dataclass(frozen=True)
class ImportLeads:
    """Bring a file of leads in, from its first row to its last."""

    import_id: int
    turn: int = 0
    queue: ClassVar[str] = "imports"
    timeout_s: ClassVar[int] = 900

    @property
    def key(self) -> str:
        return f"import-{self.import_id}-{self.turn}"


@dataclass(frozen=True)
class ReadSites:
    """Look at the websites that somebody wants read, for at most 50 s.

    `shard` only tells several of them apart, so that as many workers may read at once: each takes what is due next.
    """

    shard: int = 0
    queue: ClassVar[str] = "sites"
    timeout_s: ClassVar[int] = 240

    @property
    def key(self) -> str:
        return f"sites-{self.shard}"


Job = ScrapeSearch | BuildQueue | SendDue | Reconcile | CheckPhones | ImportLeads | ReadSites

QUEUES = ("scraper", "campaigns", "sender", "imports", "sites")
# The one function of the workers that each job is: nothing else that lies in a queue is ever called.
FUNCTIONS = {
    "ScrapeSearch": "workers.scraper.jobs.scrape_search",
    "BuildQueue": "workers.sender.jobs.build_queue",
    "SendDue": "workers.sender.jobs.send_due",
    "Reconcile": "workers.sender.jobs.reconcile",
    "CheckPhones": "workers.sender.jobs.check_phones",
    "ImportLeads": "workers.enricher.importing.import_leads",
    "ReadSites": "workers.enricher.jobs.read_sites",
}
