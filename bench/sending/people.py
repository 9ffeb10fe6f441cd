"""Who is written to, and what: the same people and texts for every side."""

from __future__ import annotations

from dataclasses import dataclass

TEMPLATE = (
    "Oi! Vi a {empresa} no mapa, em {bairro}, e gostei do que li. Somos uma equipe pequena de {cidade} e ajudamos"
    " negócios como o seu a responder clientes mais depressa. Posso contar como em duas mensagens?"
)
OPT_OUT_LINE = "Se preferir não receber, responda SAIR."
KINDS = "Clínica Oficina Padaria Mercado Farmácia Loja Estúdio Ateliê".split()
WORDS = "Jatobá Ipê Aurora Horizonte Sabiá Mangueira Cedro Marfim Lagoa Serra Vitral Tamarindo".split()
PLACES = "Centro Batel Moema Savassi Aldeota Boa Viagem Tatuapé Pinheiros".split()


@dataclass(frozen=True)
class Person:
    phone: str  # E.164
    name: str
    kind: str
    neighbourhood: str
    city: str

    @property
    def digits(self) -> str:
        """As the gateway is told."""
        return self.phone.removeprefix("+")

    @property
    def text(self) -> str:
        return (
            TEMPLATE.replace("{empresa}", self.name)
            .replace("{bairro}", self.neighbourhood)
            .replace("{cidade}", self.city)
            + "\n\n"
            + OPT_OUT_LINE
        )


def person(n: int) -> Person:
    kind = KINDS[n % len(KINDS)]
    name = f"{kind} {WORDS[n // 8 % len(WORDS)]} {WORDS[n // 96 % len(WORDS)]} {n}"
    return Person(f"+55119{70_000_000 + n}", name, kind, PLACES[n // 3 % len(PLACES)], "São Paulo")
