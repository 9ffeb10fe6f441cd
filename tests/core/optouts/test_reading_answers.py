"""Which answers ask to be left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.optouts.rules import SENTENCES, WORDS, Verdict, fold, read_answer, read_opt_out

YES = """SAIR|sair.|  Sair  |SAIR!!!|Sair 🙏|PARAR|Pare|pare.|CANCELAR|REMOVER|Descadastrar|stop|STOP.|Unsubscribe|BAJA
sair por favor|por favor parar|Não quero|não  QUERO!|nao quero mais receber|Não tenho interesse|não tenho interesse.
me tira da lista|Me remova|quero sair|not interested|opt-out|ＳＡＩＲ|sáir|sair, obrigado|parar agora
Pare de me mandar mensagens!|Parem de enviar mensagens|Não me mande mais mensagem por favor|Pare pare pare
Bom dia, não tenho interesse, obrigada|tira meu número da lista|excluir meu número|Me deixe em paz.
SAIR. Não quero mais mensagens de vocês|Descadastrar este número do sistema|oi, quero sair da lista
STOPALL|Cancel|quit|Stop promotions|Please stop|take me off your list|Don't contact me|I'm not interested, thanks
Unsubscribe me from all of this|stop sending me messages
Salir|darme de baja|Baja por favor|no me interesa, gracias|No quiero recibir más mensajes|Dejen de escribirme"""
DOUBTFUL = """para de|quem é?|Quem é você|não vou sair do plano|pode parar aqui na loja às 10h|sair para almoçar
vou denunciar|isso é spam|como cancelar meu plano atual?|não quero esse, tem outro?
de que lista você tirou meu número?|stop motion|para|Parar, mas só aos domingos|Cancelar, como faço?
sair às 18h é melhor pra mim|vou te bloquear|isso é golpe?|não autorizo esse contato|chega de mensagem
who is this?|how did you get my number|stop by tomorrow at 10|cancel my order please, number 12
¿quién eres?|no me escriba de noche"""
NO = """Oi|Sim, quero|Quanto custa?|👍|Obrigado!|Pode mandar|tenho interesse|me liga|1|…|?
Estamos fechados|Bom dia, tudo bem?|Parabéns pelo trabalho|compare os preços|Saída pela rua de trás
End. Rua das Flores, 12|Qual o remédio?|Quero sim, por favor|Ok|yes please|claro que sí|Vamos almoçar no Pará"""


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


def test_a_word_on_a_line_of_its_own_counts_whatever_stands_below() -> None:
    assert read_opt_out("SAIR\nObrigado pela atenção") is Verdict.YES


def test_what_is_compared_is_folded_itself() -> None:
    assert [each for each in WORDS | SENTENCES if fold(each) != each] == []


@pytest.mark.parametrize(
    ("text", "choice", "verdict"),
    [
        ("SAIR", None, Verdict.YES),
        ("Parar promoções", None, Verdict.YES),
        ("Stop promotions", "7f3a", Verdict.YES),
        ("Não, obrigado", "SAIR", Verdict.YES),
        ("Não, obrigado", "btn_sair", Verdict.YES),
        ("Talvez depois", "STOP-1", Verdict.YES),
        ("No, thanks", "opt_out", Verdict.YES),
        ("Cancelar consulta", "consulta_cancelar_18", Verdict.DOUBTFUL),
        ("Quero saber mais", "mais_1", Verdict.NO),
        ("Quero saber mais", "", Verdict.NO),
    ],
)
def test_a_button_counts_by_its_words_or_by_its_id(text: str, choice: str | None, verdict: Verdict) -> None:
    assert read_answer("button", text, choice) is verdict


def test_an_id_counts_of_buttons_alone() -> None:
    assert read_answer("text", "Quero sim", "SAIR") is Verdict.NO


@pytest.mark.parametrize("text", ["SAIR", "👎", "stop"])
def test_a_reaction_is_never_an_opt_out(text: str) -> None:
    assert read_answer("reaction", text) is Verdict.NO


def test_a_picture_with_the_word_beneath_it_counts() -> None:
    assert read_answer("image", "SAIR") is Verdict.YES
