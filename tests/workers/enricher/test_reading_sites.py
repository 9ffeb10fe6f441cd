"""The enricher reads the websites of leads, and neither a kill nor an emptied Redis loses what somebody wanted."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from core.jobs import ReadSites
from core.leads import sites
from core.leads.rules import LeadFilter, PhoneFrom, SiteReading
from core.leads.site_names import site_of
from core.runtime import Runtime
from core.settings import Settings
from core.tables import Lead, Site
from sandbox.maps.city import City
from sandbox.maps.server import Running, run_in_thread
from sandbox.maps.sites import SiteKind, email_of, site_kind, whatsapp_of
from tests.core.leads.makers import make_leads
from tests.integrations.raw_server import RawServer, answering
from tests.people import People
from tests.workers.house import House, house_of, until
from workers.enricher.jobs import read_due
from workers.rq_workers import make_worker

HOME = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<p>contato@loja.com.br</p>"


@pytest.fixture
def demo_map() -> Iterator[Running]:
    with run_in_thread(City(400)) as running:
        yield running


def want_all(runtime: Runtime, people: People) -> None:
    with runtime.work() as work:
        sites.want(work, people.team_id, LeadFilter())


def statuses(runtime: Runtime) -> dict[SiteReading, int]:
    with runtime.work() as work:
        return dict(work.session.execute(select(Site.status, func.count()).group_by(Site.status)).all())  # type: ignore[arg-type]


def test_the_sites_of_the_demo_city_end_up_on_its_leads(
    runtime: Runtime, people: People, demo_map: Running, settings: Settings
) -> None:
    """Eight at once: a site asks for a second between two requests, so one after the other would take a minute."""
    chosen = {SiteKind.PLAIN, SiteKind.HIDDEN, SiteKind.CONTACT_PAGE, SiteKind.INWARD}
    places = [p for p in demo_map.city.places() if p.website and site_kind(p.number) in chosen][:16]
    ids = make_leads(
        runtime, people.team_id, *[{"name": p.name, "website": p.website, "country": "BR"} for p in places]
    )
    want_all(runtime, people)
    reading = Runtime(replace(settings, demo_map_url=demo_map.url), pool_size=9)
    began = time.monotonic()
    assert read_due(reading, works_s=30) == len({site_of(p.website) for p in places})
    assert time.monotonic() - began < 20
    reading.close()
    with runtime.work() as work:
        leads = {lead.id: lead for lead in work.session.scalars(select(Lead))}
    for place, lead_id in zip(places, ids, strict=True):
        if site_kind(place.number) is not SiteKind.INWARD:
            assert leads[lead_id].email == email_of(place)
            assert (leads[lead_id].phone, leads[lead_id].phone_from) == (whatsapp_of(place), PhoneFrom.WEBSITE)
        assert leads[lead_id].site_wanted_at is None


class _Slow:
    """A website that answers when it is let go."""

    def __init__(self) -> None:
        self.asked, self.let_go = threading.Event(), threading.Event()

    def __call__(self, line: socket.socket) -> None:
        self.asked.set()
        self.let_go.wait(20)
        time.sleep(0.2)
        line.sendall(HOME)


@pytest.fixture
def slow() -> _Slow:
    return _Slow()


@pytest.fixture
def website(slow: _Slow) -> Iterator[RawServer]:
    with answering(slow) as server:
        yield server


@pytest.fixture
def house(settings: Settings, website: RawServer, tmp_path: Path) -> Iterator[House]:
    with house_of(settings, tmp_path / "house.log", PRUMO_DEMO_MAP_URL=website.url) as running:
        yield running


def test_a_worker_killed_over_a_site_leaves_it_to_the_next(
    runtime: Runtime, people: People, house: House, slow: _Slow
) -> None:
    [lead_id] = make_leads(runtime, people.team_id, {"website": "https://loja-1.example", "country": "BR"})
    want_all(runtime, people)
    worker = house.start("workers.run", "enricher")
    assert slow.asked.wait(30), house.lines()
    worker.send_signal(signal.SIGKILL)
    worker.wait(5)
    assert statuses(runtime) == {SiteReading.READING: 1}
    slow.let_go.set()
    with runtime.work() as work:  # the ninety seconds of its claim
        work.session.execute(update(Site).values(due_at=Site.due_at - timedelta(seconds=90)))
    runtime.queue.redis.flushdb()  # type: ignore[attr-defined]
    with runtime.work() as work:
        assert sites.queue_sites(work) == 1
    house.start("workers.run", "enricher")
    until(lambda: statuses(runtime) == {SiteReading.READ: 1}, within_s=30, what=house.lines())
    with runtime.work() as work:
        assert work.session.get_one(Lead, lead_id).email == "contato@loja.com.br"


def test_a_worker_asked_to_stop_ends_the_site_it_is_at(
    runtime: Runtime, people: People, house: House, slow: _Slow
) -> None:
    make_leads(runtime, people.team_id, *[{"website": f"https://loja-{n}.example"} for n in range(300)])
    want_all(runtime, people)
    worker = house.start("workers.run", "enricher")
    assert slow.asked.wait(30), house.lines()
    worker.send_signal(signal.SIGTERM)
    time.sleep(2)  # on a busy machine a signal takes its time
    slow.let_go.set()
    assert worker.wait(60) == 0, house.lines()
    left = statuses(runtime)
    assert left.get(SiteReading.READING, 0) == 0
    assert left[SiteReading.WAITING] > 0


def test_the_enricher_serves_files_before_websites(settings: Settings, runtime: Runtime) -> None:
    worker = make_worker("enricher", settings.redis_url)
    assert worker.queue_names() == ["campaigns", "imports", "sites"]
    runtime.queue.put(ReadSites())
    runtime.queue.put(ReadSites())
    waiting = {queue.name: queue.waiting for queue in runtime.queue.look().queues}
    assert waiting["sites"] == 1
