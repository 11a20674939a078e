"""Where two slots want the same loudspeakers at the same time."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.messages import BulletinClass
from server.domain.clashes import MOST_NAMED, MOST_SOUGHT_FOR, clashes, found_wrong, shared_clusters
from server.domain.public_holidays import HolidayChoice
from server.domain.recurrence import Recurrence
from tests.factories.clash_oracle import a_case, days_met
from tests.factories.slots import SUNDAY_ONLY, TODAY, an_occupant

NOW = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
"""Midnight, as today begins in Viet Nam."""

A_DAY = timedelta(days=1)


def is_clash(one, other, now=NOW) -> bool:
    return bool(clashes(one, [other], now))


@settings(deadline=None, max_examples=400)
@given(st.integers(0, 2**32).map(Random))
def test_a_clash_is_found_on_just_the_days_on_which_occurrences_lie_over_each_other(random):
    case = a_case(random)
    first, last = case.window
    found = clashes(case.new, [case.other], case.now)
    told = {day for clash in found for day in clash.days if first <= day <= last}
    assert told == days_met(case)


@settings(deadline=None)
@given(st.integers(0, 2**32).map(Random))
def test_a_clash_is_a_clash_from_either_side(random):
    case = a_case(random)
    assert is_clash(case.new, case.other, case.now) == is_clash(case.other, case.new, case.now)


def test_slots_that_touch_do_not_clash():
    first = an_occupant("s-1", local_start=time(5, 30))
    assert not is_clash(an_occupant("s-2", local_start=time(5, 40)), first)
    assert is_clash(an_occupant("s-2", local_start=time(5, 39)), first)


def test_what_ends_at_24_00_leaves_the_next_day_free():
    late = an_occupant("s-1", local_start=time(23, 30), length=timedelta(minutes=30))
    assert not is_clash(late, an_occupant("s-2", local_start=time(0, 0)))
    longer = replace(late, rule=replace(late.rule, length=timedelta(minutes=31)))
    assert is_clash(longer, an_occupant("s-2", local_start=time(0, 0)))


def test_slots_at_other_clusters_do_not_clash():
    assert not is_clash(an_occupant("s-1", "c-1"), an_occupant("s-2", "c-2"))
    assert is_clash(an_occupant("s-1", "c-1 c-2"), an_occupant("s-2", "c-2 c-3"))


def test_slots_of_different_classes_may_lie_over_each_other():
    # Circular 39/2020/TT-BTTTT: precedence between the classes decides what is heard.
    assert not is_clash(
        an_occupant("s-1", bulletin_class=BulletinClass.PRIORITY), an_occupant("s-2")
    )


def test_the_last_night_of_one_reaches_into_the_first_morning_of_the_other():
    lasts = timedelta(minutes=30)
    late = an_occupant("s-1", local_start=time(23, 50), length=lasts, last_day=TODAY)
    early = an_occupant("s-2", local_start=time(0, 10), first_day=TODAY + A_DAY)
    assert is_clash(late, early)
    assert is_clash(early, late)


def test_sunday_night_meets_monday_morning():
    sunday = an_occupant(
        "s-1",
        recurrence=Recurrence.WEEKLY,
        weekdays=SUNDAY_ONLY,
        local_start=time(23, 55),
        length=timedelta(minutes=10),
    )
    monday = an_occupant("s-2", recurrence=Recurrence.WEEKLY, weekdays=1, local_start=time(0, 0))
    tuesday = an_occupant("s-3", recurrence=Recurrence.WEEKLY, weekdays=2, local_start=time(0, 0))
    assert is_clash(sunday, monday)
    assert not is_clash(sunday, tuesday)


def test_a_slot_that_begins_years_ahead_clashes_with_what_still_runs_then():
    far = an_occupant("s-1", recurrence=Recurrence.ONCE, first_day=date(2059, 5, 1))
    assert is_clash(far, an_occupant("s-2"))
    assert is_clash(an_occupant("s-2"), far)
    assert not is_clash(far, an_occupant("s-2", last_day=date(2059, 4, 30)))


def test_a_rule_that_comes_once_in_fifty_years_is_looked_for_when_it_comes():
    rare = an_occupant(
        "s-1",
        recurrence=Recurrence.RRULE,
        pattern="FREQ=YEARLY;INTERVAL=50",
        first_day=date(2026, 1, 1),
    )
    (clash,) = clashes(an_occupant("s-2"), [rare], NOW)
    assert next(iter(clash.days)) == date(2076, 1, 1)


def test_what_is_over_clashes_with_nothing():
    over = an_occupant("s-1", first_day=TODAY - 9 * A_DAY, last_day=TODAY - A_DAY)
    assert not is_clash(an_occupant("s-2", first_day=TODAY - 9 * A_DAY), over)


def test_a_clash_names_the_slot_the_days_and_the_clusters():
    mine = an_occupant("s-1", "c-1 c-2", first_day=date(2026, 12, 1), last_day=date(2026, 12, 9))
    mine = replace(mine, rule=replace(mine.rule, local_start=time(5, 35)))
    found = clashes(mine, [an_occupant("s-2", "c-2 c-9", title="Tin xã")], NOW)
    assert shared_clusters(found) == {"c-2"}
    (finding,) = found_wrong(found, {"c-2": "Thôn Hai"})
    assert finding.code == "overlap"
    assert dict(finding.fields) == {
        "slot_id": "s-2",
        "title": "Tin xã",
        "unit": "Xã Một",
        "level": "1",
        "day": "01/12/2026",
        "start": "05:30:00",
        "end": "05:40:00",
        "days": "01/12/2026, 02/12/2026, 03/12/2026…",
        "day_count": "9",
        "clusters": "1",
        "cluster_names": "Thôn Hai",
    }


def test_two_slots_without_end_clash_on_more_days_than_are_counted():
    (clash,) = clashes(an_occupant("s-1"), [an_occupant("s-2")], NOW)
    assert clash.is_endless
    (finding,) = found_wrong([clash], {})
    assert finding.fields["day_count"] == f"{len(clash.days)}+"
    (once,) = clashes(an_occupant("s-1", recurrence=Recurrence.ONCE), [an_occupant("s-2")], NOW)
    assert not once.is_endless


def test_no_more_clashes_are_named_than_anybody_would_read_but_all_are_counted():
    many = [an_occupant(f"s-{number}") for number in range(2 * MOST_NAMED)]
    named = found_wrong(clashes(an_occupant("s-new"), many, NOW), {})
    assert len(named) == MOST_NAMED + 1
    assert named[-1].code == "more-overlaps"
    assert named[-1].fields["count"] == str(MOST_NAMED)
    (one,) = clashes(an_occupant("s-new"), many[:1], NOW)
    codes = {met: found_wrong([one] * met, {})[-1].code for met in (MOST_SOUGHT_FOR, 501)}
    assert codes == {500: "more-overlaps", 501: "many-overlaps"}


def test_a_slot_lies_over_only_those_lower_ones_that_it_names():
    province = an_occupant("s-1", level=0, overrides=frozenset({"s-2"}))
    assert not is_clash(province, an_occupant("s-2"))
    assert not is_clash(an_occupant("s-2"), province)
    assert is_clash(province, an_occupant("s-3"))
    assert is_clash(province, an_occupant("s-2", level=0))


def test_full_moon_meets_the_thirteenth_only_where_both_fall_on_one_day():
    # 15/10 of the year Bính Ngọ is Monday, 23 November 2026; 15/4 of the next is 20 May 2027.
    moon = an_occupant("s-1", recurrence=Recurrence.LUNAR, pattern="DAY=15")
    by_month = {"recurrence": Recurrence.MONTHLY, "last_day": date(2027, 6, 30)}
    assert is_clash(moon, an_occupant("s-2", pattern="BYMONTHDAY=20", **by_month))
    assert not is_clash(moon, an_occupant("s-3", pattern="BYMONTHDAY=10", **by_month))


def test_not_on_holidays_and_only_on_holidays_share_one_hour_for_ever():
    every_day = an_occupant("s-1", holidays=HolidayChoice.EXCEPT)
    on_holidays = an_occupant("s-2", holidays=HolidayChoice.ONLY)
    assert not is_clash(every_day, on_holidays)
    assert is_clash(an_occupant("s-3"), on_holidays)


def test_a_rule_of_the_29th_of_february_is_looked_for_when_it_comes():
    leap_day = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"
    leap = an_occupant("s-1", recurrence=Recurrence.RRULE, pattern=leap_day)
    once = {"recurrence": Recurrence.ONCE, "first_day": date(2036, 2, 29)}
    assert is_clash(leap, an_occupant("s-2", **once))
    assert not is_clash(leap, an_occupant("s-3", **{**once, "first_day": date(2036, 2, 28)}))
