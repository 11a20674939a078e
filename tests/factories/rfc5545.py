"""RFC 5545 rules, and their days the slow way: every day is looked at, none is reckoned."""

import calendar
from datetime import date, datetime, time, timedelta
from itertools import takewhile

from dateutil.rrule import rrulestr
from hypothesis import strategies as st

from tests.factories.slots import TODAY

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
END = date(2036, 12, 31)


def by_dateutil(text: str, first_day: date, end: date) -> list[date]:
    """Walk with dateutil, with a day added right behind the end so that the walk has an end."""
    behind = end + timedelta(days=1)
    begins = datetime.combine(first_day, time(5, 30))
    ended = f"RRULE:{text}\nRDATE:{behind:%Y%m%d}T053000"
    found = rrulestr(ended, dtstart=begins, forceset=True)
    return [at.date() for at in takewhile(lambda at: at.date() <= end, found)]


def by_hand(text: str, first_day: date, last: date) -> list[date]:
    """Walk every day from the first on, and keep those that RFC 5545's table leaves."""
    parts = dict(part.split("=") for part in text.split(";"))
    interval, wkst = int(parts.get("INTERVAL", "1")), WEEKDAYS.index(parts.get("WKST", "MO"))
    until = min(last, date.fromisoformat(parts["UNTIL"][:8])) if "UNTIL" in parts else last
    found: list[date] = []
    period: list[date] = []
    frequency = parts["FREQ"]
    begun = _period(first_day, frequency, wkst)
    # The period in which it begins is looked at whole: positions count from its beginning.
    day = first_day - timedelta(days=366)
    while day <= until + timedelta(days=366):
        number = _period(day, frequency, wkst)
        if number >= begun and (number - begun) % interval == 0 and _fits(day, parts, first_day):
            period.append(day)
        day += timedelta(days=1)
        if _period(day, frequency, wkst) != number:
            if frequency == "WEEKLY":
                period = [one for one in period if one >= first_day]
            found += _at_positions(period, parts.get("BYSETPOS", ""))
            period = []
    kept = [one for one in found if first_day <= one]
    counted = kept[: int(parts["COUNT"])] if "COUNT" in parts else kept
    return [one for one in counted if one <= until]


def _period(day: date, frequency: str, wkst: int) -> int:
    match frequency:
        case "DAILY":
            return day.toordinal()
        case "WEEKLY":
            return (day - timedelta(days=(day.weekday() - wkst) % 7)).toordinal() // 7
        case "MONTHLY":
            return day.year * 12 + day.month
        case _:
            return day.year


def _at_positions(days: list[date], positions: str) -> list[date]:
    if not positions:
        return days
    wanted = {int(one) for one in positions.split(",")}
    return [day for at, day in enumerate(days) if at + 1 in wanted or at - len(days) in wanted]


def _fits(day: date, parts: dict[str, str], first_day: date) -> bool:
    frequency = parts["FREQ"]
    in_year, of_month = day.timetuple().tm_yday, calendar.monthrange(day.year, day.month)[1]
    of_year = 365 + calendar.isleap(day.year)
    is_called = {
        "BYMONTH": {str(day.month)},
        "BYMONTHDAY": {str(day.day), str(day.day - 1 - of_month)},
        "BYYEARDAY": {str(in_year), str(in_year - 1 - of_year)},
        "BYWEEKNO": _weeks(day, parts),
        "BYDAY": _weekdays(day, parts, of_month, of_year),
    }
    for part in is_called.keys() & parts.keys():
        if is_called[part].isdisjoint(parts[part].split(",")):
            return False
    if "BYDAY" in parts:
        return True
    if frequency == "WEEKLY":
        return day.weekday() == first_day.weekday()
    if frequency == "DAILY" or parts.keys() & {"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"}:
        return True
    # What says nothing of days takes its own from the first one.
    is_month = frequency == "MONTHLY" or "BYMONTH" in parts or day.month == first_day.month
    return is_month and day.day == first_day.day


def _weeks(day: date, parts: dict[str, str]) -> set[str]:
    """Number a day's week from either end of the year in which most of the week lies."""
    wkst = WEEKDAYS.index(parts.get("WKST", "MO"))
    middle = day - timedelta(days=(day.weekday() - wkst) % 7 - 3)
    number = (middle.timetuple().tm_yday - 1) // 7 + 1
    left = (date(middle.year, 12, 31) - middle).days // 7
    return {str(number), str(-left - 1)}


def _weekdays(day: date, parts: dict[str, str], of_month: int, of_year: int) -> set[str]:
    """A number before a weekday counts it in its month, or in its year where no month is told."""
    by_month = parts["FREQ"] == "MONTHLY" or "BYMONTH" in parts
    place = day.day - 1 if by_month else day.timetuple().tm_yday - 1
    left = (of_month if by_month else of_year) - 1 - place
    name = WEEKDAYS[day.weekday()]
    return {name, f"{place // 7 + 1}{name}", f"{-(left // 7) - 1}{name}"}


weekdays = st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])
ranked = st.builds("{}{}".format, st.sampled_from(["1", "2", "5", "-1", "-2"]), weekdays)


def some(strategy, most: int = 3):
    chosen = st.lists(strategy, min_size=1, max_size=most, unique=True)
    return chosen.map(lambda values: ",".join(map(str, values)))


def around_nought(most: int):
    return st.integers(1, most) | st.integers(-most, -1)


months = some(st.integers(1, 12), 6)
month_days = some(st.integers(1, 31) | st.sampled_from([-1, -2, 31]))
set_positions = some(around_nought(3))
weeks = st.integers(1, 53) | st.integers(-51, -1)
"""A first week that is counted from the end of its year (-52, -53) is refused."""


def rule(frequency: str, **parts: st.SearchStrategy):
    """Build rules of a frequency out of some of its parts; names in small letters."""
    optional = {
        "interval": st.integers(1, 5),
        "wkst": weekdays,
        "end": st.one_of(
            st.integers(1, 40).map("COUNT={}".format),
            st.dates(TODAY, END).map("UNTIL={:%Y%m%d}T235959".format),
        ),
        **parts,
    }

    def written(chosen):
        end = chosen.pop("end", "")
        said = [f"{name.upper()}={value}" for name, value in chosen.items()]
        if "bysetpos" in chosen and not any(
            name.startswith("by") and name != "bysetpos" for name in chosen
        ):
            said = [part for part in said if not part.startswith("BYSETPOS")]
        return ";".join([f"FREQ={frequency}", *said, *([end] if end else [])])

    return st.fixed_dictionaries({}, optional=optional).map(written)


texts = st.one_of(
    rule("DAILY", bymonth=months, bymonthday=month_days, byday=some(weekdays)),
    rule("WEEKLY", bymonth=months, byday=some(weekdays, 5), bysetpos=set_positions),
    rule(
        "MONTHLY",
        bymonth=months,
        bymonthday=month_days,
        byday=some(weekdays) | some(ranked),
        bysetpos=set_positions,
    ),
    rule("YEARLY", bymonth=months, bymonthday=month_days, byday=some(weekdays) | some(ranked)),
    rule("YEARLY", byyearday=some(around_nought(366)), byday=some(weekdays)),
    rule("YEARLY", byweekno=some(weeks), byday=some(weekdays), bysetpos=set_positions),
)
"""Rules of every frequency with any parts that go together."""
