"""Recurrences in words: what a slot's fields and patterns mean to its reader."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from types import MappingProxyType
from typing import Protocol

from server.domain.lunar import Leap, lunar_day, lunar_rule
from server.domain.public_holidays import HolidayChoice, is_holiday
from server.domain.recurrence import Recurrence
from server.domain.rrule_text import recurrence_set
from server.domain.rrules import Frequency, RecurrenceSet
from server.http.languages import gettext, ngettext
from server.http.wording import N_
from server.web.formats import dmy, weekday_marks, weekday_names
from server.web.words import recurrence

_FULL_MOON = 15
_FIRST_TEN = 10
_MOST_DAYS_NAMED = 6
_LEAP_MONTH = N_("(leap month)")
_HOLIDAYS: Mapping[HolidayChoice, str] = MappingProxyType(
    {
        HolidayChoice.ANY: "",
        HolidayChoice.EXCEPT: N_("except on public holidays"),
        HolidayChoice.ONLY: N_("only on public holidays"),
    }
)
_EACH: Mapping[Frequency, str] = MappingProxyType(
    {
        Frequency.DAILY: N_("Every day"),
        Frequency.WEEKLY: N_("Every week"),
        Frequency.MONTHLY: N_("Every month"),
        Frequency.YEARLY: N_("Every year"),
    }
)


class Recurring(Protocol):
    """What is told of a slot."""

    @property
    def recurrence(self) -> str: ...  # noqa: D102 - as the rule's
    @property
    def weekdays(self) -> int: ...  # noqa: D102 - as the rule's
    @property
    def pattern(self) -> str: ...  # noqa: D102 - as the rule's
    @property
    def holidays(self) -> str: ...  # noqa: D102 - as the rule's
    @property
    def local_start(self) -> time: ...  # noqa: D102 - as the rule's


def rule_words(slot: Recurring) -> str:
    """Say on which days a slot comes."""
    said = _days(slot)
    holidays = _HOLIDAYS[HolidayChoice(slot.holidays)]
    return f"{said}, {gettext(holidays)}" if holidays else said


class Coming(Recurring, Protocol):
    """What is told of a slot and its days."""

    @property
    def first_day(self) -> date: ...  # noqa: D102 - as the rule's
    @property
    def last_day(self) -> date | None: ...  # noqa: D102 - as the rule's
    @property
    def excluded_days(self) -> Sequence[str]: ...  # noqa: D102 - as the rule's


def coming_words(slot: Coming, today: date) -> str:
    """Say on which days a slot comes, from when until when, and which of them it leaves out yet."""
    first, last = dmy(slot.first_day), slot.last_day
    said = [rule_words(slot)]
    if slot.recurrence != Recurrence.ONCE and last is None:
        said.append(gettext("from %(day)s", day=first))
    else:
        said.append(first if last in {None, slot.first_day} else f"{first} – {dmy(last)}")
    left_out = [day for day in map(date.fromisoformat, slot.excluded_days) if day >= today]
    if left_out:
        said.append(gettext("not on %(days)s", days=_named(tuple(sorted(left_out)))))
    return " · ".join(said)


def lunar_words(day: date) -> str:
    """Say which day it is by the moon, and whether it is a public holiday; may be empty."""
    moon = lunar_day(day)
    said = []
    if moon is not None:
        sentence = gettext("%(day)d/%(month)d lunar", day=moon.day, month=moon.month)
        said.append(f"{sentence} {gettext(_LEAP_MONTH)}" if moon.leap else sentence)
    if is_holiday(day):
        said.append(gettext("public holiday"))
    return ", ".join(said)


def month_day_name(day: int) -> str:
    """Name a day of a month; below nought: counted from its end."""
    if day == -1:
        return gettext("the last day")
    if day < 0:
        return gettext("the %(nth)d. day from the end", nth=-day)
    return gettext("day %(day)d", day=day)


def weekday_of_month_name(weekday: int, nth: int) -> str:
    """Name one of the same weekdays of a month."""
    name = weekday_names()[weekday]
    if nth == 0:
        return name
    if nth == -1:
        return gettext("the last %(weekday)s", weekday=name)
    if nth < 0:
        return gettext("the %(nth)d. %(weekday)s from the end", nth=-nth, weekday=name)
    return gettext("the %(nth)d. %(weekday)s", nth=nth, weekday=name)


def lunar_day_name(day: int) -> str:
    """Name a day of the lunar month as people do."""
    if day == -1:
        return gettext("the last day")
    if day == _FULL_MOON:
        return gettext("the full moon (the 15th)")
    if day <= _FIRST_TEN:
        return gettext("lunar day %(day)d of the first ten", day=day)
    return gettext("lunar day %(day)d", day=day)


def _days(slot: Recurring) -> str:
    match Recurrence(slot.recurrence):
        case Recurrence.ONCE | Recurrence.DAILY as plain:
            return recurrence(plain.value)
        case Recurrence.WEEKLY:
            marks = enumerate(weekday_marks())
            days = " ".join(mark for day, mark in marks if slot.weekdays >> day & 1)
            return f"{recurrence('weekly')}: {days}"
        case Recurrence.MONTHLY:
            rule = recurrence_set(f"FREQ=MONTHLY;{slot.pattern}", slot.local_start)
            return gettext("Every month: %(days)s", days=", ".join(_month_days(rule)))
        case Recurrence.LUNAR:
            return _by_the_moon(slot.pattern)
        case Recurrence.RRULE:
            return "; ".join(_parts(recurrence_set(slot.pattern, slot.local_start), slot.pattern))


def _by_the_moon(pattern: str) -> str:
    rule = lunar_rule(pattern)
    day = lunar_day_name(rule.day)
    if rule.month is None:
        said = gettext("By the moon, every month: %(day)s", day=day)
    else:
        said = gettext(
            "By the moon, every year: %(day)s, lunar month %(month)d", day=day, month=rule.month
        )
    match rule.leap:
        case Leap.LEAP:
            return " ".join((said, gettext("(leap months only)")))
        case Leap.BOTH if rule.month is not None:
            return " ".join((said, gettext("(in the leap month too)")))
        case Leap.REGULAR if rule.month is None:
            return " ".join((said, gettext("(not in leap months)")))
        case _:
            return said


def _parts(rule: RecurrenceSet, text: str) -> Iterator[str]:
    """Tell a rule part by part; rare ones as they are written."""
    yield _every(rule)
    days = ", ".join(_month_days(rule))
    if days:
        yield gettext("on %(days)s", days=days)
    if rule.months:
        yield gettext("in months %(months)s", months=", ".join(map(str, rule.months)))
    for part in text.upper().replace("\n", ";").replace("RRULE:", "").split(";"):
        if part.strip().startswith(("BYYEARDAY=", "BYWEEKNO=", "BYSETPOS=")):
            yield part.strip()
    if rule.count is not None:
        yield ngettext("%(num)d time", "%(num)d times", rule.count)
    if rule.until is not None:
        yield gettext("until %(day)s", day=dmy(rule.until))
    if rule.left_out:
        yield gettext("not on %(days)s", days=_named(rule.left_out))
    if rule.added:
        yield gettext("also on %(days)s", days=_named(rule.added))


def _every(rule: RecurrenceSet) -> str:
    steps = rule.interval
    match rule.frequency:
        case Frequency.DAILY if steps > 1:
            return ngettext("Every %(num)d day", "Every %(num)d days", steps)
        case Frequency.WEEKLY if steps > 1:
            return ngettext("Every %(num)d week", "Every %(num)d weeks", steps)
        case Frequency.MONTHLY if steps > 1:
            return ngettext("Every %(num)d month", "Every %(num)d months", steps)
        case Frequency.YEARLY if steps > 1:
            return ngettext("Every %(num)d year", "Every %(num)d years", steps)
        case single:
            return gettext(_EACH[single])


def _month_days(rule: RecurrenceSet) -> Iterator[str]:
    for day in rule.month_days:
        yield month_day_name(day)
    for weekday, nth in rule.weekdays:
        yield weekday_of_month_name(weekday, nth)


def _named(days: tuple[date, ...]) -> str:
    named = ", ".join(dmy(day) for day in days[:_MOST_DAYS_NAMED])
    return named + ("…" if len(days) > _MOST_DAYS_NAMED else "")
