"""Which processes make the house, what each is told, and where its data lies.

A House is decided completely before anything starts, so that a wrong setting is one clear line and not half a house.
Everything a process is told goes through its environment; nothing is written into files of the checkout.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from local import chromium, healthy, postgres, redis
from local.account import Account, check_reachable, make_folder, server_account
from local.errors import CannotStart
from local.postgres import CHECKOUT
from local.supervisor import Child, Supervisor

# What listens, the setting that moves it, and where it listens when nothing is said.  0 means any free port.
PORTS = {
    "web": ("PRUMO_PORT", 8080),
    "receiver": ("PRUMO_RECEIVER_PORT", 8081),
    "gateway": ("PRUMO_SANDBOX_GATEWAY_PORT", 8090),
    "map": ("PRUMO_SANDBOX_MAP_PORT", 8091),
}
# A process that was just killed may hold its port a moment longer.
PORT_PATIENCE_S = 3.0
# A sender on the wire finishes its message; more than this nobody at a terminal waits for.
WORKER_STOP_S = 20.0
SENDERS = 2


@dataclass(frozen=True)
class House:
    """Everything that is decided before the first process starts."""

    folder: Path
    account: Account | None
    ports: Mapping[str, int]
    # What every process of the product is told, without DATABASE_URL and REDIS_URL where those are ours.
    environ: Mapping[str, str]
    has_own_gateway: bool
    has_own_map: bool
    browser: Path | None

    def host(self, name: str) -> str:
        """Where to ask whether it answers."""
        told = self.environ.get("PRUMO_HOST") or "127.0.0.1"
        return "127.0.0.1" if name in ("gateway", "map") or told in ("0.0.0.0", "::") else told  # noqa: S104 - compared


def plan(environ: Mapping[str, str], folder: Path) -> House:
    """Reads the settings.  Raises CannotStart for one that cannot be."""
    account = None
    if not (environ.get("DATABASE_URL") and environ.get("REDIS_URL")):
        account = server_account(environ)
    make_data_folder(folder)
    check_reachable(folder, account)
    has_own_gateway = not environ.get("PRUMO_GATEWAY_URL")
    # The map's businesses are invented and their numbers may be somebody's: never beside a gateway that really writes.
    has_own_map = has_own_gateway and "PRUMO_DEMO_MAP_URL" not in environ
    is_ours = {"gateway": has_own_gateway, "map": has_own_map}
    listening = {name for name in PORTS if is_ours.get(name, True)}
    ports = choose_ports(environ, listening)
    told = {**environ, **_told(environ, folder, ports, has_own_gateway, has_own_map)}
    browser = chromium.find(environ)
    if browser is not None:
        told["PRUMO_CHROMIUM"] = str(browser)
    return House(folder, account, ports, told, has_own_gateway, has_own_map, browser)


def _told(
    environ: Mapping[str, str], folder: Path, ports: Mapping[str, int], has_own_gateway: bool, has_own_map: bool
) -> dict[str, str]:
    """The settings that have a value of ours on one machine; what the user has set stays."""
    if not has_own_gateway and not environ.get("PRUMO_GATEWAY_KEY"):
        raise CannotStart("PRUMO_GATEWAY_URL is set and PRUMO_GATEWAY_KEY, the gateway's global key, is not.")
    told = {
        "PYTHONUNBUFFERED": "1",
        "PRUMO_DATA": str(folder),
        "PRUMO_PORT": str(ports["web"]),
        "PRUMO_RECEIVER_PORT": str(ports["receiver"]),
        "PRUMO_SECRET_KEY": environ.get("PRUMO_SECRET_KEY") or kept_secret(folder / "secret.key"),
        "PRUMO_PUBLIC_URL": environ.get("PRUMO_PUBLIC_URL") or f"http://127.0.0.1:{ports['web']}",
        "PRUMO_RECEIVER_URL": environ.get("PRUMO_RECEIVER_URL") or f"http://127.0.0.1:{ports['receiver']}",
    }
    if has_own_gateway:
        told |= {
            "PRUMO_GATEWAY_URL": f"http://127.0.0.1:{ports['gateway']}",
            "PRUMO_GATEWAY_KEY": environ.get("PRUMO_GATEWAY_KEY") or kept_secret(folder / "gateway.key"),
            "PRUMO_GATEWAY_SIMULATED": "1",
            "PRUMO_MIN_GAP_S": environ.get("PRUMO_MIN_GAP_S") or "1",
        }
    if has_own_map:
        told["PRUMO_DEMO_MAP_URL"] = f"http://127.0.0.1:{ports['map']}"
    return told


# -- the folder of what must last


def data_folder(environ: Mapping[str, str]) -> Path:
    """Outside the checkout for root, whose home the servers' account may not enter; inside it for everyone else."""
    if named := environ.get("PRUMO_DATA"):
        return Path(named).expanduser().resolve()
    return Path("/var/lib/prumo") if os.geteuid() == 0 else CHECKOUT / ".data"


def make_data_folder(folder: Path) -> None:
    """As root it is passable, since the servers' account has its folders in it; what is secret has modes of its own."""
    try:
        is_new = not folder.exists()
        folder.mkdir(mode=0o755 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        if is_new and os.geteuid() == 0:
            folder.chmod(0o755)
    except OSError as error:
        raise CannotStart(
            f"The data folder {folder} cannot be made: {error.strerror}. Set PRUMO_DATA to one that can."
        ) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CannotStart(f"The data folder {folder} cannot be written to. Set PRUMO_DATA to one that can.")


@contextlib.contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Two houses on one data folder would ruin it.  Raises CannotStart when another one has it."""
    make_data_folder(folder)
    with (folder / "house.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            pid = lock.read().strip() or "unknown"
            raise CannotStart(
                f"Prumo already runs on {folder} (process {pid})."
                " Stop that one first, or set PRUMO_DATA to another folder."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def kept_secret(path: Path) -> str:
    """Made once, read ever after; nobody but us may read it."""
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(made, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


# -- ports


def choose_ports(environ: Mapping[str, str], listening: set[str]) -> dict[str, int]:
    """A number for each; 0 becomes a free one.  Raises CannotStart for what is no port, or one that two were given."""
    ports: dict[str, int] = {}
    with contextlib.ExitStack() as held:
        for name, (setting, usual) in PORTS.items():
            text = environ.get(setting) or str(usual)
            if not text.isdigit() or int(text) > 65535:
                raise CannotStart(f"{setting} is {text!r}, which is no port: it takes 1 to 65535, or 0 for a free one.")
            port = int(text)
            if port == 0 and name in listening:
                free = held.enter_context(socket.socket())
                free.bind(("127.0.0.1", 0))
                port = int(free.getsockname()[1])
            if port in ports.values() and name in listening:
                raise CannotStart(f"{setting} is {port}, which is taken by another part of Prumo. Set it to another.")
            ports[name] = port
    return {name: port for name, port in ports.items() if name in listening}


def check_ports_free(house: House, command: str = "./run") -> None:
    """Raises CannotStart naming every port that is taken, and as a line to copy the settings that move them."""
    host = house.environ.get("PRUMO_HOST") or "127.0.0.1"
    hosts = {name: host if name in ("web", "receiver") else "127.0.0.1" for name in house.ports}
    end = time.monotonic() + PORT_PATIENCE_S
    while taken := {name: port for name, port in house.ports.items() if not is_free(hosts[name], port)}:
        if time.monotonic() > end:
            raise CannotStart(_ports_taken(taken, house.ports, hosts, command))
        time.sleep(0.1)


def _ports_taken(taken: Mapping[str, int], ports: Mapping[str, int], hosts: Mapping[str, str], command: str) -> str:
    if len(taken) == 1:
        [(name, port)] = taken.items()
        what = f"Port {port} is in use by another program; the {name} wants it."
    else:
        listed = ", ".join(f"{port} ({name})" for name, port in taken.items())
        what = f"Ports in use by other programs: {listed}."
    chosen = dict(taken)
    for name, port in taken.items():
        chosen[name] = _free_above(hosts[name], port, {*ports.values(), *chosen.values()})
    moved = " ".join(f"{PORTS[name][0]}={port}" for name, port in chosen.items())
    others = "another port" if len(taken) == 1 else "others"
    return f"{what} Stop what has them, or choose {others}: {moved} {command}"


def _free_above(host: str, port: int, wanted: set[int]) -> int:
    """A free one that is easy to remember, some thousands higher, and not `wanted` by another part; else 0, for any."""
    above = range(port + 1000, 65536, 1000)
    return next((one for one in above if one not in wanted and is_free(host, one)), 0)


def is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            line.bind((host, port))
        except OSError:
            return False
    return True


# -- the processes


def python(*module: str) -> list[str]:
    return [sys.executable, "-m", *module]


def sandbox(house: House, told: Mapping[str, str]) -> list[Child]:
    """The world outside, stood in for.  What WhatsApp "delivered" and the paired numbers outlive a restart."""
    found = []
    if house.has_own_gateway:
        kept = make_folder(house.folder / "gateway", None)
        remember = ["--state", str(kept / "state.json"), "--ledger", str(kept / "ledger.jsonl")]
        argv = [*python("sandbox.gateway"), "--port", str(house.ports["gateway"]), "--control", *remember]
        if pace := house.environ.get("PRUMO_SANDBOX_PACE"):  # a story in a browser does not wait for people
            argv += ["--pace", pace]
        found.append(_server("gateway", argv, told, house))
    if house.has_own_map:
        argv = [*python("sandbox.maps"), "--port", str(house.ports["map"])]
        found.append(_server("map", argv, told, house))
    return found


def web(house: House, told: Mapping[str, str]) -> Child:
    return Child(
        name="web",
        argv=python("ui.main"),
        env=told,
        ready=lambda: healthy.answers(house.host("web"), house.ports["web"]),
        restart=True,
        essential=True,
        cwd=str(CHECKOUT),
    )


def behind_it(house: House, told: Mapping[str, str]) -> list[Child]:
    """What works while nobody looks, without the scraper, which may have to wait for a browser."""
    senders = [_worker(f"sender-{number}", python("workers.run", "sender"), told) for number in range(1, SENDERS + 1)]
    timetable = _worker("timetable", python("workers.timetable"), told)
    enricher = _worker("enricher", python("workers.run", "enricher"), told)
    return [_server("receiver", python("workers.receiver"), told, house), *senders, enricher, timetable]


def scraper(told: Mapping[str, str]) -> Child:
    return _worker("scraper", python("workers.run", "scraper"), told)


def _server(name: str, argv: list[str], told: Mapping[str, str], house: House) -> Child:
    return Child(
        name=name,
        argv=argv,
        env=told,
        ready=lambda: healthy.listens(house.host(name), house.ports[name]),
        restart=True,
        cwd=str(CHECKOUT),
    )


def _worker(name: str, argv: list[str], told: Mapping[str, str]) -> Child:
    return Child(name, argv, told, restart=True, stop_within_s=WORKER_STOP_S, cwd=str(CHECKOUT))


# -- the whole


def start_services(
    supervisor: Supervisor,
    folder: Path,
    environ: Mapping[str, str],
    account: Account | None,
    *,
    is_durable: bool = True,
) -> dict[str, str]:
    """PostgreSQL and Valkey, ready.  The answer is DATABASE_URL (as superuser) and REDIS_URL.

    One whose URL is set in `environ` is not started, and the URL is handed on.
    """
    urls = {name: environ[name] for name in ("DATABASE_URL", "REDIS_URL") if environ.get(name)}
    children = []
    if "DATABASE_URL" not in urls:
        database = postgres.set_up(folder, environ, account, is_durable=is_durable)
        urls["DATABASE_URL"] = database.url("postgres")
        children.append(database.child())
    if "REDIS_URL" not in urls:
        queue = redis.set_up(folder, environ, account, is_durable=is_durable)
        urls["REDIS_URL"] = queue.url()
        children.append(queue.child())
    supervisor.start(*children)
    return urls


def open_house(supervisor: Supervisor, house: House, command: str = "./run") -> dict[str, str]:
    """Starts everything in order and returns what the processes are told, once the web answers and the rest settled.

    The first page comes first: the packages of each process take a second or two of a core to load, so what the page
    does not need starts after it, or beside PostgreSQL, which leaves a core free.
    """
    check_ports_free(house, command)
    told = dict(house.environ)
    for child in sandbox(house, told):
        supervisor.add(child)
    urls = start_services(supervisor, house.folder, told, house.account)
    if not told.get("DATABASE_URL"):
        urls["DATABASE_URL"] = postgres.ensure_database(urls["DATABASE_URL"], "prumo")
    told |= urls
    migrate(supervisor, house.folder, told)
    supervisor.start(web(house, told))
    supervisor.say(f"Prumo answers at {told['PRUMO_PUBLIC_URL'].rstrip('/')}/")
    supervisor.start(*behind_it(house, told))
    start_scraper(supervisor, house, told)
    supervisor.settle()
    return told


def migrate(supervisor: Supervisor, folder: Path, told: Mapping[str, str]) -> None:
    """Brings the tables up to date.  Raises CannotStart when they cannot be.

    Asking alembic costs a second before the first page, so it is spared where nothing can have changed: the migrations
    are those of the last time, and the database is at the version that they led to.  A restored backup is at another.
    """
    note = folder / "tables.json"
    migrations = _hash_of_migrations()
    version = postgres.table_version(told["DATABASE_URL"])
    with contextlib.suppress(OSError, ValueError):
        if version and json.loads(note.read_text()) == {"migrations": migrations, "version": version}:
            return
    code = supervisor.once(Child("migrate", python("alembic", "upgrade", "head"), told, cwd=str(CHECKOUT)))
    if code != 0:
        raise CannotStart("The tables could not be brought up to date; the lines above say why.")
    version = postgres.table_version(told["DATABASE_URL"])
    note.write_text(json.dumps({"migrations": migrations, "version": version}))


def _hash_of_migrations() -> str:
    digest = hashlib.sha256()
    for path in sorted((CHECKOUT / "alembic").rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def start_scraper(supervisor: Supervisor, house: House, told: Mapping[str, str]) -> None:
    """At once where there is a browser; after installing one where apt can; else saying what is missing."""
    missing = [] if chromium.has_libatomic() else ["libatomic.so.1"]
    missing += [] if house.browser else ["Chromium"]
    if not missing:
        supervisor.add(scraper(told))
        return
    if not chromium.apt_can():
        supervisor.say(f"{' and '.join(missing)} not found: searches wait. Run: {chromium.HOW_TO_INSTALL}")
        supervisor.add(scraper(told))
        return
    supervisor.say(f"{' and '.join(missing)} not found: installing with apt; searches wait until then")

    def then(code: int) -> None:
        found = chromium.find(told) if code == 0 else None
        if found is None:
            supervisor.say(f"That did not work: searches wait. Run: {chromium.HOW_TO_INSTALL}")
        supervisor.add(scraper({**told, "PRUMO_CHROMIUM": str(found or "")}))

    script = " && ".join(" ".join(command) for command in chromium.apt_commands())
    supervisor.add(
        Child("chromium", ["/bin/sh", "-c", f"({script}) >/dev/null"], chromium.apt_environment(told), then=then)
    )


def note(folder: Path, house: House) -> Callable[[dict[str, int]], None]:
    """Keeps house.json in the data folder true: the addresses, and the process id of each part by name."""

    def write(pids: dict[str, int]) -> None:
        file = folder / "house.json"
        new = folder / "house.json.new"
        addresses = {name: f"http://127.0.0.1:{port}" for name, port in house.ports.items()}
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump({"pid": os.getpid(), "addresses": addresses, "pids": pids}, out, indent=1)
        new.replace(file)

    return write
