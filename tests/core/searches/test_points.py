"""What people paste where a place is asked for: the address of a map, or two numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.searches.points import Pasted, is_address, point_in

MAPS = "https://www.google.com/maps"


@pytest.mark.parametrize(
    ("pasted", "expected"),
    [
        (f"{MAPS}/@-23.5614,-46.7016,15z", Pasted(-23.5614, -46.7016)),
        (f"{MAPS}/@-23.5614,-46.7016,1200m/data=!3m1!1e3", Pasted(-23.5614, -46.7016)),
        (f"{MAPS}/place/Pinheiros,+S%C3%A3o+Paulo/@-23.5,-46.6,14z", Pasted(-23.5, -46.6, "Pinheiros, São Paulo")),
        (  # the place, not the middle of the screen
            f"{MAPS}/place/Odonto+Jatob%C3%A1/@-23.5,-46.6,14z/data=!4m6!3m5!1s0x1:0x2!8m2!3d-23.561!4d-46.702",
            Pasted(-23.561, -46.702, "Odonto Jatobá"),
        ),
        (f"{MAPS}/place/23%C2%B033'41.0%22S/@-23.5614,-46.7016,17z", Pasted(-23.5614, -46.7016)),
        (f"{MAPS}/search/dentista/@-23.5614,-46.7016,15z", Pasted(-23.5614, -46.7016, "dentista")),
        (f"{MAPS}?q=-23.5614,-46.7016", Pasted(-23.5614, -46.7016)),
        (f"{MAPS}/search/?api=1&query=-23.5614%2C-46.7016", Pasted(-23.5614, -46.7016)),
        ("https://www.openstreetmap.org/#map=15/-23.5614/-46.7016", Pasted(-23.5614, -46.7016)),
        ("https://www.openstreetmap.org/?mlat=-23.5614&mlon=-46.7016", Pasted(-23.5614, -46.7016)),
        ("geo:-23.5614,-46.7016", Pasted(-23.5614, -46.7016)),
        ("-23.5,-46.6", Pasted(-23.5, -46.6)),
        (" (-23.5, -46.6) ", Pasted(-23.5, -46.6)),
        ("-23,5614; -46,7016", Pasted(-23.5614, -46.7016)),
    ],
)
def test_a_point_is_read_from_it(pasted: str, expected: Pasted) -> None:
    assert point_in(pasted) == expected


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "Pinheiros, São Paulo",
        "Rua 25 de Março, 100",
        "10, 20",  # a street and a house
        "-93.5,-46.6",
        "-23.5,-246.6",
        "0.0,0.0",
        f"{MAPS}/@-93.5,-46.6,15z",
        "https://maps.app.goo.gl/AbCdEf123",
        f"{MAPS}/place/Pinheiros",
        "http://[broken",
        "-23.5,-46.6" + "0" * 3000,
    ],
)
def test_what_tells_no_point_is_left_as_it_is(typed: str) -> None:
    assert point_in(typed) is None


def test_an_address_is_no_name_of_a_place() -> None:
    assert is_address("maps.app.goo.gl/AbCdEf")
    assert is_address(" HTTPS://example.com/ ")
    assert not is_address("Mapsville")


@given(st.text())
def test_whatever_is_pasted_it_is_read_or_left(typed: str) -> None:
    for said in (typed, f"{MAPS}/{typed}", f"{MAPS}/@{typed}"):
        found = point_in(said)
        assert found is None or (abs(found.latitude) <= 85 and abs(found.longitude) <= 180)
