"""The same house as the sender's stories: no least pause, and a WhatsApp that does what it is told."""

from __future__ import annotations

from tests.core.sending.conftest import runtime, settings, whatsapp

__all__ = ["runtime", "settings", "whatsapp"]
