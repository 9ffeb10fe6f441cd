"""The web process of the pages' tests."""

from tests.ui.conftest import settled, told, web

__all__ = ["settled", "told", "web"]
