"""`python -m sandbox.gateway`: the sandbox gateway as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from sandbox.gateway.config import FAST, Config, Timings
from sandbox.gateway.serving import run

USAGE_ERROR = 2


def main(arguments: list[str] | None = None) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stdout)
    given = _parser().parse_args(arguments)
    try:
        config = _config(given)
    except ValueError as error:
        print(f"sandbox gateway: {error}", file=sys.stderr)
        return USAGE_ERROR
    try:
        asyncio.run(_until_told(config))
    except OSError as error:
        print(f"sandbox gateway: cannot listen on {config.host}:{config.port}: {error}", file=sys.stderr)
        return 1
    return 0


async def _until_told(config: Config) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    await run(config, stop)


def _config(given: argparse.Namespace) -> Config:
    timings = Timings().scaled(given.pace)
    if given.qr_life is not None:
        timings = replace(timings, qr_life_s=given.qr_life)
    return Config(
        host=given.host,
        port=given.port,
        key=given.key,
        control=given.control,
        allow_remote=given.allow_remote,
        ledger=given.ledger,
        state=given.state,
        seed=given.seed,
        qr_limit=given.qr_limit,
        expose_token=given.expose_token,
        server_url=given.server_url,
        timings=timings,
    )


def _pace(text: str) -> float:
    """Raises ValueError, of which argparse makes a sentence, for what is no pace."""
    pace = float(text)
    if not 0.0 < pace <= 10.0:
        raise ValueError(text)
    return pace


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.gateway",
        description="A simulation of the Evolution API (WhatsApp gateway).  Nothing it is given reaches anyone.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument(
        "--key",
        default=os.environ.get("PRUMO_GATEWAY_KEY", ""),
        help="the global key; better given in PRUMO_GATEWAY_KEY, which no process list shows",
    )
    parser.add_argument("--pace", type=_pace, default=1.0, help="what every wait is multiplied by (1)")
    parser.add_argument(
        "--fast", dest="pace", action="store_const", const=FAST, help="the same world, fifty times quicker"
    )
    parser.add_argument("--control", action="store_true", help="the control page and API at /control")
    parser.add_argument("--allow-remote", action="store_true", help="listen where others can reach it")
    parser.add_argument("--ledger", type=Path, help="append every message that left to this file (JSON lines)")
    parser.add_argument("--state", type=Path, help="keep instances and history in this file over a restart")
    parser.add_argument("--seed", default="prumo", help="another seed is another crowd of people")
    parser.add_argument("--qr-life", type=float, help="seconds until a new code is shown (45)")
    parser.add_argument("--qr-limit", type=int, default=30, help="codes until it gives up (30)")
    parser.add_argument("--expose-token", action="store_true", help="the instance's token in webhook bodies")
    parser.add_argument("--server-url", help="what webhooks say in server_url")
    return parser


if __name__ == "__main__":
    sys.exit(main())
