"""Many at once, and things that happen between the list and the message."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from core.campaigns.rules import CampaignId
from core.leads.phones import phone_hash
from core.optouts.recording import record_opt_out
from core.optouts.rules import OptOutReason
from core.ports import MessageReceived
from core.runtime import Runtime
from core.sending import claiming, lease, queries, service
from core.sending.claiming import Claimed, claim_next
from core.sending.engine import send_due
from core.sending.receipts import receive
from core.sending.rules import WORTH_ANOTHER_TRY, RecipientId
from core.tables import Campaign, CampaignLead
from tests.core.sending.world import FakeWhatsApp, work_through
from tests.factories import Scene, make_campaign, make_instance, make_scene, phone_of
from tests.people import gather


def in_threads(*jobs: Callable[[], None]) -> None:
    """All at once; what one of them raises is raised here."""
    troubles: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as trouble:  # noqa: BLE001 - it is raised again below
            troubles.append(trouble)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if troubles:
        raise troubles[0]


def sending(runtime: Runtime, scene: Scene, *, for_s: float = 20.0) -> Callable[[], None]:
    def job() -> None:
        async def story() -> None:
            stop = asyncio.Event()
            asyncio.get_running_loop().call_later(for_s, stop.set)
            await send_due(runtime, scene.instance_id, owner="a", stop=stop)

        asyncio.run(story())

    return job


def wait_until(is_so: Callable[[], bool], *, for_s: float = 30.0) -> None:
    until = time.monotonic() + for_s
    while not is_so():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.002)


def committed_at(runtime: Runtime, change: Callable[[], None]) -> datetime:
    """The database's clock once a change is committed."""
    change()
    with runtime.work() as work:
        return work.session.execute(text("select clock_timestamp()")).scalar_one()


# ---------------------------------------------------------------- one table, many hands


def test_two_numbers_of_one_campaign_share_its_people(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 40)
    numbers = [make_instance(runtime, scene.team_id, f"n{n}", gap_min_s=0, gap_max_s=0) for n in range(3)]
    scene.set_campaign(status="paused")
    campaign = make_campaign(runtime, scene.team_id, numbers, scene.leads, gap_min_s=0, gap_max_s=0)
    whatsapp.latency_s = 0.005
    scenes = [Scene(runtime, scene.team_id, each, campaign) for each in numbers]
    in_threads(*(sending(runtime, each) for each in scenes))
    assert sorted(whatsapp.phones()) == sorted(phone_of(n) for n in range(1, 41))
    assert scene.statuses(campaign) == {"sent": 40}
    assert len({each.number for each in whatsapp.left}) > 1


def test_ten_claims_of_one_number_take_one_person(runtime: Runtime) -> None:
    """The lock of the number, its slot and its one place on the wire: each alone would do."""
    scene = make_scene(runtime, 10)
    with runtime.work() as work:
        held = lease.acquire(work, scene.instance_id, "a")
    taken: list[Claimed] = []

    def claim() -> None:
        with runtime.work() as work:
            found = claim_next(work, held, max_in_flight=1).claimed
        if found is not None:
            taken.append(found)

    in_threads(*[claim] * 10)
    assert len(taken) == 1
    assert scene.statuses() == {"sending": 1, "queued": 9}


@pytest.mark.parametrize("at_once", [1, 16])
def test_two_campaigns_never_write_to_one_person_at_the_same_moment(
    runtime: Runtime, whatsapp: FakeWhatsApp, at_once: int
) -> None:
    """The same twenty people in two campaigns of two numbers, with nothing but the claim between them."""
    scene = make_scene(runtime, 20)
    other = make_instance(runtime, scene.team_id, "vendas-02", gap_min_s=0, gap_max_s=0)
    second = make_campaign(runtime, scene.team_id, [other], scene.leads, gap_min_s=0, gap_max_s=0)
    whatsapp.latency_s, whatsapp.max_in_flight = 0.01, at_once
    in_threads(sending(runtime, scene), sending(runtime, Scene(runtime, scene.team_id, other, second)))
    for _ in range(2):  # those who were being written to by the other one are asked about again later
        scene.sleep(timedelta(minutes=1))
        work_through(runtime, scene)
        work_through(runtime, Scene(runtime, scene.team_id, other, second))
    assert Counter(whatsapp.phones()) == {phone_of(n): 1 for n in range(1, 21)}
    together = scene.statuses() + scene.statuses(second)
    assert together == {"sent": 20, "skipped": 20}


def test_whom_another_campaign_wrote_to_since_we_looked_is_left_in_peace(
    runtime: Runtime, whatsapp: FakeWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It claims, sends and settles between our look at the person and our claim: the person is on no wire any more."""
    scene = make_scene(runtime, 1)
    other = make_instance(runtime, scene.team_id, "vendas-02", gap_min_s=0, gap_max_s=0)
    second = make_campaign(runtime, scene.team_id, [other], scene.leads, gap_min_s=0, gap_max_s=0)
    look, faster = claiming.queries.candidates, [Scene(runtime, scene.team_id, other, second)]

    def slow_look(*asked: Any) -> Any:
        found = look(*asked)
        while faster:
            work_through(runtime, faster.pop())
        return found

    monkeypatch.setattr(claiming.queries, "candidates", slow_look)
    work_through(runtime, scene)
    assert whatsapp.phones() == [phone_of(1)]
    scene.sleep(timedelta(minutes=1))
    work_through(runtime, scene)
    assert (scene.statuses(), scene.statuses(second)) == ({"skipped": 1}, {"sent": 1})
    assert len(scene.messages()) == 1, "and no text of ours is left that nobody was sent"


# ---------------------------------------------------------------- between the list and the message


@pytest.mark.parametrize(("seed", "at_once"), [(0, 1), (1, 1), (2, 4), (3, 16)])
def test_after_an_opt_out_nothing_is_claimed(runtime: Runtime, whatsapp: FakeWhatsApp, seed: int, at_once: int) -> None:
    scene = make_scene(runtime, 60)
    whatsapp.latency_s, whatsapp.max_in_flight = 0.004, at_once
    order = random.Random(seed)
    opted_out: dict[int, datetime] = {}

    def people_opt_out() -> None:
        for n in order.sample(range(1, 61), 25):
            time.sleep(order.uniform(0, 0.03))
            opted_out[n] = committed_at(runtime, lambda n=n: opt_out(runtime, scene, n))

    in_threads(sending(runtime, scene), people_opt_out)
    rows = scene.recipients()
    for n, at in opted_out.items():
        row = rows[n - 1]
        assert row.status.value in ("sent", "skipped")
        assert row.claimed_at is None or row.claimed_at <= at
    assert scene.statuses()["sent"] == len(whatsapp.left)
    assert set(scene.statuses()) <= {"sent", "skipped"}


@pytest.mark.parametrize(("seed", "at_once"), [(0, 1), (1, 1), (2, 4), (3, 16)])
def test_after_an_answer_nothing_is_claimed(runtime: Runtime, whatsapp: FakeWhatsApp, seed: int, at_once: int) -> None:
    scene = make_scene(runtime, 60)
    whatsapp.latency_s, whatsapp.max_in_flight = 0.004, at_once
    order = random.Random(seed)
    answered: dict[int, datetime] = {}

    def people_answer() -> None:
        for n in order.sample(range(1, 61), 25):
            time.sleep(order.uniform(0, 0.03))
            answered[n] = committed_at(runtime, lambda n=n: answer(runtime, scene, n))

    in_threads(sending(runtime, scene), people_answer)
    rows = scene.recipients()
    for n, at in answered.items():
        assert rows[n - 1].claimed_at is None or rows[n - 1].claimed_at <= at
    assert set(scene.statuses()) <= {"sent", "skipped"}


@pytest.mark.parametrize("at_once", [1, 16])
@pytest.mark.parametrize("status", ["paused", "cancelled"])
def test_after_a_pause_or_a_cancel_nothing_is_claimed(
    runtime: Runtime, whatsapp: FakeWhatsApp, status: str, at_once: int
) -> None:
    """Six times at a random moment: at most what is claimed is still sent."""
    scene = make_scene(runtime, 60 * at_once + 340)
    whatsapp.latency_s, whatsapp.max_in_flight = 0.003, at_once
    order = random.Random(status)
    ended = {"ended_at": scene.campaign().started_at} if status == "cancelled" else {}
    for _ in range(6):
        stopped: list[datetime] = []
        before = len(whatsapp.left)

        def stop_it(stopped: list[datetime] = stopped, before: int = before) -> None:
            wait_until(lambda: len(whatsapp.left) > before)
            time.sleep(order.uniform(0, 0.03))
            stopped.append(committed_at(runtime, stop))

        def stop() -> None:
            with runtime.work() as work:
                work.session.execute(update(Campaign).values(status=status, **ended))

        in_threads(sending(runtime, scene), stop_it)
        rows = scene.recipients()
        assert max(row.claimed_at for row in rows if row.claimed_at is not None) <= stopped[0]
        assert "sending" not in scene.statuses()
        scene.set_campaign(status="running", ended_at=None)
    assert scene.statuses()["sent"] == len(whatsapp.left)
    assert scene.statuses()["queued"] > 0, "the story is only told while somebody is left"


@pytest.mark.parametrize("at_once", [1, 16])
def test_everything_at_once_and_the_counters_are_still_right(
    runtime: Runtime, whatsapp: FakeWhatsApp, at_once: int
) -> None:
    """Opt-outs, answers, pauses and two campaigns: whoever is in another's way tries again, nobody is lost."""
    scene = make_scene(runtime, 80)
    other = make_instance(runtime, scene.team_id, "vendas-02", gap_min_s=0, gap_max_s=0)
    second = make_campaign(runtime, scene.team_id, [other], scene.leads, gap_min_s=0, gap_max_s=0, repeat_after_days=0)
    whatsapp.latency_s, whatsapp.max_in_flight = 0.002, at_once
    order = random.Random(7)

    def disturb() -> None:
        for n in order.sample(range(1, 81), 40):
            (opt_out if n % 2 else answer)(runtime, scene, n)

    def pause_and_resume() -> None:
        for _ in range(10):
            for status in ("paused", "running"):
                with runtime.work() as work:
                    work.session.execute(update(Campaign).values(status=status))
                time.sleep(order.uniform(0, 0.02))

    in_threads(
        sending(runtime, scene, for_s=6),
        sending(runtime, Scene(runtime, scene.team_id, other, second), for_s=6),
        disturb,
        pause_and_resume,
    )
    for _ in range(3):
        scene.sleep(timedelta(minutes=1))
        work_through(runtime, scene)
        work_through(runtime, Scene(runtime, scene.team_id, other, second))
    together = scene.statuses() + scene.statuses(second)
    assert set(together) <= {"sent", "skipped"}
    assert together["sent"] == len(whatsapp.left)
    assert max(Counter((each.number, each.phone) for each in whatsapp.left).values()) == 1


def opt_out(runtime: Runtime, scene: Scene, n: int) -> None:
    hashed = phone_hash(runtime.settings.secret_key, phone_of(n))
    with runtime.work() as work:
        record_opt_out(work, scene.team_id, hashed, phone=phone_of(n), reason=OptOutReason.BY_REPLY)  # type: ignore[arg-type]


def answer(runtime: Runtime, scene: Scene, n: int) -> None:
    with runtime.work() as work:
        message = MessageReceived(f"IN{n}", (f"{phone_of(n)[1:]}@s.whatsapp.net",), "Quem é?", "text", work.now)
        receive(work, scene.instance_id, message, work.now)


# ---------------------------------------------------------------- pace


@pytest.mark.parametrize("decides", ["again", "retry"])
def test_who_puts_somebody_back_waits_for_a_claim_and_does_not_stand_in_its_way(runtime: Runtime, decides: str) -> None:
    """The claim has the campaign and comes to the counters; who has these already must not ask for the campaign."""
    bea = gather(runtime)["Bea"]
    scene = make_scene(runtime, 2, in_team=bea.team_id)
    mine, other = (RecipientId(row.id) for row in scene.recipients())
    if decides == "again":
        scene.set_recipient(mine, status="held", claimed_at=datetime.now(UTC))
    else:
        scene.set_recipient(mine, status="failed", reason=next(iter(WORTH_ANOTHER_TRY)).value)

    def put_back() -> None:
        with runtime.work() as work:
            if decides == "again":
                service.send_again(work, bea, [mine])
            else:
                service.retry_failed(work, bea, CampaignId(scene.campaign_id))

    def claim() -> None:
        with runtime.work() as work:
            assert queries.lock_running(work.session, CampaignId(scene.campaign_id))
            has_it.set()
            wait_until(lambda: somebody_waits(runtime))
            work.session.execute(
                update(CampaignLead).where(CampaignLead.id == other).values(status="skipped", reason="opted_out")
            )

    has_it = threading.Event()
    in_threads(claim, lambda: put_back() if has_it.wait(30) else None)
    assert scene.statuses() == {"queued": 1, "skipped": 1}


def somebody_waits(runtime: Runtime) -> bool:
    with runtime.work() as work:
        waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        return work.session.execute(text(waits)).first() is not None


def test_after_an_hour_of_downtime_there_is_no_burst(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 20, gap_s=1)
    sending(runtime, scene, for_s=1.5)()
    before = len(whatsapp.left)
    scene.sleep(timedelta(hours=1))
    sending(runtime, scene, for_s=3.5)()
    times = [each.at for each in whatsapp.left[before:]]
    assert 2 <= len(times) <= 4
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(times)]
    assert min(gaps) >= 1.0


def test_a_slow_gateway_does_not_shorten_the_gap(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    """The slow one writes late, the next one at once: the gap counts from the end of the call."""
    scene = make_scene(runtime, 3, gap_s=1)
    whatsapp.latency_s = 0.9
    whatsapp.before_call = lambda: setattr(whatsapp, "latency_s", 0.9 if not whatsapp.left else 0.0)
    sending(runtime, scene, for_s=5)()
    times = [each.at for each in whatsapp.left]
    assert min((b - a).total_seconds() for a, b in itertools.pairwise(times)) >= 1.0


def test_the_gap_is_the_stricter_of_campaign_and_number(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 3, gap_s=1)
    scene.set_campaign(gap_min_s=120, gap_max_s=180)
    work_through(runtime, scene)
    assert len(whatsapp.left) == 1, "the next slot is too far off to be waited for"
    with runtime.work() as work:
        waits = (scene.instance().next_send_at - work.now).total_seconds()
    assert 115 <= waits <= 180


def test_more_than_one_may_be_on_the_wire_where_the_gateway_can(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 12)
    whatsapp.max_in_flight, whatsapp.latency_s = 4, 0.3
    sending(runtime, scene)()
    assert whatsapp.most_calls == 4
    assert scene.statuses() == {"sent": 12}
    assert sorted(whatsapp.phones()) == sorted(phone_of(n) for n in range(1, 13))
