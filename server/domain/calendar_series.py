"""A rule in the words of iCalendar, for calendar programs, which expand rules themselves.

What those words cannot say (the moon, and which days are public holidays) is told day by day.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date

from server.domain.public_holidays import HolidayChoice
from server.domain.recurrence import Recurrence, Rule
from server.domain.rrule_text import recurrence_set
from server.domain.rrules import LAST_DAY, Frequency, RecurrenceSet

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class Series:
    """Days that one event of a calendar stands for.

    Attributes:
        first_day: Local day on which it begins for the first time.
        rrule: Value of its RRULE; empty: it comes on ``first_day`` and on those added.
        left_out: Local days on which it does not come, although the rule says so.
        added: Local days on which it comes besides.
    """

    first_day: date
    rrule: str = ""
    left_out: tuple[date, ...] = ()
    added: tuple[date, ...] = ()

    @property
    def is_single(self) -> bool:
        """Whether it stands for its first day alone."""
        return not (self.rrule or self.added)


def series(rule: Rule, start: date, end: date) -> tuple[Series, ...]:
    """Tell when a rule comes from ``start`` to ``end``, both inclusive, in as few events as can be.

    One event where the rule can be told as a rule, and it may then go on after ``end``; otherwise
    one for each day. Nothing for a rule that does not come between the two.
    """
    days = rule.days(start, end)
    soonest = next(days, None)
    if soonest is None:
        return ()
    told = _told(rule, start, end)
    return (told,) if told else (Series(soonest), *(Series(day) for day in days))


def _told(rule: Rule, start: date, end: date) -> Series | None:
    words = _words(rule)
    if words is None or rule.holidays is HolidayChoice.ONLY:
        return None
    holidays = rule.holidays is HolidayChoice.EXCEPT
    bare = replace(words, left_out=(), added=())
    # Holidays are told one by one, so such a rule is told for the asked stretch alone. A shift of
    # its first day keeps its phase, since the new one is an occurrence too.
    since = max(start, rule.first_day) if holidays else rule.first_day
    until = min(rule.last_day or LAST_DAY, end if holidays else LAST_DAY)
    first = next(bare.days(rule.first_day, since, min(end, until)), None)
    added = tuple(day for day in words.added if since <= day <= until and rule.holidays.lets(day))
    if first is None or (added and added[0] < first):
        return None  # programs disagree about days before the first
    left_out = rule.excluded.union(words.left_out)
    if holidays:
        regular = bare.days(rule.first_day, first, until)
        left_out = left_out.union(day for day in regular if not rule.holidays.lets(day))
    return Series(
        first,
        _text(_ended(bare, rule, until), rule),
        tuple(sorted(day for day in left_out if day >= first)),
        added,
    )


def _words(rule: Rule) -> RecurrenceSet | None:
    """Put a rule into the words of RFC 5545; None: they cannot say it."""
    match rule.recurrence:
        case Recurrence.ONCE | Recurrence.LUNAR:
            return None
        case Recurrence.DAILY:
            return RecurrenceSet(Frequency.DAILY)
        case Recurrence.WEEKLY:
            days = tuple((day, 0) for day in range(len(_WEEKDAYS)) if rule.weekdays >> day & 1)
            return RecurrenceSet(Frequency.WEEKLY, weekdays=days)
        case Recurrence.MONTHLY:
            return recurrence_set(f"FREQ=MONTHLY;{rule.pattern}", rule.local_start)
        case Recurrence.RRULE:
            words = recurrence_set(rule.pattern, rule.local_start)
            # Programs disagree about the places within a week that the first day cuts off.
            cut = words.frequency is Frequency.WEEKLY and words.set_positions
            return None if cut else words


def _ended(words: RecurrenceSet, rule: Rule, until: date) -> RecurrenceSet:
    """Let it end by a count or by a day, never by both: RFC 5545 allows but one."""
    if until == LAST_DAY:
        return words
    if words.count is not None:
        *_, until = words.days(rule.first_day, rule.first_day, until)
    return replace(words, count=None, until=min(until, words.until or until))


def _text(words: RecurrenceSet, rule: Rule) -> str:
    parts = [f"FREQ={words.frequency}"]
    if words.interval > 1:
        parts.append(f"INTERVAL={words.interval}")
    if words.count is not None:
        parts.append(f"COUNT={words.count}")
    if words.until is not None:
        parts.append(f"UNTIL={rule.occurrence(words.until)[0].astimezone(UTC):%Y%m%dT%H%M%SZ}")
    # Weeks of a year are meant whole where no weekday is named; programs would take but one day.
    every = tuple((day, 0) for day in range(len(_WEEKDAYS)))
    weekdays = words.weekdays or (every if words.weeks else ())
    lists = {
        "BYMONTH": words.months,
        "BYWEEKNO": words.weeks,
        "BYYEARDAY": words.year_days,
        "BYMONTHDAY": words.month_days,
        "BYDAY": [f"{nth or ''}{_WEEKDAYS[day]}" for day, nth in weekdays],
        "BYSETPOS": words.set_positions,
    }
    parts += [f"{name}={','.join(map(str, values))}" for name, values in lists.items() if values]
    if words.week_start:
        parts.append(f"WKST={_WEEKDAYS[words.week_start]}")
    return ";".join(parts)
