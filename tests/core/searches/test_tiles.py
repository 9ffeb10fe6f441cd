"""The demo map's picture is passed on, and nothing else of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.errors import Unreachable
from core.searches.tiles import tile
from sandbox.maps import City, Running, run_in_thread


@pytest.fixture(scope="module")
def demo_map() -> Iterator[Running]:
    with run_in_thread(City(size=50)) as running:
        yield running


def test_a_square_of_the_picture_comes_in_both_themes(demo_map: Running) -> None:
    light, dark = (tile(demo_map.url, 14, 6068, 9293, theme) for theme in ("light", "dark"))
    assert light and dark and light != dark
    assert light.startswith(b"<svg")


@pytest.mark.parametrize("where", [(21, 0, 0), (-1, 0, 0), (2, 4, 0), (2, 0, 4), (2, -1, 0)])
def test_there_is_none_beyond_the_map(demo_map: Running, where: tuple[int, int, int]) -> None:
    assert tile(demo_map.url, *where, "light") is None


def test_another_theme_is_none(demo_map: Running) -> None:
    assert tile(demo_map.url, 14, 6068, 9293, "../control") is None


def test_a_map_that_is_away_is_said() -> None:
    with pytest.raises(Unreachable):
        tile("http://127.0.0.1:9", 14, 6068, 9293, "light")
