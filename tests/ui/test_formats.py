"""Numbers, times and phones as each language writes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ui.words import formats as f
from ui.words import speaking

THURSDAY = datetime(2026, 6, 11, 16, 12, tzinfo=UTC)  # 13:12 in São Paulo
TODAY = THURSDAY.date()
LAST_YEAR = datetime(2025, 12, 3, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("say", "portuguese", "english"),
    [
        (lambda: f.number(1086), "1.086", "1,086"),
        (lambda: f.number(None), "—", "—"),
        (lambda: f.counted(10_000), "10.000", "10,000"),
        (lambda: f.counted(3_184_000), "10.000+", "10,000+"),
        (lambda: f.percent(0.149), "14,9%", "14.9%"),
        (lambda: f.percent(1, 0), "100%", "100%"),
        (lambda: f.share_of(41, 268), "15,3%", "15.3%"),
        (lambda: f.share_of(0, 0), "—", "—"),
        (lambda: f.rating(4.9), "4,9", "4.9"),
        (lambda: f.rating(5), "5,0", "5.0"),
        (lambda: f.money(1234.56), "R$ 1.234,56", "R$1,234.56"),
        (lambda: f.day(THURSDAY, today=TODAY), "11 jun.", "Jun 11"),
        (lambda: f.day(THURSDAY, today=TODAY, weekday=True), "qui., 11 jun.", "Thu, Jun 11"),
        (lambda: f.day(LAST_YEAR, today=TODAY), "3 dez. 2025", "Dec 3, 2025"),
        (lambda: f.long_day(THURSDAY, weekday=True), "Quinta, 11 de junho", "Thursday, June 11"),
        (lambda: f.long_day(THURSDAY), "11 de junho", "June 11"),
        (lambda: f.clock(THURSDAY), "13:12", "13:12"),
        (lambda: f.moment(THURSDAY, today=TODAY), "qui., 11 jun., 13:12", "Thu, Jun 11, 13:12"),
        (lambda: f.duration(timedelta(hours=2, minutes=10)), "2 h 10 min", "2 h 10 min"),
        (lambda: f.duration(timedelta(minutes=12)), "12 min", "12 min"),
        (lambda: f.duration(timedelta(seconds=40)), "40 s", "40 s"),
        (lambda: f.duration(timedelta(days=1)), "1 dia", "1 day"),
        (lambda: f.duration(timedelta(days=3, hours=4)), "3 dias 4 h", "3 days 4 h"),
        (lambda: f.countdown(timedelta(seconds=38)), "0:38", "0:38"),
        (lambda: f.countdown(timedelta(hours=1, minutes=2)), "1:02:00", "1:02:00"),
        (lambda: f.distance(500), "500 m", "500 m"),
        (lambda: f.distance(2500), "2,5 km", "2.5 km"),
        (lambda: f.distance(5000), "5 km", "5 km"),
        (lambda: f.ago(THURSDAY, THURSDAY + timedelta(seconds=20)), "agora", "just now"),
        (lambda: f.ago(THURSDAY, THURSDAY + timedelta(minutes=12)), "há 12 min", "12 min ago"),
        (lambda: f.ago(THURSDAY, THURSDAY + timedelta(hours=23)), "há 23 h", "23 h ago"),
        (lambda: f.ago(THURSDAY, THURSDAY + timedelta(hours=25)), "ontem, 13:12", "yesterday, 13:12"),
        (lambda: f.ago(THURSDAY, THURSDAY + timedelta(days=9)), "11 jun.", "Jun 11"),
        (lambda: f.ago(None), "—", "—"),
        (lambda: f.phone("+5511900000142"), "(11) 90000-0142", "(11) 90000-0142"),
        (lambda: f.phone("+15550100199"), "+1 555-010-0199", "+1 555-010-0199"),
        (lambda: f.phone("not a phone"), "not a phone", "not a phone"),
        (lambda: f.phone(None), "—", "—"),
    ],
)
def test_it_is_written_as_each_language_does(say: Callable[[], str], portuguese: str, english: str) -> None:
    with speaking("pt-BR"):
        assert say().replace("\xa0", " ") == portuguese
    with speaking("en"):
        assert say() == english
