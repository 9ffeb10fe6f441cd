"""The real adapter and Meta's real door against the demo Cloud API, whose ledger knows what left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from core.errors import Rejected
from core.instances import sessions
from core.instances.rules import Provider
from core.ports import MediaKind, Outgoing, OutgoingMedia, OutgoingTemplate, WhatsApp
from core.runtime import Runtime
from core.secrets import seal
from core.sending.inbox import apply_crossed
from core.sending.reconcile import reconcile
from core.sending.rules import RecipientStatus
from core.settings import Settings
from core.tables import OptOut
from sandbox.meta import Running, run_in_thread
from tests.core.instances.house import receiving, until
from tests.core.instances.numbers import CREDENTIALS
from tests.core.sending.world import without_pause, work_through
from tests.factories import Scene, counters_and_counts, make_campaign, make_leads, make_scene, phone_of

WITHOUT_WHATSAPP, STOPPED, LOST, UNSENT, GARBLED = 9026, 9050, 9701, 9702, 9704


@dataclass
class Story:
    scene: Scene
    meta: Running

    def send(self, times: int = 1) -> None:
        work_through(self.scene.runtime, self.scene, times=times)

    def left(self) -> Counter[str]:
        return Counter(each.to for each in self.meta.world.ledger)

    def status_of(self, n: int) -> tuple[RecipientStatus, str | None]:
        row = next(each for each in self.scene.recipients() if each.phone == phone_of(n))
        return row.status, row.reason

    def reaches(self, n: int, status: RecipientStatus) -> None:
        self.until(lambda: self.status_of(n)[0] is status)

    def until(self, so: Callable[[], object]) -> None:
        """Receipts that crossed our own commit are looked for meanwhile, as the timetable does."""

        def is_so() -> object:
            with self.scene.runtime.work() as work:
                apply_crossed(work)
            return so()

        until(is_so)


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    told = replace(without_pause(settings), quiet_window=timedelta(seconds=30))
    made = Runtime(told, pool_size=12)
    yield made
    counted, there = counters_and_counts(made)
    assert counted == there
    made.close()


@pytest.fixture
def meta(runtime: Runtime) -> Iterator[Running]:
    with receiving(runtime) as receiver_url, run_in_thread() as running:
        runtime.settings = replace(runtime.settings, meta_url=running.url, receiver_url=receiver_url)
        yield running


def story(runtime: Runtime, meta: Running, *numbers: int, have_written: bool = True) -> Story:
    """A campaign from an official number to these people."""
    scene = make_scene(runtime, 0)
    leads = make_leads(runtime, scene.team_id, numbers)
    scene.campaign_id = make_campaign(runtime, scene.team_id, [scene.instance_id], leads, gap_min_s=0, gap_max_s=0)
    name = f"prumo-{scene.instance_id}-official"
    scene.set_instance(
        provider=Provider.META,
        gateway_name=name,
        gateway_id=CREDENTIALS.phone_number_id,
        gateway_token=seal(runtime.settings.secret_key, CREDENTIALS.to_text()),
        phone="+5511900001111",
    )
    where = sessions.webhook_address(runtime.settings, scene.instance_id, name, Provider.META)
    meta.number.callback, meta.world.subscribed = where.url, True
    if have_written:
        meta.world.have_written(*(phone_of(n)[1:] for n in numbers))
    return Story(scene, meta)


def test_everyone_is_written_to_once_and_what_becomes_of_it_is_told(runtime: Runtime, meta: Running) -> None:
    here = story(runtime, meta, 1, 2, 3)
    here.send(times=3)
    assert here.left() == {phone_of(n)[1:]: 1 for n in (1, 2, 3)}
    assert here.scene.statuses() == {"sent": 3}
    here.until(lambda: all(m.delivered_at and m.read_at for m in here.scene.messages()))
    assert {m.gateway_message_id for m in here.scene.messages()} == {each.id for each in meta.world.ledger}


@pytest.mark.parametrize("n", [LOST, GARBLED])
def test_a_message_whose_answer_was_lost_is_found_by_our_own_token(runtime: Runtime, meta: Running, n: int) -> None:
    """Its text is nowhere told again: the reference is the evidence."""
    here = story(runtime, meta, n)
    here.send()
    here.reaches(n, RecipientStatus.SENT)
    assert here.left() == {phone_of(n)[1:]: 1}
    [message] = here.scene.messages()
    assert message.gateway_message_id == meta.world.ledger[0].id
    here.until(lambda: here.scene.messages()[0].read_at is not None)


def test_it_is_found_even_where_meta_reaches_us_after_a_person_was_asked(runtime: Runtime, meta: Running) -> None:
    here = story(runtime, meta, LOST)
    meta.number.callback, callback = "", meta.number.callback
    here.send()
    assert here.status_of(LOST)[0] is RecipientStatus.UNCONFIRMED
    here.scene.sleep(timedelta(minutes=5))
    assert reconcile(runtime, here.scene.instance_id).held == 1
    assert here.status_of(LOST)[0] is RecipientStatus.HELD
    meta.number.callback = callback
    meta.world._tell_status(meta.number, meta.world.ledger[0], "delivered")
    here.reaches(LOST, RecipientStatus.SENT)


def test_what_did_not_leave_and_was_not_answered_is_held_and_never_repeated(runtime: Runtime, meta: Running) -> None:
    here = story(runtime, meta, UNSENT)
    here.send()
    here.scene.sleep(timedelta(minutes=5))
    reconcile(runtime, here.scene.instance_id)
    here.send()
    assert here.status_of(UNSENT)[0] is RecipientStatus.HELD
    assert here.left() == {}


def test_a_message_that_fails_later_says_so(runtime: Runtime, meta: Running) -> None:
    here = story(runtime, meta, WITHOUT_WHATSAPP, 1)
    here.send(times=2)
    has_failed = {phone_of(WITHOUT_WHATSAPP): True, phone_of(1): False}
    here.until(lambda: {m.phone: m.failed_at is not None for m in here.scene.messages()} == has_failed)


def test_who_stopped_the_advertising_at_whatsapp_has_opted_out_here(runtime: Runtime, meta: Running) -> None:
    here = story(runtime, meta, STOPPED)
    here.send()

    def opted_out() -> bool:
        with runtime.work() as work:
            return work.session.query(OptOut).count() == 1

    here.until(opted_out)


@pytest.mark.parametrize("n", [9190, 9368, 9031])
def test_a_token_or_an_account_that_is_refused_stops_the_number_at_once(
    runtime: Runtime, meta: Running, n: int
) -> None:
    here = story(runtime, meta, n)
    here.send(times=2)
    assert here.scene.instance().paused_at is not None
    assert (here.left(), here.scene.statuses()) == ({}, {"queued": 1})
    assert len(here.scene.attempts()) == 1, "nobody asks a second time"


def test_free_text_to_somebody_who_did_not_write_fails_a_moment_later(runtime: Runtime, meta: Running) -> None:
    here = story(runtime, meta, 1, have_written=False)
    here.send()
    here.until(lambda: here.scene.messages()[0].failed_at is not None)


# ---------------------------------------------------------------- the adapter alone


@pytest.fixture
def whatsapp(runtime: Runtime, meta: Running) -> WhatsApp:
    return runtime.whatsapp(Provider.META, seal(runtime.settings.secret_key, CREDENTIALS.to_text()))


async def test_a_template_and_a_file_are_taken(meta: Running, whatsapp: WhatsApp) -> None:
    template = OutgoingTemplate("+5511987654321", "boas_vindas", "pt_BR", ("Ana", "Padaria"), reference="r1")
    photo = OutgoingMedia("+5511987654321", MediaKind.IMAGE, b"\x89PNG", "image/png", caption="Olha")
    try:
        first = await whatsapp.send_template("n", template, timeout_s=5)
        second = await whatsapp.send_media("n", photo, timeout_s=5)
    finally:
        await whatsapp.close()
    assert [each.id for each in meta.world.ledger] == [first.gateway_message_id, second.gateway_message_id]
    assert [each.kind for each in meta.world.ledger] == ["template", "image"]
    assert [each.name for each in whatsapp.templates("n") if each.is_approved] == ["boas_vindas"]


@pytest.mark.parametrize(
    "unknown",
    [
        OutgoingTemplate("+5511987654321", "nobody_knows", "pt_BR"),
        OutgoingTemplate("+5511987654321", "em_analise", "pt_BR"),
        OutgoingTemplate("+5511987654321", "boas_vindas", "en_US", ("Ana", "Padaria")),
        OutgoingTemplate("+5511987654321", "boas_vindas", "pt_BR", ("Ana",)),
    ],
)
async def test_a_template_that_is_not_so_is_refused_for_its_content(
    meta: Running, whatsapp: WhatsApp, unknown: OutgoingTemplate
) -> None:
    try:
        with pytest.raises(Rejected, match="content"):
            await whatsapp.send_template("n", unknown, timeout_s=5)
    finally:
        await whatsapp.close()
    assert meta.world.ledger == []


async def test_more_people_than_the_tier_allows_are_not_written_to(meta: Running, whatsapp: WhatsApp) -> None:
    meta.number.tier = 2
    try:
        for n in (1, 2, 1):
            await whatsapp.send_text("n", Outgoing(phone_of(n), "Oi"), timeout_s=5)
        with pytest.raises(Rejected, match="meta_131048"):
            await whatsapp.send_text("n", Outgoing(phone_of(3), "Oi"), timeout_s=5)
        meta.world.have_written(phone_of(4)[1:])
        await whatsapp.send_text("n", Outgoing(phone_of(4), "Oi"), timeout_s=5)
    finally:
        await whatsapp.close()
    assert whatsapp.state("n").people_per_day == 2
