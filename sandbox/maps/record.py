"""One place as the site's nested array: what stands where, in a list response and in a place's own answer.

The indices are facts read from answers of the real site; the tests hold them against recorded ones.  A slot that the
site leaves empty is None; nothing here may be relied on to be there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from . import identity, plan
from .city import Area, Place
from .geo import Viewport
from .hours import listed, shut
from .words import Words

LENGTH = 260


@dataclass(frozen=True)
class Reader:
    """To whom the answer goes and what they may see."""

    words: Words
    gl: str  # the reader's country, two small letters
    base_url: str
    now: datetime  # local time of the city
    session: str
    query: str = ""
    sees_counts: bool = True  # the NID cookie is there and the view is not the limited one
    is_short: bool = False  # asked with a short pb: no plus code, no picture

    @property
    def is_abroad(self) -> bool:
        return self.gl != plan.COUNTRY.lower()

    def ved(self, place_number: int, what: int) -> str:
        return f"0ahUKE{self.session[:10]}{identity.mix(place_number << 8 ^ what) & 0xFFFFFFFFFF:010x}"


def record(place: Place, reader: Reader) -> list[Any]:
    """As it stands in a list response."""
    r: list[Any] = [None] * LENGTH
    r[0], r[1] = reader.session, reader.ved(place.number, 1)
    _who(r, place, reader)
    _where(r, place, reader)
    _phone(r, place, reader)
    _standing(r, place, reader)
    r[203] = _hours(place, reader)
    r[100] = [None, _attributes(place, reader)]
    r[30], r[110], r[243] = plan.TIMEZONE, reader.words.code, plan.COUNTRY
    r[61] = r[67] = r[205] = r[214] = 1
    r[130], r[146] = 0, [9]
    r[164] = [[0, place.trade.en], place.trade.label(reader.words.language)]
    if not reader.is_short:
        r[72] = [[_photo(place, reader, 0, "w86-h86-k-no"), _photo(place, reader, 0, "w408-h408-k-no")]]
    _ordering(r, place)
    return r


def place_record(place: Place, reader: Reader) -> list[Any]:
    """As it stands in the place's own answer: all of the list's, and what only it has."""
    r = record(place, reader)
    viewport = Viewport.at_zoom(place.lat, place.lng, 17)
    link = f"{reader.base_url}/maps/place/{quote_plus(place.name)}"
    r[27] = f"{link}/data=!4m2!3m1!1s{place.data_id}!10m1!1e1"
    r[42] = (
        f"{reader.base_url}/maps/preview/place/{quote_plus(r[18] or place.name)}"
        f"/@{place.lat},{place.lng},{viewport.altitude:.0f}a,13.1y/data=!4m2!3m1!1s{place.data_id}"
    )
    if place.is_claimed:
        owner = _owner_id(place)
        r[57] = [None, f"{place.name} ({reader.words.owner})", owner, *[None] * 5, owner]
        r[154] = [[_own_words(place, reader)], ["https://mapas.example/merchantdescription"]]
    description = _description(place, reader)
    r[32] = [[None, description.split(".")[0]], [None, description]]
    r[37] = [[_street(place, reader, "search.gws-prod.gps", (211, 120))]]
    r[84] = [_popular_times(place), 0]
    r[171] = [_albums(place, reader)]
    if place.rating is not None and reader.sees_counts:
        r[175] = _reviews(place, reader)
    return r


def place_answer(place: Place, reader: Reader) -> list[Any]:
    """The whole answer of /maps/preview/place; [6] is the record."""
    root: list[Any] = [None] * 32
    root[1] = []
    root[4] = camera(Viewport.at_zoom(place.lat, place.lng, 17))
    root[6] = place_record(place, reader)
    root[12], root[13] = reader.session, reader.ved(place.number, 2)
    pair = [str(place.features[0]), place.cid]
    spot = [int(place.lat * 1e7) & 0xFFFFFFFF, int(place.lng * 1e7) & 0xFFFFFFFF]
    place_ids = [pair, place.kg_id, None, spot, *[None] * 9, f"gcid:{place.trade.key}"]
    root[25] = [[[2, "spotlit"]], None, None, [[*[None] * 13, [place_ids, 0, 0, 0, 0]]]]
    root[31] = [str(int(reader.now.timestamp() * 1000)), [[plan.TIMEZONE, None, -180]]]
    return root


def area_record(area: Area, reader: Reader) -> list[Any]:
    """A neighbourhood or the city itself, as the one hit of its own name."""
    r: list[Any] = [None] * LENGTH
    name = area.name.split(",")[0].removesuffix(f" - {plan.STATE}")
    data_id = identity.data_id(area.features)
    r[0], r[1] = reader.session, reader.ved(0, 3)
    r[2] = [area.name] + ([reader.words.country] if reader.is_abroad else [])
    r[9], r[10], r[11] = [None, None, area.lat, area.lng], data_id, name
    r[13] = [reader.words.city if area.is_city else reader.words.neighbourhood]
    r[18] = r[39] = area.name
    r[30], r[110], r[243] = plan.TIMEZONE, reader.words.code, plan.COUNTRY
    r[76] = [["locality" if area.is_city else "neighborhood"]]
    r[78] = identity.place_id(area.features)
    r[88] = [None, "SearchResult.TYPE_LOCALITY", None, name, None]
    return r


def camera(viewport: Viewport) -> list[Any]:
    """How the site writes a viewport: [altitude, lng, lat], tilt, screen, field of view."""
    return [
        [viewport.altitude, viewport.lng, viewport.lat],
        [0, 0, 0],
        [viewport.width, viewport.height],
        13.1,
    ]


def categories(place: Place, language: str) -> list[str]:
    """The main one, then some of the seconds of its trade."""
    some = [extra for n, extra in enumerate(place.trade.extras) if (place.number >> n) & 1]
    return [place.trade.label(language), *(pt if language == "pt" else en for pt, en in some)]


def place_link(place: Place, hl: str) -> str:
    """What a card links to: data_id, coordinates, KG id and place_id are all in it."""
    kg = f"!16s{quote(place.kg_id, safe='')}" if place.kg_id else ""
    data = f"!4m7!3m6!1s{place.data_id}!8m2!3d{place.lat}!4d{place.lng}{kg}!19s{place.place_id}"
    return f"/maps/place/{quote_plus(place.name)}/data={data}?authuser=0&hl={quote(hl)}&rclk=1"


# ---------------------------------------------------------------- parts of a record


def _who(r: list[Any], place: Place, reader: Reader) -> None:
    trade, language = place.trade, reader.words.language
    r[10], r[11], r[78] = place.data_id, place.name, place.place_id
    r[13] = categories(place, language)
    r[76] = [[trade.key]] + [[f"{trade.key}_{n}"] for n in range(1, len(r[13]))]
    r[88] = [
        place.status or (reader.words.dogs if place.dogs_welcome else None),
        trade.code,
        [trade.code, plan.COUNTRY, 57, 84, 85, 151] if trade.code else None,
        place.name,
        [None, None, 188, 187, 1166, 186],
    ]
    r[89], r[101] = place.kg_id, place.local_name
    r[227] = [[place.data_id, None, None, place.kg_id, place.place_id]]
    if place.is_claimed:
        accounts = [_listing_id(place), _owner_id(place)]
        r[181] = [*[None] * 5, *accounts]
        r[227][0] += accounts
    else:
        url = f"{reader.base_url}/business/create?fp={place.cid}&hl={reader.words.code}"
        r[49] = [url, reader.words.claim, None, reader.ved(place.number, 4)]
        r[226] = [url, None, None, None, None, None, 1]
    if place.website:
        r[7] = [
            _as_linked(place),
            _domain(place.website),
            None,
            None,
            f",AOvVaw,,{reader.ved(place.number, 5)},",
        ]


def _as_linked(place: Place) -> str:
    """One website in 25 comes wrapped in the site's own redirect."""
    assert place.website is not None
    if identity.mix(place.number) % 25:
        return place.website
    return f"/url?q={quote(place.website, safe='')}&opi=79508299&sa=U&ved=0ahUKE{place.number:x}"


def _domain(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _where(r: list[Any], place: Place, reader: Reader) -> None:
    r[9] = [None, None, place.lat, place.lng]
    r[208] = [[None, None, place.lat, place.lng]]
    r[14] = place.neighbourhood
    if not place.has_address:
        return
    lines = [
        f"{place.street_line} - {place.neighbourhood}",
        f"{plan.CITY} - {plan.STATE}",
        place.postcode,
    ] + ([reader.words.country] if reader.is_abroad else [])
    whole = ", ".join(lines)
    city = ", ".join(lines[1:2] + lines[3:])
    r[2], r[18], r[39] = lines, f"{place.name}, {whole}", whole
    r[82] = [place.neighbourhood, place.street_line, place.street_line, plan.CITY]
    r[166] = city
    r[183] = [
        [
            [7, [[part] for part in (place.name, *lines)]],
            [2, [[r[18]]]],
            [1, [[whole]]],
            [4, [[city]]],
        ],
        [*r[82], place.postcode, plan.STATE_NAME, plan.COUNTRY],
    ]
    if not reader.is_short:
        code = place.plus_code
        r[183].append([reader.ved(place.number, 6), [code], [f"{code[4:]} {city}"], 2])


def national(phone: str) -> str:
    """(11) 90000-0000 or (11) 2000-0000."""
    digits = phone[5:]
    return f"({phone[3:5]}) {digits[:-4]}-{digits[-4:]}"


def international(phone: str) -> str:
    digits = phone[5:]
    return f"+55 {phone[3:5]} {digits[:-4]}-{digits[-4:]}"


def _phone(r: list[Any], place: Place, reader: Reader) -> None:
    """One in 20 has a bare national number in the raw slot, as some countries' places do."""
    if not place.phone:
        return
    here, abroad = national(place.phone), international(place.phone)
    raw = place.phone if identity.mix(place.number ^ 0xF0) % 20 else place.phone[3:]
    r[178] = [
        [
            abroad if reader.is_abroad else here,
            [[here, 1], [abroad, 2]],
            None,
            raw,
            None,
            [f"tel:{raw}", None, None, reader.ved(place.number, 7)],
        ]
    ]


def _standing(r: list[Any], place: Place, reader: Reader) -> None:
    """Rating and price.  The count needs the cookie; even then one in twenty has it in the words only."""
    if place.rating is None:
        return
    price = "$" * place.price_level or None
    r[4] = [None, None, price, None, price, None, None, place.rating, None]
    if reader.sees_counts:
        url = f"{reader.base_url}/local/reviews?placeid={place.place_id}&q={quote_plus(reader.query)}"
        r[4][3] = [url, reader.words.review_count(place.reviews), None, reader.ved(place.number, 8)]
        if identity.mix(place.number ^ 0xC0) % 20:
            r[4][8] = place.reviews
    if price:
        r[4] += [None, reader.words.price_levels[place.price_level - 1]]


def _hours(place: Place, reader: Reader) -> list[Any] | None:
    words = reader.words
    if place.status:
        return shut(words.permanently_closed if place.status == "CLOSED" else words.temporarily_closed)
    return listed(place.week, reader.now, words) if place.week else None


YES_OR_NO, ONE_OF, SOME_OF = 1, 2, 3
ATTRIBUTES = (
    ("accessibility", "Acessibilidade", "Accessibility", "has_wheelchair_accessible_entrance",
     "Entrada com acessibilidade", "Wheelchair accessible entrance", YES_OR_NO),
    ("payments", "Pagamentos", "Payments", "pay_debit_card", "Cartões de débito", "Debit cards", YES_OR_NO),
    ("payments", "Pagamentos", "Payments", "pay_mobile_nfc", "Pagamento por aproximação", "NFC mobile payments",
     YES_OR_NO),
    ("payments", "Pagamentos", "Payments", "pay_credit_card_types_accepted", "Cartões de crédito", "Credit cards",
     SOME_OF),
    ("amenities", "Comodidades", "Amenities", "wi_fi", "Wi-Fi", "Wi-Fi", ONE_OF),
    ("planning", "Planejamento", "Planning", "requires_appointments", "Requer agendamento", "Appointment required",
     YES_OR_NO),
    ("service_options", "Opções de serviço", "Service options", "has_onsite_services", "Serviços no local",
     "Onsite services", YES_OR_NO),
)  # fmt: skip
CARDS = (("/g/11g9h0tjcp", "Mastercard"), ("/g/11dym31hb5", "VISA"), ("/g/11g9h0p8fm", "Elo"))


def _attributes(place: Place, reader: Reader) -> list[Any]:
    """Groups of [id, label, [attribute, ...]]; most places have most of them."""
    portuguese = reader.words.language == "pt"
    groups: dict[str, list[Any]] = {}
    for n, (key, group_pt, group_en, path, pt, en, kind) in enumerate(ATTRIBUTES):
        draw = identity.mix(place.number ^ 0xA0) >> n
        if draw & 3 == 0:
            continue
        group = groups.setdefault(key, [key, group_pt if portuguese else group_en, []])
        group[2].append(_attribute(path, pt if portuguese else en, kind, draw, portuguese))
    return list(groups.values())


def _attribute(path: str, label: str, kind: int, draw: int, portuguese: bool) -> list[Any]:
    """[path, label, answer, None, [where from], 0]: one in 16 that can be denied is."""
    if kind == YES_OR_NO:
        denied = draw & 0xF0 == 0
        told = (f"Não tem: {label}" if portuguese else f"No {label}") if denied else label
        answer = [kind, [[0 if denied else 1, told]], [0 if denied else 1, told, label, told]]
    elif kind == ONE_OF:
        value = "Wi-Fi gratuito" if portuguese else "Free Wi-Fi"
        answer = [kind, None, None, ["/g/11g6nbss9b", None, value, value]]
    else:
        some = CARDS[: 1 + (draw >> 8) % len(CARDS)]
        answer = [kind, None, None, None, [None, [[[[card, None, name, name] for card, name in some], None, [1]]]]]
    return [f"/geo/type/establishment_poi/{path}", label, answer, None, [1], 0]


def _ordering(r: list[Any], place: Place) -> None:
    """Menu, orders and table bookings of some of the places that serve food."""
    if not place.trade.orders:
        return
    slug = f"{place.number:05d}"
    draw = identity.mix(place.number ^ 0x0D)
    if draw & 3 == 0:
        r[38] = [f"https://cardapio.example/{slug}", "cardapio.example", None, None, ""]
    if draw & 12 == 0:
        url = f"https://pedidos.example/{slug}"
        r[75] = [
            [
                [
                    4,
                    None,
                    [[["pedidos.example", None, None, 20000202], [None, None, [url, [url]]]]],
                    None,
                    21634,
                ]
            ]
        ]
    if draw & 48 == 0:
        r[46] = [[f"https://reservas.example/{slug}", "reservas.example"]]


def _photo(place: Place, reader: Reader, number: int, form: str) -> list[Any]:
    token = f"AF1Qip{place.number:06d}{number}"
    return [
        token,
        10,
        12,
        "",
        None,
        1000.0,
        [f"{reader.base_url}/photos/{token}={form}", place.name, [1200, 1200], [86, 86]],
        None,
        [[3, place.lng, place.lat], [0, 90], [1200, 1200], 75],
    ]


ALBUMS = (("Tudo", "All"), ("Mais recentes", "Latest"), ("Ambiente", "Vibe"), ("Do proprietário", "By owner"))


def _albums(place: Place, reader: Reader) -> list[Any]:
    """[id, ved, title, [photo]] each; the last is the street in front of it."""
    titles = [pt if reader.words.language == "pt" else en for pt, en in ALBUMS[: 1 + place.number % len(ALBUMS)]]
    albums = [
        [f"CgIgAQ{n}=", reader.ved(place.number, 9 + n), title, [_photo(place, reader, n, "w298-h298-k-no")]]
        for n, title in enumerate(titles)
    ]
    street = _street(place, reader, "maps_sv.tactile.gps", (224, 298))
    return [*albums, ["CgIgARICCAI=", reader.ved(place.number, 30), "Street View & 360°", [street]]]


def _street(place: Place, reader: Reader, client: str, size: tuple[int, int]) -> list[Any]:
    """The picture that a car took in front of the door: its id stands alone and in its address."""
    panorama = f"{identity.mix(place.number ^ 0x5E):016x}pano_Q"
    width, height = size
    url = (
        f"{reader.base_url}/photos/{panorama}?panoid={panorama}&cb_client={client}&w={width}&h={height}&yaw=90&pitch=0"
    )
    view = [[3, place.lng, place.lat], [90.0, 90], [1024, 768], 75]
    return [panorama, 0, 1, place.name, None, None, [url, "", None, [width, height]], None, view]


def _owner_id(place: Place) -> str:
    """An account: 21 digits, the first of them 1."""
    return f"1{identity.mix(place.features[0]):020d}"


def _listing_id(place: Place) -> str:
    return str(identity.mix(place.features[0] ^ 1))


def _own_words(place: Place, reader: Reader) -> str:
    if reader.words.language == "pt":
        return f"Somos do bairro {place.neighbourhood} e atendemos toda a cidade de {plan.CITY}. Fale com a gente."
    return f"We are from {place.neighbourhood} and serve all of {plan.CITY}. Talk to us."


def _description(place: Place, reader: Reader) -> str:
    label = place.trade.label(reader.words.language)
    if reader.words.language == "pt":
        return f"{label} em {place.neighbourhood}, {plan.CITY}. Atendimento com hora marcada ou por ordem de chegada."
    return f"{label} in {place.neighbourhood}, {plan.CITY}. Walk in or book ahead."


def _popular_times(place: Place) -> list[Any]:
    """A row a day, 7 for Sunday first: [day, [[hour, percent, words, "", label, None, group], ...], 0]"""
    draw = Random(place.number)
    days = []
    for day in (7, 1, 2, 3, 4, 5, 6):
        hours = [[h, draw.randrange(0, 100, 5), "", "", f"{h}h", None, f"{h // 3 * 3}h"] for h in range(6, 24)]
        days.append([day, hours, 0])
    return days


SAID = {
    "pt": (
        "Ótimo atendimento, recomendo.",
        "Preço justo e lugar limpo.",
        "Demorou um pouco, mas resolveu.",
        "Voltarei.",
    ),
    "en": (
        "Great service.",
        "Fair price and a clean place.",
        "Took a while but got it done.",
        "Will come back.",
    ),
}


def _reviews(place: Place, reader: Reader) -> list[Any]:
    """[3] is how many gave one star to five; [9][0][0] the first few reviews."""
    per_star = _per_star(place.reviews, place.rating or 5) if place.reviews else [0] * 5
    said = [_review(place, reader, number) for number in range(min(place.reviews, 5 + place.number % 4))]
    return [None, [None, 1], 0, per_star, None, None, None, None, None, [[said]]]


def _per_star(reviews: int, rating: float) -> list[int]:
    """How many gave one star to five, so that their mean is the rating, as near as whole reviews come to it."""
    low, above = divmod(round(rating * reviews), reviews)
    stars = [0] * 7  # the first and the last are there to be added to, and stay at nought
    stars[low], stars[low + 1] = reviews - above, above
    if low == 4:  # four fours are a one and three fives
        few = stars[4] // 8
        stars[1], stars[4], stars[5] = few, stars[4] - 4 * few, stars[5] + 3 * few
    elif 1 < low < 4:  # two of the same are one above and one below
        pairs = stars[low] // 6
        stars[low - 1], stars[low], stars[low + 1] = pairs, stars[low] - 2 * pairs, stars[low + 1] + pairs
    return stars[1:6]


def _review(place: Place, reader: Reader, number: int) -> list[Any]:
    token = f"Ci9{place.number:06d}{number}"
    when = int(reader.now.timestamp() * 1_000_000) - (number + 1) * 2_592_000_000_000
    who = [
        f"{'Visitante' if reader.words.language == 'pt' else 'Visitor'} {number + 1}",
        "",
        [""],
        f"{number}",
    ]
    ago = f"{number + 1} {'meses atrás' if reader.words.language == 'pt' else 'months ago'}"
    text = SAID[reader.words.language][(place.number + number) % 4]
    stars = 5 if (place.number + number) % 4 else 4
    return [
        [
            token,
            [f"0x0:{place.features[1]:#x}", None, when, when, [None, None, [""], None, None, who], None, ago],
            [[stars], *[None] * 13, [reader.words.code], [[text, None, [0, len(text)]]]],
            [],
        ]
    ]
