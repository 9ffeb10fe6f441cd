"""The web process of the pages' tests."""

from tests.ui.conftest import told, web

__all__ = ["told", "web"]
