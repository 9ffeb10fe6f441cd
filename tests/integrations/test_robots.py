"""What a site's robots.txt allows us, in the ways that people write it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.integrations.websites import AGENT, read_robots

ALL = "User-agent: *\n"


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/", True),
        (ALL + "Disallow:", "/", True),
        (ALL + "Disallow: /", "/", False),
        (ALL + "Disallow: /", "/robots.txt", True),
        (ALL + "Disallow: /admin", "/contato", True),
        (ALL + "Disallow: /con", "/contato", False),
        (ALL + "Disallow: /\nAllow: /contato", "/contato/", True),
        (ALL + "Allow: /contato\nDisallow: /", "/contato", True),
        (ALL + "Disallow: /contato\nAllow: /contato", "/contato", True),
        (ALL + "Disallow: /*?", "/a?b=1", False),
        (ALL + "Disallow: /*?", "/a", True),
        (ALL + "Disallow: /*.php$", "/contato.php", False),
        (ALL + "Disallow: /*.php$", "/contato.php?x=1", True),
        (ALL + "Disallow: /$", "/", False),
        (ALL + "Disallow: /$", "/a", True),
        (ALL + "Disallow: *contato", "/fale/contato", False),
        (ALL + "Disallow: /sobre%20n%C3%B3s", "/sobre nós", False),
        ("USER-AGENT:prumo # us\nDISALLOW:/x#y", "/x", False),
        ("User-agent: a\nUser-agent: prumo\nDisallow: /", "/", False),
        ("User-agent: a\nDisallow: /\nUser-agent: b\nAllow: /", "/", True),
        ("User-agent: prumo\nDisallow: /a\n\nUser-agent: *\nDisallow: /", "/b", True),
        ("User-agent: prumo\nDisallow: /a\nUser-agent: prumo\nDisallow: /b", "/b", False),
        ("Disallow: /\nUser-agent: *\nAllow: /", "/", True),
        ("\ufeff" + ALL + "Crawl-delay: 5\nDisallow: /", "/", False),
        (ALL + "Sitemap: http://x/\nnonsense\nDisallow: /", "/", False),
        ("User-agent: prumobot\nDisallow: /", "/", True),
    ],
)
def test_the_rules_are_read_as_the_standard_says(text: str, path: str, allowed: bool) -> None:
    assert read_robots(text).can_fetch("https://padaria.example" + path, AGENT) is allowed


def test_rules_made_to_be_slow_are_not() -> None:
    text = ALL + ("Disallow: /" + "*a" * 200 + "*b\n") * 2_000
    began = time.process_time()
    robots = read_robots(text)
    robots.can_fetch("https://padaria.example/" + "a" * 2_000, AGENT)
    assert time.process_time() - began < 1.5


@given(st.text(max_size=300), st.text(max_size=50))
def test_whatever_it_says_there_is_an_answer(text: str, path: str) -> None:
    assert read_robots(ALL + text).can_fetch("https://padaria.example/" + path, AGENT) in (True, False)
