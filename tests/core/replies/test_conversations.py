"""The team reads what people wrote, answers, and looks after it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from core.errors import BadInput, NotFound, StateChanged
from core.instances import service as instances
from core.instances.rules import Provider
from core.news import channels_of
from core.optouts.queries import is_opted_out
from core.ports import Capabilities
from core.replies import service
from core.replies.queries import InboxAfter
from core.replies.rules import Inbox, WhyNot
from core.runtime import Runtime
from core.tables import Answer, AuditEntry, Instance, Lead, Membership, Message, OptOut
from tests.core.replies.making import Talk, hears, hold, now, opts_out, talk_of, types
from tests.core.sending.webhooks import deliver
from tests.core.sending.world import FakeWhatsApp
from tests.factories import Scene, make_campaign, make_instance, make_leads, phone_of
from tests.people import People


@pytest.fixture
def talk(people: People) -> Talk:
    return talk_of(people)


def talks(people: People, n: int) -> list[Talk]:
    """So many people wrote to one number, the first of them ten minutes ago, and each a minute after the last."""
    number = make_instance(people.runtime, people.team_id)
    found = [Talk(people.runtime, people.team_id, number, k) for k in range(1, n + 1)]
    for k, each in enumerate(found):
        hears(each, f"Oi, aqui é {k + 1}", ago_s=600 - 60 * k)
    return found


def names(people: People, who: str = "Ana", which: Inbox = Inbox.OPEN, **more: object) -> list[str]:
    with people.runtime.work() as work:
        return [row.last_text for row in service.inbox(work, people[who], which, **more).rows]  # type: ignore[arg-type]


def answer(people: People, talk: Talk, words: str = "Custa 90 reais", *, who: str = "Ana", pressed: str = "") -> int:
    with people.runtime.work() as work:
        return service.answer(work, people[who], talk.conversation_id, words, pressed or str(uuid.uuid4()))


def view(people: People, talk: Talk, who: str = "Ana") -> service.ConversationView:
    with people.runtime.work() as work:
        return service.conversation(work, people[who], talk.conversation_id)


# ---------------------------------------------------------------- the list


def test_who_waits_longest_stands_first_and_then_what_was_last_spoken_of(people: People) -> None:
    first, _, third, _ = talks(people, 4)
    types(first, "A resposta de 1", ago_s=20)
    types(third, "A resposta de 3", ago_s=40)
    assert names(people) == ["Oi, aqui é 2", "Oi, aqui é 4", "A resposta de 1", "A resposta de 3"]


@pytest.mark.parametrize("per_page", [1, 2, 3])
def test_page_after_page_shows_everybody_once(people: People, per_page: int) -> None:
    some = talks(people, 5)
    types(some[0], "A resposta de 1", ago_s=20)
    types(some[2], "A resposta de 3", ago_s=40)
    seen: list[str] = []
    after: InboxAfter | None = None
    for _ in range(6):
        with people.runtime.work() as work:
            page = service.inbox(work, people["Ana"], after=after, per_page=per_page)
        seen += [row.last_text for row in page.rows]
        after = page.next
        if after is None:
            break
    assert seen == ["Oi, aqui é 2", "Oi, aqui é 4", "Oi, aqui é 5", "A resposta de 1", "A resposta de 3"]


def test_mine_are_those_given_to_me_and_done_ones_have_a_list_of_their_own(people: People) -> None:
    first, second, _ = talks(people, 3)
    with people.runtime.work() as work:
        service.assign(work, people["Ana"], first.conversation_id, people["Bea"].user_id)
        service.mark_done(work, people["Bea"], second.conversation_id)
    assert names(people, "Bea", Inbox.MINE) == ["Oi, aqui é 1"]
    assert names(people, "Ana", Inbox.MINE) == []
    assert names(people, "Vic", Inbox.DONE) == ["Oi, aqui é 2"]
    with people.runtime.work() as work:
        counted = service.counts(work, people["Bea"])
        at_home = [row.last_text for row in service.waiting_for_you(work, people["Bea"])]
        at_anas = [row.last_text for row in service.waiting_for_you(work, people["Ana"])]
    assert (counted.open, counted.mine, counted.waiting) == (2, 1, 2)
    assert at_home == ["Oi, aqui é 1", "Oi, aqui é 3"]
    assert at_anas == ["Oi, aqui é 3"], "what was given to Bea is Bea's"


@pytest.mark.parametrize(
    ("looked_for", "found"),
    [
        ("clinica acaí", ["Oi, aqui é 1"]),
        ("ZÉ", ["Oi, aqui é 2"]),
        ("0000-0003", ["Oi, aqui é 3"]),
        ("aqui é 2", ["Oi, aqui é 2"]),
        ("100%", []),
        ("_", []),
        ("nobody", []),
        ("%%%", []),
        ("🙂", []),
        ("\x00", []),
        ("\ud800", []),
        ("'; drop table conversations; --", []),
        (" ", ["Oi, aqui é 1", "Oi, aqui é 2", "Oi, aqui é 3"]),
        ("", ["Oi, aqui é 1", "Oi, aqui é 2", "Oi, aqui é 3"]),
    ],
)
def test_somebody_is_found_by_what_is_shown_of_them(people: People, looked_for: str, found: list[str]) -> None:
    _, second, _ = talks(people, 3)
    make_leads(people.runtime, people.team_id, [1], name="Clínica Açaí", words=" clinica acai 5511900000001")
    with people.runtime.work() as work:
        work.session.execute(
            text("update conversations set profile_name = 'Zé' where id = :id"), {"id": second.conversation_id}
        )
    assert names(people, search=looked_for) == found


def test_a_lead_that_was_found_since_names_the_conversation(people: People) -> None:
    talk = Talk(people.runtime, people.team_id, make_instance(people.runtime, people.team_id))
    hears(talk, "Oi", profile_name="Zé")
    assert view(people, talk).row.name == "Zé"
    make_leads(people.runtime, people.team_id, [1], name="Padaria do Zé")
    assert view(people, talk).row.name == "Padaria do Zé"


# ---------------------------------------------------------------- one of them


def test_all_that_was_said_is_there_in_its_order_on_all_numbers(people: People) -> None:
    talk = talk_of(people)
    with people.runtime.work() as work:
        leads = [lead.id for lead in work.session.query(Lead)]
    scene = Scene(
        people.runtime,
        people.team_id,
        talk.instance_id,
        make_campaign(people.runtime, people.team_id, [talk.instance_id], leads, name="Clínicas SP"),
    )
    deliver(scene, scene.recipients()[0], "M1", seconds_ago=300)
    other = replace(talk, instance_id=make_instance(people.runtime, people.team_id, "vendas-02"))
    hears(other, "Mudei de número", ago_s=20)
    types(talk, "Certo", ago_s=10)
    answer(people, talk, "Custa 90 reais", who="Bea")
    shown = view(people, talk, "Vic")
    said = [(line.direction, line.who, line.campaign_name, line.is_from_phone, line.state) for line in shown.lines]
    assert said == [
        ("out", None, "Clínicas SP", False, "sent"),
        ("in", None, None, False, None),
        ("in", None, None, False, None),
        ("out", None, None, True, "sent"),
        ("out", "Bea", None, False, "queued"),
    ]
    assert shown.number.name == "vendas-02", "they wrote there last"
    assert shown.lead is not None and shown.lead.name == shown.row.name
    assert (shown.why_not, shown.window_closes_at, shown.number.max_text) == (None, None, 4096)


def test_what_is_older_is_read_upwards_a_page_at_a_time(people: People) -> None:
    [talk] = talks(people, 1)
    for n in range(2, 8):
        hears(talk, str(n), ago_s=100)  # within one second, so that nothing but their order tells them apart
    seen: list[str] = []
    before = None
    for _ in range(5):
        with people.runtime.work() as work:
            page = service.conversation(work, people["Ana"], talk.conversation_id, before=before, per_page=3)
        seen = [line.text for line in page.lines] + seen
        before = page.before
        if before is None:
            break
    assert seen == ["Oi, aqui é 1", "2", "3", "4", "5", "6", "7"]


# ---------------------------------------------------------------- answering


def test_an_answer_waits_for_its_turn_and_wakes_the_sender(people: People, talk: Talk) -> None:
    answer(people, talk, "  Custa 90 reais\r\npor mês \n")
    [it] = talk.answers()
    assert (it.status, it.written_by, it.instance_id) == ("queued", people["Ana"].user_id, talk.instance_id)
    message = talk.messages()[-1]
    assert (message.text, message.direction, message.sent_at) == ("Custa 90 reais\npor mês", "out", None)
    assert message.written_by == people["Ana"].user_id and message.campaign_id is None
    [queued] = [seen for seen in people.runtime.queue.look().queues if seen.name == "sender"]
    assert queued.waiting == 1


def test_pressing_twice_is_one_answer(people: People, talk: Talk) -> None:
    pressed = str(uuid.uuid4())
    assert answer(people, talk, pressed=pressed) == answer(people, talk, pressed=pressed)
    assert len(talk.answers()) == len(talk.messages()) - 1 == 1
    assert answer(people, talk) != answer(people, talk), "the same words may be meant twice"


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("", "required"),
        (" \n\t ", "required"),
        ("\u200b", "required"),
        ("x" * 4097, "text_too_long"),
        ("a\x00b", "text_unreadable"),
    ],
)
def test_words_that_are_none_are_refused(people: People, talk: Talk, words: str, key: str) -> None:
    with pytest.raises(BadInput) as refused:
        answer(people, talk, words)
    assert (refused.value.field, refused.value.key) == ("text", key)
    assert talk.answers() == []


def test_a_pressed_that_is_none_is_refused(people: People, talk: Talk) -> None:
    with pytest.raises(BadInput):
        answer(people, talk, pressed="1; drop table answers")


def test_what_has_not_left_can_be_taken_back(people: People, talk: Talk) -> None:
    first = answer(people, talk, "Custa 90 reais")
    with people.runtime.work() as work:
        assert service.withdraw(work, people["Bea"], first) == "Custa 90 reais"
    assert [line.text for line in view(people, talk).lines] == ["Quanto custa?"]
    with people.runtime.work() as work, pytest.raises(StateChanged) as late:
        service.withdraw(work, people["Ana"], first)
    assert late.value.now == "cancelled"


def stop(people: People, talk: Talk, **values: object) -> None:
    with people.runtime.work() as work:
        work.session.execute(update(Instance).where(Instance.id == talk.instance_id).values(**values))


@pytest.mark.parametrize(
    ("number", "forbidden"),
    [
        ({"status": "disconnected", "status_reason": "logged_out"}, WhyNot.NUMBER_AWAY),
        ({"status": "disconnected", "status_reason": "reconnecting"}, None),
        ({"status": "scanning"}, WhyNot.NUMBER_AWAY),
        ({"paused_at": "now()", "pause_reason": "outcomes_unknown"}, WhyNot.NUMBER_STOPPED),
        ({"paused_at": "now()", "pause_reason": None}, WhyNot.NUMBER_STOPPED),
        ({"paused_at": "now()", "pause_reason": "by_hand"}, None),
        ({"status": "removed"}, WhyNot.NUMBER_REMOVED),
    ],
)
def test_why_nobody_can_be_answered(
    people: People, talk: Talk, number: dict[str, object], forbidden: WhyNot | None
) -> None:
    if "paused_at" in number:
        number = number | {"paused_at": now(people.runtime)}
    stop(people, talk, **number)
    assert view(people, talk).why_not == forbidden
    if forbidden is None:
        answer(people, talk)
        return
    with pytest.raises(StateChanged) as refused:
        answer(people, talk)
    assert refused.value.now == forbidden.value


def test_whom_an_official_number_may_still_answer(people: People, talk: Talk, whatsapp: FakeWhatsApp) -> None:
    said = whatsapp.capabilities()
    whatsapp.capabilities = lambda: replace(said, free_text_window_h=24, max_text=100)  # type: ignore[method-assign]
    shown = view(people, talk)
    assert shown.window_closes_at == shown.row.heard_at + timedelta(hours=24)
    assert (shown.why_not, shown.number.max_text) == (None, 100)
    with people.runtime.work() as work:
        work.session.execute(text("update conversations set heard_at = heard_at - interval '25 hours'"))
    assert view(people, talk).why_not is WhyNot.WINDOW_CLOSED
    with pytest.raises(StateChanged):
        answer(people, talk)


def test_the_number_that_took_anothers_place_answers_for_it(people: People, talk: Talk) -> None:
    stop(people, talk, phone="+5511900009000")
    with people.runtime.work() as work:
        instances.disconnect(work, people["Ana"], talk.instance_id)
    assert view(people, talk).why_not is WhyNot.NUMBER_REMOVED
    again = make_instance(people.runtime, people.team_id, "de novo", phone="+5511900009000")
    make_instance(people.runtime, people.other_team_id, "alheio", phone="+5511900009001")
    assert (view(people, talk).why_not, view(people, talk).number.id) == (None, again)
    answer(people, talk)
    assert talk.answers()[0].instance_id == again


# ---------------------------------------------------------------- what people decide


def test_it_arrived_answers_whoever_waits_and_is_written_down(people: People, talk: Talk) -> None:
    held = answer(people, talk)
    hold(people.runtime, held)
    assert view(people, talk).row.in_trouble
    with people.runtime.work() as work:
        service.it_arrived(work, people["Bea"], held)
    shown = view(people, talk)
    assert (shown.lines[-1].state, shown.row.waiting_since, shown.row.in_trouble) == ("sent", None, False)
    [it] = talk.answers()
    assert it.evidence is not None and it.evidence["name"] == "Bea"
    with people.runtime.work() as work:
        assert [e.action for e in work.session.query(AuditEntry)] == ["answer.arrived"]
    with people.runtime.work() as work, pytest.raises(StateChanged):
        service.send_again(work, people["Ana"], held)


def test_send_again_puts_it_back_and_leave_leaves_it(people: People, talk: Talk) -> None:
    held = answer(people, talk)
    hold(people.runtime, held)
    with people.runtime.work() as work:
        service.send_again(work, people["Ana"], held)
    assert talk.answers()[0].status == "queued"
    hold(people.runtime, held)
    with people.runtime.work() as work:
        service.leave(work, people["Ana"], held)
    it = talk.answers()[0]
    assert (it.status, it.reason) == ("skipped", "by_hand")
    with people.runtime.work() as work:
        assert [e.action for e in work.session.query(AuditEntry).order_by(AuditEntry.id)] == [
            "answer.sent_again",
            "answer.left",
        ]


def test_two_who_call_it_done_at_once(people: People, talk: Talk) -> None:
    with people.runtime.work() as work:
        service.mark_done(work, people["Ana"], talk.conversation_id)
    with people.runtime.work() as work, pytest.raises(StateChanged):
        service.mark_done(work, people["Bea"], talk.conversation_id)
    with people.runtime.work() as work:
        service.reopen(work, people["Bea"], talk.conversation_id)
    it = talk.row()
    assert it is not None and (it.status, it.done_at) == ("open", None)
    assert it.waiting_since == it.heard_at, "nobody had answered"


def test_what_was_open_with_somebody_who_asked_to_be_left_alone_is_done_and_stays_so(people: People) -> None:
    first, _ = talks(people, 2)
    opts_out(first)
    assert (names(people), names(people, which=Inbox.DONE)) == (["Oi, aqui é 2"], ["SAIR"])
    with people.runtime.work() as work:
        counted = service.counts(work, people["Ana"])
    assert (counted.open, counted.waiting) == (1, 1)
    with people.runtime.work() as work, pytest.raises(StateChanged):
        service.reopen(work, people["Bea"], first.conversation_id)


def test_it_is_given_only_to_people_of_the_team(people: People, talk: Talk) -> None:
    with people.runtime.work() as work:
        work.session.query(Membership).filter_by(user_id=people["Vic"].user_id).delete()
    for stranger in ("Carlos", "Vic"):
        with people.runtime.work() as work, pytest.raises(NotFound):
            service.assign(work, people["Ana"], talk.conversation_id, people[stranger].user_id)
    with people.runtime.work() as work:
        service.assign(work, people["Ana"], talk.conversation_id, people["Ana"].user_id)
        service.assign(work, people["Ana"], talk.conversation_id, None)
    assert view(people, talk).row.assigned_to is None


def test_whoever_is_not_to_be_contacted_gets_nothing_more_and_no_word_of_it(people: People, talk: Talk) -> None:
    waiting = answer(people, talk)
    with people.runtime.work() as work:
        service.set_not_contact(work, people["Bea"], talk.conversation_id)
    with people.runtime.work() as work:
        assert is_opted_out(work.session, people.team_id, talk.hashed)
        assert work.session.query(OptOut).one().reason == "by_hand"
        assert (work.session.get_one(Answer, waiting).status, work.session.query(Answer).count()) == ("skipped", 1)
    shown = view(people, talk)
    assert (shown.why_not, shown.row.opted_out, shown.row.waiting_since) == (WhyNot.OPTED_OUT, True, None)
    assert shown.lines[-1].reason == "opted_out"


def test_nobody_knows_whom_a_hidden_id_is_not_to_contact(people: People) -> None:
    talk = Talk(people.runtime, people.team_id, make_instance(people.runtime, people.team_id), address="1@lid")
    hears(talk, "Oi")
    with people.runtime.work() as work, pytest.raises(StateChanged) as refused:
        service.set_not_contact(work, people["Ana"], talk.conversation_id)
    assert refused.value.now == "hidden"
    with people.runtime.work() as work, pytest.raises(BadInput) as no_lead:
        service.add_note(work, people["Ana"], talk.conversation_id, "Quem é?")
    assert no_lead.value.key == "note_without_lead"


# ---------------------------------------------------------------- quick replies


def test_quick_replies_are_kept_in_order_and_filled_for_whoever_is_answered(people: People, talk: Talk) -> None:
    with people.runtime.work() as work:
        prices = service.add_quick_reply(work, people["Ana"], " Preços ", "Oi, {empresa}! Aqui é {meu_nome}.")
        video = service.add_quick_reply(work, people["Bea"], "Vídeo", "Vi que a nota é {nota}.")
        service.order_quick_replies(work, people["Bea"], [video])
        service.change_quick_reply(work, people["Bea"], video, "Nota", "A nota é {nota}.")
    with people.runtime.work() as work:
        cards = service.quick_replies(work, people["Vic"], talk.conversation_id)
        name = view(people, talk).row.name
    assert [card.title for card in cards] == ["Nota", "Preços"]
    assert (cards[0].filled, cards[0].missing) == (None, "rating")
    assert cards[1].filled == f"Oi, {name}! Aqui é Vic."
    with people.runtime.work() as work:
        service.remove_quick_reply(work, people["Ana"], prices)
        assert [card.filled for card in service.quick_replies(work, people["Ana"])] == [None]


@pytest.mark.parametrize(
    ("title", "words", "field"),
    [
        ("", "Oi", "title"),
        ("x" * 41, "Oi", "title"),
        ("Oi", " ", "text"),
        ("Oi", "{", "text"),
        ("Oi", "x" * 2001, "text"),
    ],
)
def test_a_quick_reply_that_is_none_is_refused(people: People, title: str, words: str, field: str) -> None:
    with people.runtime.work() as work, pytest.raises(BadInput) as refused:
        service.add_quick_reply(work, people["Ana"], title, words)
    assert refused.value.field == field


# ---------------------------------------------------------------- live


def test_whoever_looks_is_told(people: People, talk: Talk) -> None:
    pubsub = people.runtime.queue.redis.pubsub()  # type: ignore[attr-defined]
    news = channels_of(people.runtime.settings.redis_url)
    pubsub.psubscribe(news + "replies:*")
    pubsub.get_message(timeout=1)
    hears(talk, "Oi?", ago_s=1)
    told = pubsub.get_message(timeout=2)
    assert told is not None and told["channel"] == f"{news}replies:{people.team_id}".encode()


def test_capabilities_are_known_without_asking_anybody(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    with runtime.work() as work:
        can = work.capabilities(Provider.EVOLUTION)
    assert isinstance(can, Capabilities) and can == whatsapp.capabilities()


def test_the_messages_of_others_are_never_in_a_conversation(people: People) -> None:
    first, _ = talks(people, 2)
    assert [line.text for line in view(people, first).lines] == ["Oi, aqui é 1"]
    with people.runtime.work() as work:
        assert {m.phone for m in work.session.query(Message)} == {phone_of(1), phone_of(2)}
