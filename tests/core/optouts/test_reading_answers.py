"""Which answers ask to be left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.optouts.rules import SENTENCES, WORDS, Verdict, read_opt_out

YES = """SAIR|sair.|  Sair  |SAIR!!!|Sair 🙏|PARAR|Pare|pare.|CANCELAR|REMOVER|Descadastrar|stop|STOP.|Unsubscribe|BAJA
sair por favor|por favor parar|Não quero|não  QUERO!|nao quero mais receber|Não tenho interesse|não tenho interesse.
me tira da lista|Me remova|quero sair|not interested|opt-out|ＳＡＩＲ|sáir|sair, obrigado|parar agora"""
DOUBTFUL = """para de|quem é?|Quem é você|não vou sair do plano|pode parar aqui na loja às 10h|sair para almoçar
vou denunciar|isso é spam|como cancelar meu plano atual?|não quero esse, tem outro?
de que lista você tirou meu número?|stop motion"""
NO = """Oi|Sim, quero|Quanto custa?|👍|Obrigado!|Pode mandar|tenho interesse|me liga|1|…|?
Estamos fechados|Bom dia, tudo bem?|Parabéns pelo trabalho|compare os preços|Saída pela rua de trás"""


def lines(text: str) -> list[str]:
    return [part for line in text.splitlines() for part in line.split("|")]


@pytest.mark.parametrize("answer", lines(YES))
def test_this_is_an_opt_out(answer: str) -> None:
    assert read_opt_out(answer) is Verdict.YES


@pytest.mark.parametrize("answer", lines(DOUBTFUL))
def test_this_is_for_a_person_to_read(answer: str) -> None:
    assert read_opt_out(answer) is Verdict.DOUBTFUL


@pytest.mark.parametrize("answer", lines(NO))
def test_this_is_none(answer: str) -> None:
    assert read_opt_out(answer) is Verdict.NO


@given(
    st.sampled_from(sorted(WORDS | SENTENCES)),
    st.sampled_from([str.upper, str.title, str.lower]),
    st.text(" .!?\n🙏", max_size=6),
)
def test_case_and_signs_never_matter(words: str, case: object, signs: str) -> None:
    assert read_opt_out(signs + case(words) + signs) is Verdict.YES  # type: ignore[operator]


@given(st.text(max_size=300))
def test_any_text_gets_a_verdict(text: str) -> None:
    assert read_opt_out(text) in Verdict


@given(st.text(alphabet="abcdefghij ", min_size=60, max_size=200))
def test_a_long_answer_is_never_taken_for_one(text: str) -> None:
    assert read_opt_out("sair " + text + " x" * 6) is not Verdict.YES
