"""The calendar file: what another program reads out of it is what the rules say."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
import recurring_ical_events
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from server.domain.calendar_series import Series, series
from server.domain.public_holidays import HolidayChoice, is_holiday
from server.domain.recurrence import LOCAL, Recurrence, Rule, day_bounds
from server.domain.units import Unit
from server.http.languages import set_up_languages
from server.services.exporting import Planned, PlannedSlot
from server.store.models import SlotRow
from server.web.calendars.calendar_file import (
    LOOK_AHEAD,
    LOOK_BACK,
    calendar_file,
    changed_at,
    entries,
    tag,
)
from tests.factories.claims import NOON
from tests.factories.slots import TODAY, a_rule, rules

COMMUNE = Unit("xa-1", "Xã Đồng Văn", 1, "tinh")
SINCE, UNTIL = TODAY - LOOK_BACK, TODAY + LOOK_AHEAD


@pytest.fixture(autouse=True, scope="module")
def _speaking():
    app = Flask("test")
    set_up_languages(app)
    with app.test_request_context():
        yield


def planned(*rules_of_slots: Rule, **of_row: object) -> Planned:
    made = (
        PlannedSlot(_row(f"s-{number}", rule, **of_row), COMMUNE, rule, ("Xã Đồng Văn",), ())
        for number, rule in enumerate(rules_of_slots)
    )
    return Planned(COMMUNE, tuple(made))


def _row(slot_id: str, rule: Rule, **overrides: object) -> SlotRow:
    boring = {
        "slot_id": slot_id,
        "unit_id": COMMUNE.unit_id,
        "title": "Bản tin sáng",
        "bulletin_class": "ordinary",
        "recurrence": rule.recurrence.value,
        "weekdays": rule.weekdays,
        "pattern": rule.pattern,
        "holidays": rule.holidays.value,
        "local_start": rule.local_start,
        "version": 3,
        "created_at": NOON,
    }
    return SlotRow(**{**boring, **overrides})


def written(some: Planned, today: date = TODAY) -> bytes:
    return calendar_file(some, entries(some, today))


def events(some: Planned):
    return Calendar.from_ical(written(some)).walk("VEVENT")


def read_by_others(file: bytes, until: date) -> list[tuple[datetime, datetime]]:
    """What a program that is not ours finds up to a day."""
    start, end = day_bounds(SINCE)[0], day_bounds(until)[1]
    found = recurring_ical_events.of(Calendar.from_ical(file)).between(start, end)
    spans = ((one["DTSTART"].dt.astimezone(UTC), one["DTEND"].dt.astimezone(UTC)) for one in found)
    return sorted(span for span in spans if start <= span[0] < end)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(rules, st.frozensets(st.integers(-5, 30), max_size=3))
@example(a_rule(), frozenset({0, 1}))
def test_another_program_reads_the_same_occurrences_out_of_it(rule: Rule, excluded):
    rule = replace(rule, excluded=frozenset(TODAY + timedelta(days=day) for day in excluded))
    until = TODAY + timedelta(days=70)
    ours = [rule.occurrence(day) for day in rule.days(SINCE, until)]
    assert read_by_others(written(planned(rule)), until) == ours


def test_what_the_format_can_say_is_one_event_that_goes_on():
    assert series(a_rule(), SINCE, UNTIL) == (Series(TODAY, "FREQ=DAILY"),)
    weekly = a_rule(recurrence=Recurrence.WEEKLY, weekdays=0b0010001, last_day=date(2027, 1, 31))
    (one,) = series(weekly, SINCE, UNTIL)
    # The last one, on Friday the 29th, begins at 22:30 of the day before in UTC.
    assert one == Series(date(2026, 11, 23), "FREQ=WEEKLY;UNTIL=20270130T223000Z;BYDAY=MO,FR")


def test_the_moon_and_holidays_are_told_day_by_day_for_a_year():
    lunar = a_rule(recurrence=Recurrence.LUNAR, pattern="DAY=15")
    found = series(lunar, SINCE, UNTIL)
    assert all(one.is_single for one in found)
    assert [one.first_day for one in found] == list(lunar.days(SINCE, UNTIL))
    (besides,) = series(a_rule(holidays=HolidayChoice.EXCEPT), SINCE, UNTIL)
    assert date(2027, 1, 1) in besides.left_out
    assert all(map(is_holiday, besides.left_out))
    only = series(a_rule(holidays=HolidayChoice.ONLY), SINCE, UNTIL)
    assert all(one.is_single and is_holiday(one.first_day) for one in only)


def test_a_count_and_a_last_day_never_stand_together():
    rule = a_rule(recurrence=Recurrence.RRULE, pattern="FREQ=DAILY;COUNT=5")
    assert series(rule, SINCE, UNTIL)[0].rrule == "FREQ=DAILY;COUNT=5"
    ended = replace(rule, last_day=TODAY + timedelta(days=30))
    assert series(ended, SINCE, UNTIL)[0].rrule == "FREQ=DAILY;UNTIL=20261124T223000Z"


def test_every_line_fits_and_every_letter_survives():
    title = "Tiếng Mông, tiếng Tày; “bản tin” \\ buổi sáng của xã vùng cao phía Bắc " * 2
    file = written(planned(a_rule(), title=title.strip()))
    lines = file.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert all(line.decode() is not None for line in lines)  # no letter is cut in two
    (event,) = events(planned(a_rule(), title=title.strip()))
    assert event["SUMMARY"] == title.strip()
    assert event["CATEGORIES"].cats == ["Thông thường", "Xã Đồng Văn"]


def test_an_event_past_midnight_ends_on_the_next_day_on_the_wall_of_viet_nam():
    (event,) = events(planned(a_rule(local_start=time(23, 50), length=timedelta(minutes=20))))
    assert event["DTSTART"].params["TZID"] == "Asia/Ho_Chi_Minh"
    assert event["DTEND"].dt == datetime(2026, 11, 22, 0, 10, tzinfo=LOCAL)
    (zone,) = Calendar.from_ical(written(planned(a_rule()))).walk("VTIMEZONE")
    assert zone["TZID"] == "Asia/Ho_Chi_Minh"
    assert zone.subcomponents[0]["TZOFFSETTO"].td == timedelta(hours=7)


def test_an_event_keeps_its_name_and_counts_its_changes():
    (first,) = events(planned(a_rule()))
    moved = a_rule(local_start=time(6, 0))
    (second,) = events(planned(moved, version=4, changed_at=NOON + timedelta(hours=1)))
    assert first["UID"] == second["UID"]
    assert (first["SEQUENCE"], second["SEQUENCE"]) == (3, 4)
    assert first["LAST-MODIFIED"].dt == first["DTSTAMP"].dt == NOON
    assert second["LAST-MODIFIED"].dt == NOON + timedelta(hours=1)
    lunar = {"recurrence": Recurrence.LUNAR, "pattern": "DAY=1"}
    named = [
        [event["UID"] for event in events(planned(a_rule(**lunar, local_start=time(hour))))]
        for hour in (5, 6)
    ]
    assert named[0] == named[1]
    assert len(set(named[0])) == len(named[0]) > 10


def test_a_withdrawn_slot_is_cancelled_and_not_just_gone():
    (event,) = events(planned(a_rule(), withdrawn_at=NOON + timedelta(hours=2)))
    assert event["STATUS"] == "CANCELLED"
    assert event["SEQUENCE"] == 4
    assert event["LAST-MODIFIED"].dt == NOON + timedelta(hours=2)


def test_a_length_that_is_no_whole_second_is_no_shorter_in_the_file():
    (event,) = events(planned(a_rule(length=timedelta(seconds=0.4))))
    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(seconds=1)


def test_the_same_slots_on_the_same_day_are_the_same_bytes_and_others_are_not():
    one, same = planned(a_rule()), planned(a_rule())
    other = planned(a_rule(), title="Bản tin chiều")
    tags = [tag(some, entries(some, TODAY)) for some in (one, same, other)]
    assert written(one) == written(same)
    assert tags[0] == tags[1] != tags[2]


def test_it_counts_as_changed_at_midnight_and_with_every_slot():
    midnight = day_bounds(TODAY)[0]
    assert changed_at(planned(), midnight) == midnight
    later = midnight + timedelta(hours=3, microseconds=5)
    assert changed_at(planned(a_rule(), changed_at=later), midnight) == later.replace(microsecond=0)
