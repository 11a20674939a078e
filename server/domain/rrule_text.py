"""The text of an RFC 5545 rule (RRULE, EXDATE, RDATE), read strictly: what is odd is refused."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType

from server.domain.errors import Finding, PatternError
from server.domain.rrules import Frequency, RecurrenceSet
from server.domain.zone import LOCAL

MOST_SIGNS = 4000
MOST_COUNTED = 10_000
MOST_STEPS = 1000
FIRST_YEAR = 1900

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LINE = re.compile(
    r"(RRULE|EXDATE|RDATE)((?:;(?:VALUE=DATE(?:-TIME)?|TZID=ASIA/HO_CHI_MINH))*):(.*)", re.ASCII
)
_WEEKDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,5}")
_DAY = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")
_LISTS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "BYMONTH": ("months", 12),
        "BYMONTHDAY": ("month_days", 31),
        "BYYEARDAY": ("year_days", 366),
        "BYWEEKNO": ("weeks", 53),
        "BYSETPOS": ("set_positions", 366),
    }
)
_FIRST_WEEK = -52
_NOT_WITH: Mapping[Frequency, frozenset[str]] = MappingProxyType(
    {
        # The table of RFC 5545, 3.3.10: parts that have no meaning for a frequency.
        Frequency.DAILY: frozenset({"BYYEARDAY", "BYWEEKNO"}),
        Frequency.WEEKLY: frozenset({"BYYEARDAY", "BYWEEKNO", "BYMONTHDAY"}),
        Frequency.MONTHLY: frozenset({"BYYEARDAY", "BYWEEKNO"}),
        Frequency.YEARLY: frozenset(),
    }
)


@lru_cache(maxsize=4096)
def recurrence_set(text: str, at: time) -> RecurrenceSet:
    """Read a rule whose occurrences all begin at ``at`` on the wall.

    Raises:
        PatternError: With the part that cannot be used.
    """
    if len(text) > MOST_SIGNS:
        raise PatternError(Finding("rrule-long"))
    rule, left_out, added = "", list[date](), list[date]()
    for line in filter(None, (line.strip() for line in text.upper().splitlines())):
        found = _LINE.fullmatch(line if ":" in line else f"RRULE:{line}")
        if found is None or (found[1] == "RRULE" and (rule or found[2])):
            raise _unreadable(line)
        if found[1] == "RRULE":
            rule = found[3]
        else:
            (left_out if found[1] == "EXDATE" else added).extend(
                _named_day(one, at) for one in found[3].split(",")
            )
    if not rule:
        raise PatternError(Finding("rrule-missing"))
    fields = _fields(_parts(rule), at)
    return RecurrenceSet(
        **fields,  # type: ignore[arg-type]  # names and kinds are those of the table above
        left_out=tuple(sorted(set(left_out))),
        added=tuple(sorted(set(added))),
    )


def _parts(rule: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in rule.removesuffix(";").split(";"):
        name, _, value = part.partition("=")
        if not value or name in parts:
            raise _unreadable(part)
        parts[name] = value
    return parts


def _fields(parts: dict[str, str], at: time) -> dict[str, object]:
    frequency = _frequency(parts.pop("FREQ", ""))
    fields: dict[str, object] = {"frequency": frequency}
    if "COUNT" in parts and "UNTIL" in parts:
        raise PatternError(Finding("rrule-two-ends"))
    if "BYSETPOS" in parts and not any(
        name.startswith("BY") and name != "BYSETPOS" for name in parts
    ):
        raise _unreadable(f"BYSETPOS={parts['BYSETPOS']}")
    for name, value in parts.items():
        if name in _NOT_WITH[frequency]:
            raise PatternError(Finding("rrule-part", {"part": name, "frequency": frequency}))
        if name in _LISTS:
            field, most = _LISTS[name]
            fields[field] = _numbers(name, value, most)
        elif name == "BYDAY":
            ranked = frequency in {Frequency.MONTHLY, Frequency.YEARLY} and "BYWEEKNO" not in parts
            fields["weekdays"] = _weekdays(value, ranked=ranked)
        else:
            fields.update(_other(name, value, at))
    return fields


def _frequency(value: str) -> Frequency:
    if value in {"HOURLY", "MINUTELY", "SECONDLY"}:
        raise PatternError(Finding("rrule-too-often", {"frequency": value}))
    if value not in set(Frequency):
        raise PatternError(Finding("rrule-missing"))
    return Frequency(value)


def _other(name: str, value: str, at: time) -> dict[str, object]:
    match name:
        case "INTERVAL":
            return {"interval": _positive(name, value, MOST_STEPS)}
        case "COUNT":
            return {"count": _positive(name, value, MOST_COUNTED)}
        case "UNTIL":
            return {"until": _until(value, at)}
        case "WKST" if value in _WEEKDAYS:
            return {"week_start": _WEEKDAYS.index(value)}
        case "BYHOUR" | "BYMINUTE" | "BYSECOND":
            raise PatternError(Finding("rrule-clock", {"part": name}))
        case _:
            raise _unreadable(f"{name}={value}")


def _positive(name: str, value: str, most: int) -> int:
    if not _NUMBER.fullmatch(value) or not 0 < int(value) <= most:
        raise PatternError(Finding("rrule-number", {"part": name, "most": str(most)}))
    return int(value)


def _numbers(name: str, value: str, most: int) -> tuple[int, ...]:
    least = 1 if name == "BYMONTH" else -most
    texts = value.split(",")
    if not all(_NUMBER.fullmatch(one) and least <= int(one) <= most and int(one) for one in texts):
        raise PatternError(Finding("rrule-number", {"part": name, "most": str(most)}))
    if name == "BYWEEKNO" and min(map(int, texts)) <= _FIRST_WEEK:
        # Of a first week called so, dateutil 2.9 loses the days that lie in the year before.
        raise _unreadable(f"{name}={value}")
    return tuple(sorted({int(one) for one in texts}))


def _weekdays(value: str, *, ranked: bool) -> tuple[tuple[int, int], ...]:
    found = set()
    for one in value.split(","):
        weekday = _WEEKDAY.fullmatch(one)
        if weekday is None or (weekday[1] and not (ranked and 1 <= abs(int(weekday[1])) <= 53)):  # noqa: PLR2004 - weeks of a year
            raise _unreadable(f"BYDAY={value}")
        found.add((_WEEKDAYS.index(weekday[2]), int(weekday[1] or 0)))
    if len({nth == 0 for _, nth in found}) > 1:
        # dateutil 2.9 keeps only days that are both, the first Monday and a Saturday: none.
        raise _unreadable(f"BYDAY={value}")
    return tuple(sorted(found))


def _until(value: str, at: time) -> date:
    """Read the last day; a time of day in it decides whether that day itself still counts."""
    day, clock = _moment(value)
    return day - timedelta(days=1) if clock is not None and clock < at else day


def _named_day(value: str, at: time) -> date:
    """Read a day that is left out or added; a time of day in it must be the slot's own."""
    day, clock = _moment(value)
    if clock is not None and clock != at:
        raise PatternError(Finding("rrule-other-time", {"value": value, "at": f"{at:%H:%M}"}))
    return day


def _moment(value: str) -> tuple[date, time | None]:
    found = _DAY.fullmatch(value)
    try:
        if found is None:
            raise _unreadable(value)
        day = datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC)
        if day.year < FIRST_YEAR:
            raise _unreadable(value)
        if found[2] is None:
            return day.date(), None
        moment = datetime.strptime(found[1] + found[2], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        if found[3]:
            moment = moment.astimezone(LOCAL)
    except (ValueError, OverflowError) as error:
        raise _unreadable(value) from error
    return moment.date(), moment.time()


def _unreadable(part: str) -> PatternError:
    return PatternError(Finding("rrule-unreadable", {"part": part[:60]}))
