"""From what people choose on the desk's forms to values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from werkzeug.datastructures import MultiDict

from server.domain.errors import Finding
from server.domain.recurrence import LOCAL, is_usable, local_day
from server.services.copies import CopyReach, Wish
from server.web.desk.presenters import SPANS
from server.web.fields import parsed_day, parsed_time

OFFERED = {"day": 28, "week": 53}


@dataclass(frozen=True, slots=True)
class CopyForm:
    """A copy as somebody asks for it.

    Attributes:
        first: First day of what is copied; a week begins on Monday.
        others: Further days as they were typed, with commas between them.
        is_sent: Whether anybody has pressed the button yet.
    """

    unit_id: str
    span: str
    first: date | None
    to_days: tuple[date, ...]
    to_units: tuple[str, ...]
    reach: CopyReach
    only_free: bool
    is_sent: bool
    others: str = ""

    @classmethod
    def sent(cls, said: "MultiDict[str, str]", today: date) -> "CopyForm":
        """Read what was sent."""
        span = said.get("span", "day")
        span = span if span in SPANS else "day"
        first = parsed_day(said.get("day", ""))
        others = said.get("others", "").strip()
        days = map(parsed_day, [*said.getlist("to_day"), *_listed(others)])
        return cls(
            said.get("unit", ""),
            span,
            _begin(first or today, span) if first or "day" not in said else None,
            tuple(_begin(day, span) for day in days if day is not None),
            tuple(dict.fromkeys(said.getlist("to_unit"))),
            CopyReach.ALIKE if said.get("reach") == CopyReach.ALIKE else CopyReach.ALL,
            said.get("only_free") == "yes",
            "to_day" in said or "unit" in said,
            others,
        )

    def wish_or_findings(self) -> tuple[Wish | None, tuple[Finding, ...]]:
        """Make of it what the service takes, or say what is missing."""
        if self.first is None or None in map(parsed_day, _listed(self.others)):
            return None, (Finding("bad-day"),)
        if not self.unit_id or not self.to_days:
            return None, (Finding("copy-incomplete"),)
        days = tuple(dict.fromkeys(self.to_days))
        span = SPANS[self.span]
        return Wish(self.unit_id, self.first, span, days, self.to_units, self.reach), ()

    def offered(self, today: date) -> Iterator[date]:
        """Yield the days, or the Mondays, that it can be copied to with one touch."""
        at = _begin(today, self.span)
        if self.first is not None and self.first > at + OFFERED[self.span] * timedelta(
            days=SPANS[self.span]
        ):
            at = self.first
        for number in range(OFFERED[self.span]):
            day = at + timedelta(days=number * SPANS[self.span])
            if is_usable(day):
                yield day


def asked_instant(said: Mapping[str, str], now: datetime) -> datetime:
    """Read an instant as a program writes it, or a day and a time as a person does."""
    try:
        at = datetime.fromisoformat(said.get("at", ""))
    except ValueError:
        at = None
    if at is not None and at.tzinfo is not None and is_usable(at.date()):
        return at.astimezone(UTC)
    day = parsed_day(said.get("day", "")) or local_day(now)
    clock = parsed_time(said.get("time", ""))
    if clock is None:
        return now
    return datetime.combine(day, clock or time(), LOCAL).astimezone(UTC)


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.replace(";", ",").split(",") if one.strip()]


def _begin(day: date, span: str) -> date:
    return day - timedelta(days=day.weekday()) if span == "week" else day
