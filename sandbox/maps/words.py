"""What the map says to people, in Portuguese (any `hl` of it) and English (anything else)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    language: str  # "pt" or "en"
    code: str
    days: tuple[str, ...]
    short_days: tuple[str, ...]
    open: str
    closed: str
    open_24: str
    open_until_: str
    closed_until_: str
    closed_until_day_: str
    clock: Callable[[int], str]
    permanently_closed: str
    temporarily_closed: str
    owner: str
    claim: str
    reviews_one: str
    reviews_many: str
    stars: str
    results_for: str
    end_of_list: str
    sponsored: str
    website: str
    directions: str
    limited: str
    limited_more: str
    nothing_found: str
    nothing_hint: str
    address: str
    phone: str
    plus_code: str
    overview: str
    reviews: str
    about: str
    country: str
    dogs: str
    neighbourhood: str
    city: str
    consent_title: str
    consent_text: str
    reject: str
    accept: str
    blocked_title: str
    blocked_text: str
    simulated: str
    search: str
    price_levels: tuple[str, ...]

    def span(self, start: int, end: int) -> str:
        return f"{self.clock(start)}–{self.clock(end)}"

    def open_until(self, end: int) -> str:
        return self.open_until_.format(time=self.clock(end))

    def closed_until(self, start: int, day: int | None) -> str:
        if day is None:
            return self.closed_until_.format(time=self.clock(start))
        return self.closed_until_day_.format(time=self.clock(start), day=self.short_days[day])

    def review_count(self, count: int) -> str:
        grouped = f"{count:,}".replace(",", "." if self.language == "pt" else ",")
        return (self.reviews_one if count == 1 else self.reviews_many).format(n=grouped)

    def number(self, value: float) -> str:
        """One decimal, as ratings are shown."""
        return f"{value:.1f}".replace(".", "," if self.language == "pt" else ".")


def _clock_24(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _clock_12(minutes: int) -> str:
    """With the narrow no-break space that the map puts before AM and PM."""
    hour, minute = divmod(minutes % 1440, 60)
    shown = f"{hour % 12 or 12}:{minute:02d}" if minute else f"{hour % 12 or 12}"
    return f"{shown}\u202f{'AM' if hour < 12 else 'PM'}"


PORTUGUESE = Words(
    language="pt",
    code="pt-BR",
    days=(
        "segunda-feira",
        "terça-feira",
        "quarta-feira",
        "quinta-feira",
        "sexta-feira",
        "sábado",
        "domingo",
    ),
    short_days=("seg.", "ter.", "qua.", "qui.", "sex.", "sáb.", "dom."),
    open="Aberto",
    closed="Fechado",
    open_24="Atendimento 24 horas",
    open_until_="Aberto ⋅ Fecha às {time}",
    closed_until_="Fechado ⋅ Abre às {time}",
    closed_until_day_="Fechado ⋅ Abre {day} às {time}",
    clock=_clock_24,
    permanently_closed="Fechado permanentemente",
    temporarily_closed="Temporariamente fechado",
    owner="proprietário",
    claim="Reivindicar esta empresa",
    reviews_one="{n} comentário",
    reviews_many="{n} comentários",
    stars="{n} estrelas",
    results_for="Resultados para {query}",
    end_of_list="Você chegou ao final da lista.",
    sponsored="Patrocinado",
    website="Website",
    directions="Rotas",
    limited="Você está vendo uma versão limitada do Google Maps.",
    limited_more="Saiba mais",
    nothing_found="O mapa não encontrou {query}",
    nothing_hint="Confira se escreveu corretamente ou acrescente uma cidade.",
    address="Endereço: {value}",
    phone="Telefone: {value}",
    plus_code="Plus Code: {value}",
    overview="Visão geral",
    reviews="Avaliações",
    about="Sobre",
    country="Brasil",
    dogs="Aceita cães",
    neighbourhood="Bairro",
    city="Cidade",
    consent_title="Antes de continuar",
    consent_text="Usamos cookies e dados. Escolha se aceita ou rejeita.",
    reject="Rejeitar tudo",
    accept="Aceitar tudo",
    blocked_title="Tráfego incomum",
    blocked_text="Nossos sistemas detectaram tráfego incomum vindo da sua rede (unusual traffic).",
    simulated="Mapa simulado: a cidade e as empresas são inventadas",
    search="Pesquisar no mapa",
    price_levels=("Barato", "Preço moderado", "Caro"),
)
ENGLISH = Words(
    language="en",
    code="en",
    days=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    short_days=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    open="Open",
    closed="Closed",
    open_24="Open 24 hours",
    open_until_="Open ⋅ Closes {time}",
    closed_until_="Closed ⋅ Opens {time}",
    closed_until_day_="Closed ⋅ Opens {time} {day}",
    clock=_clock_12,
    permanently_closed="Permanently closed",
    temporarily_closed="Temporarily closed",
    owner="Owner",
    claim="Claim this business",
    reviews_one="{n} review",
    reviews_many="{n} reviews",
    stars="{n} stars",
    results_for="Results for {query}",
    end_of_list="You've reached the end of the list.",
    sponsored="Sponsored",
    website="Website",
    directions="Directions",
    limited="You're seeing a limited view of Google Maps.",
    limited_more="Learn more",
    nothing_found="The map can't find {query}",
    nothing_hint="Make sure your search is spelled correctly, or add a city.",
    address="Address: {value}",
    phone="Phone: {value}",
    plus_code="Plus code: {value}",
    overview="Overview",
    reviews="Reviews",
    about="About",
    country="Brazil",
    dogs="Dogs allowed",
    neighbourhood="Neighborhood",
    city="City",
    consent_title="Before you continue",
    consent_text="We use cookies and data. Choose whether you accept or reject.",
    reject="Reject all",
    accept="Accept all",
    blocked_title="Unusual traffic",
    blocked_text="Our systems have detected unusual traffic from your computer network.",
    simulated="Simulated map: the city and its businesses are invented",
    search="Search the map",
    price_levels=("Inexpensive", "Moderately expensive", "Expensive"),
)


def words_for(hl: str) -> Words:
    return PORTUGUESE if hl.lower().split("-")[0] == "pt" else ENGLISH
