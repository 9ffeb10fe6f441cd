"""What a campaign says: a text with gaps, and what fills them for one lead.

    Oi! Vi que a {empresa} tem nota {nota|alta} no mapa.

A gap is a name in braces, in Portuguese or English, with what to say instead of an unknown value after a bar.  That is
the whole language: braces mean nothing else, there is no escape, no nesting, no expression.  The text is read once from
left to right, and a value is never read as text again, so neither can a lead's name hold a gap of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache

from core.errors import BadInput, PrumoError

MAX_LENGTH = 4096  # of one WhatsApp text, with its gaps filled and the opt-out line
MAX_CAPTION = 1024  # of one that goes with a file
LONGEST_NAME = 40  # in characters; what is longer between braces is no name, and is not looked at closer
JOINERS = "\u200c\u200d"  # invisible, but they hold some scripts and emoji together
MAX_MARKS = 10  # combining marks on one letter; more is no language but a way to make a page unreadable

UNSEEN = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # by their kind letters and signs, and blank

# What fills a gap, and how it may be called: the first is what we write ourselves, in that language.
NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "company": {"pt": ("empresa", "nome"), "en": ("company", "name", "business")},
    "neighbourhood": {"pt": ("bairro",), "en": ("neighbourhood", "neighborhood")},
    "city": {"pt": ("cidade",), "en": ("city",)},
    "rating": {"pt": ("nota", "avaliacao"), "en": ("rating",)},
    "category": {"pt": ("categoria", "ramo"), "en": ("category",)},
    "my_name": {"pt": ("meu_nome",), "en": ("my_name",)},
}
MEANING = {
    spelling: (name, language)
    for name, languages in NAMES.items()
    for language, spellings in languages.items()
    for spelling in spellings
}
# A lead is a business: the map does not say who answers.  The nearest word would mislead ("meu nome").
NOT_A_PERSON = {"primeiro_nome": "empresa", "first_name": "company", "sobrenome": "empresa", "last_name": "company"}

OPT_OUT_LINES = {
    "pt": "Se preferir não receber, responda SAIR.",
    "en": "If you would rather not hear from us, reply STOP.",
}
# By which a first message says where the contact is from; folded, whole words.
SOURCES = frozenset(
    "google maps mapa mapas map site website internet online instagram facebook linkedin lista cadastro catalogo guia"
    " indicacao indicou indicado feira evento anuncio list directory referred referral".split()
)
SOURCE_SENTENCES = {
    "pt": "Encontrei o contato de vocês no mapa.",
    "en": "I found your contact on the map.",
}
PORTUGUESE_SPEAKING = {"BR", "PT", "AO", "MZ", "CV", "GW", "ST"}


class MissingVariable(PrumoError):
    """A gap without a value and without a default: this lead must not get this text."""

    def __init__(self, name: str) -> None:
        super().__init__(f"nothing is known for {name}")
        self.name = name


@dataclass(frozen=True)
class Gap:
    """`name` is the canonical one; `spelling` how it stood in the text; `default` None where none was given."""

    name: str
    spelling: str
    default: str | None


Part = str | Gap


@dataclass(frozen=True)
class LeadFacts:
    """What is known of a lead that a text may say; `sender_name` is who writes, as a person would give it."""

    name: str
    category: str | None = None
    neighbourhood: str | None = None
    city: str | None = None
    rating: float | None = None
    sender_name: str | None = None


@dataclass(frozen=True)
class Piece:
    """A stretch of a filled text; `gap` names what filled it, None for what was written so."""

    text: str
    gap: str | None = None


def plain_text(value: str, *, field: str, limit: int) -> str:
    """A text as people typed it, in one form: NFC, lines ended by \\n, nothing at its end.

    Raises BadInput for what is too long (before anything is copied) or cannot be stored or read.
    """
    if len(value) > limit:
        raise BadInput(field, "text_too_long", limit=limit, length=len(value))
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).rstrip()
    marks = 0
    for character in text:
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if (kind in ("Cc", "Cs") and character not in "\n\t") or character in "\ufffe\uffff" or marks > MAX_MARKS:
            raise BadInput(field, "text_unreadable")
    return text


def is_seen(text: str) -> bool:
    """Whether a person sees anything of it."""
    return any(unicodedata.category(c)[0] in "LNSP" and c not in UNSEEN for c in text)


@cache
def seen_pattern() -> str:
    """The same as PostgreSQL's regular expressions say it: a text that matches has something to be seen."""
    ranges: list[list[int]] = []
    for n in (*range(1, 0x20000), *range(0xE0000, 0xE01F0)):  # beyond these there is nothing but letters
        if unicodedata.category(chr(n)) in ("Cs", "Cn") or is_seen(chr(n)):
            continue
        if ranges and ranges[-1][1] == n - 1:
            ranges[-1][1] = n
        else:
            ranges.append([n, n])
    return "[^" + "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges) + "]"


@lru_cache(maxsize=512)
def parts_of(template: str) -> tuple[Part, ...]:
    """The text and its gaps in order.  One pass, whatever is in it.

    Raises BadInput("text", …): `brace_open`, `brace_close`, `brace_double`, `gap_empty` (position, from 1);
    `gap_person`, `gap_unknown_near` (name and suggestion) or `gap_unknown` (name).
    """
    parts: list[Part] = []
    at = 0
    while True:
        opening = template.find("{", at)
        literal = template[at:] if opening < 0 else template[at:opening]
        stray = literal.find("}")
        if stray >= 0:
            raise BadInput("text", "brace_close", position=at + stray + 1)
        if literal:
            parts.append(literal)
        if opening < 0:
            return tuple(parts)
        if template.startswith("{{", opening):
            raise BadInput("text", "brace_double", position=opening + 1)
        closing = template.find("}", opening)
        again = template.find("{", opening + 1)
        if closing < 0 or 0 <= again < closing:
            raise BadInput("text", "brace_open", position=opening + 1)
        parts.append(_gap(template[opening + 1 : closing], opening + 1))
        at = closing + 1


def variables_of(template: str) -> tuple[str, ...]:
    """The canonical names that a text asks for, each once, in their order.  Raises BadInput as `parts_of` does."""
    return tuple(dict.fromkeys(part.name for part in parts_of(template) if isinstance(part, Gap)))


def values_of(facts: LeadFacts) -> dict[str, str | None]:
    """What each spelling of each name says of this lead; None where nothing is known.

    The language of the spelling is that of the text around it: {nota} is 4,9 where {rating} is 4.9.
    """
    rating = None if facts.rating is None else f"{facts.rating:.1f}"
    known = {
        "company": _one_line(facts.name),
        "neighbourhood": _one_line(facts.neighbourhood),
        "city": _one_line(facts.city),
        "rating": rating,
        "category": _one_line(facts.category),
        "my_name": _one_line(facts.sender_name),
    }
    values = {spelling: known[name] for spelling, (name, _) in MEANING.items()}
    for spelling, (name, language) in MEANING.items():
        if name == "rating" and language == "pt" and rating is not None:
            values[spelling] = rating.replace(".", ",")
    return values


def pieces(template: str, values: Mapping[str, str | None]) -> list[Piece]:
    """The filled text with its seams, for a preview that shows what was filled in.  Raises as `render` does."""
    filled: list[Piece] = []
    for part in parts_of(template):
        if isinstance(part, str):
            filled.append(Piece(part))
            continue
        value = values.get(part.spelling) or part.default
        if value is None:
            raise MissingVariable(part.name)
        filled.append(Piece(value, part.name))
    return filled


def render(template: str, values: Mapping[str, str | None]) -> str:
    """The text for one lead; `values` as `values_of` gives them.

    Raises MissingVariable for a gap with neither value nor default, BadInput for a text that is none.
    """
    return "".join(piece.text for piece in pieces(template, values))


def with_opt_out_line(text: str, line: str) -> str:
    """The text with its way out as a paragraph of its own; not twice where it already ends so."""
    text, line = text.rstrip(), line.strip()
    if not line or text.endswith(line):
        return text
    return f"{text}\n\n{line}"


def says_source(text: str) -> bool:
    """Whether it says where the contact is from, as far as words tell."""
    return not SOURCES.isdisjoint(re.findall(r"[a-z]+", _fold(text).replace("_", " ")))


def with_source(text: str, opt_out_line: str) -> str:
    """The text and where the contact is from, in the language of its way out; as it is where it says so."""
    if says_source(text):
        return text
    language = "en" if opt_out_line.strip() == OPT_OUT_LINES["en"] else "pt"
    return f"{text.rstrip()} {SOURCE_SENTENCES[language]}".strip()


def opt_out_line_for(country: str) -> str:
    """The line in the language of the people who will read it."""
    return OPT_OUT_LINES["pt" if country.upper() in PORTUGUESE_SPEAKING else "en"]


def with_default(template: str, name: str, default: str) -> str:
    """The text with `default` said wherever this name has none yet; as it is where its gaps cannot be read."""
    return _with_defaults(template, name, lambda said: default if said is None else said)


def with_other_default(template: str, name: str, default: str | None) -> str:
    """The text with `default`, or none, wherever this name stands; as it is where its gaps cannot be read."""
    return _with_defaults(template, name, lambda _said: default)


def default_of(template: str, name: str) -> str | None:
    """What is said first in place of this name; None where it is not asked for, has no default, or cannot be read."""
    gaps = [part for part in _readable(template) if isinstance(part, Gap)]
    return next((gap.default for gap in gaps if gap.name == name and gap.default is not None), None)


def _with_defaults(template: str, name: str, becomes: Callable[[str | None], str | None]) -> str:
    written = []
    for part in _readable(template) or [template]:
        if isinstance(part, str):
            written.append(part)
            continue
        said = becomes(part.default) if part.name == name else part.default
        written.append("{" + part.spelling + ("" if said is None else f"|{said}") + "}")
    return "".join(written)


def _readable(template: str) -> tuple[Part, ...]:
    try:
        return parts_of(template)
    except BadInput:
        return ()


def spelling_of(name: str, language: str) -> str:
    """How we write a canonical name in a text of this language."""
    return NAMES[name]["pt" if language.lower().startswith("pt") else "en"][0]


def _gap(inside: str, position: int) -> Gap:
    written, bar, default = inside.partition("|")
    spelling = _fold(written) if len(written) <= LONGEST_NAME else written
    if not spelling:
        raise BadInput("text", "gap_empty", position=position)
    if spelling in NOT_A_PERSON:
        raise BadInput("text", "gap_person", name=written.strip(), suggestion=NOT_A_PERSON[spelling])
    if spelling not in MEANING:
        suggestion = _nearest(spelling)
        if suggestion:
            raise BadInput("text", "gap_unknown_near", name=written.strip(), suggestion=suggestion)
        raise BadInput("text", "gap_unknown", name=written.strip()[:LONGEST_NAME])
    return Gap(MEANING[spelling][0], spelling, default.strip() if bar else None)


@lru_cache(maxsize=512)
def _fold(written: str) -> str:
    """{ Meu nome }, {MEU-NOME} and {avaliação} are {meu_nome} and {avaliacao}."""
    bare = "".join(c for c in unicodedata.normalize("NFD", written) if not unicodedata.combining(c))
    return "_".join(bare.casefold().replace("-", " ").replace("_", " ").split())


def _nearest(spelling: str) -> str:
    """What was probably meant, or nothing; a long text between braces is not compared at all."""
    if len(spelling) > LONGEST_NAME:
        return ""
    return next(iter(get_close_matches(spelling, MEANING, n=1, cutoff=0.6)), "")


def _one_line(value: str | None) -> str | None:
    """A value from outside keeps no line breaks, control or direction characters: it stands in a sentence of ours.

    None for one of which nobody would see anything: it would be a hole in that sentence.
    """
    if value is None or not is_seen(value):
        return None
    if value.isprintable():  # nearly always: then it has none of them
        return " ".join(value.split())
    kept = (c if c in JOINERS or unicodedata.category(c) not in ("Cc", "Cf") else " " for c in value)
    return " ".join("".join(kept).split()).strip(JOINERS)
