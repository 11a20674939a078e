"""Where two slots want the same loudspeakers at the same time."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, settings

from protocol.messages import BulletinClass
from server.domain.public_holidays import HolidayChoice
from server.domain.recurrence import Recurrence, local_day
from server.domain.slots import FAR_HORIZON, MOST_NAMED, claim_id, clashes, slot_of_claim
from tests.factories.slots import SUNDAY_ONLY, TODAY, a_slot, slots

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
"""Midnight, as today begins in Viet Nam."""

A_DAY = timedelta(days=1)


def is_clash(one, other, now=NOW) -> bool:
    return bool(clashes(one, [other], now))


def meets(one, other, days: int) -> bool:
    """Whether any two occurrences of the coming days lie over each other, neighbours by day."""
    if one.bulletin_class is not other.bulletin_class or not one.clusters & other.clusters:
        return False
    stretch = (NOW, NOW + days * A_DAY)
    theirs = {local_day(start): (start, end) for start, end in other.rule.occurrences(*stretch)}
    return any(
        start < theirs[day][1] and theirs[day][0] < end
        for start, end in one.rule.occurrences(*stretch)
        for day in (local_day(start) + ahead * A_DAY for ahead in (-1, 0, 1))
        # What was over before now cannot be helped any more.
        if day in theirs and min(end, theirs[day][1]) > NOW
    )


@settings(max_examples=300, deadline=None)
@given(slots, slots)
def test_a_clash_is_found_just_where_occurrences_lie_over_each_other(one, other):
    if one.rule.by_the_week and other.rule.by_the_week:
        assert is_clash(one, other) == meets(one, other, days=80)
    elif is_clash(one, other):
        assert meets(one, other, days=2 * FAR_HORIZON.days)
    else:
        assert not meets(one, other, days=FAR_HORIZON.days)


@settings(deadline=None)
@given(slots, slots)
def test_a_clash_is_a_clash_from_either_side(one, other):
    assert is_clash(one, other) == is_clash(other, one)


def test_slots_that_touch_do_not_clash():
    first = a_slot("s-1", local_start=time(5, 30))
    assert not is_clash(a_slot("s-2", local_start=time(5, 40)), first)
    assert is_clash(a_slot("s-2", local_start=time(5, 39)), first)


def test_slots_at_other_clusters_do_not_clash():
    assert not is_clash(a_slot("s-1", "c-1"), a_slot("s-2", "c-2"))
    assert is_clash(a_slot("s-1", "c-1 c-2"), a_slot("s-2", "c-2 c-3"))


def test_slots_of_different_classes_may_lie_over_each_other():
    # Circular 39/2020/TT-BTTTT: precedence between the classes decides what is heard.
    assert not is_clash(a_slot("s-1", bulletin_class=BulletinClass.PRIORITY), a_slot("s-2"))


def test_the_last_night_of_one_reaches_into_the_first_morning_of_the_other():
    late = a_slot("s-1", local_start=time(23, 50), length=timedelta(minutes=30), last_day=TODAY)
    early = a_slot("s-2", local_start=time(0, 10), first_day=TODAY + A_DAY)
    assert is_clash(late, early)
    assert is_clash(early, late)


def test_sunday_night_meets_monday_morning():
    sunday = a_slot(
        "s-1",
        recurrence=Recurrence.WEEKLY,
        weekdays=SUNDAY_ONLY,
        local_start=time(23, 55),
        length=timedelta(minutes=10),
    )
    monday = a_slot("s-2", recurrence=Recurrence.WEEKLY, weekdays=1, local_start=time(0, 0))
    tuesday = a_slot("s-3", recurrence=Recurrence.WEEKLY, weekdays=2, local_start=time(0, 0))
    assert is_clash(sunday, monday)
    assert not is_clash(sunday, tuesday)


def test_a_slot_that_begins_years_ahead_clashes_with_what_still_runs_then():
    far = a_slot("s-1", recurrence=Recurrence.ONCE, first_day=date(2029, 5, 1))
    assert is_clash(far, a_slot("s-2"))
    assert is_clash(a_slot("s-2"), far)
    assert not is_clash(far, a_slot("s-2", last_day=date(2029, 4, 30)))


def test_what_is_over_clashes_with_nothing():
    over = a_slot("s-1", first_day=TODAY - 9 * A_DAY, last_day=TODAY - A_DAY)
    assert not is_clash(a_slot("s-2", first_day=TODAY - 9 * A_DAY), over)


def test_a_clash_is_named_with_the_slot_the_day_and_the_time_of_the_first_one():
    mine = a_slot("s-1", first_day=date(2026, 12, 1), local_start=time(5, 35))
    (finding,) = clashes(mine, [a_slot("s-2", "c-2 c-9", title="Tin xã")], NOW)
    assert finding.code == "overlap"
    assert dict(finding.fields) == {
        "slot_id": "s-2",
        "title": "Tin xã",
        "unit": "Xã Một",
        "day": "01/12/2026",
        "start": "05:30:00",
        "end": "05:40:00",
        "clusters": "1",
    }


def test_no_more_clashes_are_named_than_anybody_would_read():
    many = [a_slot(f"s-{number}") for number in range(2 * MOST_NAMED)]
    assert len(clashes(a_slot("s-new"), many, NOW)) == MOST_NAMED


def test_an_occurrence_is_named_for_its_slot_and_its_start():
    named = claim_id("s-0a1b", datetime(2026, 11, 20, 22, 30, tzinfo=UTC))
    assert named == "s-0a1b-20261120t223000z"
    assert slot_of_claim(named) == "s-0a1b"


def test_full_moon_meets_the_thirteenth_only_where_both_fall_on_one_day():
    # 15/10 of the year Bính Ngọ is Monday, 23 November 2026; 15/4 of the next is 20 May 2027.
    moon = a_slot("s-1", recurrence=Recurrence.LUNAR, pattern="DAY=15")
    by_month = {"recurrence": Recurrence.MONTHLY, "last_day": date(2027, 6, 30)}
    assert is_clash(moon, a_slot("s-2", pattern="BYMONTHDAY=20", **by_month))
    assert not is_clash(moon, a_slot("s-3", pattern="BYMONTHDAY=10", **by_month))


def test_not_on_holidays_and_only_on_holidays_share_one_hour_for_ever():
    every_day = a_slot("s-1", holidays=HolidayChoice.EXCEPT)
    on_holidays = a_slot("s-2", holidays=HolidayChoice.ONLY)
    assert not is_clash(every_day, on_holidays)
    assert is_clash(a_slot("s-3"), on_holidays)


def test_a_rule_of_the_29th_of_february_is_looked_for_when_it_comes():
    leap_day = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"
    leap = a_slot("s-1", recurrence=Recurrence.RRULE, pattern=leap_day)
    once = {"recurrence": Recurrence.ONCE, "first_day": date(2036, 2, 29)}
    assert is_clash(leap, a_slot("s-2", **once))
    assert not is_clash(leap, a_slot("s-3", **{**once, "first_day": date(2036, 2, 28)}))
