"""Every sentence of the pages is there in both languages, and none is written past the catalogues."""

from __future__ import annotations

import ast
import re

import pytest

from core.errors import BadInput, TooManyTries
from sandbox.gateway.control_words import PORTUGUESE as CONTROL_PAGE
from tests.ui.reading import ROOT, UI, calls, name_of, place, said, sources
from ui.words import FOLDER, LANGUAGES, _, language, messages, ngettext, of_many, preferred, speaking
from ui.words.errors import all_sentences, sentence_of, sentence_of_input, written

PORTUGUESE = FOLDER / "pt_BR"
GAP = re.compile(r"\{(\w*)[^}]*\}")
# Where a sentence is shown: the callee, and which of its arguments people read.
SHOWN: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    "ui.label": ((0,), ("text",)),
    "ui.button": ((0,), ("text",)),
    "ui.notify": ((0,), ("message",)),
    "ui.tooltip": ((0,), ("text",)),
    "ui.input": ((0,), ("label", "placeholder")),
    "ui.textarea": ((0,), ("label", "placeholder")),
    "ui.number": ((0,), ("label", "placeholder", "suffix", "prefix")),
    "ui.select": ((), ("label",)),
    "ui.input_chips": ((0,), ("label",)),
    "ui.switch": ((0,), ("text",)),
    "ui.checkbox": ((0,), ("text",)),
    "ui.menu_item": ((0,), ("text",)),
    "ui.link": ((0,), ("text",)),
    "ui.expansion": ((0,), ("text", "caption")),
    "ui.chip": ((0,), ("text",)),
    "ui.badge": ((0,), ("text",)),
    "ui.tab": ((), ("label",)),
    "ui.skip_link": ((0,), ("text",)),
    "page_frame": ((1, 2), ("title", "fact")),
    "text": ((0,), ("content",)),
    "section": ((0,), ("content",)),
    "button": ((0,), ("label",)),
    "icon_button": ((1,), ("label",)),
    "toast": ((0,), ("text",)),
    "problem": ((0,), ("text",)),
    "note": ((0,), ("body", "title", "action")),
    "state": ((1, 2), ("title", "body")),
    "error_state": ((0, 1), ("title", "body")),
    "no_permission": ((0, 1), ("title", "body")),
    "chip": ((0,), ("words",)),
    "card": ((0,), ("title", "link")),
    "kpi_strip": ((0,), ("label",)),
    "Kpi": ((0,), ("label", "of", "hint")),
    "confirm": ((0, 1), ("title", "body", "action", "alternative", "hint")),
    "form.field": ((1,), ("label", "help")),
    "safe.link": ((1,), ("text",)),
}
NAMES = {"Prumo", "WhatsApp"}


def portuguese() -> dict[str | tuple[str, str], list[tuple[str, str | tuple[str, ...]]]]:
    """Sentence → (file, translation), for every file that has it."""
    found: dict[str | tuple[str, str], list[tuple[str, str | tuple[str, ...]]]] = {}
    for file in sorted(PORTUGUESE.glob("*.po")):
        for message in messages(file):
            key = tuple(message.id) if isinstance(message.id, list | tuple) else message.id
            if message.context:
                key = f"{message.context}\x04{key}"
            text = tuple(message.string) if isinstance(message.string, list | tuple) else message.string
            found.setdefault(key, []).append((file.name, text))
    return found


def test_every_sentence_is_there_in_portuguese() -> None:
    there = portuguese()
    missing = [f"{where}: {sentence!r}" for sentence, where in said().items() if sentence not in there]
    empty = [key for key, found in there.items() for _file, text in found if not all(_texts(text))]
    assert (missing, empty) == ([], [])


def test_a_translation_keeps_the_gaps_of_its_sentence() -> None:
    wrong = []
    for sentence, found in portuguese().items():
        gaps = set().union(*(GAP.findall(text) for text in _texts(sentence)))
        for file, translation in found:
            for text in _texts(translation):
                if set(GAP.findall(text)) - gaps or (isinstance(sentence, str) and set(GAP.findall(text)) != gaps):
                    wrong.append(f"{file}: {sentence!r} → {text!r}")
    assert wrong == []


def test_two_files_never_translate_one_sentence_differently() -> None:
    assert [f"{key!r}: {found}" for key, found in portuguese().items() if len({t for _f, t in found}) > 1] == []


def test_no_translation_is_left_of_a_sentence_that_nobody_says_any_more() -> None:
    spoken = said()
    assert [f"{found[0][0]}: {key!r}" for key, found in portuguese().items() if key not in spoken] == []


def test_nothing_that_people_read_is_written_past_the_catalogues() -> None:
    bare = [
        f"{place(path, call)}: {ast.unparse(argument)}"
        for path in sources()
        for call in calls(path)
        if name_of(call) in SHOWN
        for argument in _read_by_people(call)
        if _has_words(argument)
    ]
    assert bare == []


def test_every_key_that_core_refuses_with_has_a_sentence() -> None:
    missing = []
    for path in sorted((ROOT / "core").rglob("*.py")):
        for call in calls(path):
            key = _key_of(call)
            if key and key not in all_sentences():
                missing.append(f"{place(path, call)}: {key}")
    assert missing == []


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_sentence_can_be_said_in_both_languages(tag: str) -> None:
    with speaking(tag):
        for sentence in said():
            assert _(sentence) if isinstance(sentence, str) else ngettext(*sentence, 2)


@pytest.mark.parametrize(("tag", "many", "some"), [("pt-BR", "10.000", "4,5"), ("en", "10,000", "4.5")])
def test_a_number_from_core_is_written_as_its_language_does(tag: str, many: str, some: str) -> None:
    with speaking(tag):
        for key, sentence in all_sentences().items():
            gaps = {gap for gap in GAP.findall(sentence.replace("{{", "").replace("}}", "")) if gap}
            told = sentence_of_input(BadInput("field", key, **dict.fromkeys(gaps, 10_000)))
            assert "10000" not in told and told.count(many) >= bool(gaps), (key, told)
        assert many in sentence_of(TooManyTries(10_000))
        values = {"a": 4.5, "b": 10_000.0, "c": "10000"}
        assert written(values) == {"a": some, "b": many, "c": "10000"}, "a text is nobody's number"


def test_a_count_takes_the_form_of_its_language() -> None:
    with speaking("pt-BR"):
        assert [ngettext("{n} day", "{n} days", n).format(n=n) for n in (0, 1, 2)] == ["0 dias", "1 dia", "2 dias"]
    with speaking("en"):
        assert [ngettext("{n} day", "{n} days", n).format(n=n) for n in (0, 1, 2)] == ["0 days", "1 day", "2 days"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt-BR"),
        ("en-US,en;q=0.9", "en"),
        ("de,en;q=0.5,pt;q=0.4", "en"),
        ("fr", "pt-BR"),
        ("", "pt-BR"),
        ("en;q=x,,;q=1", "pt-BR"),
    ],
)
def test_before_signing_in_the_browser_chooses_the_language(header: str, expected: str) -> None:
    assert preferred(header) == expected


def test_a_state_of_many_has_its_own_form_where_the_language_has_one() -> None:
    for tag, one, many in (("pt-BR", "Enviada", "Enviadas"), ("en", "Sent", "Sent")):
        with speaking(tag):
            assert (_("Sent"), of_many("Sent")) == (one, many)


def test_outside_of_a_page_the_language_is_portuguese() -> None:
    assert language() == "pt-BR"


def _texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def _read_by_people(call: ast.Call) -> list[ast.expr]:
    places, names = SHOWN[name_of(call)]
    positional = [call.args[n] for n in places if n < len(call.args)]
    return positional + [word.value for word in call.keywords if word.arg in names]


def _has_words(argument: ast.expr) -> bool:
    """A literal with letters in it; an f-string with a word of three letters or more, since units are no words."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        is_example = "@" in argument.value  # an address is the same in every language
        return any(c.isalpha() for c in argument.value) and argument.value not in NAMES and not is_example
    if isinstance(argument, ast.JoinedStr):
        fixed = "".join(str(part.value) for part in argument.values if isinstance(part, ast.Constant))
        return bool(re.search(r"[^\W\d_]{3,}", fixed))
    return False


def _key_of(call: ast.Call) -> str:
    if name_of(call) == "BadInput" and len(call.args) > 1 and isinstance(call.args[1], ast.Constant):
        return str(call.args[1].value)
    return ""


def test_the_templates_say_nothing_past_the_catalogues_either() -> None:
    """What is left of a template without its tags, expressions and comments has no words."""
    bare = []
    for path in sorted(UI.rglob("*.html")):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text(encoding="utf-8"), flags=re.S)
        text = re.sub(r'<i class="p-ms[^>]*>[a-z_ ]*</i>|<!doctype html>', " ", text)
        text = re.sub(r"<[^>]*>", " ", text)
        bare += [f"{path.relative_to(ROOT)}: {w}" for w in re.findall(r"[^\W\d_]{3,}", text) if w not in NAMES]
    assert bare == []


def test_the_readme_names_what_is_pressed_as_both_languages_do() -> None:
    readme = " ".join((ROOT / "README.md").read_text().split())
    pairs = re.findall(r"\*([^*]+)\* \(\*([^*]+)\*\)", readme)
    assert len(pairs) > 15
    on_pages = {sentence: {said for _file, said in told} for sentence, told in portuguese().items()}
    wrong = [
        (ours, english)
        for ours, english in pairs
        if ours not in on_pages.get(english, ()) and CONTROL_PAGE.get(english) != ours
    ]
    assert wrong == []
