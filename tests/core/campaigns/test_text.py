"""What a campaign says: gaps that are filled once, and what is refused at the door."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.campaigns.text import (
    MAX_LENGTH,
    MEANING,
    NAMES,
    Gap,
    LeadFacts,
    MissingVariable,
    default_of,
    opt_out_line_for,
    parts_of,
    pieces,
    plain_text,
    render,
    spelling_of,
    values_of,
    variables_of,
    with_default,
    with_opt_out_line,
    with_other_default,
)
from core.errors import BadInput

MARFIM = LeadFacts("Clínica Marfim Azul", "Dentista", "Pinheiros", "São Paulo", 4.9, "Ana")


def say(template: str, facts: LeadFacts = MARFIM) -> str:
    return render(template, values_of(facts))


def refused(template: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        parts_of(template)
    return caught.value


def test_each_gap_says_what_is_known_of_the_lead() -> None:
    text = say("Oi, {empresa}! {meu_nome} aqui. {categoria} em {bairro}, {cidade}: nota {nota}.")
    assert text == "Oi, Clínica Marfim Azul! Ana aqui. Dentista em Pinheiros, São Paulo: nota 4,9."


def test_the_same_gaps_have_english_names_and_english_numbers() -> None:
    text = say("{company}, {my_name}, {category}, {neighbourhood}, {neighborhood}, {city}, {rating}")
    assert text == "Clínica Marfim Azul, Ana, Dentista, Pinheiros, Pinheiros, São Paulo, 4.9"


@pytest.mark.parametrize("written", ["{Empresa}", "{ empresa }", "{EMPRESA}", "{\tempresa}", "{nome}"])
def test_how_a_name_is_written_matters_little(written: str) -> None:
    assert say(written) == "Clínica Marfim Azul"


@pytest.mark.parametrize("written", ["{meu nome}", "{Meu-Nome}", "{MEU_NOME}"])
def test_a_name_of_two_words_may_be_joined_in_any_way(written: str) -> None:
    assert say(written) == "Ana"


def test_accents_in_a_name_do_not_matter() -> None:
    assert say("{avaliação}") == "4,9"


def test_a_default_is_said_only_where_nothing_is_known() -> None:
    assert say("{bairro|sua região}") == "Pinheiros"
    assert say("{bairro| sua região }", LeadFacts("X")) == "sua região"


def test_an_empty_default_is_a_decision_too() -> None:
    assert say("Oi{bairro|}!", LeadFacts("X")) == "Oi!"


def test_a_default_can_be_given_to_every_gap_of_a_name_that_has_none() -> None:
    text = "Em {bairro}, {Bairro|aqui}, {neighbourhood}: {empresa}"
    assert with_default(text, "neighbourhood", "sua região") == (
        "Em {bairro|sua região}, {bairro|aqui}, {neighbourhood|sua região}: {empresa}"
    )
    assert with_default("Em {bairro", "neighbourhood", "x") == "Em {bairro"


def test_what_is_said_instead_can_be_changed_and_taken_away_wherever_a_name_stands() -> None:
    text = "Em {bairro}, {Bairro|aqui}: {empresa|vocês}"
    other = with_other_default(text, "neighbourhood", "sua região")
    assert other == "Em {bairro|sua região}, {bairro|sua região}: {empresa|vocês}"
    assert with_other_default(other, "neighbourhood", None) == "Em {bairro}, {bairro}: {empresa|vocês}"
    assert with_other_default("Em {bairro", "neighbourhood", "x") == "Em {bairro"
    assert with_other_default("", "neighbourhood", "x") == ""
    assert [default_of(each, "neighbourhood") for each in (text, other, "Oi", "{bairro", "{bairro|}")] == [
        "aqui",
        "sua região",
        None,
        None,
        "",
    ]


def test_a_gap_without_value_or_default_is_never_sent_as_a_hole() -> None:
    with pytest.raises(MissingVariable) as missing:
        say("em {bairro}", LeadFacts("X"))
    assert missing.value.name == "neighbourhood"


@pytest.mark.parametrize("blank", ["", "   ", "\u200b", "\u200d", "\n"])
def test_a_value_of_nothing_but_space_counts_as_unknown(blank: str) -> None:
    with pytest.raises(MissingVariable):
        say("em {bairro}", LeadFacts("X", neighbourhood=blank))


def test_a_value_is_never_read_as_text_again() -> None:
    hostile = LeadFacts("{cidade} {0.__class__} %s {{7*7}}", city="Recife")
    assert say("Oi {empresa}", hostile) == "Oi {cidade} {0.__class__} %s {{7*7}}"


def test_a_value_stays_on_its_line() -> None:
    assert say("{empresa}!", LeadFacts("Bar\r\ndo \x07 Porto\u202e")) == "Bar do Porto!"


def test_what_was_filled_is_marked_for_the_preview() -> None:
    marked = [(piece.text, piece.gap) for piece in pieces("Oi, {empresa}!", values_of(MARFIM))]
    assert marked == [("Oi, ", None), ("Clínica Marfim Azul", "company"), ("!", None)]


def test_a_text_asks_for_each_name_once_in_its_order() -> None:
    assert variables_of("{nota} {empresa} {rating|5} {company}") == ("rating", "company")
    assert variables_of("nothing") == ()


@pytest.mark.parametrize(
    ("template", "key", "position"),
    [
        ("Oi {", "brace_open", 4),
        ("Oi {empresa", "brace_open", 4),
        ("Oi }", "brace_close", 4),
        ("empresa}", "brace_close", 8),
        ("{empresa} e }", "brace_close", 13),
        ("{}", "gap_empty", 1),
        ("{  }", "gap_empty", 1),
        ("{|oi}", "gap_empty", 1),
        ("{{nome}}", "brace_double", 1),
        ("{bairro|{cidade}}", "brace_open", 1),
        ("{nota {empresa}", "brace_open", 1),
    ],
)
def test_braces_that_do_not_match_are_refused_with_their_place(template: str, key: str, position: int) -> None:
    wrong = refused(template)
    assert (wrong.field, wrong.key, wrong.values["position"]) == ("text", key, position)


@pytest.mark.parametrize(
    ("written", "suggestion"), [("nom", "nome"), ("empreza", "empresa"), ("citty", "city"), ("xyzzy", "")]
)
def test_an_unknown_name_is_refused_and_the_nearest_offered(written: str, suggestion: str) -> None:
    wrong = refused(f"Oi {{{written}}}")
    if suggestion:
        assert (wrong.key, wrong.values) == ("gap_unknown_near", {"name": written, "suggestion": suggestion})
    else:
        assert (wrong.key, wrong.values) == ("gap_unknown", {"name": written})


def test_a_first_name_is_refused_because_a_lead_is_a_business() -> None:
    assert refused("Oi {primeiro_nome}").values["suggestion"] == "empresa"
    assert refused("Hi {First name}").key == "gap_person"


@pytest.mark.parametrize("spin", ["{oi|olá}", "{lead.__init__.__globals__}", "{0}", "{!r}", "{:>9999999999}"])
def test_no_other_language_hides_in_braces(spin: str) -> None:
    assert refused(spin).key.startswith("gap_unknown")


def test_nothing_but_braces_means_anything() -> None:
    plain = "%s %(x)s $x ${x} `x` \\1 <b>x</b> =1+1".replace("${x}", "$x")
    assert say(plain) == plain


@pytest.mark.parametrize(
    "text",
    ["((((((a)*)*)*)*)*)" * 6000, "{" * 100_000, "{nota}" * 20_000, "{" + "a" * 100_000 + "}", "}" * 100_000],
)
def test_a_hostile_text_costs_no_time(text: str) -> None:
    began = time.process_time()
    with contextlib.suppress(BadInput):
        parts_of(text)
    assert time.process_time() - began < 0.5


def test_the_way_out_stands_in_a_paragraph_of_its_own_and_once() -> None:
    line = opt_out_line_for("BR")
    once = with_opt_out_line("Oi!\n", line)
    assert once == "Oi!\n\nSe preferir não receber, responda SAIR."
    assert with_opt_out_line(once, line) == once


def test_the_way_out_speaks_the_language_of_the_country() -> None:
    assert "SAIR" in opt_out_line_for("br")
    assert "STOP" in opt_out_line_for("US")


@pytest.mark.parametrize("text", ["a\0b", "a\x07b", "\ud800", "x\uffff", "e" + "\u0301" * 12])
def test_what_cannot_be_stored_or_read_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as wrong:
        plain_text(text, field="text", limit=MAX_LENGTH)
    assert wrong.value.key == "text_unreadable"


def test_a_text_beyond_the_limit_is_refused_before_it_is_copied() -> None:
    with pytest.raises(BadInput) as wrong:
        plain_text("a" * 10_000_000, field="text", limit=MAX_LENGTH)
    assert wrong.value.values == {"limit": 4096, "length": 10_000_000}


def test_a_text_is_kept_in_one_form() -> None:
    assert plain_text("Sa\u0303o\r\nPaulo\r\t*b* 👨‍👩‍👧 \n\n", field="text", limit=100) == "São\nPaulo\n\t*b* 👨‍👩‍👧"


def test_every_name_has_a_spelling_in_both_languages_that_means_it() -> None:
    for name in NAMES:
        for language in ("pt-BR", "en"):
            assert MEANING[spelling_of(name, language)][0] == name


@given(st.text(max_size=200))
def test_a_text_is_either_refused_or_put_together_again(template: str) -> None:
    try:
        parts = parts_of(template)
    except BadInput:
        return
    if not any(isinstance(part, Gap) for part in parts):
        assert "".join(str(part) for part in parts) == template


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_a_lead_is_called_the_text_around_it_stays(name: str, city: str) -> None:
    text = say("<{empresa|-}|{cidade|-}>", LeadFacts(name, city=city))
    assert text.startswith("<") and text.endswith(">")
    assert "\n" not in text
