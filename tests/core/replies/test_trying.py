"""A test of a campaign's message goes to one phone, as an answer does, and counts for nothing."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

import pytest
from sqlalchemy import update

from core.campaigns import media, service
from core.campaigns.rules import CampaignId, FollowUp, Variant
from core.errors import BadInput, NotFound, Rejected, TooManyTries
from core.instances.rules import InstanceId
from core.optouts import service as optouts
from core.ports import RejectedKind
from core.replies import service as replies
from core.replies import trying
from core.replies.rules import Inbox
from core.replies.trying import DAY, FOLLOW_UP, HOUR, MOST_A_DAY, MOST_AN_HOUR, MOST_PHONES, outcome_of, send_test
from core.runtime import Runtime
from core.sending.engine import send_due
from core.tables import Answer, Attempt, Instance, Message
from tests.core.campaigns.making import keep_lead, plan_of, version_of, write_draft
from tests.core.campaigns.test_media import PNG
from tests.core.sending.test_races import in_threads
from tests.core.sending.world import FakeWhatsApp, raises
from tests.factories import make_instance
from tests.people import People

MINE = "(11) 90000-2001"
E164 = "+5511900002001"


@pytest.fixture
def number(people: People, runtime: Runtime) -> InstanceId:
    return make_instance(runtime, people.team_id)


@pytest.fixture
def draft(people: People, number: InstanceId) -> CampaignId:
    keep_lead(people, 1, "Clínica Marfim Azul")
    return write_draft(
        people,
        instance_ids=(number,),
        other_variants=(Variant("Olá, {empresa}!", 1),),
        follow_up=FollowUp("Conseguiu ver, {empresa}?", 4),
    )


def send(people: People, draft: CampaignId, place: int = 0, *, phone: str = MINE, who: str = "Bea") -> int:
    with people.runtime.work() as work:
        return send_test(work, people[who], draft, phone, place, pressed=uuid.uuid4())


def work_off(people: People, number: InstanceId) -> None:
    async def story() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(5, stop.set)
        await send_due(people.runtime, number, owner="test", stop=stop)

    asyncio.run(story())


def how(people: People, answer_id: int) -> tuple[str, str | None]:
    with people.runtime.work() as work:
        found = outcome_of(work, people["Vic"], answer_id)  # type: ignore[arg-type]
    return found.status.value, found.reason


def test_it_reads_as_the_first_lead_will_read_it_and_leaves_once(
    people: People, draft: CampaignId, number: InstanceId, whatsapp: FakeWhatsApp
) -> None:
    answer = send(people, draft, 1)
    assert how(people, answer) == ("queued", None)
    work_off(people, number)
    work_off(people, number)
    assert [(left.phone, left.text) for left in whatsapp.left] == [
        (E164, "Olá, Clínica Marfim Azul!\n\nSe preferir não receber, responda SAIR.")
    ]
    assert how(people, answer) == ("sent", None)
    with people.runtime.work() as work:
        assert work.session.query(Attempt).one().answer_id == answer


def test_it_counts_for_no_campaign_and_waits_for_nobody_in_the_inbox(
    people: People, draft: CampaignId, number: InstanceId
) -> None:
    send(people, draft)
    work_off(people, number)
    with people.runtime.work() as work:
        message = work.session.query(Message).one()
        assert (message.campaign_id, message.campaign_lead_id) == (None, None)
        assert work.session.get_one(Instance, number).sent_today == 0
        assert replies.inbox(work, people["Bea"], Inbox.OPEN).rows == []
        assert service.draft(work, people["Bea"], draft).status == "draft"


def test_the_follow_up_and_a_file_can_be_tested_too(
    people: People, draft: CampaignId, number: InstanceId, whatsapp: FakeWhatsApp
) -> None:
    with people.runtime.work() as work:
        file = media.keep(work, people["Bea"], name="agenda.png", content=PNG)
        plan = plan_of(people, draft)
        again = replace(plan, follow_up=replace(plan.follow_up or FollowUp(""), media_id=file.id))
        service.save_draft(work, people["Bea"], draft, version_of(people, draft), again)
    send(people, draft, FOLLOW_UP)
    work_off(people, number)
    [sent] = whatsapp.files
    assert (sent.content, sent.file_name) == (PNG, "agenda.png")
    assert sent.caption.startswith("Conseguiu ver, Clínica Marfim Azul?")


def test_it_leaves_from_the_campaigns_number_whatever_they_wrote_to_before(
    people: People, draft: CampaignId, number: InstanceId, whatsapp: FakeWhatsApp
) -> None:
    other = make_instance(people.runtime, people.team_id, gateway_name="t1-vendas-02")
    send(people, write_draft(people, instance_ids=(other,)))
    work_off(people, other)
    send(people, draft)
    work_off(people, number)
    assert len(whatsapp.left) == 2


def test_never_to_somebody_who_asked_to_be_left_alone(people: People, draft: CampaignId) -> None:
    with people.runtime.work() as work:
        optouts.opt_out(work, people["Bea"], MINE)
    with pytest.raises(BadInput) as refused:
        send(people, draft)
    assert (refused.value.field, refused.value.key) == ("test_phone", "test_opted_out")


@pytest.mark.parametrize("phone", ["", "12", "não sei"])
def test_what_is_no_phone_is_told_at_its_field(people: People, draft: CampaignId, phone: str) -> None:
    with pytest.raises(BadInput) as refused:
        send(people, draft, phone=phone)
    assert refused.value.field == "test_phone"


def test_without_a_number_that_can_send_or_without_a_text_nothing_is_queued(
    people: People, draft: CampaignId, number: InstanceId
) -> None:
    with pytest.raises(BadInput) as refused:
        send(people, draft, 4)
    assert refused.value.key == "text_empty"
    with people.runtime.work() as work:
        work.session.execute(update(Instance).where(Instance.id == number).values(status="disconnected"))
    with pytest.raises(BadInput) as refused:
        send(people, draft)
    assert refused.value.key == "test_no_number"
    with people.runtime.work() as work:
        assert work.session.query(Answer).count() == 0


def test_a_few_an_hour_and_a_double_press_is_one(people: People, draft: CampaignId) -> None:
    pressed = uuid.uuid4()
    with people.runtime.work() as work:
        first = send_test(work, people["Bea"], draft, MINE, 0, pressed=pressed)
    with people.runtime.work() as work:
        assert send_test(work, people["Bea"], draft, MINE, 0, pressed=pressed) == first
    for _ in range(MOST_AN_HOUR - 1):
        send(people, draft)
    with pytest.raises(TooManyTries):
        send(people, draft)


def test_a_refusal_is_told(people: People, draft: CampaignId, number: InstanceId, whatsapp: FakeWhatsApp) -> None:
    whatsapp.behaves[""] = raises(Rejected(RejectedKind.RECIPIENT, "no"))
    answer = send(people, draft)
    work_off(people, number)
    assert how(people, answer) == ("failed", "not_taken")


def test_a_field_that_is_not_known_stands_in_the_test_by_its_name(
    people: People, number: InstanceId, whatsapp: FakeWhatsApp
) -> None:
    nobody = write_draft(people, instance_ids=(number,), text="Em {bairro}? {meu_nome}")
    send(people, nobody)
    work_off(people, number)
    assert whatsapp.left[0].text.startswith("Em [bairro]? Bea")


def test_what_became_of_it_is_nobody_elses_business(people: People, draft: CampaignId) -> None:
    answer = send(people, draft)
    with people.runtime.work() as work, pytest.raises(NotFound):
        trying.outcome_of(work, people["Carlos"], answer)  # type: ignore[arg-type]


def test_many_presses_at_once_are_not_more_than_an_hour_allows(people: People, draft: CampaignId) -> None:
    refused: list[object] = []

    def press() -> None:
        try:
            send(people, draft)
        except TooManyTries as told:
            refused.append(told)

    in_threads(*[press] * (MOST_AN_HOUR + 5))
    assert len(refused) == 5
    with people.runtime.work() as work:
        assert work.session.query(Answer).count() == MOST_AN_HOUR


def test_a_stranger_is_not_written_to_by_tests(people: People, draft: CampaignId) -> None:
    """To few phones in a day, and to one of them not for ever."""
    for n in range(MOST_PHONES):
        send(people, draft, phone=f"(11) 90000-300{n}")
    with pytest.raises(BadInput) as told:
        send(people, draft, phone="(11) 90000-3009")
    assert told.value.key == "test_enough_today"
    send(people, draft, phone="(11) 90000-3000")
    with people.runtime.work() as work:
        work.session.execute(update(Answer).values(created_at=work.now - HOUR * 2))
    for _ in range(MOST_A_DAY - MOST_PHONES - 1):
        send(people, draft, phone="(11) 90000-3000")
        with people.runtime.work() as work:
            work.session.execute(update(Answer).values(created_at=work.now - HOUR * 2))
    with pytest.raises(BadInput) as told:
        send(people, draft, phone="(11) 90000-3000")
    assert told.value.key == "test_enough_today"
    with people.runtime.work() as work:
        work.session.execute(update(Answer).values(created_at=work.now - DAY))
    send(people, draft)
