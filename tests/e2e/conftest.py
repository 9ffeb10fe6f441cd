"""A whole house for a story: `./run` itself, on a data folder and ports of its own, and a real Chromium beside it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ROOT = Path(__file__).parent.parent.parent
UP_WITHIN_S = 120
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class House:
    """A running house: where its parts answer, and the simulated world behind it."""

    process: subprocess.Popen[bytes]
    folder: Path
    log: Path
    addresses: dict[str, str]

    @property
    def url(self) -> str:
        return self.addresses["web"]

    def world(self, verb: str, **how: Any) -> Any:
        """Does something in the simulated WhatsApp, `scan` for example, or asks it when nothing is given."""
        url = f"{self.addresses['gateway']}/control/{verb}"
        answer = requests.post(url, json=how, timeout=10) if how else requests.get(url, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def ledger(self) -> list[dict[str, Any]]:
        """Every message that left, as the world saw it."""
        return list(self.world("ledger"))

    def lines(self, count: int = 60) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


def start_house(folder: Path, **settings: str) -> House:
    """Types `./run` and waits for the first page."""
    # PYTEST_CURRENT_TEST would make NiceGUI believe that it is itself under test
    ours = ("DATABASE_URL", "REDIS_URL")
    told = {k: v for k, v in os.environ.items() if k not in ours and not k.startswith("PYTEST")}
    told |= {
        "PRUMO_DATA": str(folder),
        "PRUMO_PORT": "0",
        "PRUMO_RECEIVER_PORT": "0",
        "PRUMO_SANDBOX_GATEWAY_PORT": "0",
        "PRUMO_SANDBOX_MAP_PORT": "0",
        "PRUMO_MAP_PAUSE_S": "0.05",
        "PRUMO_QUIET_WINDOW_S": "20",
        "PRUMO_SANDBOX_PACE": "0.2",
        **settings,
    }
    log = folder / "house.log"
    with log.open("wb") as out:
        process = subprocess.Popen(["./run"], cwd=ROOT, env=told, stdout=out, stderr=out, start_new_session=True)
    end = time.monotonic() + UP_WITHIN_S
    while time.monotonic() < end and process.poll() is None:
        if "everything runs" in log.read_text(errors="replace"):
            addresses = json.loads((folder / "house.json").read_text())["addresses"]
            return House(process, folder, log, addresses)
        time.sleep(0.2)
    stop_house(process)
    pytest.fail(f"the house did not start:\n{log.read_text(errors='replace')[-4000:]}")


def stop_house(process: subprocess.Popen[bytes]) -> None:
    """Ctrl-C, as a person would; kill only what does not listen."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """One for all stories of the run: below /tmp, as the path of a socket is short by law."""
    folder = Path(tempfile.mkdtemp(prefix="prumo-e2e-", dir="/tmp"))
    folder.chmod(0o711)
    started = start_house(folder)
    yield started
    stop_house(started.process)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = os.environ.get("PRUMO_CHROMIUM")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium or None, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture
def person(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody in Brazil at a desk."""
    expect.set_options(timeout=15_000)
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="pt-BR", timezone_id="America/Sao_Paulo"
    )
    yield context
    context.close()


@pytest.fixture
def page(person: BrowserContext) -> Page:
    return person.new_page()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Says beside a failure what the page showed, and what the house said last."""
    report = yield
    if report.when == "call" and report.failed:
        funcargs = getattr(item, "funcargs", {})
        page, house = funcargs.get("page"), funcargs.get("house")
        if page is not None:
            report.sections.append(("page", f"{page.url}\n{page.locator('body').inner_text()[:3000]}"))
        if house is not None:
            report.sections.append(("house", house.lines()))
    return report
