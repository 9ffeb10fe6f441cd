"""The sandbox gateway: a stand-in for the Evolution API that its clients cannot tell from the real one.

It serves Evolution's paths, headers, bodies and webhooks, with WhatsApp and its people simulated behind them, and
nothing it is given reaches anyone.  `GET /` says so.

    python -m sandbox.gateway --port 8090 --fast --control          a process (the key in PRUMO_GATEWAY_KEY)
    with serve() as gateway: gateway.base_url, gateway.key …        beside a test, on a free port

Where to look: `api` (routes, guards, answers) · `sending` (one message, step by step), with `media` and `checking` ·
`meta` (what is behind an official number) · `inbox` (receipts, replies) · `link` (states, QR) · `people` (who does
what, deterministic from the number) · `faults` (what can go wrong) and `mishaps` (where it does) · `ledger` (what
left: the judge) · `webhooks` · `history` · `controls` (what a test or a person can do to this world) and `control`
(their page).
"""

from sandbox.gateway.app import create_app
from sandbox.gateway.config import Config, Habits, Timings
from sandbox.gateway.controls import ControlError
from sandbox.gateway.faults import Kind
from sandbox.gateway.serving import Gateway, listening, serve

__all__ = [
    "Config",
    "ControlError",
    "Gateway",
    "Habits",
    "Kind",
    "Timings",
    "create_app",
    "listening",
    "serve",
]
