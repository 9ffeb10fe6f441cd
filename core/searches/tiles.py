"""The picture of the demo map, fetched for browsers that may only talk to us.

The real map's picture is never fetched: its terms forbid it, and a search needs none.
"""

from __future__ import annotations

import time

import requests

from core.errors import Unreachable

WITHIN_S = 5.0
LARGEST = 512_000  # bytes; a tile has some 20,000
DEEPEST = 20
THEMES = ("light", "dark")


def tile(base_url: str, zoom: int, x: int, y: int, theme: str) -> bytes | None:
    """The SVG of one square; None where the demo map has none.  Raises Unreachable."""
    if theme not in THEMES or not 0 <= zoom <= DEEPEST or not (0 <= x < 2**zoom and 0 <= y < 2**zoom):
        return None
    url = f"{base_url}/tiles/{zoom}/{x}/{y}.svg"
    ends = time.monotonic() + WITHIN_S
    try:
        with requests.get(url, params={"theme": theme}, timeout=WITHIN_S, stream=True, allow_redirects=False) as answer:
            if answer.status_code != 200:
                return None
            body = b""
            for piece in answer.iter_content(65_536):
                body += piece
                if len(body) > LARGEST or time.monotonic() > ends:
                    return None
            return body
    except requests.RequestException as trouble:
        raise Unreachable(type(trouble).__name__) from None
