"""Foreign texts as we keep and compare them; the short ways must give what the long ones do."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.leads import rules
from core.leads.rules import FOLDED, as_kept

NEVER = mock.Mock(fullmatch=mock.Mock(return_value=None))
texts = st.text(st.characters(max_codepoint=0x31F), max_size=12) | st.text(max_size=12)


@given(texts)
def test_a_plain_text_is_kept_as_any_other_is(text: str) -> None:
    kept = as_kept(text, 8)
    with mock.patch.object(rules, "PLAIN", NEVER):
        assert as_kept(text, 8) == kept


@given(texts)
def test_a_latin_text_folds_as_any_other_does(text: str) -> None:
    folded = rules._fold(text)
    with mock.patch.object(rules, "WESTERN", NEVER):
        assert rules._fold(text) == folded
        with mock.patch.object(rules, "LATIN", NEVER):
            assert rules._fold(text) == folded


@pytest.mark.parametrize("codes", [range(n, n + 64) for n in range(0, len(FOLDED), 64)], ids=str)
def test_each_latin_character_is_kept_and_folded_alike_by_both_ways(codes: range) -> None:
    for character in map(chr, codes):
        test_a_plain_text_is_kept_as_any_other_is.hypothesis.inner_test(character)
        test_a_latin_text_folds_as_any_other_does.hypothesis.inner_test(character)
