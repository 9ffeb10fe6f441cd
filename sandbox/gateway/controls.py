"""What a test, a script or a person at the control page can do to the simulated world.

Each method is a verb of `POST /control/<verb>` (dashes for underscores) with the same arguments as JSON, and of the
object that `serve` yields.  Raises ControlError with a sentence for what cannot be done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, get_args

from sandbox.gateway import inbox
from sandbox.gateway.faults import Fault
from sandbox.gateway.inbox import Answer, Written
from sandbox.gateway.instance import BAILEYS, Instance
from sandbox.gateway.ledger import Sent
from sandbox.gateway.link import CannotScan
from sandbox.gateway.media import SENT_BY_STRANGERS
from sandbox.gateway.people import Override, Person, Replying, canonical
from sandbox.gateway.world import World

AFTER_THE_ANSWER_S = 0.05
LARGEST_FILE = 64 << 20


class ControlError(Exception):
    """What was asked for cannot be done; the message is for the person who asked."""


class Controls:
    """All methods must be called in the gateway's own loop."""

    def __init__(self, world: World) -> None:
        self._world = world

    # numbers and their lines

    def instances(self) -> list[dict[str, Any]]:
        return [self._shown(instance) for instance in self._world.instances.values()]

    def scan(
        self, number: str, instance: str | None = None, code: str | None = None, name: str | None = None
    ) -> dict[str, Any]:
        """The phone of `number` reads a code: that of `instance`, or the one whose text (or pairing code) is `code`.

        `name` is the profile's; without it the number's own invented one.
        """
        number = _with_country(number)
        if not canonical(number):
            raise ControlError(f"{number!r} is not a telephone number")
        found = self._instance(instance) if instance else self._showing(code or "")
        with _as_control_error():
            self._world.link(found).scan(number, name)
        return self._shown(found)

    def open_instance(
        self,
        instance: str,
        number: str,
        webhook: dict[str, Any] | None = None,
        name: str | None = None,
        token: str | None = None,
    ) -> dict[str, Any]:
        """An instance that is connected at once, for tests that are not about connecting.

        `webhook` as in `webhook/set`: {url, headers, events}; no events means all of them.
        """
        if instance in self._world.instances:
            raise ControlError(f"there is an instance {instance!r} already")
        made = Instance(name=instance, integration=BAILEYS, token=token or f"TOKEN-{instance}".upper())
        if webhook is not None:
            made.set_webhook({"events": [], **webhook})
        self._world.add(made).open_at_once(number, name)
        return self._shown(made)

    def ban(self, instance: str | None = None, number: str | None = None) -> None:
        """WhatsApp bans a number: every instance of it closes with 403, and each new scan of it too."""
        digits = self._instance(instance).digits if instance else canonical(number or "")
        if not digits:
            raise ControlError("only a number that was connected can be banned")
        self._world.ban_number(digits)
        for each in list(self._world.instances.values()):
            if each.digits == digits and self._world.link(each).state is not None:
                self._world.link(each).ban()

    def cut(self, instance: str, seconds: float = 0.0) -> None:
        """The line to WhatsApp is lost and comes back after `seconds`."""
        self._world.link(self._instance(instance)).cut(seconds)

    def next_code(self, instance: str) -> None:
        """The code on show has lived its time: another one comes now."""
        with _as_control_error():
            self._world.link(self._instance(instance)).next_code()

    def use_up_codes(self, instance: str) -> None:
        """Nobody scanned any of the codes: the limit is reached now, with its two webhooks, and the state is close."""
        with _as_control_error():
            self._world.link(self._instance(instance)).use_up_codes()

    def go_deaf(self, instance: str, on: bool = True, heals_on_restart: bool = True) -> None:
        """The state says open, checks of numbers time out and nothing comes in: no message, no receipt.

        A restart of the instance mends it, unless `heals_on_restart` is false; one of the process always does.
        """
        link = self._world.link(self._instance(instance))
        if not on:
            link.hear_again()
        elif link.state == "open":
            link.go_deaf(heals_on_restart=heals_on_restart)
        else:
            raise ControlError("only a number that is connected can go deaf")

    def log_out_elsewhere(self, instance: str) -> None:
        """The owner removes the linked device on the phone: a final close with 401."""
        self._world.link(self._instance(instance)).log_out_elsewhere()

    def storm(self, instance: str, seconds: float | None = None) -> None:
        """`connection.update` 43 times a second, for `seconds` or until the process restarts."""
        self._world.link(self._instance(instance)).storm(seconds)

    def unreachable(self, on: bool = True) -> None:
        """WhatsApp cannot be reached: no codes (`count` 0), and open lines are lost until it can."""
        self._world.unreachable = on
        for each in self._world.instances.values():
            if on:
                self._world.link(each).cut(0.0)

    def restart(self, down_s: float | None = None) -> None:
        """The process is killed and comes back: refused connections meanwhile, lost retries, and deaf lines hear."""
        asyncio.get_running_loop().call_later(AFTER_THE_ANSWER_S, self._world.crash, down_s)

    # people

    def reply(
        self,
        instance: str,
        number: str,
        text: str,
        quote: str | None = None,
        media: str | None = None,
        size: int = 100,
        button: bool = False,
    ) -> Answer:
        """A person writes to the instance.  `quote` is the id of a message of ours that they answer to.

        `media` (image, video, audio, document, sticker, location, contact) makes the text its caption, `size` bytes
        long; `button` says that they pressed one with this text.
        """
        found = self._instance(instance)
        if not _is_text(text):
            raise ControlError("the text has characters that no telephone can send")
        if media and media not in SENT_BY_STRANGERS:
            raise ControlError(f"people send {', '.join(SENT_BY_STRANGERS)}; not {media!r}")
        if not 0 <= size <= LARGEST_FILE:
            raise ControlError(f"a file has {LARGEST_FILE} bytes at most")
        quoted = self._world.history.message(found.id, quote) if quote else None
        if quote and quoted is None:
            raise ControlError(f"there is no message {quote!r} to quote")
        written = Written(text, quoted, media or None, size, button)
        return inbox.receive(self._world, found, self._person(number), written)

    def owner_writes(self, instance: str, number: str, text: str) -> Answer:
        """The owner of the number types a message on the phone (`fromMe` without our API)."""
        found = self._instance(instance)
        return inbox.receive(self._world, found, self._person(number), Written(text, by_owner=True))

    def revoke(self, instance: str, message_id: str) -> None:
        """Someone deletes a message for everyone."""
        if not inbox.revoke(self._world, self._instance(instance), message_id):
            raise ControlError(f"there is no message {message_id!r}")

    def edit(self, instance: str, message_id: str, text: str) -> None:
        """Someone changes the text of a message."""
        if not inbox.edit(self._world, self._instance(instance), message_id, text):
            raise ControlError(f"there is no message {message_id!r}")

    def noise(self, instance: str, number: str) -> None:
        """Someone is typing, and calls."""
        inbox.make_noise(self._world, self._instance(instance), self._person(number))

    def receipt(self, instance: str, message_id: str, status: str) -> None:
        """A receipt by hand: SERVER_ACK, DELIVERY_ACK, READ, PLAYED or ERROR."""
        found = self._instance(instance)
        row = self._world.history.message(found.id, message_id)
        if row is None:
            raise ControlError(f"there is no message {message_id!r}")
        if status not in inbox.META_WORDS:
            raise ControlError(f"a receipt says {', '.join(inbox.META_WORDS)}; not {status!r}")
        inbox.receive_receipt(self._world, found, row, status)

    def person(
        self,
        number: str,
        exists: bool | None = None,
        delivered: bool | None = None,
        reads: bool | None = None,
        reply: str | None = None,
        reply_after_s: float | None = None,
        uses_lid: bool | None = None,
        name: str | None = None,
    ) -> None:
        """What one person does from now on; what is not given follows from the number.  `reply` "" is silence."""
        digits = canonical(number)
        self._world.people.set(
            number, Override(exists, delivered, reads, reply, reply_after_s, uses_lid=uses_lid, name=name)
        )
        self._world.answered -= {pair for pair in self._world.answered if pair[1] == digits}

    def replies(self, mode: Replying) -> None:
        """For everyone of whom nothing else was said: `natural`, `never` or `always`."""
        if mode not in get_args(Replying):
            raise ControlError(f"people reply {', '.join(get_args(Replying))}; not {mode!r}")
        self._world.people.replies = mode

    def forget_people(self) -> None:
        """Everyone is natural again."""
        self._world.people.forget_overrides()

    # faults

    def fault(self, kind: str, **how: Any) -> Fault:
        """Turn a switch on; the arguments are those of `Fault`."""
        try:
            return self._world.faults.add(kind, **how)
        except (ValueError, TypeError) as error:
            raise ControlError(str(error)) from None

    def slow(self, seconds: float) -> Fault:
        """Every call is done at once and answered `seconds` later, until this switch is turned off."""
        return self.fault("slow_answer", on="any", seconds=seconds)

    def lose_webhooks(self, one_in: int = 1) -> Fault:
        """Each `one_in`th webhook is never posted; 1 is all of them."""
        return self.fault("webhook_lost", every=one_in)

    def faults(self) -> list[Fault]:
        return self._world.faults.all()

    def clear_faults(self, id: int | None = None) -> None:
        """Turn one switch off, or all."""
        if id is None:
            self._world.faults.clear()
        elif not self._world.faults.remove(id):
            raise ControlError(f"there is no switch {id}")

    # what was

    def ledger(self, instance: str | None = None, number: str | None = None, after: int = 0) -> list[Sent]:
        """What left, in order; `after` a `seq`."""
        return self._world.ledger.all(instance=instance, number=number, after=after)

    def answers(self, instance: str | None = None) -> list[Answer]:
        """What people wrote to us, in order, heard or not."""
        return [answer for answer in self._world.answers if instance in (None, answer.instance)]

    def webhooks(self, instance: str | None = None, event: str | None = None) -> list[dict[str, Any]]:
        """The last webhooks with the outcome of each try; the oldest first."""
        return [
            asdict(delivery)
            for delivery in list(self._world.webhooks.recent)
            if instance in (None, delivery.instance) and event in (None, delivery.event)
        ]

    # finding

    def _instance(self, name: str) -> Instance:
        found = self._world.instances.get(name)
        if found is None:
            raise ControlError(f"there is no instance {name!r}")
        return found

    def _person(self, number: str) -> Person:
        digits = canonical(_with_country(number))
        if not digits:
            raise ControlError(f"{number!r} is not a telephone number")
        return self._world.people.behind(f"{digits}@s.whatsapp.net")

    def _showing(self, code: str) -> Instance:
        for each in self._world.instances.values():
            qr = self._world.link(each).qr
            if qr is not None and code in (qr.text, qr.pairing_code):
                return each
        raise ControlError("no instance shows this code; it may have been replaced by a new one")

    def _shown(self, instance: Instance) -> dict[str, Any]:
        link = self._world.link(instance)
        qr = link.qr
        return {
            "instance": instance.name,
            "id": instance.id,
            "integration": instance.integration,
            "state": link.state,
            "number": instance.digits,
            "name": instance.profile_name,
            "deaf": link.is_deaf,
            "dead": link.is_dead,
            "webhook": instance.webhook and instance.webhook["url"],
            "qr": None if qr is None else {"code": qr.text, "pairing_code": qr.pairing_code, "count": qr.count},
        }


@contextmanager
def _as_control_error() -> Iterator[None]:
    try:
        yield
    except CannotScan as error:
        raise ControlError(str(error)) from None


def _with_country(number: str) -> str:
    """A Brazilian number as people write it, (11) 90000-1111, gets its 55; whatever begins with + is whole."""
    digits = "".join(c for c in number if c.isdigit())
    is_national = len(digits) in (10, 11) and not number.strip().startswith("+") and "@" not in number
    return f"55{digits}" if is_national else number


def _is_text(text: str) -> bool:
    """Not one with half of a surrogate pair, which JSON can carry and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
