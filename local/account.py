"""The account that PostgreSQL and Valkey run under when we are root.

PostgreSQL refuses to run as root.  So root lends the two servers to an account that already exists; no user is
created and no folder above ours is opened up, since both would outlive us on a machine that is not ours.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.errors import CannotStart

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid)

    def as_popen(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can(self, test: str, path: Path) -> bool:
        """Whether the account passes `test -x PATH` or the like: asked of the system, not worked out from modes."""
        asked = ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)]
        try:
            return subprocess.run(asked, check=False, cwd="/", **self.as_popen()).returncode == 0
        except PermissionError:
            raise CannotStart(
                f"This process is root but may not become the account {self.name} (no CAP_SETUID)."
                " Run it as an ordinary user, or give the container SETUID, SETGID and CHOWN."
            ) from None


def server_account(environ: Mapping[str, str]) -> Account | None:
    """None when we are not root: then the servers run as we do.  Raises CannotStart when root has nobody to lend to."""
    if os.geteuid() != 0:
        return None
    wanted = environ.get("PRUMO_PG_USER", "")
    for name in [wanted] if wanted else CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    if wanted:
        raise CannotStart(f"PRUMO_PG_USER names {wanted!r}, which is no account here other than root.")
    raise CannotStart(
        "PostgreSQL does not run as root, and there is no account postgres or nobody to lend it to."
        " Set PRUMO_PG_USER to an account of this machine, or run as an ordinary user."
    )


def make_folder(path: Path, account: Account | None, mode: int = 0o700) -> Path:
    """The folder, made if need be, with this mode, belonging to the account (or to us)."""
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    path.chmod(mode)
    if account is not None:
        account.own(path)
    return path


def check_reachable(folder: Path, account: Account | None) -> None:
    """Raises CannotStart when the account cannot pass through the folders above its own."""
    if account is None or account.can("-x", folder):
        return
    raise CannotStart(
        f"The account {account.name}, which runs PostgreSQL and Valkey for root, cannot reach {folder}."
        " Set PRUMO_DATA to a folder that others may pass through (such as /var/lib/prumo),"
        " or PRUMO_PG_USER to an account that can."
    )
