"""The lunar calendar of Viet Nam worked out from where sun and moon stand, as a second opinion."""

import math
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise

import ephem

VIET_NAM = timedelta(hours=7)
SOLSTICE = 9
"""Which twelfth of the sun's year begins at the winter solstice."""


def local(at) -> date:
    return (ephem.Date(at).datetime() + VIET_NAM).date()


def twelfth_of_the_sun(day: date) -> int:
    """Where the sun stands as the day begins in Viet Nam, in twelfths from the spring equinox."""
    at = ephem.Date(datetime.combine(day, time()) - VIET_NAM)
    return int(math.degrees(ephem.Ecliptic(ephem.Sun(at), epoch=at).lon) % 360 // 30)


@cache
def months_by_the_sky(since: str = "1898/11/1", until: str = "2102/3/1"):
    """First day of each lunar month, with its number and whether it is a leap month.

    The solstice lies in month 11; of thirteen months between two solstices, the first in which
    the sun enters no new twelfth is the leap month.
    """
    moon, begins = ephem.Date(since), []
    while moon < ephem.Date(until):
        moon = ephem.next_new_moon(moon)
        begins.append(local(moon))
        moon = ephem.Date(moon + 20)
    suns = [twelfth_of_the_sun(day) for day in begins]
    eleventh = [
        at
        for at in range(len(begins) - 1)
        if suns[at] < SOLSTICE <= suns[at + 1] and suns[at] >= SOLSTICE - 2
    ]
    found: dict[date, tuple[int, bool]] = {}
    for first, after in pairwise(eleventh):
        number, leap_to_come = 11, after - first == 13
        for at in range(first, after):
            leap = leap_to_come and at > first and suns[at] == suns[at + 1]
            leap_to_come = leap_to_come and not leap
            number += 0 if leap or at == first else 1
            found[begins[at]] = ((number - 1) % 12 + 1, leap)
    return found
