"""The whole simulated world in one object: Evolution's process and database, WhatsApp behind it, and the people.

What dies when the process does is in `process` (calls under way, webhooks not yet delivered, codes on show); what
WhatsApp holds for a number waits in its line until it is open again; `history` and the instances are the database.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any, Protocol

from sandbox.gateway import codes, inbox
from sandbox.gateway.config import Config
from sandbox.gateway.faults import Faults
from sandbox.gateway.history import History
from sandbox.gateway.instance import BAILEYS, Instance
from sandbox.gateway.journal import Fact, Journal
from sandbox.gateway.ledger import Ledger
from sandbox.gateway.link import Link
from sandbox.gateway.people import People
from sandbox.gateway.tasks import Tasks
from sandbox.gateway.webhooks import Webhooks, envelope

log = logging.getLogger(__name__)


class Wire(Protocol):
    """The listening side, which a crash takes away for a while."""

    def cut(self, client: tuple[str, int]) -> None:
        """End the connection of one client without an answer."""

    async def down(self) -> None:
        """Refuse new connections and cut those that are open."""

    async def up(self) -> None:
        """Listen again on the same port."""


class World:
    """`ledger`, `faults` and `people` are the handles of a test; the rest is moved by the API and the control page."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.timings = config.timings
        self.people = People(config.seed, config.habits)
        self.faults = Faults(config.seed)
        self.ledger = Ledger(config.ledger)
        self.history = History()
        self.process = Tasks()
        self.webhooks = Webhooks(config, self.faults, self.process)
        self.instances: dict[str, Instance] = {}
        self.links: dict[str, Link] = {}  # by the instance's id
        self.seen_numbers: set[str] = set()  # addresses that WhatsApp has said to exist: all instances share them
        self.banned: set[str] = set()
        self.answers: list[inbox.Answer] = []  # what people wrote to us
        self.answered: set[tuple[str, str]] = set()  # (instance id, digits) of those who have said their word
        self.unreachable = False
        self.is_down = False
        self.installation = codes.instance_id()
        self.base_url = f"http://{config.host}:{config.port}"
        self.wire: Wire | None = None
        self._journal = Journal(config.state)
        self._outside = Tasks()  # what lives on while the process is down
        self._letters = Counter(line.number for line in self.ledger.all())

    # beginning and end

    async def start(self) -> None:
        self._remember(self._journal.read())
        self._journal.begin(self._facts())
        await self.webhooks.open()
        self._outside.start(self._load())

    async def stop(self) -> None:
        for link in self.links.values():
            link.at_whatsapp.cancel()
        await self.process.finish()
        await self._outside.finish()
        await self.webhooks.close()
        self._journal.close()

    def crash(self, down_s: float | None = None) -> None:
        """The process dies now and is back after a while, as under a supervisor."""
        log.warning("the simulated process dies")
        self.is_down = True
        for link in self.links.values():
            link.die()
        self._outside.start(self._come_back(self.timings.down_s if down_s is None else down_s))
        self.process.cancel()

    async def _come_back(self, down_s: float) -> None:
        if self.wire is not None:
            await self.wire.down()
        await asyncio.sleep(down_s)
        if self.wire is not None:
            await self.wire.up()
        self.is_down = False
        await self._load()

    async def _load(self) -> None:
        """The instances are known at once and loaded a moment later; their state is missing meanwhile."""
        if not self.links:
            return
        await asyncio.sleep(self.timings.load_s)
        for link in self.links.values():
            if link.state is None and not link.is_removed:
                link.load()

    # instances

    def add(self, instance: Instance) -> Link:
        self.instances[instance.name] = instance
        self.links[instance.id] = Link(self, instance)
        if instance.integration != BAILEYS:
            instance.connection_status = "open"
        self.save(instance)
        return self.links[instance.id]

    def link(self, instance: Instance) -> Link:
        return self.links[instance.id]

    def save(self, instance: Instance) -> None:
        if not self.link(instance).is_removed:
            self._journal.note("instance", instance.as_fact())

    def delete(self, instance: Instance) -> None:
        """Said to be done at once, and done a moment later; until then the name is taken and the state missing."""
        link = self.link(instance)
        about = {"instanceName": instance.name, "instanceId": instance.id}
        self.tell(instance, link, "instance.delete", about)
        self.tell(instance, link, "remove.instance", None)
        link.is_removed = True
        if link.state in ("open", "connecting") and instance.integration == BAILEYS:
            link.log_out()
        link.state = None
        self._outside.start(self._remove(instance, link))

    async def _remove(self, instance: Instance, link: Link) -> None:
        await asyncio.sleep(self.timings.removal_s)
        link.remove()
        del self.instances[instance.name], self.links[instance.id]
        self.history.forget(instance.id)
        self._journal.note("gone", {"id": instance.id})

    def tell(self, instance: Instance, link: Link, event: str, data: object) -> None:
        """Post an event to whoever listens to this instance.  The process that would do it may be down."""
        if self.is_down:
            return
        hook = instance.webhook
        body = envelope(
            event,
            instance.name,
            data,
            destination=hook and hook["url"],
            sender=link.sender,
            server_url=self.server_url,
            apikey=instance.token if self.config.expose_token else None,
        )
        self.webhooks.post(hook, body)

    @property
    def server_url(self) -> str:
        return self.config.server_url or self.base_url

    # rows

    def store_message(self, row: dict[str, Any]) -> None:
        self.history.add(row)
        self._journal.note("message", row)

    def store_status(self, row: dict[str, Any]) -> None:
        self.history.add_status(row)
        self._journal.note("status", row)

    def remember_number(self, jid: str) -> None:
        if jid not in self.seen_numbers:
            self.seen_numbers.add(jid)
            self._journal.note("number", {"jid": jid})

    def remember_answered(self, instance: Instance, digits: str) -> None:
        self.answered.add((instance.id, digits))
        self._journal.note("answered", {"instance": instance.id, "digits": digits})

    def ban_number(self, digits: str) -> None:
        self.banned.add(digits)
        self._journal.note("banned", {"digits": digits})

    def nth_letter(self, digits: str) -> int:
        """Counts one more message to a person; the first is 1."""
        self._letters[digits] += 1
        return self._letters[digits]

    def bring_history(self, instance: Instance) -> None:
        inbox.bring_history(self, instance)

    # the state file

    def _facts(self) -> Iterator[Fact]:
        for instance in self.instances.values():
            yield "instance", instance.as_fact()
        yield from self.history.everything()
        for jid in self.seen_numbers:
            yield "number", {"jid": jid}
        for instance_id, digits in self.answered:
            yield "answered", {"instance": instance_id, "digits": digits}
        for digits in self.banned:
            yield "banned", {"digits": digits}

    def _remember(self, facts: list[Fact]) -> None:
        instances: dict[str, Instance] = {}
        for kind, value in facts:
            match kind:
                case "instance":
                    instances[value["id"]] = Instance(**value)
                case "gone":
                    instances.pop(value["id"], None)
                    self.history.forget(value["id"])
                case "message":
                    self.history.add(value)
                case "status":
                    self.history.add_status(value)
                case "number":
                    self.seen_numbers.add(value["jid"])
                case "answered":
                    self.answered.add((value["instance"], value["digits"]))
                case "banned":
                    self.banned.add(value["digits"])
        for instance in instances.values():
            self.instances[instance.name] = instance
            self.links[instance.id] = Link(self, instance)
            self.links[instance.id].state = None
