"""The replay: the demo map over HTTPS, a process of its own, with one list of exactly 120 places in it.

Both sides ask it under the names of the real map, which is why it needs a certificate; it is made for one run, and
nobody is asked to trust it.  `python -m bench.searching.replay FOLDER` serves until its standard input is closed, and
says its port as the first line of its output.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.searching.programs import ROOT, Failed
from sandbox.maps import plan
from sandbox.maps.app import create_app
from sandbox.maps.city import City, Place
from sandbox.maps.server import config_for
from sandbox.maps.site import Site

TERM = "dentista"
PLACES = 120  # as many as the map shows for one search
HOSTS = ("google.com", "*.google.com")
STARTS_WITHIN_S = 30.0


class Town(City):
    """Serra Clara as it is, but of each trade only the places nearest to its centre: every screen that holds the centre
    shows the same list, so each side reads the same places however far out it zooms."""

    def __init__(self, places: int = PLACES) -> None:
        super().__init__()
        self._places = places
        self._kept: dict[str, frozenset[int]] = {}

    def kept(self, term: str) -> frozenset[int]:
        if term not in self._kept:
            # With a span of a metre nothing makes up for being farther away.
            nearest = super().numbers(term, plan.CENTRE_LAT, plan.CENTRE_LNG, span_m=1.0, limit=self._places)
            self._kept[term] = frozenset(nearest)
        return self._kept[term]

    def numbers(
        self,
        term: str,
        lat: float,
        lng: float,
        radius_m: float | None = None,
        *,
        span_m: float | None = None,
        limit: int | None = None,
    ) -> list[int]:
        ranked = super().numbers(term, lat, lng, radius_m, span_m=span_m)
        return [number for number in ranked if number in self.kept(term)][:limit]

    def truth(self, term: str = TERM) -> list[Place]:
        return [self.place(number) for number in sorted(self.kept(term))]


class Replay:
    """The replay as the measure sees it: its port, its switches, and what it was asked since the last `begin`."""

    def __init__(self, port: int, certificate: Path) -> None:
        self.port = port
        self.certificate = certificate
        self._session = requests.Session()
        self._session.trust_env = False  # else a bundle of certificates that is set for this machine would win
        self._session.verify = str(certificate)

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()  # an open line would keep the server from ending

    def begin(self, latency_s: float) -> None:
        """Forgets what was asked and answers from now on after `latency_s`."""
        self._post("/control/reset", {})
        self._post("/control/behaviour", {"latency_s": latency_s})

    def asked(self) -> dict[str, int]:
        """Pages and answers by kind, as the server counted them."""
        told: dict[str, int] = self._session.get(self._url("/control/asked"), timeout=10).json()
        return told

    def _post(self, path: str, body: dict[str, Any]) -> None:
        self._session.post(self._url(path), json=body, timeout=10).raise_for_status()

    def _url(self, path: str) -> str:
        return f"https://127.0.0.1:{self.port}{path}"


@contextmanager
def running(folder: Path, places: int = PLACES) -> Iterator[Replay]:
    """Ends with its block, and with us when we die: its standard input is our pipe.  Raises Failed."""
    argv = [sys.executable, "-m", "bench.searching.replay", str(folder), str(places)]
    serving = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
    try:
        assert serving.stdout is not None
        first = serving.stdout.readline()
        if not first:
            raise Failed("the replay did not start; the lines above say why")
        with Replay(int(json.loads(first)["port"]), folder / "replay.crt") as replay:
            yield replay
    finally:
        serving.stdin.close()  # type: ignore[union-attr]
        try:
            serving.wait(10)
        except subprocess.TimeoutExpired:
            serving.kill()
            serving.wait()


def certificate_into(folder: Path) -> tuple[Path, Path]:
    """A certificate of a day for the map's names, signed by nobody, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "replay of a map, for a measure")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(host) for host in HOSTS] + [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "replay.crt", folder / "replay.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.touch(mode=0o600)
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret


def main(folder: Path, places: int) -> None:
    certificate, secret = certificate_into(folder)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = create_app(site=Site(Town(places)))
    server = uvicorn.Server(config_for(app, log_level="error", ssl_certfile=str(certificate), ssl_keyfile=str(secret)))

    def until_input_ends() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=until_input_ends, daemon=True).start()
    # The listener takes connections from here on; they are answered once the server runs, a moment later.
    listener.listen(128)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    server.run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
