"""The commands of `./run`, once the packages are there: `python -m local start|demo|test|shots|bench …`."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local import chromium, doctor, house, testing
from local.errors import CannotStart
from local.postgres import CHECKOUT
from local.supervisor import Child, StopAsked, Supervisor

# When `./run` was typed, as it tells us; a test that starts us may have inherited another's.
ASKED_AT = float(os.environ.pop("PRUMO_ASKED_AT", "") or time.time())
# The demo and the pictures never touch an installation, whatever is set for it.
OF_AN_INSTALLATION = ("DATABASE_URL", "REDIS_URL", "PRUMO_GATEWAY_URL", "PRUMO_GATEWAY_KEY", "PRUMO_DEMO_MAP_URL")


def start(_: Sequence[str]) -> int:
    return _keep_house(os.environ, house.data_folder(os.environ), "./run")


def demo(_: Sequence[str]) -> int:
    """The house on a data folder and a world of its own, with a team that is at work."""
    unused = [name for name in OF_AN_INSTALLATION if os.environ.get(name)]
    if unused:
        print(f"The demo has a database and a gateway of its own: {', '.join(unused)} not used.", flush=True)
    return _keep_house(_without_installation(), house.data_folder(os.environ) / "demo", "./run demo", _fill)


def _without_installation() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OF_AN_INSTALLATION}


def _fill(supervisor: Supervisor, told: Mapping[str, str]) -> None:
    code = supervisor.once(Child("demo", house.python("sandbox.demo"), told, cwd=str(CHECKOUT)))
    if code != 0:
        raise CannotStart("The demo could not be set up; the lines above say why.")


def _keep_house(
    environ: Mapping[str, str],
    folder: Path,
    command: str,
    then: Callable[[Supervisor, Mapping[str, str]], None] | None = None,
) -> int:
    with house.sole_use(folder):
        planned = house.plan(environ, folder)
        with Supervisor(changed=house.note(folder, planned)) as supervisor:
            told = house.open_house(supervisor, planned, command)
            if then is not None:
                then(supervisor, told)
            state = f"all run but {', '.join(supervisor.down())}" if supervisor.down() else "everything runs"
            supervisor.say(f"{state}, {_since_typing():.1f} s after it was asked for; Ctrl-C stops it")
            code = supervisor.watch()
            supervisor.say("stopping")
            return code


def _since_typing() -> float:
    return time.time() - ASKED_AT


def shots(arguments: Sequence[str]) -> int:
    """The pictures of every page, taken of a demo house that lives as long as it takes."""
    told = _without_installation() | {setting: "0" for setting, _ in house.PORTS.values()}
    told.pop("PRUMO_PUBLIC_URL", None)
    told["PRUMO_CHROMIUM"] = str(chromium.ensure(told))
    with testing.scratch_folder() as folder, house.sole_use(folder):
        planned = house.plan(told, folder)
        with Supervisor(changed=house.note(folder, planned)) as supervisor:
            told = house.open_house(supervisor, planned)
            _fill(supervisor, told)
            return supervisor.foreground([*house.python("tests.shots"), *arguments], told)


def bench(arguments: Sequence[str]) -> int:
    """`./run bench NAME …`: a measure starts what it needs by itself."""
    names = sorted(path.stem for path in (CHECKOUT / "bench").glob("[!_]*.py"))
    if not arguments or arguments[0] not in names:
        raise CannotStart(f"Which measure? ./run bench NAME, with one of: {', '.join(names) or 'none yet'}")
    told = testing.clean(os.environ)
    # One that needs no browser runs without; the others say so.
    with contextlib.suppress(CannotStart):
        told["PRUMO_CHROMIUM"] = str(chromium.ensure(told))
    argv = [*house.python(f"bench.{arguments[0]}"), *arguments[1:]]
    os.execve(argv[0], argv, told)


def chaos(arguments: Sequence[str]) -> int:
    return bench(["chaos", *arguments])


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "start": start,
    "demo": demo,
    "test": testing.run_tests,
    "shots": shots,
    "bench": bench,
    "chaos": chaos,
    "doctor": doctor.main,
}


def main(arguments: Sequence[str]) -> int:
    """Whatever keeps it from starting is one clear line, never a traceback."""
    # A log line that the terminal cannot show is shown as well as it can.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except CannotStart as why:
        print(f"\n{why}", file=sys.stderr, flush=True)
        return 1
    except (StopAsked, KeyboardInterrupt):
        return 0 if arguments[0] in ("start", "demo") else 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
