"""The numbers of a business at the demo Cloud API, the people they write to, and what is told to their callbacks."""

from __future__ import annotations

import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import requests

from .outcomes import WORDS, Fails, outcome_for

ACCOUNT_ID = "102290129340398"
NUMBER_ID = "106540352242922"
TOKEN = "EAAJBsimulatedAccessToken000000000001"  # noqa: S105 - opens nothing
APP_SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105
WINDOW_S = 24 * 3600
TRIES = 6
CALLBACK_S = 5.0


@dataclass
class Number:
    """A number of the business.  `tier`: so many different people in 24 hours; None: without a limit."""

    id: str = NUMBER_ID
    shown: str = "+55 11 90000-1111"
    name: str = "Padaria Modelo"
    status: str = "CONNECTED"
    quality: str = "GREEN"
    tier: int | None = 250
    callback: str = ""
    verify_token: str = ""

    @property
    def digits(self) -> str:
        return "".join(c for c in self.shown if c.isdigit())


@dataclass(frozen=True)
class Sent:
    """A message that "WhatsApp" took, whatever was answered: the judge of a test."""

    id: str
    number_id: str
    to: str
    kind: str
    said: dict[str, Any]
    reference: str | None
    at: float


@dataclass
class Habits:
    """How the world goes on after a message; seconds are few, since tests wait for them."""

    delivers: bool = True
    reads: bool = True
    step_s: float = 0.02
    latency_s: float = 0.0
    tells_twice: bool = False


@dataclass
class Approved:
    """A template of the business; its text has so many gaps."""

    name: str = "boas_vindas"
    language: str = "pt_BR"
    text: str = "Olá {{1}}, aqui é da {{2}}. Responda SAIR para não receber mais."
    status: str = "APPROVED"
    category: str = "MARKETING"

    @property
    def gaps(self) -> int:
        return self.text.count("{{")


@dataclass
class World:
    """Safe to use from several threads.  `callbacks_fail`: so many posts to a callback are lost first."""

    numbers: dict[str, Number] = field(default_factory=lambda: {NUMBER_ID: Number()})
    templates: list[Approved] = field(default_factory=lambda: [Approved(), Approved("em_analise", status="PENDING")])
    token: str = TOKEN
    app_secret: str = APP_SECRET
    habits: Habits = field(default_factory=Habits)
    ledger: list[Sent] = field(default_factory=list)
    told: list[tuple[str, int]] = field(default_factory=list)  # each post to a callback, and what it was answered
    uploads: dict[str, bytes] = field(default_factory=dict)
    subscribed: bool = False
    callbacks_fail: int = 0
    _wrote_at: dict[tuple[str, str], float] = field(default_factory=dict)
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(8, "meta"))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # ------------------------------------------------------------ messages

    def take(self, number: Number, to: str, kind: str, said: dict[str, Any], reference: str | None) -> Sent:
        """It has left; what follows is told to the callback by and by."""
        sent = Sent(f"wamid.{secrets.token_hex(16).upper()}", number.id, to, kind, said, reference, time.time())
        with self._lock:
            self.ledger.append(sent)
        self._threads.submit(self._live_on, number, sent)
        return sent

    def people_today(self, number: Number) -> set[str]:
        with self._lock:
            return {
                each.to
                for each in self.ledger
                if each.number_id == number.id and each.at > time.time() - WINDOW_S
                and not self._is_in_window(number, each.to)
            }  # fmt: skip

    def may_write_to(self, number: Number, to: str) -> bool:
        """Whether this person is within the number's tier: of those who did not write first."""
        known = self.people_today(number)
        return number.tier is None or to in known or len(known) < number.tier or self._is_in_window(number, to)

    def _is_in_window(self, number: Number, to: str) -> bool:
        return self._wrote_at.get((number.id, to), 0.0) > time.time() - WINDOW_S

    def _live_on(self, number: Number, sent: Sent) -> None:
        outcome = outcome_for(sent.to)
        failure = outcome.code if isinstance(outcome, Fails) else None
        if failure is None and sent.kind != "template" and not self._is_in_window(number, sent.to):
            failure = 131047
        if failure is not None:
            self._rest()
            self._tell_status(number, sent, "failed", failure)
            return
        steps = ["sent", *(["delivered"] if self.habits.delivers else []), *(["read"] if self.habits.reads else [])]
        for status in steps:
            self._rest()
            self._tell_status(number, sent, status)

    def _rest(self) -> None:
        time.sleep(self.habits.step_s)

    def _tell_status(self, number: Number, sent: Sent, status: str, code: int | None = None) -> None:
        told: dict[str, Any] = {
            "id": sent.id,
            "status": status,
            "timestamp": str(int(time.time())),
            "recipient_id": sent.to,
        }
        if sent.reference is not None:
            told["biz_opaque_callback_data"] = sent.reference
        if code is not None:
            words = WORDS[code]
            detail = {"details": words}
            told["errors"] = [{"code": code, "title": words, "message": words, "error_data": detail}]
        self.tell(number, {"statuses": [told]})

    # ------------------------------------------------------------ people

    def say(
        self,
        who: str,
        text: str,
        *,
        number_id: str = NUMBER_ID,
        name: str = "Ana Souza",
        quoted: str | None = None,
        message: dict[str, Any] | None = None,
    ) -> str:
        """A person writes; `message` takes the place of a text, as {"type": "image", "image": {…}}.  Its id."""
        number = self.numbers[number_id]
        message_id = f"wamid.{secrets.token_hex(16).upper()}"
        said = {"from": who, "id": message_id, "timestamp": str(int(time.time()))}
        said |= message or {"type": "text", "text": {"body": text}}
        if quoted is not None:
            said["context"] = {"from": number.digits, "id": quoted}
        with self._lock:
            self._wrote_at[number_id, who] = time.time()
        self.tell(number, {"contacts": [{"profile": {"name": name}, "wa_id": who}], "messages": [said]})
        return message_id

    def have_written(self, *people: str, number_id: str = NUMBER_ID) -> None:
        """As if they had just written to the number, and nobody was told: free text may go to them."""
        with self._lock:
            for who in people:
                self._wrote_at[number_id, who] = time.time()

    # ------------------------------------------------------------ callbacks

    def tell(self, number: Number, news: dict[str, Any], *, field_: str = "messages") -> None:
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": number.digits, "phone_number_id": number.id},
            **news,
        }
        post = {
            "object": "whatsapp_business_account",
            "entry": [{"id": ACCOUNT_ID, "changes": [{"value": value, "field": field_}]}],
        }
        for _ in range(2 if self.habits.tells_twice else 1):
            self.post(number, json.dumps(post).encode())

    def post(self, number: Number, body: bytes, *, secret: str | None = None) -> int:
        """Signed with the app's secret; repeated until it is answered with 200.  The last answer, 0 for none."""
        signature = hmac.new((secret or self.app_secret).encode(), body, sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
        status = 0
        for attempt in range(TRIES):
            if not number.callback or not self.subscribed:
                return 0
            with self._lock:
                is_lost = self.callbacks_fail > 0
                self.callbacks_fail -= is_lost
            status = 0 if is_lost else self._call(number.callback, body, headers)
            self.told.append((number.callback, status))
            if status == 200 or secret is not None:
                return status
            time.sleep(self.habits.step_s * (attempt + 1))
        return status

    def _call(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        try:
            return requests.post(url, data=body, headers=headers, timeout=CALLBACK_S).status_code
        except requests.RequestException:
            return 0

    def verify(self, url: str, token: str) -> bool:
        """Asks an address for its challenge, as Meta does before it tells anything there."""
        challenge = str(secrets.randbelow(10**10))
        asked = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": token}
        try:
            answer = requests.get(url, params=asked, timeout=CALLBACK_S)
        except requests.RequestException:
            return False
        return answer.status_code == 200 and answer.text == challenge

    def when_quiet(self, so: Callable[[], bool], within_s: float = 10.0) -> bool:
        """Waits until it is so; for tests that look at the ledger."""
        end = time.monotonic() + within_s
        while not so():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
