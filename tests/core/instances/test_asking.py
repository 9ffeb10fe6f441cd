"""What Ana asks of her numbers: each is a wish in a row, and nothing calls the gateway."""

from __future__ import annotations

from dataclasses import astuple, replace
from datetime import timedelta

import pytest

from core.errors import BadInput, BadInputs, NotFound, StateChanged
from core.instances import service
from core.instances.rules import InstanceId, InstanceStatus, Pace, StatusReason
from core.runtime import Runtime
from core.tables import AuditEntry, Campaign, CampaignCounter, CampaignInstance, Message, Team
from tests.core.instances.numbers import OWN_PHONE, add_number, change, leftovers, number
from tests.people import People


@pytest.fixture
def runtime_with_gateway(runtime: Runtime) -> Runtime:
    runtime.settings = replace(runtime.settings, gateway_url="http://gateway.invalid")
    return runtime


def test_a_new_number_waits_to_be_made_and_remembers_who_accepted_the_terms(
    runtime_with_gateway: Runtime, people: People
) -> None:
    with people.runtime.work() as work:
        made = service.connect_new(work, people["Ana"], "  Comercial 1 ", accepts_terms=True)
    row = number(people.runtime, made)
    assert (row.name, row.status, row.gateway_id) == ("Comercial 1", InstanceStatus.NEW, None)
    assert row.gateway_name is not None and row.gateway_name.startswith(f"prumo-{made}-")
    assert row.terms_accepted_by == people["Ana"].user_id
    assert row.terms_accepted_at is not None


def test_without_the_terms_without_a_name_or_without_a_gateway_there_is_no_number(
    runtime_with_gateway: Runtime, people: People
) -> None:
    for name, accepts, field in (("Comercial", False, "terms"), (" ", True, "name")):
        with people.runtime.work() as work, pytest.raises(BadInput) as refused:
            service.connect_new(work, people["Ana"], name, accepts_terms=accepts)
        assert refused.value.field == field
    people.runtime.settings = replace(people.runtime.settings, gateway_url="")
    with people.runtime.work() as work, pytest.raises(BadInput, match="gateway_not_set_up"):
        service.connect_new(work, people["Ana"], "Comercial", accepts_terms=True)
    with people.runtime.work() as work:
        assert service.numbers(work, people["Ana"]) == []


def test_a_team_has_twenty_numbers_at_most(runtime_with_gateway: Runtime, people: People) -> None:
    for n in range(service.MOST_NUMBERS):
        add_number(people.runtime, people.team_id, phone=f"+55119000{n:05}")
    with people.runtime.work() as work, pytest.raises(BadInput, match="too_many_numbers"):
        service.connect_new(work, people["Ana"], "Comercial", accepts_terms=True)


def test_the_terms_are_accepted_once(people: People) -> None:
    old = add_number(people.runtime, people.team_id)
    change(people.runtime, old, terms_accepted_at=None)
    for name in ("Ana", "Ana"):
        with people.runtime.work() as work:
            service.accept_terms(work, people[name], old)
    with people.runtime.work() as work:
        assert work.session.query(AuditEntry).filter_by(action="instance.terms_accepted").count() == 1
        assert service.number(work, people["Ana"], old).has_accepted_terms


def test_a_lost_number_is_connected_anew_under_another_name_and_its_old_session_is_to_go(people: People) -> None:
    lost = add_number(people.runtime, people.team_id, status=InstanceStatus.DISCONNECTED, status_reason="logged_out")
    was = number(people.runtime, lost).gateway_name
    with people.runtime.work() as work:
        service.reconnect(work, people["Ana"], lost)
    row = number(people.runtime, lost)
    assert (row.status, row.status_reason, row.phone) == (InstanceStatus.SCANNING, None, OWN_PHONE)
    assert row.gateway_id is None, "it waits to be made"
    assert row.gateway_name != was
    assert leftovers(people.runtime) == [was]


def test_a_connected_number_gets_no_new_code(people: People) -> None:
    well = add_number(people.runtime, people.team_id)
    for verb in (service.new_code, service.reconnect):
        with people.runtime.work() as work, pytest.raises(StateChanged):
            verb(work, people["Ana"], well)
    assert leftovers(people.runtime) == []


def test_a_pairing_code_is_asked_for_a_phone_that_is_one(people: People) -> None:
    new = add_number(people.runtime, people.team_id, status=InstanceStatus.SCANNING, phone=None, qr_text="2@a")
    with people.runtime.work() as work, pytest.raises(BadInput) as refused:
        service.pairing_code(work, people["Ana"], new, "abc")
    assert refused.value.field == "phone"
    with people.runtime.work() as work:
        service.pairing_code(work, people["Ana"], new, "(11) 98765-4321")
    row = number(people.runtime, new)
    assert (row.pairing_phone, row.qr_text, row.gateway_id) == ("+5511987654321", None, None)


def test_disconnecting_takes_it_off_the_page_and_leaves_its_history(people: People) -> None:
    gone = add_number(people.runtime, people.team_id)
    was = number(people.runtime, gone).gateway_name
    with people.runtime.work() as work:
        work.session.add(Message(team_id=people.team_id, instance_id=gone, direction="in", text="oi"))
    with people.runtime.work() as work:
        service.disconnect(work, people["Ana"], gone)
    assert leftovers(people.runtime) == [was]
    row = number(people.runtime, gone)
    assert (row.status, row.status_reason, row.gateway_name) == (InstanceStatus.REMOVED, StatusReason.BY_HAND, None)
    with people.runtime.work() as work:
        assert service.numbers(work, people["Ana"]) == []
        assert work.session.query(Message).count() == 1
    for verb in (service.disconnect, service.pause, service.reconnect):
        with people.runtime.work() as work, pytest.raises(NotFound):
            verb(work, people["Ana"], gone)


def test_pausing_twice_is_pausing_once_and_going_on_forgets_the_doubts(people: People) -> None:
    well = add_number(people.runtime, people.team_id, unconfirmed_in_a_row=3)
    for _ in range(2):
        with people.runtime.work() as work:
            service.pause(work, people["Bea"], well)
    assert number(people.runtime, well).pause_reason == "by_hand"
    with people.runtime.work() as work:
        service.unpause(work, people["Bea"], well)
    row = number(people.runtime, well)
    assert (row.paused_at, row.pause_reason, row.unconfirmed_in_a_row) == (None, None, 0)
    with people.runtime.work() as work:
        actions = [entry.action for entry in work.session.query(AuditEntry).order_by(AuditEntry.id)]
    assert actions.count("instance.paused") == actions.count("instance.unpaused") == 1


def test_the_pace_holds_from_now_on(people: People) -> None:
    well = add_number(people.runtime, people.team_id)
    with people.runtime.work() as work:
        service.set_pace(work, people["Ana"], well, per_day=80, gap_min_s=30, gap_max_s=60)
    row = number(people.runtime, well)
    assert (row.per_day, row.gap_min_s, row.gap_max_s) == (80, 30, 60)


def test_a_pace_names_its_long_pause_or_leaves_it(people: People) -> None:
    well = add_number(people.runtime, people.team_id)
    with people.runtime.work() as work:
        service.set_pace(work, people["Ana"], well, per_day=80, gap_min_s=30, gap_max_s=60, rest_after=0, rest_s=900)
    with people.runtime.work() as work:
        service.set_pace(work, people["Ana"], well, per_day=70, gap_min_s=30, gap_max_s=60)
        card = service.number(work, people["Vic"], well)
        [entry] = (
            work.session.query(AuditEntry).filter_by(action="instance.pace_set").order_by(AuditEntry.id.desc())[:1]
        )
    assert (card.per_day, card.rest_after, card.rest_s) == (70, 0, 900)
    assert entry.details["was"] == {"per_day": 80, "gap_min_s": 30, "gap_max_s": 60, "rest_after": 0, "rest_s": 900}


def test_a_number_may_have_a_cap_of_the_hour_and_has_none_by_itself(people: People) -> None:
    well = add_number(people.runtime, people.team_id)
    pace = {"per_day": 80, "gap_min_s": 30, "gap_max_s": 60}
    kept = []
    for per_hour in (None, 12, None, 0):
        with people.runtime.work() as work:
            service.set_pace(work, people["Ana"], well, **pace, per_hour=per_hour)
            kept.append(service.number(work, people["Vic"], well).per_hour)
    assert kept == [None, 12, 12, None], "what is not named stays, and 0 is none"
    with people.runtime.work() as work:
        entries = work.session.query(AuditEntry).filter_by(action="instance.pace_set").order_by(AuditEntry.id)
        hours = [(entry.details["was"].get("per_hour"), entry.details["now"].get("per_hour")) for entry in entries]
    assert hours == [(None, None), (None, 12), (None, None), (12, None)]


@pytest.mark.parametrize("per_hour", [-1, 201, 10**9])
def test_a_cap_of_the_hour_that_is_none_is_refused_by_its_field(people: People, per_hour: int) -> None:
    well = add_number(people.runtime, people.team_id)
    with pytest.raises(BadInputs) as refused, people.runtime.work() as work:
        service.set_pace(work, people["Ana"], well, per_day=80, gap_min_s=30, gap_max_s=60, per_hour=per_hour)
    assert [wrong.field for wrong in refused.value.inputs] == ["per_hour"]


def test_a_new_number_begins_with_the_pace_of_its_team_and_the_others_keep_theirs(
    runtime_with_gateway: Runtime, people: People
) -> None:
    old = add_number(people.runtime, people.team_id)
    wanted = Pace(per_day=80, gap_min_s=60, gap_max_s=90, rest_after=10, rest_s=1200)
    with people.runtime.work() as work:
        assert service.team_defaults(work, people["Vic"]) == Pace()
        service.set_team_defaults(work, people["Ana"], wanted)
    with people.runtime.work() as work:
        made = service.connect_new(work, people["Ana"], "Comercial 2", accepts_terms=True)
        assert service.team_defaults(work, people["Carlos"]) == Pace(), "another team's are its own"
    assert pace_of(people, made) == wanted
    assert pace_of(people, old) == Pace()


def pace_of(people: People, instance_id: InstanceId) -> Pace:
    row = number(people.runtime, instance_id)
    return Pace(row.per_day, row.gap_min_s, row.gap_max_s, row.rest_after, row.rest_s)


def test_the_products_own_defaults_are_those_of_its_tables() -> None:
    columns = (
        Team.number_per_day,
        Team.number_gap_min_s,
        Team.number_gap_max_s,
        Team.number_rest_after,
        Team.number_rest_s,
    )
    assert [int(column.property.columns[0].server_default.arg) for column in columns] == list(astuple(Pace()))


def test_wrong_defaults_are_told_by_their_fields(people: People) -> None:
    with people.runtime.work() as work, pytest.raises(BadInputs) as refused:
        service.set_team_defaults(work, people["Ana"], Pace(per_day=201, rest_s=1))
    assert [wrong.field for wrong in refused.value.inputs] == ["per_day", "rest_s"]


def test_behind_a_simulated_gateway_nobody_waits_unless_the_team_says_so(
    runtime_with_gateway: Runtime, people: People
) -> None:
    runtime = runtime_with_gateway
    paces = []
    for simulated in (True, False):
        runtime.settings = replace(runtime.settings, gateway_simulated=simulated, min_gap=timedelta(seconds=1))
        with runtime.work() as work:
            made = service.connect_new(work, people["Ana"], "Comercial 1", accepts_terms=True)
        paces.append(pace_of(people, made))
    assert paces == [Pace(gap_min_s=1, gap_max_s=3, rest_after=0), Pace()]


def test_that_a_number_was_in_use_is_a_persons_word_and_is_remembered(
    runtime_with_gateway: Runtime, people: People
) -> None:
    with people.runtime.work() as work:
        made = service.connect_new(work, people["Ana"], "Comercial 1", accepts_terms=True, was_in_use=True)
        other = service.connect_new(work, people["Ana"], "Comercial 2", accepts_terms=True)
    assert (number(people.runtime, made).was_in_use, number(people.runtime, other).was_in_use) == (True, False)
    with people.runtime.work() as work:
        entries = work.session.query(AuditEntry).filter_by(action="instance.added").order_by(AuditEntry.id)
        assert [(entry.user_name, entry.details["was_in_use"]) for entry in entries] == [
            (people["Ana"].name, True),
            (people["Ana"].name, False),
        ]


def test_a_card_tells_what_was_sent_today_and_on_the_days_before(people: People) -> None:
    well = add_number(people.runtime, people.team_id, per_day=40)
    with people.runtime.work() as work:
        today = service.queries.today_of(work.session, people.team_id, work.now)
        for days_ago, count in ((0, 3), (1, 2), (13, 1), (14, 7)):
            for n in range(count):
                work.session.add(
                    Message(
                        team_id=people.team_id,
                        instance_id=well,
                        direction="out",
                        text="oi",
                        gateway_message_id=f"{days_ago}-{n}",
                        sent_at=work.now - timedelta(days=days_ago),
                    )
                )
    change(people.runtime, well, sent_on=today, sent_today=3)
    with people.runtime.work() as work:
        [card] = service.numbers(work, people["Vic"])
        assert service.sends_today(work, people["Vic"]) == (3, 40)
    assert card.sent_today == 3
    assert card.sent_by_day == (1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3)
    change(people.runtime, well, status=InstanceStatus.DISCONNECTED)
    add_number(people.runtime, people.team_id, per_day=50)
    with people.runtime.work() as work:
        assert service.sends_today(work, people["Vic"]) == (3, 53), "what has left stays sent when its number is lost"
    change(people.runtime, well, sent_on=today - timedelta(days=1))
    with people.runtime.work() as work:
        assert service.number(work, people["Vic"], well).sent_today == 0, "that was yesterday"


def test_a_card_names_the_campaigns_under_way_and_who_waits_in_them(people: People) -> None:
    well = add_number(people.runtime, people.team_id)
    with people.runtime.work() as work:
        for name, status, waiting in (("Clínicas", "running", 43), ("Pausada", "paused", 2), ("Rascunho", "draft", 9)):
            campaign = Campaign(team_id=people.team_id, name=name, status=status)
            work.session.add(campaign)
            work.session.flush()
            work.session.add(CampaignInstance(campaign_id=campaign.id, instance_id=well, team_id=people.team_id))
            work.session.add(CampaignCounter(campaign_id=campaign.id, name="queued", team_id=people.team_id, n=waiting))
    with people.runtime.work() as work:
        card = service.number(work, people["Ana"], well)
    assert ([campaign.name for campaign in card.campaigns], card.waiting) == (["Clínicas", "Pausada"], 45)
