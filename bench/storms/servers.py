"""PostgreSQL with fsync, and a Valkey for each round: the chaos run's own, so that it may do to them what it likes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from sqlalchemy import make_url

from bench.storms.processes import children_of, kill
from local import house, postgres, redis
from local.account import Account
from local.postgres import CHECKOUT
from local.supervisor import Child
from workers.rq_workers import PR_SET_PDEATHSIG

READY_S = 90.0
TEMPLATE = "template_of_chaos"


@dataclass
class Server:
    """One server process that can be killed and comes back.  Its Child says how it is started."""

    child: Child
    popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Waits until it answers.  A killed PostgreSQL refuses to start while its last backends are still ending."""
        end = time.monotonic() + READY_S
        while True:
            if self.popen is None or self.popen.poll() is not None:
                self._spawn()
            if self.child.ready is None or self.child.ready():
                return
            if time.monotonic() > end:
                raise RuntimeError(f"{self.child.name} does not come up: {self.child.log}")
            time.sleep(0.1)

    def _spawn(self) -> None:
        assert self.child.log is not None, "servers have a log"
        account: dict[str, Any] = self.child.account.as_popen() if self.child.account else {}
        with self.child.log.open("ab") as out:
            self.popen = subprocess.Popen(  # noqa: S603 - our own servers
                list(self.child.argv),
                env=dict(self.child.env),
                cwd=self.child.cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=_die_with_parent(self.child.orphan_signal),
                **account,
            )

    def kill(self) -> None:
        """With -9, and all that it has started: as when the machine's memory has run out."""
        if self.popen is None:
            return
        pids = [*children_of(self.popen.pid), self.popen.pid]
        for pid in pids:
            kill(pid)
        self.popen.wait()

    def stop(self) -> None:
        if self.popen is None or self.popen.poll() is not None:
            return
        self.popen.send_signal(self.child.stop_signal)
        try:
            self.popen.wait(20)
        except subprocess.TimeoutExpired:
            self.popen.send_signal(signal.SIGQUIT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(5)
            self.kill()


def _die_with_parent(number: int) -> Callable[[], None]:
    """Run in the child between fork and exec; all that it touches is made before the fork."""
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)

    return ask


@dataclass
class Postgres:
    server: Server
    superuser_url: str

    @contextmanager
    def database(self) -> Iterator[str]:
        """An empty one with all tables."""
        name = f"chaos_{uuid.uuid4().hex[:10]}"
        self._do(f"create database {name} template {TEMPLATE}")
        try:
            yield make_url(self.superuser_url).set(database=name).render_as_string(hide_password=False)
        finally:
            with contextlib.suppress(psycopg2.OperationalError):  # away, with everything in it
                self._do(f"drop database if exists {name} with (force)")

    def make_template(self) -> None:
        self._do(f"create database {TEMPLATE}")
        url = make_url(self.superuser_url).set(database=TEMPLATE).render_as_string(hide_password=False)
        told = {**os.environ, "DATABASE_URL": url}
        argv = house.python("alembic", "upgrade", "head")
        done = subprocess.run(  # noqa: S603
            argv,
            cwd=CHECKOUT,
            env=told,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"no tables: {done.stderr[-2000:]}")

    def _do(self, statement: str) -> None:
        connection = psycopg2.connect(postgres.plain(self.superuser_url))
        connection.autocommit = True
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute(statement)


@contextmanager
def postgres_of_our_own(folder: Path, environ: Mapping[str, str], account: Account | None) -> Iterator[Postgres]:
    """With fsync, as an installation has it."""
    folder.mkdir(mode=0o711, exist_ok=True)
    folder.chmod(0o711)
    there = postgres.set_up(folder, environ, account, is_durable=True)
    server = Server(there.child())
    try:
        server.start()
        made = Postgres(server, there.url("postgres"))
        made.make_template()
        yield made
    finally:
        server.stop()


@contextmanager
def valkey_of_our_own(
    folder: Path, environ: Mapping[str, str], account: Account | None
) -> Iterator[tuple[Server, str]]:
    """And its URL."""
    folder.mkdir(mode=0o711, exist_ok=True)
    folder.chmod(0o711)
    there = redis.set_up(folder, environ, account, is_durable=False)
    server = Server(there.child())
    try:
        server.start()
        yield server, there.url()
    finally:
        server.stop()
