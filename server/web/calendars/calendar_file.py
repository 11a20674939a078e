"""Planned slots as an iCalendar file (RFC 5545), the same bytes for the same slots and day."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil

from icalendar import Calendar, Event, Timezone, TimezoneStandard, vRecur

from server.domain.calendar_series import Series, series
from server.domain.recurrence import LOCAL
from server.http.languages import gettext
from server.services.exporting import Planned, PlannedSlot
from server.web import words
from server.web.place_words import place_words
from server.web.rule_words import rule_words

LOOK_BACK = timedelta(days=31)
LOOK_AHEAD = timedelta(days=400)
"""How far is told what cannot be told as a rule; programs ask again long before."""
CANCELLED_FOR = timedelta(days=31)
"""How long a withdrawn slot is told as cancelled, for programs that have already copied it."""
REFRESH = timedelta(hours=1)

_HERE = "loa-lang"
_ZONE = "Asia/Ho_Chi_Minh"
# Viet Nam has been seven hours ahead since this instant, and nothing here is older.
_ZONE_SINCE, _ZONE_BEFORE, _ZONE_NOW = (
    datetime(1975, 6, 13),  # noqa: DTZ001 - on the wall, as VTIMEZONE has it
    timedelta(hours=8),
    timedelta(hours=7),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the file, without anything that is not written."""

    uid: str
    version: int
    changed_at: datetime
    cancelled: bool
    title: str
    where: str
    about: str
    categories: tuple[str, ...]
    start: datetime
    end: datetime
    rrule: str
    left_out: tuple[datetime, ...]
    added: tuple[datetime, ...]


def entries(planned: Planned, today: date) -> tuple[Entry, ...]:
    """Tell what the file says on a day: what comes in the year after, and lately came."""
    since, until = today - LOOK_BACK, today + LOOK_AHEAD
    return tuple(
        _entry(slot, one) for slot in planned.slots for one in series(slot.rule, since, until)
    )


def tag(planned: Planned, told: tuple[Entry, ...]) -> str:
    """Name the content, so that a program that has it is not sent it again."""
    return hashlib.sha256(repr((_name(planned), told)).encode()).hexdigest()[:32]


def changed_at(planned: Planned, midnight: datetime) -> datetime:
    """Tell when the content last changed, to the second: at midnight its year moves on."""
    latest = max((_changed_at(slot) for slot in planned.slots), default=midnight)
    return max(latest, midnight).replace(microsecond=0)


def calendar_file(planned: Planned, told: tuple[Entry, ...]) -> bytes:
    """Write the file."""
    calendar = Calendar()
    name = _name(planned)
    calendar.add("prodid", "-//Loa Lang//Loa Lang 1//VI")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    for key, value in (("name", name), ("x-wr-calname", name), ("x-wr-timezone", _ZONE)):
        calendar.add(key, value)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    calendar.add_component(_zone())
    for entry in told:
        calendar.add_component(_event(entry))
    return bytes(calendar.to_ical())


def _name(planned: Planned) -> str:
    return gettext("Broadcasts of %(unit)s", unit=planned.unit.name)


def _entry(slot: PlannedSlot, one: Series) -> Entry:
    row, rule = slot.row, slot.rule
    start, end = rule.occurrence(one.first_day)
    return Entry(
        # A slot comes once a day at most: the day tells its events apart, whatever their hour.
        uid=f"{row.slot_id}-{one.first_day:%Y%m%d}@{_HERE}"
        if one.is_single
        else f"{row.slot_id}@{_HERE}",
        version=row.version + (row.withdrawn_at is not None),
        changed_at=_changed_at(slot),
        cancelled=row.withdrawn_at is not None,
        title=row.title,
        where=place_words(slot),
        about="\n".join(_about(slot)),
        categories=(words.bulletin_class(row.bulletin_class).label, slot.unit.name),
        start=start,
        # Whole seconds are all that the format has.
        end=start + timedelta(seconds=ceil((end - start).total_seconds())),
        rrule=one.rrule,
        left_out=tuple(rule.occurrence(day)[0] for day in one.left_out),
        added=tuple(rule.occurrence(day)[0] for day in one.added),
    )


def _about(slot: PlannedSlot) -> Iterator[str]:
    yield rule_words(slot.row)
    yield gettext("Unit: %(unit)s", unit=slot.unit.name)
    yield gettext("Class: %(name)s", name=words.bulletin_class(slot.row.bulletin_class).label)


def _changed_at(slot: PlannedSlot) -> datetime:
    row = slot.row
    return row.withdrawn_at or row.changed_at or row.created_at


def _event(entry: Entry) -> Event:
    event = Event()
    changed = entry.changed_at.astimezone(UTC).replace(microsecond=0)
    event.add("uid", entry.uid)
    # Without a METHOD the stamp is the time of the last change (RFC 5545, 3.8.7.2).
    event.add("dtstamp", changed)
    event.add("last-modified", changed)
    event.add("sequence", entry.version)
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("summary", entry.title)
    event.add("location", entry.where)
    event.add("description", entry.about)
    event.add("categories", list(entry.categories))
    event.add("dtstart", _local(entry.start))
    event.add("dtend", _local(entry.end))
    if entry.rrule:
        event.add("rrule", vRecur.from_ical(entry.rrule))
    for key, days in (("exdate", entry.left_out), ("rdate", entry.added)):
        if days:
            event.add(key, [_local(day) for day in days])
    return event


def _zone() -> Timezone:
    zone, standard = Timezone(), TimezoneStandard()
    zone.add("tzid", _ZONE)
    standard.add("dtstart", _ZONE_SINCE)
    standard.add("tzoffsetfrom", _ZONE_BEFORE)
    standard.add("tzoffsetto", _ZONE_NOW)
    standard.add("tzname", "+07")
    zone.add_component(standard)
    return zone


def _local(instant: datetime) -> datetime:
    return instant.astimezone(LOCAL).replace(microsecond=0)
