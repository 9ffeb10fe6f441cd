"""Who may read, answer and look after conversations."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from core.replies import service, trying
from tests.core.access import CANARY, Arguments, Case, Needs, Stranger
from tests.core.campaigns.making import write_draft
from tests.core.replies.making import hears, hold, talk_of
from tests.factories import make_instance
from tests.people import People


def a_conversation(people: People, *more: object) -> Arguments:
    return (talk_of(people).conversation_id, *more), {}


def with_(*more: object) -> Callable[[People], Arguments]:
    return lambda people: a_conversation(people, *more)


def one_that_is_done(people: People) -> Arguments:
    args, _ = a_conversation(people)
    with people.runtime.work() as work:
        service.mark_done(work, people["Ana"], *args)
    return args, {}


def words(people: People) -> Arguments:
    return a_conversation(people, CANARY, str(uuid.uuid4()))


def given_to_bea(people: People) -> Arguments:
    return a_conversation(people, people["Bea"].user_id)


def an_answer(people: People) -> Arguments:
    args, _ = words(people)
    with people.runtime.work() as work:
        return (service.answer(work, people["Ana"], *args),), {}


def one_held(people: People) -> Arguments:
    (answer_id,), _ = an_answer(people)
    hold(people.runtime, answer_id)
    return (answer_id,), {}


def a_quick_reply(people: People, *more: object) -> Arguments:
    with people.runtime.work() as work:
        made = service.add_quick_reply(work, people["Ana"], CANARY, CANARY)
    return (made, *more), {}


def an_order(people: People) -> Arguments:
    (made,), _ = a_quick_reply(people)
    return ([made],), {}


def somebody_waits(people: People) -> Arguments:
    talk = talk_of(people)
    hears(talk, CANARY)
    return (), {}


def a_test(people: People) -> Arguments:
    number = make_instance(people.runtime, people.team_id, name=CANARY)
    draft = write_draft(people, who="Ana", name=CANARY, instance_ids=(number,))
    return (draft, "(11) 90000-2001", 0), {"pressed": uuid.uuid4()}


def a_sent_test(people: People) -> Arguments:
    args, more = a_test(people)
    with people.runtime.work() as work:
        return (trying.send_test(work, people["Ana"], *args, **more),), {}


CASES = [
    Case(trying.send_test, Needs.MEMBER, Stranger.NOT_FOUND, a_test),
    Case(trying.outcome_of, Needs.VIEWER, Stranger.NOT_FOUND, a_sent_test),
    Case(service.inbox, Needs.VIEWER, Stranger.OWN, somebody_waits),
    Case(service.counts, Needs.VIEWER, Stranger.OWN, somebody_waits),
    Case(service.waiting_for_you, Needs.VIEWER, Stranger.OWN, somebody_waits),
    Case(service.conversation, Needs.VIEWER, Stranger.NOT_FOUND, a_conversation),
    Case(service.answer, Needs.MEMBER, Stranger.NOT_FOUND, words),
    Case(service.withdraw, Needs.MEMBER, Stranger.NOT_FOUND, an_answer),
    Case(service.it_arrived, Needs.MEMBER, Stranger.NOT_FOUND, one_held),
    Case(service.send_again, Needs.MEMBER, Stranger.NOT_FOUND, one_held),
    Case(service.leave, Needs.MEMBER, Stranger.NOT_FOUND, one_held),
    Case(service.mark_done, Needs.MEMBER, Stranger.NOT_FOUND, a_conversation),
    Case(service.reopen, Needs.MEMBER, Stranger.NOT_FOUND, one_that_is_done),
    Case(service.assign, Needs.MEMBER, Stranger.NOT_FOUND, given_to_bea),
    Case(service.set_not_contact, Needs.MEMBER, Stranger.NOT_FOUND, a_conversation),
    Case(service.add_note, Needs.MEMBER, Stranger.NOT_FOUND, with_("Liga de manhã")),
    Case(service.notes, Needs.VIEWER, Stranger.NOT_FOUND, a_conversation),
    Case(service.quick_replies, Needs.VIEWER, Stranger.OWN),
    Case(service.add_quick_reply, Needs.MEMBER, Stranger.OWN, lambda p: (("Preços", "Oi, {empresa}!"), {})),
    Case(service.change_quick_reply, Needs.MEMBER, Stranger.NOT_FOUND, lambda p: a_quick_reply(p, "Preços", "Oi!")),
    Case(service.remove_quick_reply, Needs.MEMBER, Stranger.NOT_FOUND, a_quick_reply),
    Case(service.order_quick_replies, Needs.MEMBER, Stranger.NOT_FOUND, an_order),
]
