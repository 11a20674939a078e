"""Why a slot does not come on some day, though it comes on others."""

from datetime import date
from enum import StrEnum

from server.domain.public_holidays import HolidayChoice
from server.domain.recurrence import Recurrence, Rule


class Absence(StrEnum):
    """The first thing that keeps a slot from coming on a day."""

    NOT_YET = "not-yet"
    OVER = "over"
    EXCLUDED = "excluded"
    HOLIDAY = "holiday"
    WORKDAY = "workday"
    OTHER_DAY = "other-day"
    WEEKDAY = "weekday"
    MOON = "moon"
    PATTERN = "pattern"


_BY_KIND = {
    Recurrence.ONCE: Absence.OTHER_DAY,
    Recurrence.DAILY: Absence.OTHER_DAY,
    Recurrence.WEEKLY: Absence.WEEKDAY,
    Recurrence.MONTHLY: Absence.PATTERN,
    Recurrence.LUNAR: Absence.MOON,
    Recurrence.RRULE: Absence.PATTERN,
}


def absence(rule: Rule, day: date) -> Absence | None:
    """Tell why a rule does not begin on a local day; None: it does."""
    if next(rule.days(day, day), None) is not None:
        return None
    if day < rule.first_day:
        return Absence.NOT_YET
    if rule.last_day is not None and day > rule.last_day:
        return Absence.OVER
    if day in rule.excluded:
        return Absence.EXCLUDED
    if not rule.holidays.lets(day):
        return Absence.HOLIDAY if rule.holidays is HolidayChoice.EXCEPT else Absence.WORKDAY
    return _BY_KIND[rule.recurrence]
