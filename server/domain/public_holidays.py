"""The public holidays of Viet Nam, lunar ones and days off in lieu among them."""

from datetime import date
from enum import StrEnum
from functools import cache

from holidays import country_holidays


class HolidayChoice(StrEnum):
    """What public holidays mean to a rule."""

    ANY = "any"
    EXCEPT = "except"
    ONLY = "only"

    def lets(self, day: date) -> bool:
        """Tell whether a rule may come on the day."""
        match self:
            case HolidayChoice.ANY:
                return True
            case HolidayChoice.EXCEPT:
                return not is_holiday(day)
            case HolidayChoice.ONLY:
                return is_holiday(day)


def is_holiday(day: date) -> bool:
    """Tell whether the day is a public holiday (Labour Code 2019, art. 112).

    Days that the government moves are known for the years it has decided on; for later years they
    are what the law's general rule gives.
    """
    return day in holidays_of(day.year)


@cache
def holidays_of(year: int) -> frozenset[date]:
    """Name the public holidays of a year."""
    return frozenset(country_holidays("VN", years=year))
