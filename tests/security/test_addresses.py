"""Whatever is typed into the address bar gets a page of ours."""

from __future__ import annotations

import pytest

from tests.people import People
from tests.ui.conftest import Web

ODD = ("abc", "1.5", "-1", "0", "%00", "1%00", "9" * 30, str(2**63), "%F0%9F%92%A5", "<script>")


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("page", ["/campaigns/{}", "/campaigns/{}/edit"])
async def test_an_id_that_cannot_be_one_is_not_found(web: Web, people: People, page: str, odd: str) -> None:
    answer = await web.stranger(sid=people.token["Ana"]).get(page.format(odd))
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "int_parsing" not in answer.text and "<script>1" not in answer.text
