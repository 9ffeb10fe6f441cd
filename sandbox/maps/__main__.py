"""`python -m sandbox.maps --host 127.0.0.1 --port 8091`: the demo map as a process of its own."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import sys

import uvicorn

from .app import create_app
from .behaviour import Behaviour
from .city import LARGEST, SEED, SIZE, City
from .server import config_for
from .site import Site

log = logging.getLogger("sandbox.maps")


def main(arguments: list[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    if not asked.allow_remote and not _is_loopback(asked.host):
        print(
            f"The demo map is a simulation and has no sign-in: it listens on this machine only, not on {asked.host}. "
            "Add --allow-remote to do it all the same.",
            file=sys.stderr,
        )
        return 2
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    site = Site(City(asked.size, asked.seed), Behaviour(latency_s=asked.latency))
    config = config_for(
        create_app(site=site),
        host=asked.host,
        port=asked.port,
        log_level="warning",
        ssl_certfile=asked.tls_certificate,
        ssl_keyfile=asked.tls_key,
    )
    scheme = "https" if asked.tls_certificate else "http"
    log.info("demo map of %d invented businesses at %s://%s:%d/maps", asked.size, scheme, asked.host, asked.port)
    uvicorn.Server(config).run()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.maps", description="A simulated map site.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument("--allow-remote", action="store_true", help="listen beyond this machine")
    parser.add_argument("--size", type=int, default=SIZE, help=f"businesses in the city, at most {LARGEST}")
    parser.add_argument("--seed", type=int, default=SEED, help="another number makes another city")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--tls-certificate", help="file; for tools that only speak https")
    parser.add_argument("--tls-key", help="file")
    return parser


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    sys.exit(main())
