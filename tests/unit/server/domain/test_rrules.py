"""RFC 5545 texts: the same days as dateutil gives, however far ahead one begins to look."""

from contextlib import suppress
from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.errors import PatternError
from server.domain.recurrence import Recurrence, check
from server.domain.rrule_text import recurrence_set
from server.domain.rrules import LAST_DAY, RecurrenceSet
from tests.factories.rfc5545 import by_dateutil, by_hand, texts
from tests.factories.slots import TODAY

AT = time(5, 30)
A_DAY = timedelta(days=1)
END = date(2036, 12, 31)


def days(text: str, first_day: date = TODAY, start: date | None = None, end: date = END):
    return list(recurrence_set(text, AT).days(first_day, start or first_day, end))


def refusal(text: str) -> str:
    with pytest.raises(PatternError) as error:
        check(Recurrence.RRULE, text, AT)
    return error.value.finding.code


@given(texts, st.dates(date(2020, 1, 1), TODAY), st.integers(0, 1200))
def test_wherever_one_begins_to_look_the_days_are_those_of_dateutil(text, first_day, ahead):
    start = first_day + ahead * A_DAY
    end = start + 400 * A_DAY
    expected = [day for day in by_dateutil(text, first_day, end) if day >= start]
    assert days(text, first_day, start, end) == expected


@given(texts, st.dates(date(2020, 1, 1), TODAY))
def test_the_days_are_those_that_the_tables_of_rfc_5545_leave(text, first_day):
    end = first_day + 900 * A_DAY
    assert days(text, first_day, end=end) == by_hand(text, first_day, end)


@pytest.mark.parametrize("frequency", ["SECONDLY", "MINUTELY", "HOURLY"])
def test_a_slot_comes_at_most_once_a_day(frequency: str):
    assert refusal(f"FREQ={frequency}") == "rrule-too-often"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "rrule-missing"),
        ("BYDAY=MO", "rrule-missing"),
        ("FREQ=OFTEN", "rrule-missing"),
        ("EXDATE:20261201", "rrule-missing"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "rrule-two-ends"),
        ("FREQ=DAILY;COUNT=0", "rrule-number"),
        ("FREQ=DAILY;COUNT=99999999999", "rrule-number"),
        ("FREQ=DAILY;INTERVAL=-1", "rrule-number"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "rrule-number"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "rrule-number"),
        ("FREQ=YEARLY;BYMONTH=-1", "rrule-number"),
        ("FREQ=DAILY;BYHOUR=5", "rrule-clock"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "rrule-part"),
        ("FREQ=MONTHLY;BYWEEKNO=3", "rrule-part"),
        ("FREQ=WEEKLY;BYDAY=2MO", "rrule-unreadable"),
        ("FREQ=YEARLY;BYWEEKNO=2;BYDAY=2MO", "rrule-unreadable"),
        ("FREQ=MONTHLY;BYDAY=1MO,SA", "rrule-unreadable"),
        ("FREQ=YEARLY;BYWEEKNO=3,-52", "rrule-unreadable"),
        ("FREQ=MONTHLY;BYSETPOS=1", "rrule-unreadable"),
        ("FREQ=YEARLY;BYEASTER=0", "rrule-unreadable"),
        ("FREQ=DAILY;FREQ=DAILY", "rrule-unreadable"),
        ("FREQ=DAILY\nFREQ=DAILY", "rrule-unreadable"),
        ("FREQ=DAILY;UNTIL=20270231", "rrule-unreadable"),
        ("FREQ=DAILY;UNTIL=00010101T000000", "rrule-unreadable"),
        ("DTSTART:20261121T053000\nRRULE:FREQ=DAILY", "rrule-unreadable"),
        ("FREQ=DAILY\nEXDATE;TZID=Europe/Paris:20261201T053000", "rrule-unreadable"),
        ("FREQ=DAILY\nEXDATE:20261201T060000", "rrule-other-time"),
        ("FREQ=DAILY;BYDAY=" + "MO," * 2000 + "MO", "rrule-long"),
        ("FREQ=\x00DAILY", "rrule-missing"),
        ("FREQ=DAILY;COUNT=٣", "rrule-number"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_reason(text: str, code: str):
    assert refusal(text) == code


@given(st.text(max_size=60) | st.text("FREQ=DAILYBX;:,-+0123456789TZ\n", max_size=60))
def test_no_text_does_worse_than_to_be_refused(text: str):
    with suppress(PatternError):
        assert isinstance(recurrence_set(text, AT), RecurrenceSet)


@pytest.mark.parametrize("frequency", ["DAILY", "MONTHLY", "YEARLY"])
def test_a_day_that_does_not_exist_never_comes_and_the_search_has_an_end(frequency: str):
    assert days(f"FREQ={frequency};BYMONTH=2;BYMONTHDAY=31", end=LAST_DAY) == []


def test_a_count_counts_from_the_first_day_wherever_one_begins_to_look():
    three = "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;COUNT=3"
    all_three = [date(2026, 11, 22), date(2026, 11, 30), date(2026, 12, 6)]
    assert days(three) == all_three
    assert days(three, start=date(2026, 12, 1)) == all_three[2:]
    assert days(three, start=date(2026, 12, 7)) == []


def test_days_left_out_still_count_and_days_added_do_not():
    text = "RRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20261122\nRDATE:20261224,20261225T053000"
    assert days(text) == [TODAY, date(2026, 11, 23), date(2026, 12, 24), date(2026, 12, 25)]


def test_until_is_the_last_day_unless_its_own_time_is_before_the_slots():
    last = date(2026, 11, 23)
    assert days("FREQ=DAILY;UNTIL=20261123")[-1] == last
    assert days("FREQ=DAILY;UNTIL=20261123T053000")[-1] == last
    assert days("FREQ=DAILY;UNTIL=20261123T052959")[-1] == last - A_DAY
    # 22:30 the evening before in UTC is half past five in Viet Nam.
    assert days("FREQ=DAILY;UNTIL=20261122T223000Z")[-1] == last
    assert days("FREQ=DAILY;UNTIL=20261122T222959Z")[-1] == last - A_DAY


def test_a_month_without_the_day_is_left_out():
    assert days("FREQ=MONTHLY;BYMONTHDAY=31", date(2027, 1, 1), end=date(2027, 5, 31)) == [
        date(2027, 1, 31),
        date(2027, 3, 31),
        date(2027, 5, 31),
    ]


@pytest.mark.parametrize("pattern", ["", "15", "BYMONTHDAY=1;COUNT=3", "BYMONTH=2", "BYDAY=MO\n"])
def test_a_monthly_slot_takes_a_day_or_a_weekday_of_the_month_and_nothing_else(pattern: str):
    with pytest.raises(PatternError) as error:
        check(Recurrence.MONTHLY, pattern, AT)
    assert error.value.finding.code == "bad-month-day"
