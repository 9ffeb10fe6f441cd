"""What keeps the house from starting, as one sentence that a person can act on."""

from __future__ import annotations


class CannotStart(Exception):
    """Its message is the whole explanation: what is wrong and what to do.  Shown without a traceback."""
