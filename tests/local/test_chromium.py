"""The browser is looked for in a fixed order, and its absence is said in one line, with the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import chromium, house
from local.errors import CannotStart
from local.supervisor import Child


def program(path: Path, text: str = "\x7fELF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A machine without any browser; PATH and HOME are folders of the test."""
    monkeypatch.setattr(chromium, "DEBIANS", tmp_path / "debian" / "chromium-headless-shell")
    monkeypatch.setattr(chromium, "ON_A_MAC", tmp_path / "mac")
    monkeypatch.setattr(chromium, "CHECKOUT", tmp_path / "checkout")
    yield {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path / "home")}


def test_each_place_counts_before_the_next(tmp_path: Path, bare: dict[str, str]) -> None:
    assert chromium.find(bare) is None
    of_the_system = program(tmp_path / "bin" / "chromium")
    assert chromium.find(bare) == of_the_system
    debians = program(tmp_path / "debian" / "chromium-headless-shell")
    assert chromium.find(bare) == debians
    own = playwrights(tmp_path)
    assert chromium.find(bare) == own
    chosen = program(tmp_path / "chosen")
    assert chromium.find({**bare, "PRUMO_CHROMIUM": str(chosen)}) == chosen


def playwrights(tmp_path: Path) -> Path:
    package = tmp_path / "checkout/.venv/lib/python3.11/site-packages/playwright/driver/package"
    package.mkdir(parents=True)
    listed = {"browsers": [{"name": "chromium-headless-shell", "revision": "9"}, {"name": "chromium", "revision": "9"}]}
    (package / "browsers.json").write_text(json.dumps(listed))
    store = tmp_path / "home/.cache/ms-playwright"
    program(store / "chromium_headless_shell-8/any/chrome-headless-shell")  # of an older Playwright
    return program(store / "chromium_headless_shell-9/any/chrome-headless-shell")


def test_ubuntus_stub_that_wants_snap_is_no_browser(tmp_path: Path, bare: dict[str, str]) -> None:
    program(tmp_path / "bin" / "chromium-browser", "#!/bin/sh\nexec /snap/bin/chromium\n")
    assert chromium.find(bare) is None


def test_a_setting_that_names_no_program_is_refused(tmp_path: Path, bare: dict[str, str]) -> None:
    with pytest.raises(CannotStart, match="PRUMO_CHROMIUM is /nowhere/chromium"):
        chromium.find({**bare, "PRUMO_CHROMIUM": "/nowhere/chromium"})


class Told:
    """Stands where the supervisor does, and remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.children: list[Child] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def add(self, child: Child) -> None:
        self.children.append(child)


@pytest.fixture
def browserless(bare: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> house.House:
    monkeypatch.setattr(chromium, "has_libatomic", lambda: True)
    ports = {"web": 1, "receiver": 2, "gateway": 3, "map": 4}
    return house.House(tmp_path, None, ports, bare, has_own_gateway=True, has_own_map=True, browser=None)


def test_without_a_browser_and_without_apt_the_scraper_starts_and_the_log_says_what_to_run(
    browserless: house.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium, "apt_can", lambda: False)
    told = Told()
    house.start_scraper(told, browserless, browserless.environ)
    assert [child.name for child in told.children] == ["scraper"]
    (line,) = told.lines
    assert line.startswith("Chromium not found: searches wait. Run: ")
    assert "playwright install" in line and "apt-get install" in line


def test_as_root_with_apt_the_scraper_starts_when_the_browser_has_been_installed(
    browserless: house.House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium, "apt_can", lambda: True)
    told = Told()
    house.start_scraper(told, browserless, browserless.environ)
    (installing,) = told.children
    assert "apt-get install" in installing.argv[-1]
    debians = program(tmp_path / "debian" / "chromium-headless-shell")
    assert installing.then is not None
    installing.then(0)
    assert told.children[1].name == "scraper"
    assert told.children[1].env["PRUMO_CHROMIUM"] == str(debians)


def test_an_installation_that_fails_is_said_and_the_scraper_starts_all_the_same(
    browserless: house.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium, "apt_can", lambda: True)
    told = Told()
    house.start_scraper(told, browserless, browserless.environ)
    installing = told.children[0]
    assert installing.then is not None
    installing.then(100)
    assert told.lines[-1].startswith("That did not work: searches wait. Run: ")
    assert told.children[1].name == "scraper"
