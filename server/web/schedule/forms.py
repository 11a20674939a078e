"""The form of a slot: what was typed is kept, whether or not it can be used."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from werkzeug.datastructures import MultiDict

from server.domain.errors import Finding
from server.services.scheduling import NewSlot
from server.web.fields import parsed_day, parsed_time
from server.web.formats import dmy
from server.web.schedule.recurrence_fields import RecurrenceFields
from server.web.targets import Picked, picked


@dataclass(frozen=True, slots=True)
class SlotForm:
    """A slot as it was typed."""

    unit_id: str
    title: str = ""
    bulletin_class: str = "ordinary"
    asset_digest: str = ""
    days: RecurrenceFields = field(default_factory=RecurrenceFields)
    local_start: str = ""
    first_day: str = ""
    last_day: str = ""
    whole_unit: bool = True
    picked: Picked = field(default_factory=Picked)
    when_cut: str = "rejoin"

    @classmethod
    def fresh(cls, unit_id: str, today: date) -> "SlotForm":
        """Begin with today and every day."""
        return cls(unit_id, first_day=dmy(today))

    @classmethod
    def sent(cls, unit_id: str, form: "MultiDict[str, str]") -> "SlotForm":
        """Read what was sent."""
        return cls(
            unit_id=unit_id,
            title=form.get("title", "").strip(),
            bulletin_class=form.get("bulletin_class", "ordinary"),
            asset_digest=form.get("asset_digest", ""),
            days=RecurrenceFields.sent(form),
            local_start=form.get("local_start", "").strip(),
            first_day=form.get("first_day", "").strip(),
            last_day=form.get("last_day", "").strip(),
            whole_unit=form.get("where", "all") == "all",
            picked=picked(form.getlist("unit"), form.getlist("village")),
            when_cut=form.get("when_cut", "rejoin"),
        )

    def parsed(self) -> tuple[NewSlot | None, Sequence[Finding]]:
        """Turn it into a slot to ask for, or say which fields cannot be read."""
        start, first = parsed_time(self.local_start), parsed_day(self.first_day)
        last = parsed_day(self.last_day)
        findings = []
        if start is None:
            findings.append(Finding("bad-time"))
        if first is None or (self.last_day and last is None):
            findings.append(Finding("bad-day"))
        if start is None or first is None or findings:
            return None, findings
        return NewSlot(
            unit_id=self.unit_id,
            title=self.title,
            bulletin_class=self.bulletin_class,
            assets=(self.asset_digest,) if self.asset_digest else (),
            recurrence=self.days.kind,
            weekdays=self.days.mask,
            pattern=self.days.pattern,
            holidays=self.days.holidays,
            local_start=start,
            first_day=first,
            last_day=last,
            units=(self.unit_id,) if self.whole_unit else self.picked.units,
            clusters=() if self.whole_unit else self.picked.clusters,
            when_cut=self.when_cut if self.when_cut in {"rejoin", "resume", "drop"} else "rejoin",
        ), ()
