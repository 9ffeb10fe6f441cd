"""A conversation says what is so, whatever came first and however often it was told."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text, update

from core.accounts.rules import TeamId
from core.optouts import service as optouts
from core.ports import Media, MessageReceived, MessageWritten, Receipt, ReceiptCame, SentRecord
from core.replies import service
from core.runtime import Runtime
from core.sending import inbox
from core.sending.addresses import person_of_phone
from core.sending.receipts import apply_receipt, meet, receive, write
from core.sending.settling import settle_by_evidence
from core.tables import Answer, Conversation, Instance, Message
from core.work import Work
from tests.core.orders import ends_of_all_orders
from tests.core.replies.making import Talk, hears, now, talk_of, types
from tests.core.sending.webhooks import claim, deliver
from tests.core.sending.world import FakeWhatsApp, work_through
from tests.factories import Scene, make_campaign, make_instance, make_leads, make_scene, phone_of
from tests.people import People

LID = "119876543210987@lid"


@pytest.fixture
def talk(people: People) -> Talk:
    return talk_of(people)


def scene_of(talk: Talk, n: int = 1) -> Scene:
    """A campaign that runs from the talk's number to its lead."""
    runtime = talk.runtime
    with runtime.work() as work:
        leads = list(work.session.execute(text("select id from leads order by id")).scalars())
    campaign_id = make_campaign(runtime, talk.team_id, [talk.instance_id], leads[:n])
    return Scene(runtime, talk.team_id, talk.instance_id, campaign_id, leads)


def row(talk: Talk) -> Conversation:
    found = talk.row()
    assert found is not None
    return found


# ---------------------------------------------------------------- what opens one


def test_whoever_writes_has_a_conversation_that_waits(talk: Talk) -> None:
    said = talk.messages()[0]
    it = row(talk)
    assert (it.status, it.waiting_since, it.heard_at, it.begun_at) == ("open", said.at, said.at, said.at)
    assert (it.last_direction, it.last_kind, it.last_text) == ("in", "text", "Quanto custa?")
    assert it.lead_id is not None and it.instance_id == talk.instance_id and it.phone == talk.phone


def test_an_answer_to_a_campaign_knows_which(talk: Talk) -> None:
    scene = scene_of(talk)
    deliver(scene, scene.recipients()[0], "M1", seconds_ago=120)
    hears(talk, "Tenho interesse", ago_s=10)
    it = row(talk)
    assert (it.campaign_id, it.campaign_lead_id) == (scene.campaign_id, scene.recipients()[0].id)


def test_a_campaign_opens_nothing_but_is_seen_in_what_is_open(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 0)
    talk = Talk(runtime, scene.team_id, scene.instance_id, 1)
    hears(talk, "Bom dia", ago_s=3600)
    leads = make_leads(runtime, scene.team_id, [1, 2])
    make_campaign(runtime, scene.team_id, [scene.instance_id], leads, gap_min_s=0, gap_max_s=0)
    work_through(runtime, scene)
    assert whatsapp.phones() == [phone_of(1), phone_of(2)]
    it = row(talk)
    assert (it.last_direction, it.status) == ("out", "open")
    assert it.waiting_since is not None, "a campaign's message is no answer"
    assert Talk(runtime, scene.team_id, scene.instance_id, 2).row() is None


def test_a_reaction_begins_a_conversation_in_which_nobody_waits(people: People) -> None:
    talk = Talk(people.runtime, people.team_id, make_instance(people.runtime, people.team_id))
    hears(talk, "👍", kind="reaction")
    assert (row(talk).status, row(talk).waiting_since, row(talk).last_kind) == ("open", None, "reaction")


def test_a_reaction_opens_nothing_again(talk: Talk, people: People) -> None:
    with talk.runtime.work() as work:
        service.mark_done(work, people["Ana"], talk.conversation_id)
    hears(talk, "👍", kind="reaction", ago_s=5)
    assert row(talk).status == "done"


def test_what_was_said_before_the_number_was_connected_opens_nothing(people: People) -> None:
    talk = Talk(people.runtime, people.team_id, make_instance(people.runtime, people.team_id))
    with people.runtime.work() as work:
        connected = work.now - timedelta(hours=1)
        work.session.execute(update(Instance).values(first_connected_at=connected))
    hears(talk, "Feliz natal!", ago_s=7200)
    assert talk.row() is None
    hears(talk, "Oi", ago_s=60)
    assert row(talk).waiting_since == row(talk).heard_at, "and is not waited for afterwards either"
    assert len(talk.messages()) == 2


# ---------------------------------------------------------------- who waits since when


def test_the_wait_counts_from_the_first_that_nobody_answered(talk: Talk) -> None:
    first = row(talk).waiting_since
    hears(talk, "Alguém aí?", ago_s=10)
    assert row(talk).waiting_since == first
    assert row(talk).last_text == "Alguém aí?"


def test_what_the_owner_types_on_the_phone_is_an_answer(talk: Talk) -> None:
    types(talk, "Custa 90 reais", ago_s=30)
    it = row(talk)
    assert (it.waiting_since, it.last_direction, it.last_text) == (None, "out", "Custa 90 reais")
    assert talk.messages()[1].is_from_phone
    hears(talk, "Caro!", ago_s=5)
    assert row(talk).waiting_since == row(talk).heard_at


def test_what_the_owner_types_to_others_opens_nothing(talk: Talk) -> None:
    types(talk, "Feliz aniversário, mãe", addresses=("5511955554444@s.whatsapp.net",))
    with talk.runtime.work() as work:
        assert work.session.query(Conversation).count() == 1


def test_a_message_that_is_told_late_does_not_hide_a_later_one(talk: Talk) -> None:
    hears(talk, "Alguém?", ago_s=10)
    hears(talk, "Oi", ago_s=300)
    it = row(talk)
    assert it.last_text == "Alguém?"
    assert it.waiting_since == it.begun_at == talk.messages()[0].at


def test_the_next_message_opens_what_was_done(talk: Talk, people: People) -> None:
    with talk.runtime.work() as work:
        service.mark_done(work, people["Ana"], talk.conversation_id)
    assert (row(talk).status, row(talk).waiting_since) == ("done", None)
    hears(talk, "Ainda está aí?", ago_s=0)
    it = row(talk)
    assert (it.status, it.waiting_since) == ("open", it.heard_at), "what was dealt with is not waited for again"


def test_one_that_nobody_had_read_opens_what_was_done_however_old_it_is(talk: Talk, people: People) -> None:
    with talk.runtime.work() as work:
        service.mark_done(work, people["Ana"], talk.conversation_id)
    hears(talk, "Mandei ontem, chegou hoje", ago_s=3600)
    assert row(talk).status == "open"
    assert row(talk).waiting_since == talk.messages()[0].at


# ---------------------------------------------------------------- doubt and opt-outs


@pytest.mark.parametrize(("words", "kind", "doubtful"), [("quem é?", "text", True), ("oi", "text", False)])
def test_what_smells_of_a_wish_to_be_left_alone_is_marked(talk: Talk, words: str, kind: str, doubtful: bool) -> None:
    hears(talk, words, kind=kind, ago_s=5)
    assert row(talk).is_doubtful is doubtful


def test_doubt_ends_with_an_answer(talk: Talk) -> None:
    hears(talk, "quem é?", ago_s=40)
    types(talk, "É a Marina, da Agenda Leve", ago_s=5)
    assert not row(talk).is_doubtful


def test_a_reaction_is_never_doubtful(talk: Talk) -> None:
    hears(talk, "stop", kind="reaction", ago_s=5)
    assert not row(talk).is_doubtful


def test_nobody_waits_who_asked_to_be_left_alone(talk: Talk) -> None:
    hears(talk, "SAIR", ago_s=5)
    it = row(talk)
    assert (it.status, it.waiting_since, it.is_doubtful) == ("done", None, False)
    assert (it.done_at, it.done_by) == (it.heard_at, None), "no person has called it done"
    hears(talk, "Oi?", ago_s=20)
    assert row(talk).status == "done", "that was said before, and only told later"
    hears(talk, "👍", kind="reaction", ago_s=2)
    assert row(talk).status == "done"


def test_whoever_asked_to_be_left_alone_and_writes_again_is_seen_again_and_not_waited_for(talk: Talk) -> None:
    hears(talk, "SAIR", ago_s=5)
    hears(talk, "Mudei de ideia", ago_s=3)
    assert (row(talk).status, row(talk).waiting_since) == ("open", None)
    hears(talk, "SAIR", ago_s=1)
    assert row(talk).status == "done", "and asks for it again"


def test_a_button_that_asks_to_be_left_alone_closes_it_as_the_word_does(talk: Talk) -> None:
    hears(talk, "Não, obrigado", kind="button", choice="SAIR", ago_s=5)
    assert row(talk).status == "done"


def test_whom_a_person_puts_on_the_list_is_in_no_open_conversation(talk: Talk, people: People) -> None:
    with talk.runtime.work() as work:
        optouts.opt_out(work, people["Bea"], talk.phone)
    it = row(talk)
    assert (it.status, it.waiting_since, it.done_by) == ("done", None, people["Bea"].user_id)
    with talk.runtime.work() as work:
        counted = service.counts(work, people["Ana"])
    assert (counted.open, counted.waiting) == (0, 0)
    hears(talk, "Por que não respondem?", ago_s=0)
    assert (row(talk).status, row(talk).waiting_since) == ("open", None)


def test_a_list_that_comes_in_closes_what_was_open_with_them_and_with_nobody_else(people: People) -> None:
    talk, other = talk_of(people), talk_of(people, 2)
    with people.runtime.work() as work:
        optouts.import_list(work, people["Bea"], text=talk.phone)
    assert (row(talk).status, row(other).status) == ("done", "open")


# ---------------------------------------------------------------- what strangers say


def test_names_and_files_are_kept_and_bounded(talk: Talk) -> None:
    hears(talk, "", kind="image", ago_s=5, media=Media("image/jpeg", 1234, "a.jpg"), profile_name="Zé " * 100)
    it = row(talk)
    assert it.profile_name is not None and len(it.profile_name) <= 120
    assert (it.last_kind, it.last_text) == ("image", "")
    assert talk.messages()[-1].media == {"mimetype": "image/jpeg", "size": 1234, "file_name": "a.jpg"}


def test_an_older_name_does_not_replace_a_newer_one(talk: Talk) -> None:
    hears(talk, "Oi", ago_s=10, profile_name="Zé do Pão")
    hears(talk, "Olá", ago_s=50, profile_name="Zé")
    assert row(talk).profile_name == "Zé do Pão"


# ---------------------------------------------------------------- hidden ids


def hidden(people: People) -> Talk:
    return Talk(people.runtime, people.team_id, make_instance(people.runtime, people.team_id), address=LID)


def known(talk: Talk) -> Talk:
    return Talk(talk.runtime, talk.team_id, talk.instance_id, talk.n)


def told_who(talk: Talk) -> None:
    with talk.runtime.work() as work:
        meet(work, TeamId(talk.team_id), person_of_phone(work, talk.phone), [LID])


def test_a_hidden_id_has_a_conversation_of_its_own_until_it_is_known_whose_it_is(people: People) -> None:
    talk = hidden(people)
    hears(talk, "Oi, é a loja?", profile_name="Zé")
    was = row(talk)
    assert (was.phone_hash, was.address, was.last_text) == (None, LID, "Oi, é a loja?")
    told_who(talk)
    it = row(known(talk))
    assert (it.phone, it.waiting_since, it.profile_name) == (talk.phone, was.waiting_since, "Zé")
    with people.runtime.work() as work:
        assert work.session.query(Conversation).count() == 1


def test_two_that_turn_out_to_be_one_keep_what_was_said_answered_and_given(people: People) -> None:
    talk = hidden(people)
    make_leads(people.runtime, people.team_id, [1])
    hears(known(talk), "Bom dia", ago_s=100)
    hears(talk, "Oi?", ago_s=50)
    with people.runtime.work() as work:
        service.assign(work, people["Ana"], talk.conversation_id, people["Bea"].user_id)
        answer_id = service.answer(work, people["Ana"], talk.conversation_id, "Já vejo", PRESSED)
        service.add_note(work, people["Ana"], known(talk).conversation_id, "Cliente antigo")
    types(talk, "Um momento", ago_s=70)
    told_who(talk)
    it = known(talk)
    with people.runtime.work() as work:
        view = service.conversation(work, people["Ana"], it.conversation_id)
        assert work.session.get_one(Answer, answer_id).conversation_id == it.conversation_id
        assert work.session.query(Conversation).count() == 1
    assert [line.text for line in view.lines] == ["Bom dia", "Um momento", "Oi?", "Já vejo"]
    assert view.row.assigned_name == "Bea"
    assert [note.text for note in view.notes] == ["Cliente antigo"]
    assert view.row.waiting_since == talk.messages()[2].at


PRESSED = "11111111-1111-4111-8111-111111111111"


def test_one_that_is_open_keeps_the_two_open(people: People) -> None:
    talk = hidden(people)
    hears(known(talk), "Bom dia", ago_s=100)
    with people.runtime.work() as work:
        service.mark_done(work, people["Ana"], known(talk).conversation_id)
    hears(talk, "Oi?", ago_s=50)
    told_who(talk)
    it = row(known(talk))
    assert (it.status, it.waiting_since) == ("open", it.heard_at)


# ---------------------------------------------------------------- any order

KINDS = ["hidden", "known", "left", "read", "typed"]


def begin(talk: Talk, at: datetime) -> str:
    """They wrote, and an answer to them is on the wire."""
    with talk.runtime.work() as work:
        told = MessageReceived(f"A{talk.n}", talk.addresses, "Bom dia", "text", at)
        receive(work, talk.instance_id, told, at + timedelta(seconds=1))
    words = f"Bom dia, {talk.n}!"
    with talk.runtime.work() as work:
        work.session.execute(
            text("""
            with m as (
                insert into messages (team_id, instance_id, direction, phone, phone_hash, text, at)
                select team_id, instance_id, 'out', phone, phone_hash, :words, :at from conversations where id = :id
                returning id, team_id, instance_id)
            insert into answers (team_id, conversation_id, instance_id, message_id, status, claim_token, claimed_at,
                lease_until, attempts)
            select team_id, :id, instance_id, id, 'sending', gen_random_uuid(), :at, :at, 1 from m
            """),
            {"id": talk.conversation_id, "words": words, "at": at + timedelta(seconds=5)},
        )
    return words


def happens(work: Work, talk: Talk, kind: str, words: str, began: datetime) -> None:
    address, phone, n = f"9{talk.n:014}@lid", talk.addresses[0], talk.n

    def at(second: int) -> datetime:
        return began + timedelta(seconds=second)

    number = talk.instance_id
    if kind == "hidden":
        receive(work, number, MessageReceived(f"H{n}", (address,), "Oi?", "text", at(20)), at(60))
    elif kind == "known":
        receive(work, number, MessageReceived(f"K{n}", (address, phone), "quem é?", "text", at(30)), at(60))
    elif kind == "left":
        settle_by_evidence(work, number, SentRecord(f"L{n}", (phone,), words, at(6)), "webhook")
    elif kind == "read":
        apply_receipt(work, number, ReceiptCame(f"L{n}", Receipt.READ), at(8))
    elif kind == "typed":
        write(work, number, MessageWritten(f"T{n}", (address,), "Já te ligo", "text", at(25)), at(60))


def end_of(work: Work, talk: Talk, began: datetime) -> tuple[object, ...]:
    found = work.session.query(Conversation).filter_by(team_id=talk.team_id, phone_hash=talk.hashed).all()
    [it] = found
    assert (
        not work.session.query(Conversation)
        .filter(Conversation.address == f"9{talk.n:014}@lid", Conversation.phone_hash.is_(None))
        .count()
    )
    said = work.session.query(Message).filter_by(team_id=talk.team_id, phone_hash=talk.hashed)
    [answer] = work.session.query(Answer).filter_by(conversation_id=it.id)
    return (
        (it.status, it.waiting_since - began, it.heard_at - began, it.begun_at - began, it.last_at - began),
        (it.last_text, it.last_direction, it.is_doubtful, answer.status, answer.sent_at - began),
        sorted((m.text.partition(",")[0], m.direction, m.at - began, m.read_at is not None) for m in said),
    )


def test_five_events_give_one_end_in_all_their_120_orders_and_told_again_in_any(runtime: Runtime) -> None:
    scene = make_scene(runtime, 0)
    began = now(runtime) - timedelta(seconds=120)
    talk = Talk(runtime, scene.team_id, scene.instance_id, 1)
    words = begin(talk, began)
    ends = ends_of_all_orders(
        runtime,
        KINDS,
        lambda work, kind: happens(work, talk, kind, words, began),
        lambda work: end_of(work, talk, began),
        times=2,
    )
    assert len(ends) == 120 * 120
    end = ends[tuple(KINDS * 2)]
    for order, each in ends.items():
        assert each == end, order
    (state, *_), seen, said_all = end
    assert state == "open"
    assert end[0][1:] == tuple(timedelta(seconds=s) for s in (30, 30, 0, 30)), "all before was answered by hand"
    assert seen == ("quem é?", "in", True, "sent", timedelta(seconds=6))
    assert [line[0] for line in said_all] == ["Bom dia", "Bom dia", "Já te ligo", "Oi?", "quem é?"]


def test_an_echo_of_what_we_sent_is_no_word_of_the_owners(runtime: Runtime) -> None:
    """Some gateways tell what left through us as if it had been typed: it is evidence, and one message."""

    scene = make_scene(runtime, 1)
    recipient = scene.recipients()[0]
    said = claim(scene, recipient)
    told = MessageWritten("M1", (f"{recipient.phone[1:]}@s.whatsapp.net",), said, "text", now(runtime))
    with runtime.work() as work:
        inbox._apply_written(work, scene.instance_id, told, work.now)
        inbox._apply_written(work, scene.instance_id, told, work.now)
    assert scene.statuses() == {"sent": 1}
    [message] = scene.messages()
    assert (message.gateway_message_id, message.is_from_phone) == ("M1", False)
