"""What went wrong, as a sentence: errors of core carry a key and values, never words.

The sentences for the keys of `BadInput` stand in `ui/words/sentences/`, a file per area, so that two people never
write in one.  tests/ui/test_words.py finds a key that core uses and nobody has put into words.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from core.errors import (
    BadInput,
    BadInputs,
    NotAllowed,
    NotFound,
    PrumoError,
    SignedOut,
    StateChanged,
    TooManyTries,
    WrongCredentials,
)
from ui.words import N_, _, formats, ngettext, sentences

WORDS_OF = {
    SignedOut: N_("Your session has ended. Sign in to go on."),
    WrongCredentials: N_("E-mail or password is not right."),
    NotAllowed: N_("Your role does not allow this. Ask whoever administers the team."),
    NotFound: N_("This is not here any more."),
    StateChanged: N_("Somebody changed this a moment ago. Look at it again before you decide."),
}


@lru_cache
def all_sentences() -> dict[str, str]:
    """Every key of BadInput with its English sentence, gathered from the areas."""
    gathered: dict[str, str] = {}
    for module in pkgutil.iter_modules(sentences.__path__):
        area = importlib.import_module(f"{sentences.__name__}.{module.name}")
        for key, sentence in area.SENTENCES.items():
            if gathered.setdefault(key, sentence) != sentence:
                raise ValueError(f"two sentences for {key!r}")
    return gathered


def sentence_of(error: PrumoError) -> str:
    """One sentence that a person can do something with."""
    if isinstance(error, BadInput):
        return sentence_of_input(error)
    if isinstance(error, TooManyTries):
        words = ngettext("Too many tries. Wait {n} second.", "Too many tries. Wait {n} seconds.", error.wait_s)
        return words.format(n=formats.number(error.wait_s))
    if isinstance(error, StateChanged) and f"changed:{error.now}" in all_sentences():
        return _(all_sentences()[f"changed:{error.now}"])
    for kind, words in WORDS_OF.items():
        if isinstance(error, kind):
            return _(words)
    return _("This could not be done. Try again in a moment.")


def sentence_of_input(error: BadInput) -> str:
    """The sentence for one field, its gaps filled."""
    sentence = all_sentences().get(error.key, N_("This value cannot be used."))
    try:
        return _(sentence).format(**written(error.values))
    except (KeyError, IndexError):
        return _(sentence)


def written(values: Mapping[str, object]) -> dict[str, str]:
    """The values of core as a sentence of the reader's language holds them: 10.000 or 10,000."""
    return {name: _written(value) for name, value in values.items()}


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return formats.moment(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return formats.number(value, 0 if isinstance(value, int) or value.is_integer() else 1)


def by_field(error: BadInput) -> dict[str, str]:
    """Every field that is wrong, with its sentence; the first one wins where a field has two."""
    words: dict[str, str] = {}
    for one in error.inputs if isinstance(error, BadInputs) else [error]:
        words.setdefault(one.field, sentence_of_input(one))
    return words
