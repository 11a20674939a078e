"""The part of the slot form that says on which days: one chooser, fields for each kind."""

from dataclasses import dataclass, replace

from werkzeug.datastructures import MultiDict

from server.domain.recurrence import EVERY_DAY
from server.services.scheduling import NewSlot

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MONTH_DAYS = (*range(1, 32), -1)
MONTH_WEEKS = (1, 2, 3, 4, 5, -1)
LUNAR_DAYS = (*range(1, 31), -1)
LUNAR_MONTHS = tuple(range(1, 13))


@dataclass(frozen=True, slots=True)
class RecurrenceFields:
    """Days as they were chosen; fields of other kinds keep what was in them."""

    kind: str = "daily"
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    month_by: str = "day"
    month_day: str = "1"
    month_week: str = "1"
    month_weekday: str = "MO"
    lunar_day: str = "1"
    lunar_month: str = ""
    lunar_leap: str = "regular"
    rrule: str = ""
    holidays: str = "any"

    @classmethod
    def of(cls, slot: NewSlot) -> "RecurrenceFields":
        """Show the days of a slot that is there."""
        parts = dict(part.split("=", 1) for part in slot.pattern.split(";") if "=" in part)
        shown = cls(
            kind=slot.recurrence,
            weekdays=tuple(day for day in range(7) if slot.weekdays >> day & 1),
            holidays=slot.holidays,
        )
        match slot.recurrence:
            case "monthly" if "BYDAY" in parts:
                week, weekday = parts["BYDAY"][:-2], parts["BYDAY"][-2:]
                return replace(shown, month_by="weekday", month_week=week, month_weekday=weekday)
            case "monthly":
                return replace(shown, month_day=parts.get("BYMONTHDAY", "1"))
            case "lunar":
                return replace(
                    shown,
                    lunar_day=parts.get("DAY", "1"),
                    lunar_month=parts.get("MONTH", ""),
                    lunar_leap=parts.get("LEAP", "regular").lower(),
                )
            case "rrule":
                return replace(shown, rrule=slot.pattern)
            case _:
                return shown

    @classmethod
    def sent(cls, form: "MultiDict[str, str]") -> "RecurrenceFields":
        """Read what was sent."""
        days = {int(day) for day in form.getlist("weekday") if day in set("0123456")}
        return cls(
            kind=form.get("recurrence", "daily"),
            weekdays=tuple(sorted(days)),
            month_by=form.get("month_by", "day"),
            month_day=form.get("month_day", "1"),
            month_week=form.get("month_week", "1"),
            month_weekday=form.get("month_weekday", "MO"),
            lunar_day=form.get("lunar_day", "1"),
            lunar_month=form.get("lunar_month", ""),
            lunar_leap=form.get("lunar_leap", "regular"),
            rrule=form.get("rrule", "").strip(),
            holidays=form.get("holidays", "any"),
        )

    @property
    def mask(self) -> int:
        """Weekdays as a slot has them."""
        return sum(1 << day for day in self.weekdays) & EVERY_DAY

    @property
    def pattern(self) -> str:
        """The pattern of the chosen kind; whether it can be used is for the rules to say."""
        match self.kind:
            case "monthly" if self.month_by == "weekday":
                return f"BYDAY={self.month_week}{self.month_weekday}"
            case "monthly":
                return f"BYMONTHDAY={self.month_day}"
            case "lunar" if self.lunar_month:
                return f"DAY={self.lunar_day};MONTH={self.lunar_month};LEAP={self.lunar_leap}"
            case "lunar":
                return f"DAY={self.lunar_day}"
            case "rrule":
                return self.rrule
            case _:
                return ""
