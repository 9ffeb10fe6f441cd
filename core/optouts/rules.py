"""Who must never be written to again, and how we know: pure decisions about what people answer."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class OptOutReason(StrEnum):
    BY_REPLY = "by_reply"  # answered with one of the words
    BY_HAND = "by_hand"  # somebody of the team entered it
    COMPLAINT = "complaint"  # complained


class Verdict(StrEnum):
    YES = "yes"  # asks to be left alone: takes effect before the next message
    NO = "no"
    DOUBTFUL = "doubtful"  # may be meant so: a person reads it


# Whole messages, folded.  A single word is also taken at the start of a message of up to five words ("sair por favor").
WORDS = frozenset("sair parar pare cancelar remover descadastrar descadastre stop unsubscribe baja".split())
SENTENCES = frozenset(
    {
        "nao quero",
        "nao quero mais",
        "nao quero receber",
        "nao quero mais receber",
        "nao quero receber mensagens",
        "nao quero mais receber mensagens",
        "nao tenho interesse",
        "sem interesse",
        "nao me mande mais mensagem",
        "nao me mande mais mensagens",
        "nao mande mais mensagem",
        "nao mande mais mensagens",
        "nao envie mais",
        "nao envie mais mensagens",
        "me tira da lista",
        "me tire da lista",
        "me remova",
        "me remova da lista",
        "quero sair",
        "opt out",
        "opt-out",
        "not interested",
        "remove me",
        "no quiero",
        "dar de baja",
    }
)
# Beside one of WORDS these turn it into something else: "pode parar aqui na loja", "sair para almoçar".
_HINTS = re.compile(
    r"\b(sair|parar|pare|para de|cancelar|remov\w+|descadastr\w+|stop|spam|denunci\w+|procon|lgpd|lista"
    r"|nao (quero|mand\w+|envi\w+)|quem e)\b"
)
_POLITE = frozenset("por favor pf pfv obrigado obrigada please da lista desta me quero ja agora".split())


def fold(text: str) -> str:
    """Lower case, no accents, no signs or emoji, single spaces: `"  NÃO quero!! 🙏"` is `nao quero`."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(c if c.isalnum() or c == "-" else " " for c in plain if not unicodedata.combining(c))
    return " ".join(kept.split())


def read_opt_out(text: str) -> Verdict:
    """Whether an answer asks to be left alone.

    Exact words and sentences only, so that nobody is removed for "não vou sair do plano"; what merely smells of it is
    DOUBTFUL.  Texts longer than a few lines are never more than that.
    """
    folded = fold(text[:4000])
    if not folded:
        return Verdict.NO
    if folded in WORDS or folded in SENTENCES:
        return Verdict.YES
    words = folded.split()
    if words[0] in WORDS and all(word in _POLITE for word in words[1:6]) and len(words) <= 5:
        return Verdict.YES
    if words[-1] in WORDS and all(word in _POLITE for word in words[:-1]) and len(words) <= 5:
        return Verdict.YES
    return Verdict.DOUBTFUL if _HINTS.search(folded) else Verdict.NO
