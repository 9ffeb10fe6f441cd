"""The peers: what they are, an environment of its own for each from the package registry, and a run of one."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.searching.programs import ROOT, Failed, answer_of, run

DRIVERS = ROOT / "bench" / "peers"
INSTALLS_WITHIN_S = 300.0
READS_WITHIN_S = 900.0
# What a version manager has put aside; a command of its own on the PATH may only say that it is not chosen.
SHELVES = ("~/.pyenv/versions/3.*/bin/python3", "~/.local/share/uv/python/cpython-3.*/bin/python3")


@dataclass(frozen=True)
class Peer:
    name: str
    version: str
    way: str
    driver: str
    oldest: tuple[int, int]  # the Python that it, or the Playwright of all sides, asks for
    is_alone: bool = False  # installed without what it wishes for: a browser of its own, which is not used here
    has_bar: bool = False
    tabs: int = 1


PEERS = (
    Peer("contractor-lead-scraper", "1.0.0", "cards of the list", "cards.py", (3, 11)),
    Peer("google-map-leadgen", "0.1.0", "a page per place, 2 tabs", "two_tabs.py", (3, 12), True, has_bar=True, tabs=2),
    Peer("gmbscraper", "0.2.1", "a page per place, 1 tab", "one_page.py", (3, 12), has_bar=True),
)


def environment_for(peer: Peer, folder: Path) -> Path:
    """The Python of a new environment in `folder` that has the peer.  Raises Failed, saying why there is none."""
    python = python_at_least(peer.oldest)
    if python is None:
        raise Failed(f"it needs Python {peer.oldest[0]}.{peer.oldest[1]} or newer, and there is none on this machine")
    home = folder / peer.name
    # All sides drive the browser by the same version of Playwright.
    driving = f"playwright=={version('playwright')}"
    itself = f"{peer.name}=={peer.version}"
    calls = [["--no-deps", itself], [driving]] if peer.is_alone else [[itself, driving]]
    uv = find_uv()
    there = str(home / "bin" / "python")
    if uv:
        run([uv, "venv", "-q", "--no-managed-python", "--python", python, str(home)], installing(), INSTALLS_WITHIN_S)
        install = [uv, "pip", "install", "-q", "--python", there]
    else:
        run([python, "-m", "venv", str(home)], installing(), INSTALLS_WITHIN_S)
        install = [there, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    for call in calls:
        try:
            run([*install, *call], installing(), INSTALLS_WITHIN_S)
        except Failed as why:
            raise Failed(f"it could not be installed from the package registry: {why}") from None
    return Path(there)


def read_by(peer: Peer, python: Path, wish: dict[str, object]) -> dict[str, object]:
    """Its answer.  Raises Failed.  Of our surroundings it gets what a program needs, and nothing of an installation."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    env = kept | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(DRIVERS)}
    return answer_of([str(python), str(DRIVERS / peer.driver)], wish | {"tabs": peer.tabs}, env, READS_WITHIN_S)


def python_at_least(oldest: tuple[int, int]) -> str | None:
    """The oldest Python on this machine that is new enough: peers are written for what was there then."""
    found: dict[tuple[int, ...], str] = {}
    for path in _pythons():
        told = asked_for_version(path)
        if told and told[:2] >= oldest:
            found.setdefault(told, path)
    return found[min(found)] if found else None


def _pythons() -> Iterator[str]:
    yield sys.executable
    for minor in range(9, 20):
        if on_path := shutil.which(f"python3.{minor}"):
            yield on_path
    for shelf in SHELVES:
        yield from sorted(glob.glob(str(Path(shelf).expanduser())))  # noqa: PTH207 - a pattern from the root


def asked_for_version(path: str) -> tuple[int, ...] | None:
    """Asked to run, since it may only be a notice that it is not installed."""
    ask = "import sys; print(*sys.version_info[:3])"
    try:
        told = subprocess.run([path, "-c", ask], capture_output=True, text=True, timeout=10)  # noqa: S603
        return tuple(map(int, told.stdout.split())) if told.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def find_uv() -> str | None:
    own = ROOT / ".boot" / "bin" / "uv"
    return os.environ.get("UV") or (str(own) if own.exists() else shutil.which("uv"))


def installing() -> dict[str, str]:
    """As `./run` installs: with the certificates of the system, and no Python from elsewhere."""
    return {"UV_SYSTEM_CERTS": "1", **os.environ, "UV_PYTHON_DOWNLOADS": "never"}
