"""`python -m sandbox.overpass --port 8092`: the demo Overpass as a process of its own, on this machine only."""

from __future__ import annotations

import argparse

from sandbox.maps import City

from .serving import serve

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m sandbox.overpass", description="A simulated Overpass server.")
    parser.add_argument("--port", type=int, default=8092)
    parser.add_argument("--size", type=int, default=50_000, help="businesses in the city")
    asked = parser.parse_args()
    serve("127.0.0.1", asked.port, City(asked.size))
