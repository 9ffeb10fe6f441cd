"""What a person at a screen does in every story: waits until something is so, and points a phone at a code."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page


def wait_until(what: Callable[[], Any], why: str, within_s: float = 60) -> Any:
    """Asks again until the answer is true; says what was waited for when it never is."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if answer := what():
            return answer
        time.sleep(0.3)
    return pytest.fail(f"in {within_s:.0f} s never: {why}")


def read_qr(page: Page) -> str | None:
    """What a phone's camera would read off the screen."""
    picture = Image.open(io.BytesIO(page.screenshot()))
    found = zxingcpp.read_barcodes(picture)
    return found[0].text if found else None
