"""How numbers, times and phones are written, in the language of whoever is looking (Babel, CLDR).

What is not known is an em dash.  Clocks have 24 hours in both languages; a year is only written when it is not this
one; up to a day ago is told as a distance.  Times come in aware and are shown in the zone of the team.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import phonenumbers
from babel.dates import format_date, get_timezone_name
from babel.numbers import format_currency, format_decimal, format_percent

from ui.words import _, asking, language, ngettext

UNKNOWN = "—"
ZONE = ZoneInfo("America/Sao_Paulo")  # where no person is asking
COUNTED_UP_TO = 10_000
_MONTH_DAY = {"pt-BR": "d MMM", "en": "MMM d"}
_MONTH_DAY_YEAR = {"pt-BR": "d MMM y", "en": "MMM d, y"}
_WEEKDAY = {"pt-BR": "EEE, d MMM", "en": "EEE, MMM d"}
_WEEKDAY_YEAR = {"pt-BR": "EEE, d MMM y", "en": "EEE, MMM d, y"}
_FULL = {"pt-BR": "EEEE, d 'de' MMMM", "en": "EEEE, MMMM d"}
_LONG = {"pt-BR": "d 'de' MMMM", "en": "MMMM d"}


def number(value: float | None, digits: int = 0) -> str:
    """1.086 or 1,086."""
    if value is None:
        return UNKNOWN
    decimals = "." + "0" * digits if digits else ""
    return format_decimal(value, format=f"#,##0{decimals}", locale=_locale())


def counted(value: int | None) -> str:
    """A total that was not counted to its end: above 10,000 it reads `10.000+`."""
    if value is not None and value > COUNTED_UP_TO:
        return number(COUNTED_UP_TO) + "+"
    return number(value)


def to_do(count: int) -> str:
    """How many wait, where there is room for three digits; beyond them `999+`."""
    return number(count) if count < 1_000 else "999+"


def percent(share: float | None, digits: int = 1) -> str:
    """0.149 is 14,9%.  Takes a share, not a hundredth."""
    if share is None:
        return UNKNOWN
    decimals = "." + "0" * digits if digits else ""
    return format_percent(share, format=f"#,##0{decimals}%", locale=_locale())


def share_of(part: int, whole: int) -> str:
    """The percentage that `part` is of `whole`; unknown of nothing."""
    return percent(part / whole) if whole else UNKNOWN


def rating(stars: float | None) -> str:
    """4,9"""
    return number(stars, 1)


def money(value: Decimal | float | None, currency: str = "BRL") -> str:
    return UNKNOWN if value is None else format_currency(value, currency, locale=_locale())


def day(when: date | datetime | None, *, today: date | None = None, weekday: bool = False) -> str:
    """11 jun. or Jun 11; with the weekday: qui., 11 jun. or Thu, Jun 11."""
    if when is None:
        return UNKNOWN
    local = _local_day(when)
    same_year = local.year == (today or local_now().date()).year
    patterns = (_WEEKDAY if same_year else _WEEKDAY_YEAR) if weekday else (_MONTH_DAY if same_year else _MONTH_DAY_YEAR)
    return format_date(local, patterns[language()], locale=_locale())


def short_day(when: date) -> str:
    """11/6 or 6/11: for the axis of a chart, where there is no room for more."""
    return f"{when.day}/{when.month}" if language() == "pt-BR" else f"{when.month}/{when.day}"


def long_day(when: date | datetime, *, weekday: bool = False) -> str:
    """Quinta-feira, 11 de junho or Thursday, June 11."""
    text = format_date(_local_day(when), (_FULL if weekday else _LONG)[language()], locale=_locale())
    text = text.replace("-feira", "")  # as people say it: quinta, 11 de junho
    return text[:1].upper() + text[1:] if weekday else text


def clock(when: datetime | None) -> str:
    """14:20, in the zone of the team."""
    return UNKNOWN if when is None else when.astimezone(zone()).strftime("%H:%M")


def moment(when: datetime | None, *, today: date | None = None) -> str:
    """seg., 15 jun., 12:30 or Mon, Jun 15, 12:30: a day and a time that both matter."""
    return UNKNOWN if when is None else f"{day(when, today=today, weekday=True)}, {clock(when)}"


def ago(when: datetime | None, now: datetime | None = None) -> str:
    """há 12 min, há 2 h; ontem, 17:05; then the day.  Put the exact moment in a tooltip."""
    if when is None:
        return UNKNOWN
    now = now or local_now()
    passed = now - when
    if passed < timedelta(minutes=1):
        return _("just now")
    if passed < timedelta(hours=1):
        return _("{n} min ago").format(n=int(passed.total_seconds() // 60))
    if passed < timedelta(hours=24):
        return _("{n} h ago").format(n=int(passed.total_seconds() // 3600))
    if _local_day(when) == _local_day(now) - timedelta(days=1):
        return _("yesterday, {time}").format(time=clock(when))
    return day(when, today=_local_day(now))


def briefly(when: datetime | None, now: datetime | None = None) -> str:
    """12 min, 2 h; ontem; then the day: as `ago`, where a column has room for no more."""
    if when is None:
        return UNKNOWN
    now = now or local_now()
    minutes = int((now - when).total_seconds() // 60)
    if minutes < 1:
        return _("now")
    if minutes < 24 * 60:
        return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"
    if _local_day(when) == _local_day(now) - timedelta(days=1):
        return _("yesterday")
    return day(when, today=_local_day(now))


def duration(span: timedelta | None) -> str:
    """2 h 10 min, 12 min, 40 s, 3 dias 4 h: two units at most."""
    if span is None:
        return UNKNOWN
    seconds = max(0, round(span.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        text = ngettext("{n} day", "{n} days", days).format(n=days)
        return text if not hours % 24 else f"{text} {hours % 24} h"
    if hours:
        return f"{hours} h" if not minutes % 60 else f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def countdown(span: timedelta | None) -> str:
    """0:38, 12:05, 1:02:00."""
    if span is None:
        return UNKNOWN
    seconds = max(0, round(span.total_seconds()))
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def distance(metres: float | None) -> str:
    """500 m, 5 km, 2,5 km."""
    if metres is None:
        return UNKNOWN
    if metres < 1000:
        return f"{number(metres)} m"
    return f"{number(metres / 1000, 0 if metres % 1000 == 0 else 1)} km"


def phone(e164: str | None) -> str:
    """(11) 90000-0142 for a Brazilian number, +1 555-010-0199 for any other; as it stands when it cannot be read."""
    if not e164:
        return UNKNOWN
    try:
        parsed = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return e164
    national = parsed.country_code == 55
    form = phonenumbers.PhoneNumberFormat.NATIONAL if national else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, form)


def zone_name(of: ZoneInfo | None = None) -> str:
    """Horário de Brasília: for where a time is shown that is not the reader's own."""
    return get_timezone_name(of or zone(), width="long", locale=_locale())


def local_now() -> datetime:
    """Now, for telling distances; what decides anything asks the database's clock."""
    return datetime.now(zone())


def zone() -> ZoneInfo:
    """The zone of the team whose page is being built."""
    actor = asking()
    return ZoneInfo(actor.timezone) if actor is not None else ZONE


def _local_day(when: date | datetime) -> date:
    return when.astimezone(zone()).date() if isinstance(when, datetime) else when


def _locale() -> str:
    return language().replace("-", "_")
