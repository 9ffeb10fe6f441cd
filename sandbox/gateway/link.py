"""An instance's line to WhatsApp: how it is opened, lost, regained and closed, and which webhooks tell of it.

    close → connecting → (scan) close 0.2 s → connecting → open       the short close has no webhook
    open → connecting → open                                          the line was lost; no `close` either
    open                                                              also while the line is dead (`go_deaf`)
    open → close                                                      logged out (401) or banned (403); final
    (nothing)                                                         the process has not loaded the instance yet

Only `WHATSAPP-BAILEYS` has such a line; the other two kinds are open from the start and nothing is verified.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.gateway import codes
from sandbox.gateway.addresses import make_jid
from sandbox.gateway.codes import DeviceKeys, Qr
from sandbox.gateway.instance import BAILEYS, Instance
from sandbox.gateway.tasks import Tasks

if TYPE_CHECKING:
    from sandbox.gateway.world import World

CODES_PER_CONNECTION = 6  # then WhatsApp ends the connection and Evolution makes a new one
LOGGED_OUT, BANNED = 401, 403


class CannotScan(Exception):
    """There is no code on show that this scan could belong to."""


class Link:
    """The line of one instance.  `state` is the truth; None while the process is loading."""

    def __init__(self, world: World, instance: Instance) -> None:
        self.state: str | None = "close" if instance.integration == BAILEYS else "open"
        self.qr: Qr | None = None
        self.sender: str | None = None  # our own address, as far as this process has seen it
        self.is_deaf = False  # after a logout this process hears nothing more on this instance
        self.is_dead = False  # the state says open, and nothing goes through in either direction
        self.heals_on_restart = True  # of the instance; a dead line that does not needs one of the process
        self.is_removed = False  # told to go; its rows stay for a moment
        self.at_whatsapp = Tasks()  # receipts and answers on their way to this number
        self.writing = asyncio.Lock()
        self._world = world
        self._instance = instance
        self._life: asyncio.Task[Any] | None = None
        self._flowing = asyncio.Event()  # open, and message events are let through
        self._code_is_old = asyncio.Event()
        if instance.integration != BAILEYS:
            self._flowing.set()

    # what a client asks

    def connect(self, pairing_number: str | None) -> None:
        """From `close`: show codes until one is scanned or too many were shown."""
        if not self._world.unreachable:
            self.state = "connecting"
        self._live(self._show_codes(pairing_number))

    def qr_answer(self) -> dict[str, Any]:
        return self.qr.as_answer() if self.qr else {"count": 0}

    def restart(self) -> None:
        """The answer to the client is given before any of this is so."""
        self.is_dead = self.is_dead and not self.heals_on_restart
        self._live(self._regain(closed_first=True))

    def log_out(self) -> None:
        """Asked for by the client.  A session used again after this is deaf until the process restarts."""
        self.is_deaf = True
        reason = _boom(LOGGED_OUT, "Unauthorized", f"Log out instance: {self._instance.name}")
        self._close(LOGGED_OUT, reason)

    # what happens at WhatsApp

    def scan(self, number: str, name: str | None) -> None:
        """A phone reads the code on show.  Raises CannotScan when there is none."""
        self._require_code()
        self._live(self._pair(number, name))

    def open_at_once(self, number: str, name: str | None) -> None:
        """For tests: paired and open, with the webhook and without the waiting and the history."""
        self._end_life()
        self._take_owner(number, name)
        self._open()
        self._flowing.set()

    def next_code(self) -> None:
        """As if the one on show had lived its time.  Raises CannotScan when none is."""
        self._require_code()
        self._code_is_old.set()

    def use_up_codes(self) -> None:
        """As if nobody had scanned any of them.  Raises CannotScan when none is on show."""
        self._require_code()
        self._end_life()
        self._give_up_pairing()

    def _require_code(self) -> None:
        if self.qr is None:
            raise CannotScan(f"instance {self._instance.name} shows no code")

    def go_deaf(self, *, heals_on_restart: bool) -> None:
        """The line is dead and nobody noticed: the state stays open, checks time out, and nothing comes in."""
        self.is_dead, self.heals_on_restart = True, heals_on_restart
        self._flowing.clear()

    def hear_again(self) -> None:
        self.is_dead = False
        if self.state == "open":
            self._flowing.set()

    def cut(self, seconds: float) -> None:
        """The line is lost and comes back after `seconds`."""
        if self.state == "open":
            self._live(self._regain(after_s=seconds))

    def log_out_elsewhere(self) -> None:
        """The owner removed the linked device on the phone."""
        conflict = {"tag": "conflict", "attrs": {"type": "device_removed"}}
        stream = {"tag": "stream:error", "attrs": {"code": "401"}, "content": [conflict]}
        self._close(LOGGED_OUT, _boom(LOGGED_OUT, "Unauthorized", "Stream Errored (conflict)", data=stream))

    def ban(self) -> None:
        reason = {"reason": str(BANNED), "location": "frc"}
        self._close(BANNED, _boom(BANNED, "Forbidden", "Connection Failure", data=reason))

    def storm(self, seconds: float | None) -> None:
        """`connecting`, 43 times a second; it goes on after the instance was deleted.  None: until a restart."""
        self._world.process.start(self._storm(seconds))

    # what happens to the process

    def load(self) -> None:
        """The process has started anew: a paired instance comes back by itself, and hears again."""
        self.is_deaf, self.is_dead, self.sender, self.qr = False, False, None, None
        self._flowing.clear()
        if self._instance.integration != BAILEYS:
            self.state = "open" if self._instance.connection_status == "open" else "close"
            self._flowing.set()
        elif self._instance.is_paired:
            self._live(self._regain(closed_first=True))
        else:
            self.state = "close"

    def die(self) -> None:
        """The process is gone; WhatsApp keeps what it has for us."""
        self._end_life()
        self.state = None
        self._flowing.clear()

    def remove(self) -> None:
        self._end_life()
        self.at_whatsapp.cancel()

    async def until_events_flow(self) -> None:
        """WhatsApp keeps what it has for a number until the line is open; after pairing, a little longer."""
        await self._flowing.wait()

    # the steps

    def _live(self, life: Coroutine[Any, Any, None]) -> None:
        """One thing at a time happens to a line; the new one ends the old."""
        self._end_life()
        self._life = self._world.process.start(life)

    def _end_life(self) -> None:
        if self._life is not None and self._life is not asyncio.current_task():
            self._life.cancel()

    async def _show_codes(self, pairing_number: str | None) -> None:
        timings = self._world.timings
        await self._until_reachable("close")
        self._enter_connecting()
        keys, count = DeviceKeys.new(), 0
        pairing_code = codes.new_pairing_code() if pairing_number else None
        await asyncio.sleep(timings.first_qr_s)
        while count < self._world.config.qr_limit:
            count += 1
            self.qr = codes.new_qr(keys, count, pairing_code)
            self._tell("qrcode.updated", {"qrcode": self._qr_event(self.qr)})
            await self._until_old(timings.qr_life_s)
            if count % CODES_PER_CONNECTION == 0:
                self._enter_connecting()
        self._give_up_pairing()

    async def _until_old(self, life_s: float) -> None:
        self._code_is_old.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._code_is_old.wait(), life_s)

    def _qr_event(self, qr: Qr) -> dict[str, Any]:
        shown = {"pairingCode": qr.pairing_code, "code": qr.text, "base64": qr.png}
        return {"instance": self._instance.name} | shown

    def _give_up_pairing(self) -> None:
        self.qr, self.state = None, "close"
        limit = {"message": "QR code limit reached, please login again", "statusCode": 500}
        self._tell("qrcode.updated", limit)
        self._tell_state("refused", 428)

    async def _pair(self, number: str, name: str | None) -> None:
        timings = self._world.timings
        self.qr = None
        await asyncio.sleep(timings.scan_to_close_s)
        self.state = "close"
        await asyncio.sleep(timings.close_to_reconnect_s)
        self._enter_connecting()
        await asyncio.sleep(timings.reconnect_s)
        self._take_owner(number, name)
        if self._instance.digits in self._world.banned:
            self.ban()
            return
        self._open()
        await asyncio.sleep(timings.history_s)
        self._world.bring_history(self._instance)
        self._flowing.set()

    def _take_owner(self, number: str, name: str | None) -> None:
        instance = self._instance
        instance.owner_jid = make_jid(number)
        instance.profile_name = name or self._world.people.behind(instance.owner_jid).name
        instance.is_paired = True

    def _open(self) -> None:
        instance = self._instance
        self.state, self.sender = "open", instance.owner_jid
        instance.connection_status, instance.updated_at = "open", codes.iso()
        self._world.save(instance)
        owner = {"wuid": instance.owner_jid, "profileName": instance.profile_name, "profilePictureUrl": None}
        self._tell("connection.update", {"instance": instance.name} | owner | {"state": "open", "statusReason": 200})

    async def _regain(self, *, closed_first: bool = False, after_s: float = 0.0) -> None:
        """The webhooks say `connecting` and then `open`, never `close`; there is no back-off and no limit."""
        timings = self._world.timings
        self._flowing.clear()
        if closed_first:
            self.state = "close"
            await asyncio.sleep(timings.close_to_reconnect_s)
        self._enter_connecting()
        await asyncio.sleep(after_s)
        await self._until_reachable("connecting")
        await asyncio.sleep(timings.reconnect_s)
        self._open()
        if not self.is_dead:
            self._flowing.set()

    async def _until_reachable(self, state: str) -> None:
        """While WhatsApp cannot be reached: a storm of `connecting`, as the real one raises it."""
        while self._world.unreachable:
            self.state = state
            self._tell_state("connecting", 200)
            await asyncio.sleep(self._world.timings.storm_gap_s)

    async def _storm(self, seconds: float | None) -> None:
        loop = asyncio.get_running_loop()
        end = None if seconds is None else loop.time() + seconds
        while end is None or loop.time() < end:
            self._tell_state("connecting", 200)
            await asyncio.sleep(self._world.timings.storm_gap_s)

    def _close(self, code: int, reason: str) -> None:
        self._live(self._close_for_good(code, reason))

    async def _close_for_good(self, code: int, reason: str) -> None:
        """Three webhooks in this order; the first comes a moment before the others."""
        instance = self._instance
        self.qr, self.state = None, None if self.is_removed else "close"
        self._flowing.clear()
        self.at_whatsapp.cancel()
        now = codes.iso()
        instance.connection_status, instance.is_paired = "close", False
        instance.reason_code, instance.reason = code, reason
        instance.closed_at, instance.updated_at = now, now
        self._world.save(instance)
        closed = {"instance": instance.name, "status": "closed", "disconnectionAt": now}
        self._tell("status.instance", closed | {"disconnectionReasonCode": code, "disconnectionObject": reason})
        await asyncio.sleep(self._world.timings.final_close_s)
        self._tell("logout.instance", None)
        self._tell_state("close", code)

    def _enter_connecting(self) -> None:
        self.state = "connecting"
        self._tell_state("connecting", 200)

    def _tell_state(self, state: str, code: int) -> None:
        name = self._instance.name
        self._tell("connection.update", {"instance": name, "state": state, "statusReason": code})

    def _tell(self, event: str, data: object) -> None:
        self._world.tell(self._instance, self, event, data)


def _boom(code: int, error: str, message: str, *, data: object = None) -> str:
    """Why a line was closed: a JSON document in a string, as it is kept and posted."""
    payload = {"statusCode": code, "error": error, "message": message}
    output = {"statusCode": code, "payload": payload, "headers": {}}
    boom = {"data": data, "isBoom": True, "isServer": False, "output": output}
    return json.dumps({"error": boom, "date": codes.iso()}, ensure_ascii=False)
