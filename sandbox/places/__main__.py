"""`python -m sandbox.places --port 8093`: the demo Places API as a process of its own, on this machine only."""

from __future__ import annotations

import argparse

from sandbox.maps import City

from .serving import serve

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m sandbox.places", description="A simulated Places API.")
    parser.add_argument("--port", type=int, default=8093)
    parser.add_argument("--size", type=int, default=50_000, help="businesses in the city")
    asked = parser.parse_args()
    serve("127.0.0.1", asked.port, City(asked.size))
