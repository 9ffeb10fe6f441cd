"""How the businesses of the invented city stand in OpenStreetMap: plain data, and what a mapper wrote of each.

Mappers have found six of ten, and know a phone of half of these.  What is not there is not hidden: it was never told.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.maps import Area, City, Place, plan
from sandbox.maps.hours import ALL_DAY, Week
from sandbox.maps.identity import mix
from sandbox.maps.trades import sought

MAPPED_OF_TEN = 6
KINDS = ("node", "way", "relation")
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")

_BY_TRADE = {
    "amenity=dentist": "dentist dental_clinic dental_implants_provider",
    "amenity=dentist healthcare:speciality=orthodontics": "orthodontist",
    "amenity=doctors": "doctor",
    "amenity=clinic healthcare=clinic": "medical_clinic",
    "amenity=doctors healthcare:speciality=dermatology": "dermatologist",
    "healthcare=psychotherapist": "psychologist",
    "healthcare=physiotherapist": "physical_therapist",
    "healthcare=nutrition_counselling": "nutritionist",
    "shop=optician": "optician",
    "healthcare=laboratory": "medical_laboratory",
    "amenity=pharmacy": "pharmacy",
    "amenity=veterinary": "veterinarian",
    "shop=pet": "pet_store",
    "shop=hairdresser": "beauty_salon hair_salon",
    "shop=hairdresser hairdresser=barber": "barber_shop",
    "shop=beauty beauty=nails": "nail_salon",
    "shop=beauty": "skin_care_clinic",
    "shop=tattoo": "tattoo_shop",
    "leisure=fitness_centre": "gym functional_training_gym",
    "leisure=fitness_centre sport=pilates": "pilates_studio",
    "leisure=fitness_centre sport=yoga;meditation": "yoga_studio",
    "leisure=dance": "dance_school",
    "leisure=sports_centre sport=martial_arts": "martial_arts_school",
    "amenity=restaurant": "restaurant",
    "amenity=restaurant cuisine=pizza": "pizza_restaurant",
    "amenity=fast_food cuisine=burger": "hamburger_restaurant",
    "amenity=restaurant cuisine=barbecue;regional": "barbecue_restaurant",
    "amenity=restaurant cuisine=japanese;sushi": "sushi_restaurant",
    "shop=bakery": "bakery",
    "shop=pastry": "pastry_shop",
    "amenity=cafe": "coffee_shop",
    "amenity=ice_cream": "ice_cream_shop",
    "amenity=fast_food": "snack_bar",
    "amenity=bar": "bar",
    "shop=supermarket": "supermarket",
    "shop=butcher": "butcher_shop",
    "craft=caterer": "caterer",
    "shop=car_repair": "auto_repair_shop",
    "craft=car_painter": "auto_body_shop",
    "shop=tyres": "tire_shop",
    "amenity=car_wash": "car_wash",
    "shop=car_parts": "auto_parts_store",
    "shop=motorcycle_repair": "motorcycle_repair_shop",
    "amenity=driving_school": "driving_school",
    "amenity=fuel": "gas_station",
    "craft=electrician": "electrician",
    "craft=plumber": "plumber",
    "shop=locksmith": "locksmith",
    "shop=pest_control": "pest_control_service",
    "craft=cleaning": "cleaning_service",
    "office=moving_company": "moving_company",
    "shop=hardware": "building_materials_store",
    "office=construction_company": "construction_company",
    "office=architect": "architect",
    "shop=furniture": "furniture_store",
    "craft=glaziery": "glass_shop",
    "shop=florist": "florist",
    "shop=laundry": "laundry",
    "shop=computer": "computer_repair_service",
    "shop=mobile_phone": "cell_phone_store",
    "shop=clothes": "clothing_store",
    "shop=shoes": "shoe_store",
    "shop=stationery": "stationery_store",
    "shop=toys": "toy_store",
    "shop=bicycle": "bicycle_store",
    "shop=jewelry": "jewelry_store",
    "shop=copyshop": "print_shop",
    "office=lawyer": "lawyer",
    "office=accountant": "accounting_firm",
    "office=estate_agent": "real_estate_agency",
    "office=insurance": "insurance_agency",
    "shop=travel_agency": "travel_agency",
    "office=advertising_agency": "marketing_agency",
    "amenity=language_school": "language_school",
    "amenity=kindergarten": "preschool",
    "amenity=prep_school": "tutoring_service",
    "amenity=music_school": "music_school",
    "craft=photographer": "photographer",
    "tourism=hotel": "hotel",
}
BY_TRADE = {trade: tags for tags, trades in _BY_TRADE.items() for trade in trades.split()}


@dataclass(frozen=True)
class Element:
    """A node, or a way whose middle is meant."""

    kind: str
    id: int
    lat: float
    lon: float
    tags: dict[str, str]

    def as_json(self) -> dict[str, object]:
        head: dict[str, object] = {"type": self.kind, "id": self.id}
        if self.kind == "node":
            return head | {"lat": self.lat, "lon": self.lon, "tags": self.tags}
        head["center"] = {"lat": self.lat, "lon": self.lon}
        if self.kind == "way":
            first = self.id * 10
            head["nodes"] = [first, first + 1, first + 2, first + 3, first]
        else:
            head["members"] = []
        return head | {"tags": self.tags}


def elements_of(city: City) -> list[Element]:
    """All that is mapped, nodes before ways and each by id, as Overpass gives it out."""
    found = [_business(place) for place in city.places() if is_mapped(place)]
    return sorted([*found, *_areas(city)], key=lambda each: (KINDS.index(each.kind), each.id))


def is_mapped(place: Place) -> bool:
    return place.status != "CLOSED" and _chance(place.number, 0) % 10 < MAPPED_OF_TEN


def shows_phone(place: Place) -> bool:
    return place.phone is not None and _chance(place.number, 1) % 2 == 0


def _chance(number: int, what: int) -> int:
    return mix(number << 4 | what) >> 8


def _business(place: Place) -> Element:
    tags = dict(part.split("=") for part in BY_TRADE[place.trade.key].split()) | {"name": place.name}
    if place.has_address and _chance(place.number, 2) % 3:
        tags |= {
            "addr:street": place.street,
            "addr:housenumber": str(place.house),
            "addr:suburb": place.neighbourhood,
            "addr:city": plan.CITY,
            "addr:postcode": place.postcode,
        }
    if shows_phone(place):
        tags |= _phones(place)
    if place.website and _chance(place.number, 4) % 2:
        tags["website" if _chance(place.number, 5) % 3 else "contact:website"] = place.website
    if place.week and _chance(place.number, 6) % 2:
        tags["opening_hours"] = said(place.week)
    kind = "way" if _chance(place.number, 7) % 8 == 0 else "node"
    return Element(kind, 9_000_000_000 + place.number, place.lat, place.lng, tags)


def _phones(place: Place) -> dict[str, str]:
    """The same number under the keys that mappers use, and at times a second one behind it."""
    phone = place.phone or ""
    spaced = f"+{phone[1:3]} {phone[3:5]} {phone[5:-4]}-{phone[-4:]}"
    way = _chance(place.number, 3) % 5
    if way == 0 and place.is_mobile:
        return {"contact:whatsapp": spaced, "phone": "+55 11 2000-0000"}
    if way == 1 and place.is_mobile:
        return {"contact:mobile": spaced}
    if way == 2:
        return {"phone": f"{spaced};+55 11 2000-0000"}
    return {"contact:phone" if way == 3 else "phone": spaced}


def said(week: Week) -> str:
    """A week in the grammar of `opening_hours`: days of the same hours together."""
    if all(day == ALL_DAY for day in week):
        return "24/7"
    rules: list[tuple[int, int, str]] = []
    for number, day in enumerate(week):
        hours = ",".join(f"{_clock(start)}-{_clock(end)}" for start, end in day) or "off"
        if rules and rules[-1][2] == hours:
            rules[-1] = (rules[-1][0], number, hours)
        else:
            rules.append((number, number, hours))
    days = [(DAYS[a] if a == b else f"{DAYS[a]}-{DAYS[b]}", hours) for a, b, hours in rules if hours != "off"]
    return "; ".join(f"{names} {hours}" for names, hours in days)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _areas(city: City) -> list[Element]:
    """The city, its state and its quarters."""
    named = {sought(name): city.resolve(name) for name in (plan.CITY, *(hood.name for hood in plan.NEIGHBOURHOODS))}
    found = [_area(1 + n, area) for n, area in enumerate(area for area in named.values() if area)]
    state = {
        "boundary": "administrative",
        "admin_level": "4",
        "name": plan.STATE_NAME,
        "ISO3166-2": f"{plan.COUNTRY}-{plan.STATE}",
    }
    return [*found, Element("relation", 1, plan.CENTRE_LAT, plan.CENTRE_LNG, state)]


def _area(number: int, area: Area) -> Element:
    tags = {"name": area.name.partition(" - ")[0].partition(",")[0], "place": "city" if area.is_city else "suburb"}
    if area.is_city:
        tags["population"] = "412000"
    return Element("node", number, area.lat, area.lng, tags)
