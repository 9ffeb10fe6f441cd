"""Every label and sentence that a person reads, in English and in Brazilian Portuguese.

    from ui.words import _, ngettext

    ui.label(_("Sent today"))
    ui.label(ngettext("{n} lead", "{n} leads", count).format(n=number(count)))

The message id is the English sentence; the Portuguese stands in `pt_BR/<area>.po`, a file per page or area, all read
and compiled in memory at first use.  Gaps are named: `_("{name} is disconnected").format(name=...)`.  The language is
that of the person whose page is being built or whose click is being answered; see `speaking` for everything else.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from nicegui import context
from nicegui.slot import Slot

from core.accounts.rules import Actor

LANGUAGES = {"pt-BR": "Português", "en": "English"}
DEFAULT = "pt-BR"
FOLDER = Path(__file__).parent
# Babel takes 0 for one thing in Brazil, as the CLDR does; people say "0 mensagens", and read "0 mensagem" as a slip.
ZERO_IS_MANY = "nplurals=2; plural=(n != 1);"

_spoken: ContextVar[str | None] = ContextVar("spoken", default=None)


def _(message: str) -> str:
    """The sentence in the language of whoever is looking."""
    return _catalogue(language()).gettext(message)


def ngettext(one: str, many: str, n: int) -> str:
    """The form that fits the count; write the count into it with `.format(n=...)`."""
    return _catalogue(language()).ngettext(one, many, n)


def of_many(message: str) -> str:
    """What is said of one ("Sent", Enviada), as the title of many (Enviadas): in Portuguese it takes another form.

    In the catalogue it stands under msgctxt "many".
    """
    return _catalogue(language()).pgettext("many", message)


def N_(message: str) -> str:
    """Marks a sentence that is kept as a constant and translated where it is shown, with `_(it)`."""
    return message


def language() -> str:
    """`pt-BR` or `en`: what `speaking` says, else that of the page's person, else Portuguese."""
    spoken = _spoken.get()
    if spoken:
        return spoken
    actor = asking()
    return actor.language if actor is not None and actor.language in LANGUAGES else DEFAULT


def asking() -> Actor | None:
    """The person whose page is being built or whose click is being answered; None where there is none."""
    if not Slot.get_stack():  # asking for context.client outside of a page would turn NiceGUI into script mode
        return None
    request = context.client._request
    return request.scope.get("state", {}).get("actor") if request is not None else None


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """What is said inside is said in this language: plain HTML pages, exports, tests."""
    token = _spoken.set(language if language in LANGUAGES else DEFAULT)
    try:
        yield
    finally:
        _spoken.reset(token)


def preferred(accept_language: str) -> str:
    """The language of a browser before anyone has signed in: the first of ours that it accepts, else Portuguese."""
    wishes = []
    for place, part in enumerate(accept_language[:200].split(",")):
        tag, _sep, quality = part.strip().partition(";q=")
        try:
            wishes.append((-float(quality or 1), place, tag.lower()))
        except ValueError:
            continue
    for _quality, _place, tag in sorted(wishes):
        if tag.startswith("pt"):
            return "pt-BR"
        if tag.startswith("en"):
            return "en"
    return DEFAULT


def merged(folder: Path) -> Catalog:
    """All files of one language as one catalogue.

    Where two files translate one sentence differently the first stays; tests/ui/test_words.py does not let that pass.
    """
    whole = Catalog(locale=folder.name)
    whole.mime_headers = [("Plural-Forms", ZERO_IS_MANY)]
    for file in sorted(folder.glob("*.po")):
        for message in messages(file):
            if message.string and whole.get(message.id, message.context) is None:
                whole.add(message.id, message.string, context=message.context)
    return whole


def messages(file: Path) -> list[Message]:
    """The entries of one catalogue, without its header."""
    with file.open("rb") as lines:
        return [message for message in read_po(lines, locale=file.parent.name) if message.id]


@lru_cache
def _catalogue(language: str) -> gettext.NullTranslations:
    folder = FOLDER / language.replace("-", "_")
    if not folder.is_dir():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, merged(folder))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
