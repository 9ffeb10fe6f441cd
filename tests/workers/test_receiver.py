"""The door for webhooks: what is genuine is stored before it is answered, whatever it looks like."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from sqlalchemy import exc, text

from core.instances import sessions, storing, storms
from core.instances.receiving import Receiving
from core.instances.rules import InstanceId
from core.instances.storing import Taken
from core.integrations.evolution_bodies import MOST_STORED, storable
from core.integrations.evolution_events import read_webhook
from core.ports import MessageReceived
from core.runtime import Runtime
from core.settings import Settings
from core.tables import Message, WebhookEvent
from tests.core.instances.house import receiving, until
from tests.core.sending.webhooks import envelope, inbound, jid, receipt
from tests.factories import make_scene, phone_of
from workers import receiver

NAME = "vendas-01"


class Door:
    """The receiver as the gateway sees it, for the one number of a scene."""

    def __init__(self, runtime: Runtime, url: str) -> None:
        self.runtime = runtime
        self.scene = make_scene(runtime, 1)
        self.number = self.scene.instance_id
        self.url = url
        self.token = sessions.webhook_token(runtime.settings.secret_key, self.number, NAME)

    def post(
        self, body: bytes, *, token: str | None = None, number: object = None, name: str = NAME, **kwargs: Any
    ) -> int:
        where = f"{self.url}/webhooks/{number or self.number}/{name}"
        headers = {"authorization": f"Bearer {self.token if token is None else token}"} | kwargs.pop("headers", {})
        return requests.post(where, data=body, headers=headers, timeout=20, **kwargs).status_code

    def stored(self) -> list[WebhookEvent]:
        with self.runtime.work() as work:
            return list(work.session.query(WebhookEvent).order_by(WebhookEvent.id))


@pytest.fixture
def door(runtime: Runtime) -> Iterator[Door]:
    with receiving(runtime) as url:
        yield Door(runtime, url)


def test_a_webhook_is_stored_answered_and_applied(door: Door) -> None:
    body = inbound("IN1", jid(phone_of(1)), "Oi", door.scene.campaign().started_at)
    assert door.post(body) == 204
    assert [event.body for event in door.stored()] == [body]

    def heard() -> bool:
        with door.runtime.work() as work:
            return [m.text for m in work.session.query(Message)] == ["Oi"]

    until(heard)
    assert door.stored()[0].applied_at is not None


def test_the_same_body_ten_times_at_once_is_one_row(door: Door) -> None:
    body = receipt("M1", "READ")
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(door.post, [body] * 10)) == [204] * 10
    assert len(door.stored()) == 1


def test_who_is_not_the_gateway_is_refused_and_nothing_is_kept(door: Door) -> None:
    body = receipt("M1", "READ")
    other = sessions.webhook_token(door.runtime.settings.secret_key, InstanceId(door.number + 1), NAME)
    of_another_session = sessions.webhook_token(door.runtime.settings.secret_key, door.number, "vendas-02")
    for token in ("", "wrong", other, of_another_session, door.token + "x", door.token[:-1], "é" * 20):
        header = {"authorization": f"Bearer {token}".encode()}
        assert door.post(body, headers=header) == 401, token
    assert (
        requests.post(f"{door.url}/webhooks/{door.number}/{NAME}?token={door.token}", data=body, timeout=5).status_code
        == 401
    )
    assert door.stored() == []


def test_a_webhook_that_speaks_of_another_number_is_refused(door: Door) -> None:
    body = receipt("M1", "READ").replace(b"vendas-01", b"vendas-99")
    assert door.post(body) == 401
    assert door.stored() == []


@pytest.mark.parametrize("number", ["999", "0", "-1", "x", "1e3", "9" * 40, "١", "..%2F1", "1%00"])
def test_a_number_that_is_none_of_ours_is_refused(door: Door, number: str) -> None:
    token = sessions.webhook_token(door.runtime.settings.secret_key, InstanceId(999), NAME)
    assert door.post(receipt("M1", "READ"), number=number, token=token) in (401, 404)
    assert door.stored() == []


def test_the_header_may_be_written_in_any_case(door: Door) -> None:
    where = f"{door.url}/webhooks/{door.number}/{NAME}"
    answer = requests.post(
        where, data=receipt("M1", "READ"), headers={"AUTHORIZATION": f"Bearer {door.token}"}, timeout=5
    )
    assert answer.status_code == 204


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_only_posts_are_webhooks(door: Door, method: str) -> None:
    where = f"{door.url}/webhooks/{door.number}/{NAME}"
    headers = {"authorization": f"Bearer {door.token}"}
    assert requests.request(method, where, headers=headers, timeout=5).status_code == 405


def test_no_secret_of_the_gateway_is_stored(door: Door) -> None:
    body = json.dumps(
        {
            "event": "messages.update",
            "instance": NAME,
            "apikey": "B1B16BE9-CANARY",
            "data": {"keyId": "M1", "status": "READ"},
        }
    ).encode()
    assert door.post(body) == 204
    assert door.post(b'{"event":"error","api_key":"GLOBAL-CANARY","data":{}') == 204
    assert all(b"CANARY" not in event.body for event in door.stored())
    assert len(door.stored()) == 2


@pytest.mark.parametrize(
    "name", ["apikey", "api_key", "apiKey", "token", "wavoipToken", "accessTokenWaBusiness", "hash"]
)
def test_no_secret_is_stored_however_deep_it_lies(door: Door, name: str) -> None:
    """The names under which the gateway's answers show an instance's token; news of an instance may hold the same."""
    data = {name: 'CAN"ARY', "instance": {"rows": [{name: "CANARY", "id": 1}], "auth": {name: {"apikey": "CANARY"}}}}
    assert door.post(json.dumps({"event": "instance.create", "instance": NAME, "data": data}).encode()) == 204
    (event,) = door.stored()
    assert b"ARY" not in event.body
    assert json.loads(event.body)["data"]["instance"]["rows"][0]["id"] == 1


def test_what_people_write_of_tokens_is_kept_as_they_wrote_it(door: Door) -> None:
    words = 'é o "token": "1234", a "hash":"x" e "apikey" : "y"'
    body = inbound("IN1", jid(phone_of(1)), words, door.scene.campaign().started_at)
    assert door.post(body) == 204
    assert [event.body for event in door.stored()] == [body]


def test_a_text_made_to_be_long_to_look_through_is_stored_at_once(door: Door) -> None:
    body = inbound("IN1", jid(phone_of(1)), "token" * 200_000, door.scene.campaign().started_at)
    started = time.monotonic()
    storable(body)
    assert time.monotonic() - started < 1


NODES_BUFFER = {"type": "Buffer", "data": [255, 216] * 100_000}
FILES: dict[str, dict[str, object]] = {
    "beside the message": {"base64": "/9j/" * 500_000, "imageMessage": {"caption": "SAIR"}},
    "its preview": {"imageMessage": {"caption": "SAIR", "jpegThumbnail": "/9j/" * 50_000, "mediaKey": "q83v"}},
    "byte by byte": {"imageMessage": {"caption": "SAIR", "jpegThumbnail": {str(n): n % 256 for n in range(50_000)}}},
    "a buffer": {"imageMessage": {"caption": "SAIR", "jpegThumbnail": NODES_BUFFER, "mediaKey": [1, 2, 3] * 999}},
    "of what is quoted": {
        "extendedTextMessage": {
            "text": "SAIR",
            "contextInfo": {
                "stanzaId": "M1",
                "quotedMessage": {
                    "videoMessage": {"jpegThumbnail": "/9j/" * 50_000, "streamingSidecar": "AAAA" * 9_999}
                },
                "externalAdReply": {"thumbnail": "/9j/" * 50_000},
            },
        }
    },
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_not_stored_and_what_was_said_beside_it_is(door: Door, name: str) -> None:
    body = inbound("IN1", jid(phone_of(1)), "", door.scene.campaign().started_at, message=FILES[name])
    assert door.post(body) == 204
    (event,) = door.stored()
    assert len(event.body) < 2_000
    [told] = read_webhook(event.body)
    assert isinstance(told, MessageReceived)
    assert (told.gateway_message_id, told.text) == ("IN1", "SAIR")


def test_what_people_write_of_files_is_kept_as_they_wrote_it(door: Door) -> None:
    body = inbound("IN1", jid(phone_of(1)), '{"base64": "aGk=", "mediaKey":[1]}', door.scene.campaign().started_at)
    assert door.post(body) == 204
    assert [event.body for event in door.stored()] == [body]


LONG = "não " * 200_000
TOO_LONG: dict[str, dict[str, object]] = {
    "a text": {"conversation": "SAIR " + LONG},
    "a text in two wrappers": {
        "ephemeralMessage": {"message": {"viewOnceMessage": {"message": {"extendedTextMessage": {"text": LONG}}}}}
    },
    "many people": {"contactsArrayMessage": {"displayName": "Todos", "contacts": [{"vcard": "x" * 99}] * 9_999}},
    "what is quoted": {"extendedTextMessage": {"text": "Oi", "contextInfo": {"stanzaId": "M1", "quotedMessage": LONG}}},
    "a button": {"listResponseMessage": {"title": "Sair", "singleSelectReply": {"selectedRowId": "out"}, "x": LONG}},
    "a kind that is not known": {"somethingNewMessage": {"text": LONG}},
    "a file with a list": {"documentMessage": {"fileName": "a.pdf", "fileLength": "9", "annotations": [LONG] * 2}},
    "between phones": {"protocolMessage": {"type": "REVOKE", "x": LONG}},
    "members without end": {"conversation": "Oi", **{f"x{n}": {"y": "z"} for n in range(9_999)}},
}


@pytest.mark.parametrize("name", TOO_LONG)
def test_a_body_that_is_too_long_is_kept_in_short(door: Door, name: str) -> None:
    body = inbound("IN1", "1@lid", "", door.scene.campaign().started_at, alternate=jid(phone_of(1)),
                   message=TOO_LONG[name])  # fmt: skip
    assert door.post(body) == 204
    (event,) = door.stored()
    assert len(event.body) <= MOST_STORED
    kept, told = read_webhook(event.body), read_webhook(body)
    assert [replace(each, text=each.text[:99]) for each in kept] == [
        replace(each, text=each.text[:99]) for each in told
    ]


def test_a_list_of_messages_is_kept_in_short_without_losing_one() -> None:
    row = {"key": {"id": "M", "remoteJid": jid(phone_of(1)), "fromMe": False}, "message": {"conversation": "oi" * 99}}
    many = [row | {"key": row["key"] | {"id": f"M{n}"}} for n in range(500)]  # type: ignore[operator]
    kept = storable(envelope("messages.upsert", many)).body
    assert [told.gateway_message_id for told in read_webhook(kept)] == [f"M{n}" for n in range(500)]  # type: ignore[union-attr]


ODD_BODIES: dict[str, bytes] = {
    "empty": b"",
    "an object": b"{}",
    "a list": b"[]",
    "null": b"null",
    "a string": b'"x"',
    "a number": b"1",
    "true": b"true",
    "cut short": receipt("M1", "READ")[:40],
    "a comma too many": b'{"event": "messages.update",}',
    "two documents": b"{}{}",
    "a mark at its beginning": b"\xef\xbb\xbf{}",
    "UTF-16": '{"event": "x"}'.encode("utf-16"),
    "Latin-1": '{"event": "ação"}'.encode("latin-1"),
    "no text at all": bytes(range(256)),
    "NaN": b'{"event": NaN}',
    "infinite": b'{"event": "messages.update", "data": {"keyId": 1e400}}',
    "forty digits": b'{"event": ' + b"9" * 40 + b"}",
    "five thousand digits": b'{"event": ' + b"9" * 5000 + b"}",
    "a NUL": b'{"event": "messages.upsert", "data": {"key": {"id": "\\u0000"}}}',
    "half a character": b'{"event": "\\ud800"}',
    "a name twice": b'{"event": "a", "event": "b"}',
    "__proto__": b'{"__proto__": {"event": "x"}}',
    "nested too deep": b"[" * 100_000,
    "a string of 1 MB": b'{"event": "' + b"x" * 1_000_000 + b'"}',
    "many names": b"{" + b",".join(b'"k%d": 0' % n for n in range(50_000)) + b"}",
    "a form": b"event=messages.update&data=x",
    "packed": gzip.compress(b"{}"),
}


@pytest.mark.parametrize("name", ODD_BODIES)
def test_a_genuine_body_is_stored_whatever_it_is(door: Door, name: str) -> None:
    """Any answer of 4xx would lose it for good."""
    assert door.post(ODD_BODIES[name], headers={"content-type": "text/plain"}) == 204
    (event,) = door.stored()
    assert len(event.body) <= MOST_STORED


def test_a_body_that_is_too_large_is_turned_away_for_good(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "LARGEST_BODY", 10_000)
    assert door.post(b"x" * 10_000) == 204
    assert door.post(b"x" * 10_001) == 400
    assert door.post(iter([b"x" * 6_000, b"y" * 6_000])) == 400, "also where its length is not told"  # type: ignore[arg-type]
    assert len(door.stored()) == 1


def test_a_body_that_does_not_come_in_time_is_not_waited_for(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "BODY_S", 0.3)
    host, port = door.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as line:
        head = (
            f"POST /webhooks/{door.number}/{NAME} HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n"
            f"Authorization: Bearer {door.token}\r\n\r\n"
        )
        line.sendall(head.encode() + b"{")
        assert line.recv(100).startswith(b"HTTP/1.1 408")
    assert door.stored() == []


def test_a_caller_who_hangs_up_harms_nobody(door: Door) -> None:
    host, port = door.url.removeprefix("http://").split(":")
    for _ in range(20):
        with socket.create_connection((host, int(port)), timeout=5) as line:
            line.sendall(b"POST /webhooks/1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n{")
    assert door.post(receipt("M1", "READ")) == 204


def test_while_the_database_is_away_the_gateway_is_to_come_again(door: Door, settings: Settings) -> None:
    healthy = door.runtime.settings
    away = Runtime(replace(settings, database_url="postgresql+psycopg2://nobody@127.0.0.1:1/none"))
    with receiving(away) as url:
        where = f"{url}/webhooks/{door.number}/{NAME}"
        headers = {"authorization": f"Bearer {door.token}"}
        assert requests.post(where, data=receipt("M1", "READ"), headers=headers, timeout=30).status_code == 503
        assert requests.get(f"{url}/healthz", timeout=5).text == "ok"
    assert door.runtime.settings == healthy
    assert door.stored() == []


def test_it_says_that_it_is_there(door: Door) -> None:
    assert requests.get(f"{door.url}/healthz", timeout=5).text == "ok"
    assert requests.get(f"{door.url}/", timeout=5).status_code == 404


class Storm:
    """States told straight to the door of one number, from whichever thread."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.number = make_scene(runtime, 0).instance_id
        self.woken: list[float] = []
        self.taking = Receiving(runtime, lambda: self.woken.append(time.monotonic()))
        self.told = itertools.count()

    def take(self, state: str, **more: object) -> Taken:
        data = {"state": state, **more}
        body = {"event": "connection.update", "instance": NAME, "data": data, "date_time": next(self.told)}
        return self.taking.take(self.number, NAME, json.dumps(body).encode()).result(10)

    def states(self) -> list[str]:
        with self.runtime.work() as work:
            rows = work.session.query(WebhookEvent).order_by(WebhookEvent.id)
            return [json.loads(row.body)["data"]["state"] for row in rows]


@pytest.fixture
def storm(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Storm:
    monkeypatch.setattr(storms, "SAME_STATE_S", 0.4)
    return Storm(runtime)


def test_the_same_state_told_forty_times_a_second_is_one_row_a_second(storm: Storm) -> None:
    assert [storm.take("connecting") for _ in range(5)] == [Taken.STORED, *[Taken.KNOWN] * 4]
    time.sleep(0.4)
    assert storm.take("connecting") is Taken.STORED
    assert storm.states() == ["connecting"] * 2


def test_two_states_in_turn_are_one_row_a_second_of_each_and_the_last_told_is_the_last_row(storm: Storm) -> None:
    told = [storm.take(state) for state in ["connecting", "close"] * 20]
    assert told == [Taken.STORED, Taken.STORED, *[Taken.KNOWN] * 38]
    assert storm.take("open", wuid="5511900001111@s.whatsapp.net") is Taken.STORED, "another state is news"
    assert storm.take("close", statusReason=401) is Taken.STORED, "and so is that it is over"
    for state in ("connecting", "open", "close"):
        assert storm.take(state, wuid="5511900001111@s.whatsapp.net") is Taken.KNOWN
    assert storm.take("connecting") is Taken.KNOWN
    until(lambda: len(storm.states()) == 5, 5)
    time.sleep(0.5)
    assert storm.states() == ["connecting", "close", "open", "close", "connecting"]
    assert len(storm.woken) == 5, "what was held back is to be applied at once as well"


def test_a_storm_on_many_threads_is_as_few_rows_and_one_line(storm: Storm, caplog: pytest.LogCaptureFixture) -> None:
    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(storm.take, ["connecting", "close", "open"] * 40))
    assert told.count(Taken.STORED) <= 3 + 3 * 2, "a row a second for each, however long this took"
    assert told.count(Taken.STORED) + told.count(Taken.KNOWN) == 120
    assert len([line for line in caplog.messages if "told its state" in line]) == 1


def test_a_state_that_could_not_be_stored_is_news_when_it_is_told_again(
    storm: Storm, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(storing, "STORE", text("select cast(:bodies as int), cast(:n as int)"))
        with pytest.raises(exc.StatementError):
            storm.take("open")
    assert storm.take("open") is Taken.STORED


def test_a_burst_is_stored_without_a_loss(door: Door) -> None:
    bodies = [receipt(f"M{n}", "READ") for n in range(300)]
    started = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(door.post, bodies))
    assert answers == [204] * 300
    assert len(door.stored()) == 300
    assert time.monotonic() - started < 30
    until(lambda: all(event.applied_at for event in door.stored()), 30)


def test_what_waited_when_the_process_died_is_applied_by_the_next_one(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    body = inbound("IN1", jid(phone_of(1)), "Oi", scene.campaign().started_at)
    assert Receiving(runtime).take(scene.instance_id, NAME, body).result(5) is Taken.STORED
    wake, stop = threading.Event(), threading.Event()
    wake.set()
    next_one = threading.Thread(target=receiver.apply_what_comes, args=(runtime, wake, stop))
    next_one.start()

    def heard() -> bool:
        with runtime.work() as work:
            return work.session.query(Message).filter_by(direction="in").count() == 1

    until(heard)
    stop.set()
    wake.set()
    next_one.join()


# ---------------------------------------------------------------- reading, against anything

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
keys = st.fixed_dictionaries(
    {},
    optional={
        "id": json_values | st.just("A" * 300) | st.just("M1"),
        "remoteJid": json_values | st.sampled_from([jid(phone_of(1)), "1@lid", "1@g.us", "status@broadcast", ""]),
        "remoteJidAlt": json_values,
        "fromMe": json_values | st.sampled_from(["true", True, False]),
    },
)
rows = st.fixed_dictionaries(
    {},
    optional={
        "key": keys | json_values,
        "keyId": json_values,
        "status": json_values | st.sampled_from(["READ", "DELETED", "EDITED", 7]),
        "message": json_values
        | st.dictionaries(st.sampled_from(["conversation", "imageMessage", "ephemeralMessage"]), json_values),
        "contextInfo": json_values,
        "messageTimestamp": json_values,
        "state": json_values | st.sampled_from(["open", "close", "refused", "connecting"]),
        "statusReason": json_values,
        "qrcode": json_values,
        "wuid": json_values,
        "profileName": json_values,
    },
)
EVENTS = (
    "messages.upsert messages.update messages.set send.message connection.update status.instance qrcode.updated "
    "logout.instance remove.instance MESSAGES_UPSERT error x"
).split()


@how(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(event=st.sampled_from(EVENTS) | json_values, data=rows | st.lists(rows, max_size=3) | json_values)
def test_whatever_is_told_is_read_without_an_error(event: object, data: object) -> None:
    body = {"event": event, "instance": NAME, "data": data}
    found = read_webhook(json.dumps(body).encode())
    repr(found).encode("utf-8")
    assert read_webhook(storable(json.dumps(body | {"x": ["x" * 999] * 99}).encode()).body) == found, "in short as well"


@how(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_can_be_stored(body: bytes) -> None:
    storable(body)
    try:
        read_webhook(body)
    except ValueError:
        return


def test_a_thousand_messages_in_one_body_are_read_and_no_more() -> None:
    row = {"key": {"id": "M", "remoteJid": jid(phone_of(1)), "fromMe": False}, "message": {"conversation": "oi"}}
    many = [row | {"key": row["key"] | {"id": f"M{n}"}} for n in range(1_500)]  # type: ignore[operator]
    assert len(read_webhook(envelope("messages.upsert", many))) == 1_000


def test_a_long_text_is_cut_and_what_cannot_be_kept_is_left_out() -> None:
    [told] = read_webhook(inbound("M1", jid(phone_of(1)), "a\0" * 100_000, datetime(2026, 11, 23, tzinfo=UTC)))
    assert told.text == "a" * 32_768  # type: ignore[union-attr]
    [told] = read_webhook(
        b'{"event":"messages.upsert","data":{"key":{"id":"M1","remoteJid":"1@lid"},"message":{"conversation":"a\\ud800b"}}}'
    )
    assert told.text == "a?b"  # type: ignore[union-attr]
