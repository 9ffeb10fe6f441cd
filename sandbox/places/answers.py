"""What the Places API says of a business of the invented city, in its own shapes.

It is Google's, so it knows what the demo map shows, by the same ids: all of them, and their phones.
"""

from __future__ import annotations

from typing import Any

from sandbox.maps import Area, Place, identity, plan
from sandbox.maps.hours import ALL_DAY, Week

GENERIC = ["point_of_interest", "establishment"]
PRICES = {1: "PRICE_LEVEL_INEXPENSIVE", 2: "PRICE_LEVEL_MODERATE", 3: "PRICE_LEVEL_EXPENSIVE"}
DAY = 1440


def place(of: Place, language: str) -> dict[str, Any]:
    """Every field there is; the mask takes from it.  What a business has not got is left out, never null."""
    spoken = "pt" if language.lower().startswith("pt") else "en"
    said: dict[str, Any] = {
        "id": of.place_id,
        "types": [of.trade.key, *GENERIC],
        "displayName": {"text": of.name, "languageCode": spoken},
        "primaryTypeDisplayName": {"text": of.trade.label(spoken), "languageCode": spoken},
        "location": {"latitude": of.lat, "longitude": of.lng},
        "plusCode": {"globalCode": of.plus_code},
        "googleMapsUri": f"https://maps.google.com/?cid={of.cid}&g_mp=simulated&hl={spoken}&source=apiv3",
        "businessStatus": {"CLOSED": "CLOSED_PERMANENTLY", "TEMPORARILY_CLOSED": "CLOSED_TEMPORARILY"}.get(
            of.status or "", "OPERATIONAL"
        ),
        "timeZone": {"id": plan.TIMEZONE},
        "addressComponents": _components(of),
    }
    if of.address:
        said["formattedAddress"] = f"{of.address}, Brasil"
    if of.phone:
        said["internationalPhoneNumber"] = f"+{of.phone[1:3]} {of.phone[3:5]} {of.phone[5:-4]}-{of.phone[-4:]}"
        said["nationalPhoneNumber"] = f"({of.phone[3:5]}) {of.phone[5:-4]}-{of.phone[-4:]}"
    if of.website:
        said["websiteUri"] = of.website
    if of.rating and of.reviews:
        said |= {"rating": of.rating, "userRatingCount": of.reviews}
    if of.price_level:
        said["priceLevel"] = PRICES[of.price_level]
    if of.week:
        said["regularOpeningHours"] = {"openNow": False, "periods": periods(of.week), "weekdayDescriptions": []}
    return said


def area(of: Area) -> dict[str, Any]:
    return {
        "id": identity.place_id(of.features),
        "types": ["locality" if of.is_city else "sublocality_level_1", "political"],
        "displayName": {"text": of.name, "languageCode": "pt"},
        "formattedAddress": f"{of.name}, Brasil",
        "location": {"latitude": of.lat, "longitude": of.lng},
    }


def masked(said: dict[str, Any], mask: str) -> dict[str, Any]:
    """What `places.a,places.b` leaves of it; `places.displayName.text` keeps the whole of displayName."""
    wanted = {part.strip().split(".")[1] for part in mask.split(",") if part.strip().startswith("places.")}
    return said if "*" in mask else {name: value for name, value in said.items() if name in wanted}


def error(code: int, status: str, message: str, reason: str = "") -> dict[str, Any]:
    said: dict[str, Any] = {"code": code, "message": message, "status": status}
    if reason:
        info = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "googleapis.com",
            "metadata": {"service": "places.googleapis.com", "consumer": "projects/100000000000"},
        }
        said["details"] = [info]
    return {"error": said}


def periods(week: Week) -> list[dict[str, Any]]:
    """Their week begins on Sunday; always open is one opening that never closes."""
    if all(day == ALL_DAY for day in week):
        return [{"open": {"day": 0, "hour": 0, "minute": 0}}]
    found = [
        {"open": _moment(number, start), "close": _moment(number, end)}
        for number, day in enumerate(week)
        for start, end in day
    ]
    return sorted(found, key=lambda each: (each["open"]["day"], each["open"]["hour"], each["open"]["minute"]))


def _moment(weekday: int, minutes: int) -> dict[str, int]:
    days, rest = divmod(minutes, DAY)
    return {"day": (weekday + 1 + days) % 7, "hour": rest // 60, "minute": rest % 60}


def _components(of: Place) -> list[dict[str, Any]]:
    def part(text: str, *kinds: str, short: str = "") -> dict[str, Any]:
        return {"longText": text, "shortText": short or text, "types": list(kinds), "languageCode": "pt-BR"}

    street = [part(str(of.house), "street_number"), part(of.street, "route")] if of.has_address else []
    return [
        *street,
        part(of.neighbourhood, "sublocality_level_1", "sublocality", "political"),
        part(plan.CITY, "administrative_area_level_2", "political"),
        part(plan.STATE_NAME, "administrative_area_level_1", "political", short=plan.STATE),
        part("Brasil", "country", "political", short=plan.COUNTRY),
        *([part(of.postcode, "postal_code")] if of.has_address else []),
    ]
