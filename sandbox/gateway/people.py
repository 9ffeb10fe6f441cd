"""The people behind the numbers: who exists, who reads, who answers and what.

What a person does follows from the telephone number (as WhatsApp writes it) and the gateway's seed, so a run can be
repeated and a test knows beforehand what will happen:

- a number ending in **0000**, or with fewer than eight digits, is not on WhatsApp;
- a number ending in **77** writes from a hidden address (`@lid`), with the phone in `remoteJidAlt`;
- of the others, `Habits` says which share gets, reads, answers, or wants no more messages.

A person answers the **first** message of an instance and then is silent, so that two machines never talk for ever.
Tests and the control page can say otherwise, for one number or for everyone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

from sandbox.gateway.addresses import make_jid, person_digits
from sandbox.gateway.config import Habits

SHORTEST_NUMBER = 8

REPLIES = (
    "Oi! Pode me mandar mais informações?",
    "Quanto custa?",
    "Tenho interesse sim, como funciona?",
    "Agora estou no atendimento, me chama amanhã de manhã?",
    "Quem é? Onde conseguiram meu contato?",
    "Bom dia! Vocês atendem aos sábados?",
    "Obrigado, já temos quem faça isso.",
    "Pode falar com a gerente, ela chega às 14h",
    "Manda a tabela por favor 🙏",
    "Gostei. Quando vocês podem passar aqui?",
    "Qual o prazo de entrega?",
    "Aceita cartão?",
)
OPT_OUTS = ("SAIR", "SAIR", "sair", "Sair.", "PARAR", "Não tenho interesse")
FIRST_NAMES = (
    "Alzira",
    "Benício",
    "Cidália",
    "Dirceu",
    "Eulália",
    "Firmino",
    "Graça",
    "Honório",
    "Iolanda",
    "Juvenal",
)
LAST_NAMES = (
    "Albuquim",
    "Bragança Nunes",
    "Capistrano",
    "Damaso",
    "Espíndola",
    "Falcão Reis",
    "Gusmão",
    "Horta",
)

Replying = Literal["natural", "never", "always"]


@dataclass(frozen=True)
class Person:
    """What one person will do with a message; `reply` is what they answer, None is nothing.

    `reply_after_s` None leaves the time to the gateway's timings.
    """

    digits: str
    exists: bool
    uses_lid: bool
    name: str
    phone: Literal["ios", "android"]
    delivered: bool
    reads: bool
    reply: str | None
    opts_out: bool
    reply_after_s: float | None = None


class Chance:
    """Numbers from 0.0 to 1.0 that follow from a text and a purpose; the same again every time."""

    def __init__(self, *of: object) -> None:
        self._of = ":".join(str(part) for part in of)

    def __call__(self, purpose: str) -> float:
        digest = hashlib.sha256(f"{self._of}:{purpose}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48

    def pick(self, purpose: str, among: tuple[str, ...]) -> str:
        return among[int(self(purpose) * len(among))]

    def between(self, purpose: str, span: tuple[float, float]) -> float:
        return span[0] + self(purpose) * (span[1] - span[0])


@dataclass(frozen=True)
class Override:
    """What a test wants of one person; None leaves it as it follows from the number.

    `reply`: a text, or "" for none.
    """

    exists: bool | None = None
    delivered: bool | None = None
    reads: bool | None = None
    reply: str | None = None
    reply_after_s: float | None = None
    uses_lid: bool | None = None
    name: str | None = None


class People:
    """Everyone who could be written to.  `replies` and `habits` hold for all, `set` for one number."""

    def __init__(self, seed: str, habits: Habits) -> None:
        self.habits = habits
        self.replies: Replying = "natural"
        self._seed = seed
        self._overrides: dict[str, Override] = {}

    def set(self, number: str, override: Override) -> None:
        """What is said of one number replaces what was said of it before."""
        self._overrides[canonical(number)] = override

    def forget_overrides(self) -> None:
        self._overrides.clear()
        self.replies = "natural"

    def behind(self, jid: str) -> Person:
        """The person at an address of any form."""
        digits = person_digits(jid)
        person = self._natural(digits)
        override = self._overrides.get(digits)
        return _as_told(person, override) if override else person

    def chance(self, *of: object) -> Chance:
        return Chance(self._seed, *of)

    def _natural(self, digits: str) -> Person:
        chance, habits = Chance(self._seed, digits), self.habits
        mood = chance("reply")
        opts_out = mood < habits.opt_out
        replies = mood < habits.opt_out + habits.reply
        if self.replies != "natural":
            replies, opts_out = self.replies == "always", opts_out and self.replies == "always"
        return Person(
            digits=digits,
            exists=len(digits) >= SHORTEST_NUMBER and not digits.endswith("0000"),
            uses_lid=digits.endswith("77"),
            name=f"{chance.pick('first', FIRST_NAMES)} {chance.pick('last', LAST_NAMES)}",
            phone="ios" if chance("phone") < 0.3 else "android",
            delivered=chance("delivered") < habits.delivered,
            reads=chance("read") < habits.read,
            reply=chance.pick("sentence", OPT_OUTS if opts_out else REPLIES) if replies else None,
            opts_out=opts_out,
        )


def canonical(number: str) -> str:
    """A number as WhatsApp writes it, whatever form it was given in."""
    return person_digits(make_jid(number))


def _as_told(person: Person, override: Override) -> Person:
    told = {
        name: value
        for name in ("exists", "delivered", "reads", "reply_after_s", "uses_lid", "name")
        if (value := getattr(override, name)) is not None
    }
    if override.reply is not None:
        told |= {"reply": override.reply or None, "opts_out": override.reply in OPT_OUTS}
        if override.reply:
            told.setdefault("delivered", True)
    return replace(person, **told)
