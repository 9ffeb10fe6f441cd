"""Whether this process was asked to stop: set by a signal, looked at between two pieces of work."""

from __future__ import annotations

_asked = False


def ask() -> None:
    """Safe in a signal handler: a plain name, no lock that the interrupted code might hold."""
    global _asked
    _asked = True


def is_asked() -> bool:
    return _asked
