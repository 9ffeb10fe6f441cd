"""Where the browser is, and how it is installed.  Only the scraper needs one; the house starts without.

Order: the setting PRUMO_CHROMIUM, Playwright's own build, Debian's headless shell (205 MB of memory with a page open,
where the full browser takes 321), a Chromium or Chrome of the system.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.errors import CannotStart
from local.postgres import CHECKOUT

DEBIANS = Path("/usr/lib/chromium/chromium-headless-shell")
OF_THE_SYSTEM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ON_A_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
PACKAGES = ("chromium-headless-shell", "libatomic1", "fonts-liberation")
APT = "apt-get install -y --no-install-recommends"
HOW_TO_INSTALL = (
    ".venv/bin/python -m playwright install --with-deps --only-shell chromium"
    f" (or, on Debian as root: {APT} {' '.join(PACKAGES)})"
)


def find(environ: Mapping[str, str]) -> Path | None:
    """The browser to use, or None.  Raises CannotStart when PRUMO_CHROMIUM names something that cannot be run."""
    if named := environ.get("PRUMO_CHROMIUM"):
        if os.access(named, os.X_OK) and Path(named).is_file():
            return Path(named)
        raise CannotStart(f"PRUMO_CHROMIUM is {named}, which is not a program that can be run.")
    places = [*_playwrights_own(environ), DEBIANS]
    places += [Path(found) for name in OF_THE_SYSTEM if (found := shutil.which(name, path=environ.get("PATH")))]
    places.append(ON_A_MAC)
    return next((place for place in places if place.is_file() and not _is_a_snap_stub(place)), None)


def _playwrights_own(environ: Mapping[str, str]) -> list[Path]:
    """The builds that the installed Playwright would choose, whether they are there or not.

    Read from the list in its package, since asking Playwright itself starts Node, which takes longer than our start.
    """
    lists = sorted(CHECKOUT.glob(".venv/lib/python3*/site-packages/playwright/driver/package/browsers.json"))
    if not lists:
        return []
    revisions = {item["name"]: item["revision"] for item in json.loads(lists[-1].read_text())["browsers"]}
    home = Path(environ.get("HOME") or "/nonexistent")
    caches = home / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    store = Path(environ.get("PLAYWRIGHT_BROWSERS_PATH") or caches / "ms-playwright")
    shell = store / f"chromium_headless_shell-{revisions.get('chromium-headless-shell')}"
    full = store / f"chromium-{revisions.get('chromium')}"
    return [*shell.glob("*/chrome-headless-shell"), *full.glob("*/chrome")]


def _is_a_snap_stub(place: Path) -> bool:
    """Ubuntu's chromium package is a script that wants snap; Playwright cannot drive what it starts."""
    with place.open("rb") as file:
        start = file.read(4096)
    return start.startswith(b"#!") and b"/snap/" in start


def has_libatomic() -> bool:
    """Playwright's Node needs libatomic, which a minimal Debian lacks; all it says then is "Connection closed"."""
    if sys.platform != "linux":
        return True
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        return False
    return True


def apt_can() -> bool:
    """Whether apt would install it: we are root, and apt is here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_commands() -> list[list[str]]:
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
    return [["apt-get", "update", "-qq"], install]


def apt_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {**environ, "DEBIAN_FRONTEND": "noninteractive"}


def install(environ: Mapping[str, str]) -> Path:
    """Installs it in the way that fits, showing what goes on.  Raises CannotStart, with the commands, when none does.

    As root on a Debian apt comes first: it brings the libraries too, without which a browser does not start.
    """
    if apt_can():
        print("Chromium: installing with apt (some 100 packages, 220 MB)", flush=True)
        for command in apt_commands():
            subprocess.run(command, check=False, env=apt_environment(environ), stdout=subprocess.DEVNULL)
    if (found := find(environ)) is None:
        print("Chromium: installing Playwright's own build", flush=True)
        own = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
        if os.geteuid() == 0:
            own.insert(4, "--with-deps")
        subprocess.run(own, check=False, env=dict(environ))
        found = find(environ)
    if found is None:
        raise CannotStart(f"No Chromium found, and none could be installed. Run: {HOW_TO_INSTALL}")
    return found


def ensure(environ: Mapping[str, str]) -> Path:
    """The browser, installed first where it is missing.  Raises CannotStart when that, or libatomic, cannot be had."""
    found = find(environ)
    if found is None or (not has_libatomic() and apt_can()):
        found = install(environ)
    if not has_libatomic():
        raise CannotStart(f"libatomic.so.1 is missing, and Playwright does not start without. Run: {APT} libatomic1")
    return found
