"""Why a slot stays away on a day: always the true reason, and none where it comes."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.domain.absence import Absence, absence
from server.domain.public_holidays import HolidayChoice
from server.domain.recurrence import Recurrence
from tests.factories.slots import SUNDAY_ONLY, TODAY, a_rule, rules

HOLIDAY = date(2027, 1, 1)
days = st.integers(-40, 40).map(lambda ahead: TODAY + timedelta(days=ahead))


@given(rules, days)
def test_there_is_a_reason_exactly_on_the_days_on_which_it_does_not_come(rule, day):
    assert (absence(rule, day) is None) == (day in set(rule.days(day, day)))


def test_each_reason_by_its_example():
    far = TODAY + timedelta(days=60)
    daily = a_rule(last_day=far, excluded=frozenset({TODAY}))
    assert absence(daily, TODAY - timedelta(days=1)) is Absence.NOT_YET
    assert absence(daily, far + timedelta(days=1)) is Absence.OVER
    assert absence(daily, TODAY) is Absence.EXCLUDED
    assert absence(a_rule(holidays=HolidayChoice.EXCEPT), HOLIDAY) is Absence.HOLIDAY
    assert absence(a_rule(holidays=HolidayChoice.ONLY), TODAY) is Absence.WORKDAY
    weekly = a_rule(recurrence=Recurrence.WEEKLY, weekdays=SUNDAY_ONLY)
    assert absence(weekly, TODAY) is Absence.WEEKDAY
    moon = a_rule(recurrence=Recurrence.LUNAR, pattern="DAY=15")
    assert absence(moon, TODAY) is Absence.MOON
    monthly = a_rule(recurrence=Recurrence.MONTHLY, pattern="BYMONTHDAY=1")
    assert absence(monthly, TODAY) is Absence.PATTERN
