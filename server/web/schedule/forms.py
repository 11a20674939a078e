"""The form of a slot: what was typed is kept, whether or not it can be used."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time

from werkzeug.datastructures import MultiDict

from server.domain.errors import Finding
from server.services.scheduling import NewSlot
from server.web.fields import parsed_day, parsed_number, parsed_time
from server.web.formats import dmy
from server.web.schedule.recurrence_fields import RecurrenceFields
from server.web.targets import Picked, picked

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class SlotForm:
    """A slot as it was typed.

    Attributes:
        version: Of the slot that is changed; empty for a new one.
        local_end: Where it ends; may be empty when it lasts as long as its files.
        excluded_days: Days left out, with commas between them.
    """

    unit_id: str
    version: str = ""
    title: str = ""
    bulletin_class: str = "ordinary"
    content_kind: str = "files"
    assets: tuple[str, ...] = ()
    relay_url: str = ""
    days: RecurrenceFields = field(default_factory=RecurrenceFields)
    local_start: str = ""
    local_end: str = ""
    first_day: str = ""
    last_day: str = ""
    excluded_days: str = ""
    whole_unit: bool = True
    picked: Picked = field(default_factory=Picked)
    groups: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    start_mode: str = "cut"
    wait_s: str = "60"
    when_cut: str = "rejoin"
    gain_db: str = "0"
    override: tuple[str, ...] = ()

    @classmethod
    def fresh(cls, unit_id: str, today: date) -> "SlotForm":
        """Begin with today and every day."""
        return cls(unit_id, first_day=dmy(today))

    @classmethod
    def of(cls, slot: NewSlot, version: int) -> "SlotForm":
        """Show a slot that is there."""
        return cls(
            unit_id=slot.unit_id,
            version=str(version),
            title=slot.title,
            bulletin_class=slot.bulletin_class,
            content_kind=slot.content_kind,
            assets=slot.assets,
            relay_url=slot.relay_url,
            days=RecurrenceFields.of(slot),
            local_start=_clock(_second(slot.local_start)),
            local_end=_end(slot),
            first_day=dmy(slot.first_day),
            last_day=dmy(slot.last_day) if slot.last_day else "",
            excluded_days=", ".join(map(dmy, slot.excluded_days)),
            whole_unit=slot.units == (slot.unit_id,) and not slot.clusters and not slot.groups,
            picked=Picked(slot.units, slot.clusters),
            groups=slot.groups,
            exclude=slot.exclude,
            languages=slot.languages,
            start_mode=slot.start_mode,
            wait_s=f"{slot.wait_s or 60:g}",
            when_cut=slot.when_cut,
            gain_db=f"{slot.gain_db:g}",
            override=slot.override,
        )

    @classmethod
    def sent(cls, unit_id: str, form: "MultiDict[str, str]") -> "SlotForm":
        """Read what was sent."""
        typed = {
            name: form.get(name, default).strip()
            for name, default in (
                ("version", ""),
                ("title", ""),
                ("bulletin_class", "ordinary"),
                ("content_kind", "files"),
                ("relay_url", ""),
                ("local_start", ""),
                ("local_end", ""),
                ("first_day", ""),
                ("last_day", ""),
                ("excluded_days", ""),
                ("start_mode", "cut"),
                ("wait_s", "60"),
                ("when_cut", "rejoin"),
                ("gain_db", "0"),
            )
        }
        return cls(
            unit_id=unit_id,
            assets=tuple(digest for digest in form.getlist("asset") if digest),
            days=RecurrenceFields.sent(form),
            whole_unit=form.get("where", "all") == "all",
            picked=picked(form.getlist("unit"), form.getlist("village")),
            groups=tuple(form.getlist("group")),
            exclude=tuple(form.getlist("except")),
            languages=tuple(form.getlist("language")),
            override=tuple(form.getlist("override")),
            **typed,
        )

    def parsed(self) -> tuple[NewSlot | None, Sequence[Finding]]:
        """Turn it into a slot to ask for, or say which fields cannot be read."""
        start, first = parsed_time(self.local_start), parsed_day(self.first_day)
        last, length_s = parsed_day(self.last_day), self._length_s(start)
        left_out = [parsed_day(day) for day in self.excluded_days.replace(";", ",").split(",")]
        wait_s, gain_db = parsed_number(self.wait_s), parsed_number(self.gain_db)
        wrong = (
            ("bad-time", "local_start", start is None),
            ("bad-time", "length_s", start is not None and self.local_end and length_s is None),
            ("bad-day", "first_day", first is None),
            ("bad-day", "last_day", self.last_day and last is None),
            ("bad-day", "excluded_days", self.excluded_days and None in left_out),
            ("bad-wait", "wait_s", wait_s is None),
            ("bad-gain", "gain_db", gain_db is None),
        )
        findings = [Finding(code, {"field": name}) for code, name, holds in wrong if holds]
        if start is None or first is None or wait_s is None or gain_db is None or findings:
            return None, findings
        return NewSlot(
            unit_id=self.unit_id,
            title=self.title,
            bulletin_class=self.bulletin_class,
            content_kind=self.content_kind,
            assets=() if self.content_kind == "relay" else self.assets,
            relay_url=self.relay_url if self.content_kind == "relay" else "",
            length_s=length_s,
            recurrence=self.days.kind,
            weekdays=self.days.mask,
            pattern=self.days.pattern,
            holidays=self.days.holidays,
            excluded_days=tuple(sorted({day for day in left_out if day is not None})),
            local_start=start,
            first_day=first,
            last_day=last,
            units=(self.unit_id,) if self.whole_unit else self.picked.units,
            groups=() if self.whole_unit else self.groups,
            clusters=() if self.whole_unit else self.picked.clusters,
            exclude=self.exclude,
            languages=self.languages,
            start_mode=self.start_mode,
            wait_s=wait_s if self.start_mode == "wait" else 0.0,
            when_cut=self.when_cut,
            gain_db=gain_db,
            override=self.override,
        ), ()

    def _length_s(self, start: time | None) -> float | None:
        """Reckon the length from start to end; an end not after the start lies on the next day."""
        end = time() if self.local_end in {"24:00", "24h00"} else parsed_time(self.local_end)
        if start is None or end is None:
            return None
        return (_second(end) - _second(start)) % _DAY_S or _DAY_S


def _end(slot: NewSlot) -> str:
    """Show where a slot ends: at a whole second, before which nothing of it is lost."""
    if slot.length_s is None:
        return ""
    return _clock(math.ceil(_second(slot.local_start) + slot.length_s))


def overnight_s(new: NewSlot | None) -> float | None:
    """Tell how long a slot lasts that ends on the day after; None: it does not, or by its files."""
    if new is None or new.length_s is None:
        return None
    return new.length_s if _second(new.local_start) + new.length_s > _DAY_S else None


def _second(at: time) -> float:
    return at.hour * 3600 + at.minute * 60 + at.second + at.microsecond / 1e6


def _clock(second: float) -> str:
    whole = int(second % _DAY_S)
    text = f"{whole // 3600:02}:{whole % 3600 // 60:02}"
    return f"{text}:{whole % 60:02}" if whole % 60 else text
