"""Instants and lengths in the words of the people at the loudspeakers."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from types import MappingProxyType

from flask_babel import format_decimal

from server.domain.data_plans import MB_PER_GB, volume_text
from server.domain.recurrence import LOCAL
from server.http.languages import gettext, ngettext

_MINUTE_S = 60
_HOUR_S = 3600


def hm(instant: datetime | None) -> str:
    """Show the time of day to the minute."""
    return "–" if instant is None else f"{instant.astimezone(LOCAL):%H:%M}"


def hms(instant: datetime | None) -> str:
    """Show the time of day to the second."""
    return "–" if instant is None else f"{instant.astimezone(LOCAL):%H:%M:%S}"


def clock(at: time) -> str:
    """Show a time of day, to the second where it has seconds."""
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"


def iso_hms(text: str) -> str:
    """Show the time of day of an instant that was kept as text."""
    return hms(datetime.fromisoformat(text))


def dmy(day: date | None) -> str:
    """Show a day."""
    if isinstance(day, datetime):
        day = day.astimezone(LOCAL).date()
    return "–" if day is None else f"{day:%d/%m/%Y}"


def dmy_hm(instant: datetime | None) -> str:
    """Show a day and the time of day."""
    return "–" if instant is None else f"{instant.astimezone(LOCAL):%d/%m/%Y %H:%M}"


def weekday(day: date) -> str:
    """Name the day of the week, and show the day."""
    return f"{weekday_names()[day.weekday()]}, {dmy(day)}"


def weekday_names() -> tuple[str, ...]:
    """Name the days of the week, Monday first."""
    return (
        gettext("Monday"),
        gettext("Tuesday"),
        gettext("Wednesday"),
        gettext("Thursday"),
        gettext("Friday"),
        gettext("Saturday"),
        gettext("Sunday"),
    )


def weekday_marks() -> tuple[str, ...]:
    """Abbreviate the days of the week, Monday first."""
    return (
        gettext("Mon"),
        gettext("Tue"),
        gettext("Wed"),
        gettext("Thu"),
        gettext("Fri"),
        gettext("Sat"),
        gettext("Sun"),
    )


def lasting(seconds: float) -> str:
    """Show how long something lasts."""
    whole = round(seconds)
    hours, rest = divmod(whole, _HOUR_S)
    minutes, left = divmod(rest, _MINUTE_S)
    if hours:
        return gettext("%(hours)d h %(minutes)02d min", hours=hours, minutes=minutes)
    if minutes:
        return gettext("%(minutes)d min %(seconds)02d s", minutes=minutes, seconds=left)
    return gettext("%(seconds)d s", seconds=left)


def figure(number: int) -> str:
    """Show a number with its thousands apart, as the reader's language does."""
    return str(format_decimal(number))


def amount(amount_mb: float) -> str:
    """Show an amount of data, no finer than people read it."""
    if amount_mb < MB_PER_GB:
        return volume_text(amount_mb)
    return volume_text(round(amount_mb, -1 if amount_mb < 10 * MB_PER_GB else -2))


def ago(instant: datetime | None, now: datetime) -> str:
    """Show how long ago something was, coarsely."""
    if instant is None:
        return gettext("never")
    seconds = max(0, int((now - instant).total_seconds()))
    if seconds < _MINUTE_S:
        return gettext("just now")
    if seconds < _HOUR_S:
        return ngettext("%(num)d minute ago", "%(num)d minutes ago", seconds // _MINUTE_S)
    if seconds < 24 * _HOUR_S:
        return ngettext("%(num)d hour ago", "%(num)d hours ago", seconds // _HOUR_S)
    return dmy_hm(instant)


def left(until: datetime | None, now: datetime) -> str:
    """Count down to an instant, coarsely."""
    if until is None:
        return "–"
    seconds = int((until - now).total_seconds())
    if seconds <= 0:
        return gettext("over")
    days, rest = divmod(seconds, 24 * _HOUR_S)
    hours, rest = divmod(rest, _HOUR_S)
    if days:
        return ngettext(
            "%(num)d day %(hours)s h left", "%(num)d days %(hours)s h left", days, hours=hours
        )
    if hours:
        return gettext("%(hours)s h %(minutes)s min left", hours=hours, minutes=rest // _MINUTE_S)
    return gettext("%(minutes)s min left", minutes=max(1, rest // _MINUTE_S))


def weekday_hm(instant: datetime) -> str:
    """Name the day of the week, and show the day and the time of day."""
    local = instant.astimezone(LOCAL)
    return f"{hm(instant)}, {weekday(local.date())}"


FILTERS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        "hm": hm,
        "hms": hms,
        "clock": clock,
        "iso_hms": iso_hms,
        "dmy": dmy,
        "dmy_hm": dmy_hm,
        "weekday": weekday,
        "lasting": lasting,
        "ago": ago,
        "left": left,
        "weekday_hm": weekday_hm,
        "figure": figure,
    }
)
