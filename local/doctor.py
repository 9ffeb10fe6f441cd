"""`./run doctor`: what is here, what is missing, and the command that mends it, in one table.

It changes nothing, asks no network beyond the addresses in the settings, and runs on any Python that Prumo takes, with
or without the packages.  Ends with 1 when something is missing that the house needs.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

from local import chromium, healthy, house, postgres, redis
from local.account import server_account
from local.errors import CannotStart
from local.postgres import CHECKOUT

# What the packages, the data of a beginning and a browser take.
ROOM_NEEDED_GB = 2.0


@dataclass(frozen=True)
class Finding:
    what: str
    # What was seen, in a few words.
    state: str
    # The command, or the sentence, that makes it well; empty when it is.
    mend: str = ""


def main(_: Sequence[str]) -> int:
    findings = list(look(os.environ))
    print(table(findings))
    missing = [finding.what for finding in findings if finding.mend]
    if missing:
        print(f"\nMissing: {', '.join(missing)}. Above, in the last column, is what to do.")
        return 1
    print("\nEverything that Prumo needs is here.")
    return 0


def look(environ: Mapping[str, str]) -> Iterator[Finding]:
    checks: list[Callable[[Mapping[str, str]], Finding]] = [
        python,
        installer,
        packages,
        database,
        queue,
        account,
        data,
        browser,
        libatomic,
        gateway,
    ]
    for check in checks:
        yield check(environ)
    yield from ports(environ)


def table(findings: Sequence[Finding]) -> str:
    rows = [("", "what", "state", "what to do")]
    rows += [("x" if f.mend else "ok", f.what, f.state, f.mend) for f in findings]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[3]]) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


# -- the checks, each of which says how what it looks at is mended


def python(_: Mapping[str, str]) -> Finding:
    """`run` has refused an older one before it came to us."""
    return Finding("Python", f"{sys.version.split()[0]} ({sys.executable})")


def installer(environ: Mapping[str, str]) -> Finding:
    own = CHECKOUT / ".boot" / "bin" / "uv"
    for place in (environ.get("UV"), own, shutil.which("uv", path=environ.get("PATH"))):
        if place and (said := first_line([str(place), "--version"])):
            return Finding("installer", said)
    if said := first_line([sys.executable, "-m", "pip", "--version"]):
        return Finding("installer", f"uv comes with the first ./run; pip is here ({' '.join(said.split()[:2])})")
    return Finding("installer", "neither uv nor pip", "apt-get install python3-pip")


def packages(_: Mapping[str, str]) -> Finding:
    start = the_start()
    if start.is_marked(start.DEV_LOCK):
        return Finding("packages", "as requirements-dev.txt says")
    if start.is_marked(start.LOCK):
        return Finding("packages", "as requirements.txt says")
    state = "another version than requirements.txt says" if (CHECKOUT / ".venv").exists() else "not installed yet"
    return Finding("packages", state, "./run installs them (or ./run test, with those of the tests)")


def the_start() -> ModuleType:
    """`run`, which has no .py at its end, as a module: it alone knows when the packages are right."""
    spec = spec_from_loader("run", SourceFileLoader("run", str(CHECKOUT / "run")))
    if spec is None or spec.loader is None:
        raise CannotStart("The file run is not beside local/.")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def database(environ: Mapping[str, str]) -> Finding:
    if url := environ.get("DATABASE_URL"):
        return reachable("PostgreSQL", url, 5432, "DATABASE_URL")
    try:
        binaries = postgres.find_binaries(environ)
        return Finding("PostgreSQL", f"{postgres.major_version(binaries, None)} ({binaries})")
    except CannotStart as why:
        return Finding("PostgreSQL", "no binaries", "./run installs them" if not has_packages() else str(why))


def queue(environ: Mapping[str, str]) -> Finding:
    if url := environ.get("REDIS_URL"):
        return reachable("Valkey", url, 6379, "REDIS_URL")
    try:
        binary = redis.find_binary(environ)
    except CannotStart as why:
        return Finding("Valkey", "no binary", "./run installs it" if not has_packages() else str(why))
    said = first_line([str(binary), "--version"])
    if not said:
        return Finding("Valkey", f"{binary} does not run here", "apt-get install redis-server")
    version = next((word[2:] for word in said.split() if word.startswith("v=")), "?")
    return Finding("Valkey", f"{version} ({binary})")


def has_packages() -> bool:
    return (CHECKOUT / ".venv" / ".ready").exists() or (CHECKOUT / ".venv" / ".ready-dev").exists()


def account(environ: Mapping[str, str]) -> Finding:
    try:
        found = server_account(environ)
        if found is None:
            return Finding("account", "the servers run as you do")
        found.can("-x", Path("/"))
        return Finding("account", f"you are root: the servers run as {found.name}")
    except CannotStart as why:
        return Finding("account", "nobody to run the servers", str(why))


def data(environ: Mapping[str, str]) -> Finding:
    folder = house.data_folder(environ)
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    with contextlib.suppress(CannotStart):
        lent = server_account(environ)
        if not os.access(nearest, os.W_OK | os.X_OK) or (lent and not lent.can("-x", nearest)):
            return Finding("data folder", f"{folder} cannot be used", "PRUMO_DATA=/another/folder ./run")
    free = shutil.disk_usage(nearest).free / 1e9
    if free < ROOM_NEEDED_GB:
        return Finding("data folder", f"{folder}, {free:.1f} GB free", f"make room: {ROOM_NEEDED_GB:.0f} GB are needed")
    is_new = "" if folder.exists() else ", made by the first start"
    return Finding("data folder", f"{folder} ({free:.0f} GB free{is_new})")


def browser(environ: Mapping[str, str]) -> Finding:
    try:
        found = chromium.find(environ)
    except CannotStart as why:
        return Finding("Chromium", "not where PRUMO_CHROMIUM says", str(why))
    if found is None:
        return Finding("Chromium", "none; searches need it", chromium_mend())
    said = first_line([str(found), "--version", "--no-sandbox"])
    if not said:
        return Finding("Chromium", f"{found} does not run here", chromium_mend())
    version = next((word for word in said.split() if word[0].isdigit()), said)
    return Finding("Chromium", f"{version} ({found})")


def chromium_mend() -> str:
    if chromium.apt_can():
        return f"{chromium.APT} {' '.join(chromium.PACKAGES)}"
    return ".venv/bin/python -m playwright install --only-shell chromium"


def libatomic(_: Mapping[str, str]) -> Finding:
    if chromium.has_libatomic():
        return Finding("libatomic", "here")
    return Finding("libatomic", "missing; Playwright does not start without", f"{chromium.APT} libatomic1")


def gateway(environ: Mapping[str, str]) -> Finding:
    url = environ.get("PRUMO_GATEWAY_URL")
    if not url:
        return Finding("gateway", "simulated: nothing reaches WhatsApp (PRUMO_GATEWAY_URL is not set)")
    if not environ.get("PRUMO_GATEWAY_KEY"):
        return Finding("gateway", "without its key", "set PRUMO_GATEWAY_KEY to the gateway's global key")
    return reachable("gateway", url, 443 if url.startswith("https") else 80, "PRUMO_GATEWAY_URL")


def reachable(what: str, url: str, usual_port: int, setting: str) -> Finding:
    """Whether somebody listens where the setting points; a password in it is not shown."""
    at = urlsplit(url)
    if at.hostname is None:
        return Finding(what, f"{setting}, on a socket")
    port = at.port or usual_port
    if healthy.listens(at.hostname, port, timeout_s=3.0):
        return Finding(what, f"{setting}: {at.hostname}:{port} answers")
    return Finding(what, f"{setting}: nobody answers at {at.hostname}:{port}", f"start it, or correct {setting}")


def ports(environ: Mapping[str, str]) -> Iterator[Finding]:
    is_ours = is_running(house.data_folder(environ))
    for name, (setting, usual) in house.PORTS.items():
        if name in ("gateway", "map") and environ.get("PRUMO_GATEWAY_URL"):
            continue
        text = environ.get(setting) or str(usual)
        what = f"port of the {name}"
        if not text.isdigit() or int(text) > 65535:
            yield Finding(what, f"{setting}={text} is no port", f"{setting}={usual} ./run")
        elif house.is_free("127.0.0.1", int(text)):
            yield Finding(what, f"{text} is free")
        elif is_ours:
            yield Finding(what, f"{text}, and Prumo is running")
        else:
            yield Finding(what, f"{text} is in use", f"{setting}={int(text) + 1000} ./run, or stop what uses it")


def is_running(folder: Path) -> bool:
    """Whether a house holds the lock of that folder."""
    try:
        with (folder / "house.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def first_line(command: Sequence[str]) -> str:
    """What a program says of itself; empty when it does not run."""
    try:
        said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip().split("\n")[0] if said.returncode == 0 else ""
