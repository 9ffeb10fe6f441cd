"""Who is on WhatsApp: asked about a few at a time, kept, told to every lead of a phone, and never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from core.accounts.rules import TeamId
from core.errors import BadInput, OutcomeUnknown, Rejected, Unreachable, WorldTrouble
from core.instances import service
from core.instances.check_pace import BACKOFF, GROUP, MOST_TRIES, REST_AFTER_TROUBLE
from core.instances.checking import CheckWanted
from core.instances.rules import InstanceId, Provider
from core.jobs import CheckPhones
from core.leads.phones import forms, phone_hash
from core.leads.rules import LeadFilter
from core.optouts.queries import is_opted_out
from core.optouts.recording import record_opt_out
from core.optouts.rules import OptOutReason
from core.ports import MessageReceived, NumberFound, RejectedKind
from core.runtime import Runtime
from core.sending import checking
from core.sending.checking import check_next, queue_checks
from core.sending.receipts import receive
from core.tables import Instance, Lead, PhoneCheck
from tests.core.sending.world import FakeWhatsApp
from tests.factories import make_instance, make_leads, make_scene, phone_of
from tests.people import People

EVERYBODY = LeadFilter()


@dataclass
class Directory(FakeWhatsApp):
    """WhatsApp as it answers who is there; `asked` is what we asked it, call by call."""

    asked: list[list[str]] = field(default_factory=list)
    known: dict[str, NumberFound] = field(default_factory=dict)
    trouble: list[WorldTrouble | None] = field(default_factory=list)  # of the calls to come, one after the other

    def check_numbers(self, name: str, phones: Sequence[str]) -> list[NumberFound]:
        self.asked.append(list(phones))
        trouble = self.trouble.pop(0) if self.trouble else None
        if trouble is not None:
            raise trouble
        return [self.known.get(each) or super(Directory, self).check_numbers(name, [each])[0] for each in phones]


@pytest.fixture
def whatsapp() -> Directory:
    return Directory()


@pytest.fixture
def number(people: People) -> InstanceId:
    return make_instance(people.runtime, people.team_id)


def wish(people: People, number: InstanceId, which: LeadFilter = EVERYBODY) -> CheckWanted:
    with people.runtime.work() as work:
        return service.check_phones(work, people["Bea"], which, number)


def later(runtime: Runtime, time: timedelta) -> None:
    """As if the time had passed for all that was asked and told."""
    with runtime.work() as work:
        work.session.execute(
            text(
                "update phone_checks set tried_at = tried_at - :t, checked_at = checked_at - :t,"
                " wanted_at = wanted_at - :t"
            ),
            {"t": time},
        )
        work.session.execute(text("update leads set whatsapp_checked_at = whatsapp_checked_at - :t"), {"t": time})


def next_group(runtime: Runtime, number: InstanceId) -> int:
    later(runtime, timedelta(minutes=1))
    return check_next(runtime, number)


def states(people: People) -> list[str]:
    with people.runtime.work() as work:
        rows = work.session.scalars(select(Lead).where(Lead.team_id == people.team_id).order_by(Lead.id))
        return [row.on_whatsapp.value for row in rows]


def waits(people: People) -> int:
    with people.runtime.work() as work:
        return sum(each.waiting for each in service.numbers_that_check(work, people["Vic"]))


def due(runtime: Runtime) -> list[Any]:
    with runtime.work() as work:
        queue_checks(work)
        jobs, work.jobs = work.jobs, []
    return jobs


def change(runtime: Runtime, number: InstanceId, **values: Any) -> None:
    with runtime.work() as work:
        work.session.execute(update(Instance).where(Instance.id == number).values(**values))


# ---------------------------------------------------------------- what is wished


def test_bea_asks_who_is_there_and_every_lead_of_a_phone_is_told(
    people: People, number: InstanceId, whatsapp: Directory
) -> None:
    make_leads(people.runtime, people.team_id, [1, 2])
    make_leads(people.runtime, people.team_id, [3], phone=phone_of(1), phone_hash=hash_of(people, phone_of(1)))
    whatsapp.without_whatsapp = set(forms(phone_of(2)))
    told = wish(people, number)
    assert (told.wanted, told.known, told.left_over) == (2, 0, 0)
    assert due(people.runtime) == [CheckPhones(number)]
    assert check_next(people.runtime, number) == 2
    assert states(people) == ["yes", "no", "yes"]
    assert waits(people) == 0
    assert due(people.runtime) == []
    with people.runtime.work() as work:
        assert all(row.whatsapp_checked_at is not None for row in work.session.scalars(select(Lead)))


def test_nobody_is_asked_about_twice_while_what_was_told_is_good(
    people: People, number: InstanceId, whatsapp: Directory
) -> None:
    make_leads(people.runtime, people.team_id, [1, 2])
    whatsapp.without_whatsapp = set(forms(phone_of(2)))
    wish(people, number)
    check_next(people.runtime, number)
    assert (wish(people, number).wanted, wish(people, number).known) == (0, 2)
    later(people.runtime, timedelta(days=8))
    assert wish(people, number).wanted == 1, 'a "no" is good for a week, a "yes" for a month'
    later(people.runtime, timedelta(days=23))
    told = wish(people, number)
    assert (told.wanted, told.waiting) == (1, 1)


def test_a_new_lead_of_a_known_phone_is_told_at_once_and_asks_nobody(
    people: People, number: InstanceId, whatsapp: Directory
) -> None:
    make_leads(people.runtime, people.team_id, [1])
    wish(people, number)
    check_next(people.runtime, number)
    make_leads(people.runtime, people.team_id, [2], phone=phone_of(1), phone_hash=hash_of(people, phone_of(1)))
    assert states(people) == ["yes", "unknown"]
    assert wish(people, number).wanted == 0
    assert states(people) == ["yes", "yes"]


def test_a_wish_counts_each_kind_that_asks_nobody(people: People, number: InstanceId) -> None:
    leads = make_leads(people.runtime, people.team_id, [1, 2, 3])
    make_leads(people.runtime, people.team_id, [4], phone=None, phone_type=None, phone_hash=None)
    with people.runtime.work() as work:
        record_opt_out(
            work, people.team_id, hash_of(people, phone_of(1)), phone=phone_of(1), reason=OptOutReason.BY_HAND
        )
    assert wish(people, number, LeadFilter(ids=(leads[1],))).wanted == 1
    told = wish(people, number)
    assert (told.wanted, told.waiting, told.opted_out, told.without_phone) == (1, 1, 1, 1)


def test_a_wish_takes_as_many_as_the_number_has_room_for_and_tells_the_rest(
    people: People, number: InstanceId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.instances.checking.MOST_WAITING", 3)
    make_leads(people.runtime, people.team_id, range(1, 6))
    told = wish(people, number)
    assert (told.wanted, told.left_over) == (3, 2)
    assert told.lasts > timedelta()
    again = wish(people, number)
    assert (again.wanted, again.waiting, again.left_over) == (0, 3, 2)
    with people.runtime.work() as work:
        phones = work.session.scalars(select(PhoneCheck.phone).order_by(PhoneCheck.wanted_at)).all()
    assert list(phones) == [phone_of(1), phone_of(2), phone_of(3)], "those that the team has had longest"


def test_a_number_whose_gateway_cannot_be_asked_says_so(people: People) -> None:
    official = make_instance(people.runtime, people.team_id, "oficial", provider=Provider.META)
    make_leads(people.runtime, people.team_id, [1])
    can = people.runtime.capabilities
    people.runtime.capabilities = lambda provider: replace(  # type: ignore[method-assign]
        can(provider), number_check=provider is not Provider.META
    )
    with pytest.raises(BadInput) as refused:
        wish(people, official)
    assert (refused.value.field, refused.value.key) == ("instance", "cannot_check")
    with people.runtime.work() as work:
        assert service.numbers_that_check(work, people["Vic"]) == []


def test_another_team_has_its_own_answers(people: People, number: InstanceId, whatsapp: Directory) -> None:
    make_leads(people.runtime, people.other_team_id, [1])
    make_leads(people.runtime, people.team_id, [1])
    wish(people, number)
    check_next(people.runtime, number)
    with people.runtime.work() as work:
        theirs = work.session.scalar(select(Lead.on_whatsapp).where(Lead.team_id == people.other_team_id))
    assert theirs == "unknown"


def test_bea_takes_the_wish_back(people: People, number: InstanceId, whatsapp: Directory) -> None:
    make_leads(people.runtime, people.team_id, [1, 2])
    wish(people, number)
    with people.runtime.work() as work:
        assert service.stop_checking(work, people["Bea"]) == 2
    assert due(people.runtime) == [] and waits(people) == 0
    assert check_next(people.runtime, number) == 0
    assert whatsapp.asked == []
    assert wish(people, number).wanted == 2


def test_what_waited_for_a_removed_number_may_be_wished_from_another(people: People, number: InstanceId) -> None:
    make_leads(people.runtime, people.team_id, [1])
    wish(people, number)
    other = make_instance(people.runtime, people.team_id, "vendas-02")
    assert wish(people, other).waiting == 1
    change(people.runtime, number, status="removed")
    assert wish(people, other).wanted == 1
    assert due(people.runtime) == [CheckPhones(other)]


# ---------------------------------------------------------------- both forms of a number


def with_phone(people: People, phone: str) -> None:
    make_leads(people.runtime, people.team_id, [1], phone=phone, phone_hash=hash_of(people, phone))


def hash_of(people: People, phone: str) -> bytes:
    return phone_hash(people.runtime.settings.secret_key, phone)


@pytest.mark.parametrize(
    ("there", "state", "calls"),
    [
        ("+5511987654321", "yes", [["+5511987654321"]]),
        ("+551187654321", "yes", [["+5511987654321"], ["+551187654321"]]),
        ("", "no", [["+5511987654321"], ["+551187654321"]]),
    ],
)
def test_the_form_without_the_ninth_digit_is_asked_about_when_the_first_is_not_there(
    people: People, number: InstanceId, whatsapp: Directory, there: str, state: str, calls: list[list[str]]
) -> None:
    with_phone(people, "+5511987654321")
    whatsapp.without_whatsapp = {"+5511987654321", "+551187654321"} - {there}
    wish(people, number)
    assert check_next(people.runtime, number) == 1
    assert (states(people), whatsapp.asked) == ([state], calls)


def test_a_landline_has_one_form_and_is_asked_about_once(
    people: People, number: InstanceId, whatsapp: Directory
) -> None:
    with_phone(people, "+551130001234")
    whatsapp.without_whatsapp = {"+551130001234"}
    wish(people, number)
    check_next(people.runtime, number)
    assert (states(people), whatsapp.asked) == (["no"], [["+551130001234"]])


def test_where_the_second_form_is_not_told_nothing_is(people: People, number: InstanceId, whatsapp: Directory) -> None:
    with_phone(people, "+5511987654321")
    whatsapp.without_whatsapp = {"+5511987654321"}
    whatsapp.trouble = [None, OutcomeUnknown("timeout")]
    wish(people, number)
    assert check_next(people.runtime, number) == 0
    assert (states(people), waits(people)) == (["unknown"], 1)


# ---------------------------------------------------------------- trouble

TROUBLES = [
    Unreachable("refused"),
    OutcomeUnknown("400"),
    OutcomeUnknown("timeout"),
    Rejected(RejectedKind.NOT_CONNECTED, "Connection Closed"),
    Rejected(RejectedKind.CONFIG, "401"),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_a_gateway_in_trouble_says_nothing_of_anybody_and_is_asked_again_later(
    people: People, number: InstanceId, whatsapp: Directory, trouble: WorldTrouble
) -> None:
    make_leads(people.runtime, people.team_id, [1])
    whatsapp.trouble = [trouble]
    wish(people, number)
    assert check_next(people.runtime, number) == 0
    assert (states(people), waits(people)) == (["unknown"], 1)
    assert due(people.runtime) == [], "not at once"
    later(people.runtime, BACKOFF[0])
    assert due(people.runtime) == [CheckPhones(number)]
    assert check_next(people.runtime, number) == 1
    assert states(people) == ["yes"]


def test_after_some_tries_it_is_given_up_and_stays_unknown(
    people: People, number: InstanceId, whatsapp: Directory
) -> None:
    make_leads(people.runtime, people.team_id, [1])
    whatsapp.trouble = [OutcomeUnknown("timeout")] * 20
    wish(people, number)
    for _ in range(10):
        check_next(people.runtime, number)
        later(people.runtime, BACKOFF[-1])
    assert len(whatsapp.asked) == MOST_TRIES
    assert (states(people), waits(people)) == (["unknown"], 0)
    told = wish(people, number)
    assert (told.wanted, told.asked_lately) == (0, 1)
    later(people.runtime, timedelta(days=1))
    assert wish(people, number).wanted == 1


def test_a_phone_of_which_nothing_was_told_waits_while_the_others_are_known(
    people: People, number: InstanceId, whatsapp: Directory
) -> None:
    make_leads(people.runtime, people.team_id, [1, 2])
    whatsapp.known = {phone_of(1): NumberFound(phone_of(1), None)}
    wish(people, number)
    assert check_next(people.runtime, number) == 1
    assert (states(people), waits(people)) == (["unknown", "yes"], 1)


def test_an_old_answer_stays_when_the_next_is_none(people: People, number: InstanceId, whatsapp: Directory) -> None:
    make_leads(people.runtime, people.team_id, [1])
    wish(people, number)
    check_next(people.runtime, number)
    later(people.runtime, timedelta(days=31))
    wish(people, number)
    whatsapp.trouble = [OutcomeUnknown("timeout")]
    check_next(people.runtime, number)
    assert states(people) == ["yes"]


class Killed(BaseException):
    """Nothing is caught, nothing is tidied up: as kill -9 leaves it."""


@pytest.mark.parametrize("at", ["_ask", "_learn", "_settle"])
def test_whoever_dies_on_the_way_leaves_the_wish_to_the_next(
    people: People, number: InstanceId, whatsapp: Directory, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    make_leads(people.runtime, people.team_id, range(1, 4))
    wish(people, number)

    def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(checking, at, dies)
        check_next(people.runtime, number)
    assert (states(people), waits(people)) == (["unknown"] * 3, 3)
    assert check_next(people.runtime, number) == 0, "it may still be under way"
    later(people.runtime, REST_AFTER_TROUBLE)
    assert check_next(people.runtime, number) == 3
    assert states(people) == ["yes"] * 3


def test_whoever_dies_in_every_try_keeps_nobody_waiting_for_ever(
    people: People, number: InstanceId, whatsapp: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_leads(people.runtime, people.team_id, [1])
    wish(people, number)

    def dies(*_: object) -> None:
        raise Killed

    for _ in range(MOST_TRIES):
        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(checking, "_ask", dies)
            check_next(people.runtime, number)
        later(people.runtime, BACKOFF[-1])
    whatsapp.trouble = [OutcomeUnknown("timeout")]
    check_next(people.runtime, number)
    assert waits(people) == 0


def test_whoever_is_so_late_that_another_has_asked_changes_nothing(
    people: People, number: InstanceId, whatsapp: Directory
) -> None:
    make_leads(people.runtime, people.team_id, [1])
    wish(people, number)
    with people.runtime.work() as work:
        slow = checking._claim(work, number)
    assert slow is not None
    later(people.runtime, BACKOFF[0])
    assert check_next(people.runtime, number) == 1
    with people.runtime.work() as work:
        assert checking._settle(work, slow, [NumberFound(phone_of(1), False)]) == 0
    assert states(people) == ["yes"]


# ---------------------------------------------------------------- at whose pace


def test_ten_at_a_time_in_the_order_of_the_leads(people: People, number: InstanceId, whatsapp: Directory) -> None:
    make_leads(people.runtime, people.team_id, range(1, 24))
    wish(people, number)
    assert [next_group(people.runtime, number) for _ in range(4)] == [GROUP, GROUP, 3, 0]
    assert [each for call in whatsapp.asked for each in call] == [phone_of(n) for n in range(1, 24)]


def test_a_pause_lies_between_two_groups_whatever_is_queued(
    people: People, number: InstanceId, whatsapp: Directory
) -> None:
    people.runtime.settings = replace(people.runtime.settings, gateway_simulated=False)
    make_leads(people.runtime, people.team_id, range(1, 24))
    wish(people, number)
    assert check_next(people.runtime, number) == GROUP
    for seconds, told in ((0, 0), (29, 0), (32, GROUP)):
        later(people.runtime, timedelta(seconds=seconds))
        assert check_next(people.runtime, number) == told
    assert len(whatsapp.asked) == 2


def test_a_number_asks_about_so_many_a_day_and_no_more(people: People, whatsapp: Directory) -> None:
    people.runtime.settings = replace(people.runtime.settings, gateway_simulated=False)
    young = make_instance(people.runtime, people.team_id, per_day=50, cap=4)
    make_leads(people.runtime, people.team_id, range(1, 41))
    assert wish(people, young).lasts > timedelta(days=1)
    assert [next_group(people.runtime, young) for _ in range(4)] == [10, 10, 0, 0]
    assert due(people.runtime) == []
    later(people.runtime, timedelta(hours=24))
    assert next_group(people.runtime, young) == 10


@pytest.mark.parametrize(
    "values",
    [
        {"status": "disconnected"},
        {"paused_at": "2026-01-01T00:00:00Z"},
        {"rests_until": "2126-01-01T00:00:00Z"},
        {"deaf_since": "2026-01-01T00:00:00Z"},
        {"gateway_name": None},
    ],
)
def test_a_number_that_could_not_send_asks_nothing(
    people: People, number: InstanceId, whatsapp: Directory, values: dict[str, Any]
) -> None:
    make_leads(people.runtime, people.team_id, [1])
    wish(people, number)
    change(people.runtime, number, **values)
    assert due(people.runtime) == []
    assert check_next(people.runtime, number) == 0
    assert (whatsapp.asked, waits(people)) == ([], 1 if values.get("status") != "removed" else 0)


def test_messages_go_first(runtime: Runtime, whatsapp: Directory) -> None:
    scene = make_scene(runtime, 2, gap_s=60)
    wanted(runtime, scene.team_id, scene.instance_id, 9)
    assert due(runtime) == [] and check_next(runtime, scene.instance_id) == 0, "somebody is written to now"
    with runtime.work() as work:
        now = work.now
    scene.set_instance(next_send_at=now + timedelta(seconds=10))
    assert due(runtime) == [], "or in ten seconds"
    scene.set_instance(next_send_at=now + timedelta(seconds=50))
    assert due(runtime) == [CheckPhones(scene.instance_id)], "between two messages there is time"
    scene.set_instance(lease_until=now + timedelta(seconds=10))
    assert due(runtime) == [], "somebody is at work there"
    scene.set_instance(lease_until=None, next_send_at=None)
    scene.set_campaign(status="paused")
    assert due(runtime) == [CheckPhones(scene.instance_id)]
    assert check_next(runtime, scene.instance_id) == 1
    assert whatsapp.left == []


def wanted(runtime: Runtime, team_id: int, number: InstanceId, *leads: int) -> None:
    make_leads(runtime, team_id, leads)
    with runtime.work() as work:
        work.session.add_all(
            PhoneCheck(
                team_id=team_id,
                phone=phone_of(n),
                phone_hash=phone_hash(runtime.settings.secret_key, phone_of(n)),
                instance_id=number,
                wanted_at=work.now,
            )
            for n in leads
        )


def test_nobody_is_asked_about_who_asked_to_be_left_alone_or_was_taken_off_the_list_meanwhile(
    people: People, number: InstanceId, whatsapp: Directory
) -> None:
    leads = make_leads(people.runtime, people.team_id, [1, 2, 3])
    wish(people, number)
    with people.runtime.work() as work:
        record_opt_out(
            work, people.team_id, hash_of(people, phone_of(1)), phone=phone_of(1), reason=OptOutReason.BY_HAND
        )
        work.session.execute(update(Lead).where(Lead.id == leads[1]).values(deleted_at=work.now))
    assert check_next(people.runtime, number) == 1
    assert whatsapp.asked == [[phone_of(3)]]
    assert waits(people) == 0


# ---------------------------------------------------------------- hidden ids

LID = "119922334455667@lid"


def test_a_hidden_id_that_wrote_to_leave_is_obeyed_the_moment_a_check_tells_whose_it_is(
    people: People, number: InstanceId, whatsapp: Directory
) -> None:
    make_leads(people.runtime, people.team_id, [1])
    team_id = TeamId(people.team_id)
    with people.runtime.work() as work:
        receive(work, number, MessageReceived("IN1", (LID,), "SAIR", "text", work.now), work.now)
    with people.runtime.work() as work:
        assert not is_opted_out(work.session, team_id, hash_of(people, phone_of(1)))
    address = f"{phone_of(1)[1:]}@s.whatsapp.net"
    whatsapp.known = {phone_of(1): NumberFound(phone_of(1), True, address, LID)}
    wish(people, number)
    check_next(people.runtime, number)
    with people.runtime.work() as work:
        assert is_opted_out(work.session, team_id, hash_of(people, phone_of(1)))


def test_an_answer_under_a_hidden_id_that_a_check_told_is_that_persons(
    people: People, number: InstanceId, whatsapp: Directory
) -> None:
    with_phone(people, "+5511987654321")
    whatsapp.without_whatsapp = {"+5511987654321"}
    whatsapp.known = {
        "+551187654321": NumberFound("+551187654321", True, "551187654321@s.whatsapp.net", LID),
    }
    wish(people, number)
    check_next(people.runtime, number)
    with people.runtime.work() as work:
        receive(work, number, MessageReceived("IN1", (LID,), "parar", "text", work.now), work.now)
    with people.runtime.work() as work:
        for form in ("+5511987654321", "+551187654321"):
            assert is_opted_out(work.session, TeamId(people.team_id), hash_of(people, form))
