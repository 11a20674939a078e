"""Recurrences are told in words that people at the loudspeakers use."""

from dataclasses import dataclass
from datetime import date, time

import pytest
from flask import Flask
from flask_babel import force_locale

from server.http.languages import set_up_languages
from server.web.rule_words import coming_words, lunar_words, rule_words


@dataclass(frozen=True, slots=True)
class Days:
    recurrence: str
    pattern: str = ""
    holidays: str = "any"
    weekdays: int = 127
    local_start: time = time(5, 30)
    first_day: date = date(2026, 11, 23)
    last_day: date | None = None
    excluded_days: tuple[str, ...] = ()


@pytest.fixture(autouse=True)
def speaking():
    app = Flask("test")
    set_up_languages(app)
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (Days("daily", holidays="except"), "Hằng ngày, trừ ngày lễ"),
        (Days("daily", holidays="only"), "Hằng ngày, chỉ vào ngày lễ"),
        (Days("weekly", weekdays=0b1000001), "Theo thứ: T2 CN"),
        (Days("monthly", "BYMONTHDAY=15"), "Hằng tháng: ngày 15"),
        (Days("monthly", "BYMONTHDAY=-1"), "Hằng tháng: ngày cuối tháng"),
        (Days("monthly", "BYDAY=2TU"), "Hằng tháng: Thứ Ba lần thứ 2"),
        (Days("monthly", "BYDAY=-1SU"), "Hằng tháng: Chủ Nhật cuối cùng"),
        (Days("lunar", "DAY=1"), "Âm lịch, hằng tháng: mùng 1"),
        (Days("lunar", "DAY=15"), "Âm lịch, hằng tháng: rằm (ngày 15)"),
        (Days("lunar", "DAY=10;MONTH=3"), "Âm lịch, hằng năm: mùng 10 tháng 3"),
        (
            Days("lunar", "DAY=15;MONTH=7;LEAP=both"),
            "Âm lịch, hằng năm: rằm (ngày 15) tháng 7 (cả tháng nhuận)",
        ),
        (
            Days("rrule", "FREQ=MONTHLY;INTERVAL=2;BYDAY=1MO;COUNT=6\nEXDATE:20270430"),
            "Cứ 2 tháng; vào Thứ Hai lần thứ 1; 6 lần; trừ 30/04/2027",
        ),
        (
            Days("rrule", "FREQ=YEARLY;BYMONTH=5,9;BYSETPOS=-1;UNTIL=20301231"),
            "Hằng năm; vào tháng 5, 9; BYSETPOS=-1; đến hết 31/12/2030",
        ),
    ],
)
def test_a_rule_is_told_in_vietnamese(days: Days, words: str):
    assert rule_words(days) == words


def test_it_is_told_from_when_until_when_a_slot_comes_and_which_days_it_leaves_out_yet():
    first, today = date(2026, 11, 24), date(2026, 12, 1)
    assert coming_words(Days("once", first_day=first), today) == "Một lần · 24/11/2026"
    assert coming_words(Days("daily", first_day=first), today) == "Hằng ngày · từ 24/11/2026"
    ends = Days(
        "daily",
        first_day=first,
        last_day=date(2027, 1, 31),
        excluded_days=("2027-01-01", "2026-11-30", "2026-12-02"),
    )
    until = "Hằng ngày · 24/11/2026 – 31/01/2027 · trừ 02/12/2026, 01/01/2027"
    assert coming_words(ends, today) == until


def test_a_rule_is_told_in_english_too():
    with force_locale("en"):
        assert rule_words(Days("monthly", "BYDAY=2TU")) == "Every month: the 2. Tuesday"


def test_a_day_is_told_by_the_moon_with_leap_month_and_holiday():
    assert lunar_words(date(2026, 11, 23)) == "15/10 âm lịch"
    assert lunar_words(date(2027, 2, 6)) == "1/1 âm lịch, ngày lễ"
    assert lunar_words(date(2025, 7, 25)) == "1/6 âm lịch (tháng nhuận)"
    assert lunar_words(date(2150, 1, 2)) == ""
