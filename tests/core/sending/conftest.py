"""A house without a least pause, and the world that its messages go to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.runtime import Runtime
from core.settings import Settings
from tests.core.sending.world import FakeWhatsApp, without_pause
from tests.factories import counters_and_counts


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return without_pause(settings)


@pytest.fixture
def whatsapp() -> FakeWhatsApp:
    return FakeWhatsApp()


@pytest.fixture
def runtime(runtime: Runtime, whatsapp: FakeWhatsApp) -> Iterator[Runtime]:
    """As everywhere; its messages go to the world of the story, and its counters are compared with the rows."""
    runtime.__dict__["evolution"] = whatsapp
    yield runtime
    counted, there = counters_and_counts(runtime)
    assert counted == there
