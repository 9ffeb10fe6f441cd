"""`python -m sandbox.meta --port 8094`: the demo Cloud API as a process of its own, on this machine only."""

from __future__ import annotations

import argparse

from .serving import serve

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m sandbox.meta", description="A simulated WhatsApp Cloud API.")
    parser.add_argument("--port", type=int, default=8094)
    serve("127.0.0.1", parser.parse_args().port)
