"""Queues and workers: for the administrator of the installation alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from nicegui import ui

from core.jobs import FUNCTIONS, SendDue
from core.settings import Settings
from tests.people import People
from tests.ui.conftest import Web, until


@pytest.fixture
def worker(settings: Settings, told: None) -> Iterator[subprocess.Popen[bytes]]:
    """A real sender, on the test's own Redis."""
    process = subprocess.Popen([sys.executable, "-m", "workers.run", "sender"])
    yield process
    process.terminate()
    process.wait(20)


async def test_ana_sees_the_worker_and_its_heartbeat(web: Web, people: People, worker: subprocess.Popen[bytes]) -> None:
    ana = web.as_("Ana")
    await ana.open("/queues")
    await ana.should_see("Nenhuma falha")
    await ana.should_see("livre", retries=150)
    await ana.should_see("sinal há", retries=50)


async def test_a_failed_job_shows_its_trace_and_can_be_discarded(web: Web, people: People) -> None:
    from redis import Redis
    from rq import Queue, SimpleWorker
    from rq.serializers import JSONSerializer

    redis = Redis.from_url(people.runtime.settings.redis_url)
    queue = Queue("sender", connection=redis, serializer=JSONSerializer)
    queue.enqueue(FUNCTIONS["SendDue"], args=("no number",), job_id=SendDue(1).key)
    SimpleWorker([queue], connection=redis, serializer=JSONSerializer).work(burst=True)
    ana = web.as_("Ana")
    await ana.open("/queues")
    await ana.should_see("Tarefas com falha")
    await ana.should_see("Tentar de novo")
    assert ana.client is not None
    opener = next(
        e
        for e in ana.client.elements.values()
        if isinstance(e, ui.button) and e.props.get("aria-label") == "Mostrar o rastro"
    )
    found = ana.find(kind=ui.button)
    found.elements = {opener}
    found.click()
    await ana.should_see("Traceback", retries=50)
    work = people.runtime.queue
    assert work.discard(SendDue(1).key)
    await ana.should_see("Nenhuma falha", retries=150)


@pytest.mark.parametrize("who", ["Bea", "Vic", "Carlos"])
async def test_nobody_else_may_look(web: Web, who: str) -> None:
    user = web.as_(who)
    answer = await user.http_client.get("/queues")
    assert answer.status_code == 403
    await until(lambda: True)
