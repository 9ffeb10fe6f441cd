"""What the installation is told by its environment: the one reader of os.environ.

Every setting is explained in the README; `./run` gives all of them a value that works on one machine.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from core.errors import BadSetting


@dataclass(frozen=True)
class Settings:
    """Values are ready to use: URLs carry their driver, times are durations, secrets are long enough."""

    database_url: str
    redis_url: str
    secret_key: str
    public_url: str = "http://127.0.0.1:8080"
    host: str = "127.0.0.1"
    port: int = 8080
    receiver_port: int = 8081
    receiver_url: str = "http://127.0.0.1:8081"
    gateway_url: str = ""
    gateway_key: str = ""
    gateway_simulated: bool = False
    # Official numbers: where WhatsApp's own API is, and where it reaches the receiver from the internet.
    meta_url: str = "https://graph.facebook.com"
    meta_callback_url: str = ""
    demo_map_url: str = ""
    chromium: str = ""
    data_folder: str = ".data"
    # Addresses and networks whose X-Forwarded-For is believed; of nobody else, not even on this host.
    trusted_proxies: tuple[str, ...] = ()
    # An Evolution call answers within 60 s at worst; below that a slow answer would count as unknown.
    send_timeout: timedelta = timedelta(seconds=100)
    # How long evidence of a send may still turn up before a person is asked.
    quiet_window: timedelta = timedelta(minutes=10)
    min_gap: timedelta = timedelta(seconds=20)
    map_pause: timedelta = timedelta(seconds=1.5)
    # Scrapers with one way out to the internet share an address; a map sees them as one.
    map_address: str = ""
    map_requests_per_day: int = 1_500
    overpass_url: str = "https://overpass-api.de/api/interpreter"
    places_api_url: str = "https://places.googleapis.com"
    places_api_key: str = field(default="", repr=False)
    places_api_price_usd: float = 0.035

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @staticmethod
    def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
        """Raises BadSetting, naming the variable, before anything has started."""
        env = os.environ if environ is None else environ
        simulated = env.get("PRUMO_GATEWAY_SIMULATED", "") == "1"
        secret_key = _required(env, "PRUMO_SECRET_KEY")
        if len(secret_key) < 32:
            raise BadSetting("PRUMO_SECRET_KEY", "needs 32 characters or more")
        return Settings(
            database_url=with_driver(_required(env, "DATABASE_URL")),
            redis_url=_required(env, "REDIS_URL"),
            secret_key=secret_key,
            public_url=_url(env, "PRUMO_PUBLIC_URL", "http://127.0.0.1:8080"),
            host=env.get("PRUMO_HOST", "127.0.0.1"),
            port=int(_number(env, "PRUMO_PORT", 8080)),
            receiver_port=int(_number(env, "PRUMO_RECEIVER_PORT", 8081)),
            receiver_url=_url(env, "PRUMO_RECEIVER_URL", "http://127.0.0.1:8081"),
            gateway_url=_url(env, "PRUMO_GATEWAY_URL", ""),
            gateway_key=env.get("PRUMO_GATEWAY_KEY", ""),
            gateway_simulated=simulated,
            meta_url=_url(env, "PRUMO_META_URL", "https://graph.facebook.com"),
            meta_callback_url=_url(env, "PRUMO_META_CALLBACK_URL", ""),
            demo_map_url=_url(env, "PRUMO_DEMO_MAP_URL", ""),
            chromium=env.get("PRUMO_CHROMIUM", ""),
            data_folder=env.get("PRUMO_DATA", ".data"),
            trusted_proxies=_networks(env, "FORWARDED_ALLOW_IPS"),
            send_timeout=timedelta(seconds=_number(env, "PRUMO_SEND_TIMEOUT_S", 100)),
            quiet_window=timedelta(seconds=_number(env, "PRUMO_QUIET_WINDOW_S", 600)),
            min_gap=timedelta(seconds=_number(env, "PRUMO_MIN_GAP_S", 1 if simulated else 20)),
            map_pause=timedelta(seconds=_number(env, "PRUMO_MAP_PAUSE_S", 1.5)),
            map_address=env.get("PRUMO_MAP_ADDRESS", "")[:80],
            map_requests_per_day=int(_number(env, "PRUMO_MAP_REQUESTS_PER_DAY", 1_500)),
            overpass_url=_url(env, "PRUMO_OVERPASS_URL", "https://overpass-api.de/api/interpreter"),
            places_api_url=_url(env, "PRUMO_PLACES_API_URL", "https://places.googleapis.com"),
            places_api_key=env.get("PRUMO_PLACES_API_KEY", ""),
            places_api_price_usd=_number(env, "PRUMO_PLACES_API_PRICE_USD", 0.035),
        )


def with_driver(url: str) -> str:
    """SQLAlchemy 2.1 takes a bare `postgresql://` for psycopg 3, which we do not install."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg2://" + url.removeprefix(prefix)
    return url


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise BadSetting(name, "is not set")
    return value


def _url(env: Mapping[str, str], name: str, default: str) -> str:
    value = env.get(name, default).rstrip("/")
    if value and not value.startswith(("http://", "https://")):
        raise BadSetting(name, "must start with http:// or https://")
    return value


def _networks(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Not `*`: whoever reaches the port would be whoever they like."""
    named = tuple(part.strip() for part in env.get(name, "").split(",") if part.strip())
    for part in named:
        try:
            ipaddress.ip_network(part)
        except ValueError:
            raise BadSetting(name, f"is neither an address nor a network: {part!r}") from None
    return named


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, "")
    try:
        value = float(text) if text else float(default)
    except ValueError:
        raise BadSetting(name, f"is not a number: {text!r}") from None
    if value < 0:
        raise BadSetting(name, "must not be negative")
    return value
