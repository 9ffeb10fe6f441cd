"""Official numbers, connected, told of, refused and removed, against a Cloud API over HTTP that calls back."""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import pytest
import requests

from core.errors import BadInput, DatabaseAway, Rejected
from core.instances import service
from core.instances.linking import carry_out_wishes
from core.instances.official import Credentials
from core.instances.polling import poll_states
from core.instances.rules import InstanceId, InstanceStatus, Provider, StatusReason
from core.runtime import Runtime
from core.secrets import unseal
from core.tables import Instance, Message, OptOut, WebhookEvent
from sandbox.meta import Number, Running, run_in_thread
from tests.core.instances.house import receiving, until
from tests.core.instances.numbers import CREDENTIALS, add_number, change, leftovers, number
from tests.people import People

S = InstanceStatus
ANA = "5511987654321"


@dataclass
class Office:
    """Meta, our receiver, and what is wished of them: carried out when the story says so."""

    runtime: Runtime
    meta: Running
    receiver_url: str

    def connect(self, people: People, name: str = "Oficial", credentials: Credentials = CREDENTIALS) -> InstanceId:
        with self.runtime.work() as work:
            made = service.connect_official(work, people["Ana"], name, credentials, accepts_terms=True)
        carry_out_wishes(self.runtime)
        return made

    def connected(self, people: People) -> InstanceId:
        made = self.connect(people)
        assert number(self.runtime, made).status is S.CONNECTED
        return made

    def look(self, instance_id: InstanceId) -> Instance:
        """As the timetable does, once it is time for it again."""
        change(self.runtime, instance_id, checked_at=None)
        poll_states(self.runtime)
        return number(self.runtime, instance_id)

    def messages(self, direction: str = "in") -> list[Message]:
        with self.runtime.work() as work:
            return list(work.session.query(Message).filter_by(direction=direction).order_by(Message.id))


@contextmanager
def office(runtime: Runtime) -> Iterator[Office]:
    with receiving(runtime) as receiver_url, run_in_thread() as meta:
        runtime.settings = replace(runtime.settings, meta_url=meta.url, receiver_url=receiver_url)
        yield Office(runtime, meta, receiver_url)


@pytest.fixture
def here(runtime: Runtime) -> Iterator[Office]:
    with office(runtime) as here:
        yield here


# ---------------------------------------------------------------- connecting


def test_a_number_is_connected_by_its_credentials_and_knows_whose_it_is(here: Office, people: People) -> None:
    made = here.connect(people)
    row = number(here.runtime, made)
    assert (row.status, row.provider, row.gateway_trouble) == (S.CONNECTED, Provider.META, None)
    assert (row.phone, row.profile_name, row.gateway_id) == ("+5511900001111", "Padaria Modelo", here.meta.number.id)
    assert here.meta.number.callback == f"{here.receiver_url}/meta/{made}/{row.gateway_name}"
    kept = unseal(here.runtime.settings.secret_key, row.gateway_token or b"")
    assert Credentials.from_text(kept) == CREDENTIALS
    assert CREDENTIALS.access_token.encode() not in (row.gateway_token or b"")


@pytest.mark.parametrize(
    ("wrong", "trouble"),
    [
        ({"access_token": "EAAJB" + "1" * 40}, "official_token"),
        ({"app_secret": "f" * 32}, "official_secret"),
        ({"phone_number_id": "999999999"}, "official_account"),
        ({"account_id": "999999999"}, "official_account"),
    ],
)
def test_what_meta_does_not_take_is_told_and_not_tried_again(
    here: Office, people: People, wrong: dict[str, str], trouble: str
) -> None:
    made = here.connect(people, credentials=replace(CREDENTIALS, **wrong))
    row = number(here.runtime, made)
    assert (row.status, row.status_reason) == (S.DISCONNECTED, StatusReason.CREDENTIALS_REFUSED)
    assert row.gateway_trouble == trouble
    assert here.meta.number.callback == ""
    assert carry_out_wishes(here.runtime) == 0

    with here.runtime.work() as work:
        service.set_credentials(work, people["Ana"], made, CREDENTIALS)
    carry_out_wishes(here.runtime)
    row = number(here.runtime, made)
    assert (row.status, row.status_reason, row.gateway_trouble) == (S.CONNECTED, None, None)


def test_an_address_that_meta_does_not_reach_is_tried_again(here: Office, people: People) -> None:
    here.runtime.settings = replace(here.runtime.settings, meta_callback_url="http://127.0.0.1:9")
    made = here.connect(people)
    row = number(here.runtime, made)
    assert (row.status, row.gateway_trouble) == (S.NEW, "official_callback")
    assert carry_out_wishes(here.runtime) == 0, "Meta counts what it is asked"
    here.runtime.settings = replace(here.runtime.settings, meta_callback_url="")
    change(here.runtime, made, linking_at=None)
    carry_out_wishes(here.runtime)
    assert number(here.runtime, made).status is S.CONNECTED


def test_meta_that_is_not_there_is_a_trouble_and_no_refusal(runtime: Runtime, people: People) -> None:
    runtime.settings = replace(runtime.settings, meta_url="http://127.0.0.1:9")
    with runtime.work() as work:
        made = service.connect_official(work, people["Ana"], "Oficial", CREDENTIALS, accepts_terms=True)
    carry_out_wishes(runtime)
    assert (number(runtime, made).status, number(runtime, made).gateway_trouble) == (S.NEW, "gateway_unreachable")


def test_a_phone_that_is_linked_here_already_is_not_taken_from_whoever_has_it(here: Office, people: People) -> None:
    first = here.connected(people)
    told_to = here.meta.number.callback
    second = here.connect(people, "Outro")
    assert number(here.runtime, second).status_reason == StatusReason.ALREADY_CONNECTED
    assert here.meta.number.callback == told_to, "Meta goes on telling the first"
    assert number(here.runtime, first).status is S.CONNECTED
    assert leftovers(here.runtime) == []


def test_a_phone_that_is_linked_by_its_code_is_not_taken_either(here: Office, people: People) -> None:
    add_number(here.runtime, people.team_id, phone="+5511900001111")
    assert number(here.runtime, here.connect(people)).status_reason == StatusReason.ALREADY_CONNECTED


@pytest.mark.parametrize(
    ("status", "reason"), [("BANNED", StatusReason.BANNED), ("PENDING", StatusReason.NOT_REGISTERED)]
)
def test_a_number_that_cannot_send_says_why(here: Office, people: People, status: str, reason: str) -> None:
    here.meta.number.status = status
    row = number(here.runtime, here.connect(people))
    assert (row.status, row.status_reason) == (S.DISCONNECTED, reason)


def test_only_what_can_be_called_back_is_connected(runtime: Runtime, people: People) -> None:
    with runtime.work() as work, pytest.raises(BadInput, match="callback_not_https"):
        service.connect_official(work, people["Ana"], "Oficial", CREDENTIALS, accepts_terms=True)
    runtime.settings = replace(runtime.settings, meta_callback_url="https://receiver.example")
    with runtime.work() as work, pytest.raises(BadInput, match="terms_not_accepted"):
        service.connect_official(work, people["Ana"], "Oficial", CREDENTIALS, accepts_terms=False)
    with runtime.work() as work:
        service.connect_official(work, people["Ana"], "Oficial", CREDENTIALS, accepts_terms=True)


def test_credentials_of_another_number_make_a_new_number(here: Office, people: People) -> None:
    made = here.connected(people)
    other = replace(CREDENTIALS, phone_number_id="777777777")
    with here.runtime.work() as work, pytest.raises(BadInput, match="another_number"):
        service.set_credentials(work, people["Ana"], made, other)
    here.meta.world.numbers["777777777"] = Number("777777777", "+55 11 90000-2222")
    change(here.runtime, made, gateway_id=None, status=S.DISCONNECTED)
    with here.runtime.work() as work:
        service.set_credentials(work, people["Ana"], made, other)
    carry_out_wishes(here.runtime)
    row = number(here.runtime, made)
    assert (row.status_reason, row.phone) == (StatusReason.CREDENTIALS_REFUSED, "+5511900001111")
    coded = add_number(here.runtime, people.team_id, phone="+5511900003333")
    with here.runtime.work() as work, pytest.raises(BadInput, match="not_official"):
        service.set_credentials(work, people["Ana"], coded, CREDENTIALS)


# ---------------------------------------------------------------- living


def test_a_token_that_runs_out_is_a_trouble_and_a_new_one_mends_it(here: Office, people: People) -> None:
    made = here.connected(people)
    here.meta.world.token = "EAAJBanother00000000000000000000000001"
    row = here.look(made)
    assert (row.status, row.gateway_trouble) == (S.CONNECTED, "official_token")
    at = row.checked_at
    poll_states(here.runtime)
    assert number(here.runtime, made).checked_at == at, "it was an answer: not asked again at once"
    with here.runtime.work() as work:
        service.set_credentials(work, people["Ana"], made, replace(CREDENTIALS, access_token=here.meta.world.token))
    carry_out_wishes(here.runtime)
    assert (number(here.runtime, made).status, number(here.runtime, made).gateway_trouble) == (S.CONNECTED, None)


def test_a_number_that_meta_bans_is_disconnected_and_comes_back_as_what_it_was(here: Office, people: People) -> None:
    made = here.connected(people)
    name, callback = number(here.runtime, made).gateway_name, here.meta.number.callback
    here.meta.number.status = "BANNED"
    assert here.look(made).status_reason == StatusReason.BANNED
    here.meta.number.status = "CONNECTED"
    with here.runtime.work() as work:
        service.reconnect(work, people["Ana"], made)
    carry_out_wishes(here.runtime)
    row = number(here.runtime, made)
    assert (row.status, row.gateway_name) == (S.CONNECTED, name)
    assert (here.meta.number.callback, leftovers(here.runtime)) == (callback, [])


def test_a_number_that_is_disconnected_is_told_of_no_more(here: Office, people: People) -> None:
    made = here.connected(people)
    with here.runtime.work() as work:
        service.disconnect(work, people["Ana"], made)
    carry_out_wishes(here.runtime)
    assert (here.meta.number.callback, leftovers(here.runtime)) == ("", [])
    assert number(here.runtime, made).gateway_token is None

    again = here.connected(people)
    assert here.meta.number.callback.endswith(number(here.runtime, again).gateway_name or "?")


def test_credentials_under_another_secret_key_are_as_none(here: Office, people: People) -> None:
    made = here.connected(people)
    here.runtime.settings = replace(here.runtime.settings, secret_key="another key of 32 characters or more")
    with pytest.raises(Rejected, match="no_credentials"):
        here.runtime.whatsapp(Provider.META, number(here.runtime, made).gateway_token).state("n")
    assert here.look(made).gateway_trouble == "official_token"


# ---------------------------------------------------------------- what Meta tells


def test_what_people_write_arrives_and_an_opt_out_counts(here: Office, people: People) -> None:
    here.connected(people)
    here.meta.world.say(ANA, "Oi, quanto custa?")
    until(lambda: [m.text for m in here.messages()] == ["Oi, quanto custa?"])
    here.meta.world.say(ANA, "SAIR")
    with here.runtime.work() as work:
        until(lambda: work.session.query(OptOut).count() == 1)


def test_a_post_is_stored_as_it_came_and_told_twice_it_is_one(here: Office, people: People) -> None:
    here.connected(people)
    here.meta.world.habits.tells_twice = True
    here.meta.world.say(ANA, "Oi")
    with here.runtime.work() as work:
        until(lambda: work.session.query(WebhookEvent).count() == 1)
        event = work.session.query(WebhookEvent).one()
    assert event.provider is Provider.META
    assert json.loads(event.body)["object"] == "whatsapp_business_account"
    until(lambda: len(here.messages()) == 1)
    assert {status for _, status in here.meta.world.told} == {200}


def post(here: Office, body: bytes, **headers: str) -> int:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(here.meta.number.callback, data=body, headers=sent, timeout=5).status_code


def signed(body: bytes, secret: str = CREDENTIALS.app_secret) -> dict[str, str]:
    return {"X_Hub_Signature_256": "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()}


def stored(here: Office) -> int:
    with here.runtime.work() as work:
        return work.session.query(WebhookEvent).count()


BODY = b'{"object":"whatsapp_business_account","entry":[]}'


def test_only_the_apps_signature_opens_the_door(here: Office, people: People) -> None:
    here.connected(people)
    wrong: list[dict[str, str]] = [
        {},
        {"Authorization": f"Bearer {CREDENTIALS.access_token}"},
        {"X_Hub_Signature_256": ""},
        {"X_Hub_Signature_256": "sha256=" + "0" * 64},
        {"X_Hub_Signature": signed(BODY)["X_Hub_Signature_256"]},
        {"X_Hub_Signature_256": signed(BODY)["X_Hub_Signature_256"].upper()},
        signed(BODY + b" "),
        signed(BODY, "f" * 32),
    ]
    assert [post(here, BODY, **headers) for headers in wrong] == [401] * len(wrong)
    assert stored(here) == 0
    assert post(here, BODY, **signed(BODY)) == 200


@pytest.mark.parametrize(
    "path",
    ["/meta/1/nobody", "/meta/x/y", "/meta/99999999999999999999/y", "/meta/1/a%00b", f"/meta/{'0' * 5000}/y"],
)
def test_an_address_of_nobody_is_a_strangers(here: Office, people: People, path: str) -> None:
    here.connected(people)
    url = here.receiver_url + path
    sent = {"X-Hub-Signature-256": signed(BODY)["X_Hub_Signature_256"]}
    assert requests.post(url, data=BODY, headers=sent, timeout=5).status_code == 401
    assert requests.get(url, params={"hub.mode": "subscribe"}, timeout=5).status_code == 401


def test_a_challenge_is_answered_to_who_knows_the_token_of_this_number(here: Office, people: People) -> None:
    here.connected(people)
    told = here.meta.number

    def asked(**wish: str) -> tuple[int, str]:
        params = {"hub.mode": "subscribe", "hub.challenge": "4711", "hub.verify_token": told.verify_token}
        params |= {name.replace("_", ".", 1): value for name, value in wish.items()}
        answer = requests.get(told.callback, params=params, timeout=5)
        return answer.status_code, answer.text

    assert asked() == (200, "4711")
    assert asked(hub_verify_token="another")[0] == 401
    assert asked(hub_mode="unsubscribe")[0] == 401
    assert len(asked(hub_challenge="1" * 5000)[1]) == 200
    assert requests.get(told.callback, timeout=5).status_code == 401


def test_what_is_signed_and_cannot_be_read_is_kept_with_its_error(here: Office, people: People) -> None:
    here.connected(people)
    for body in (b"{", b"[]", b"\xff", b""):
        assert post(here, body, **signed(body)) == 200
    with here.runtime.work() as work:
        until(lambda: work.session.query(WebhookEvent).filter(WebhookEvent.error.is_not(None)).count() == 4)


@pytest.mark.parametrize("odd", [{"type": []}, {"type": {}}, {"timestamp": 10**400}, {"timestamp": -(10**400)}])
def test_a_message_with_members_of_the_wrong_type_is_an_answer_all_the_same(
    here: Office, people: People, odd: dict[str, Any]
) -> None:
    here.connected(people)
    message = {"from": ANA, "id": "wamid.X", "type": "text", "text": {"body": "Oi"}} | odd
    here.meta.world.tell(here.meta.number, {"messages": [message]})
    assert here.meta.world.told[-1][1] == 200
    until(lambda: [each.phone for each in here.messages()] == [f"+{ANA}"])


def test_the_news_of_another_number_of_the_account_is_not_ours(here: Office, people: People) -> None:
    here.connected(people)
    other = Number("999999", "+55 11 90000-9999", callback=here.meta.number.callback)
    here.meta.world.tell(other, {"messages": [{"from": ANA, "id": "wamid.X", "type": "text", "text": {"body": "Oi"}}]})
    assert here.meta.world.told[-1][1] == 200
    assert stored(here) == 0


def test_while_the_database_is_away_meta_is_to_come_again(
    here: Office, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.connected(people)
    away = threading.Event()
    works = Runtime.work

    @contextmanager
    def work(runtime: Runtime) -> Iterator[Any]:
        if away.is_set():
            raise DatabaseAway("OperationalError")
        with works(runtime) as opened:
            yield opened

    monkeypatch.setattr(Runtime, "work", work)
    away.set()
    assert post(here, BODY, **signed(BODY)) == 503
    away.clear()
    here.meta.world.callbacks_fail = 2
    here.meta.world.say(ANA, "Oi")
    until(lambda: len(here.messages()) == 1)
