"""A QR code as a picture in our own colours: dark on white in both themes, since cameras expect it so."""

from __future__ import annotations

import io
from base64 import b64encode
from functools import lru_cache

import segno

DARK, LIGHT = "#15161B", "#FFFFFF"
SCALE = 8  # pixels of a module: sharp on a phone's screen too
QUIET_MODULES = 4  # the margin that the standard asks for


@lru_cache(maxsize=64)
def qr_picture(words: str) -> str:
    """A data address of a PNG, for the `src` of an image.

    The lowest correction gives the fewest and so the largest modules; a screen has no scratches to correct.
    """
    out = io.BytesIO()
    code = segno.make(words, error="l", boost_error=False, micro=False)
    code.save(out, kind="png", scale=SCALE, border=QUIET_MODULES, dark=DARK, light=LIGHT)
    return "data:image/png;base64," + b64encode(out.getvalue()).decode()
