"""The forms of a bulletin and of a commune's answer: what was typed is kept."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from werkzeug.datastructures import MultiDict

from server.domain.errors import Finding
from server.domain.recurrence import LOCAL, local_day
from server.domain.slots import Stretch
from server.services.answers import Airing
from server.services.bulletins import NewBulletin
from server.store.models import BulletinRow
from server.web.fields import parsed_day, parsed_time
from server.web.formats import dmy, hm

SEVERITIES = (1, 2, 3)
_USUAL_DAYS, _USUAL_TIME = 3, "17:00"
_WEEK = 7


@dataclass(frozen=True, slots=True)
class BulletinForm:
    """A bulletin as it was typed.

    Attributes:
        request_id: Made once, when the form is first shown; sending the same one twice is once.
        version: Of the bulletin that is being edited; 0: it is a new one.
    """

    request_id: str
    unit_id: str
    version: int = 0
    title: str = ""
    text: str = ""
    bulletin_class: str = "ordinary"
    asset_digest: str = ""
    whole_unit: bool = True
    addressed: tuple[str, ...] = ()
    deadline_day: str = ""
    deadline_time: str = _USUAL_TIME
    decision_number: str = ""
    severity: int = 1

    @classmethod
    def fresh(cls, unit_id: str, now: datetime) -> "BulletinForm":
        """Begin a bulletin to be answered within three days."""
        due = local_day(now) + timedelta(days=_USUAL_DAYS)
        return cls(uuid.uuid4().hex, unit_id, deadline_day=dmy(due))

    @classmethod
    def of(cls, row: BulletinRow) -> "BulletinForm":
        """Show what is there."""
        addressed = tuple(row.addressed["units"])
        return cls(
            request_id=row.request_id,
            unit_id=row.unit_id,
            version=row.version,
            title=row.title,
            text=row.text,
            bulletin_class=row.bulletin_class,
            asset_digest=row.asset_digest or "",
            whole_unit=addressed == (row.unit_id,),
            addressed=addressed,
            deadline_day=dmy(row.deadline) if row.deadline else "",
            deadline_time=hm(row.deadline) if row.deadline else _USUAL_TIME,
            decision_number=row.decision_number,
            severity=row.severity or 1,
        )

    @classmethod
    def sent(cls, unit_id: str, form: "MultiDict[str, str]") -> "BulletinForm":
        """Read what was sent."""
        version, severity = form.get("version", ""), form.get("severity", "")
        return cls(
            request_id=form.get("request_id", "")[:64] or uuid.uuid4().hex,
            unit_id=unit_id,
            version=whole(version),
            title=form.get("title", "").strip(),
            text=form.get("text", "").replace("\r", "").strip(),
            bulletin_class=form.get("bulletin_class", "ordinary"),
            asset_digest=form.get("asset_digest", ""),
            whole_unit=form.get("where", "all") == "all",
            addressed=tuple(dict.fromkeys(form.getlist("unit"))),
            deadline_day=form.get("deadline_day", "").strip(),
            deadline_time=form.get("deadline_time", "").strip(),
            decision_number=form.get("decision_number", "").strip(),
            severity=whole(severity) if whole(severity) in SEVERITIES else 1,
        )

    def parsed(self) -> tuple[NewBulletin | None, Sequence[Finding]]:
        """Turn it into a bulletin to ask for, or say which fields cannot be read."""
        emergency = self.bulletin_class == "emergency"
        due = parsed_instant(self.deadline_day, self.deadline_time)
        if self.deadline_day and due is None and not emergency:
            return None, [Finding("bad-deadline")]
        return NewBulletin(
            request_id=self.request_id,
            unit_id=self.unit_id,
            title=self.title,
            text=self.text,
            bulletin_class=self.bulletin_class,
            asset_digest=self.asset_digest,
            addressed=(self.unit_id,) if self.whole_unit else self.addressed,
            deadline=due,
            decision_number=self.decision_number if emergency else "",
            severity=self.severity if emergency else 0,
        ), ()


@dataclass(frozen=True, slots=True)
class AiringForm:
    """When a commune wants to air a bulletin, as it was typed; and why it declines it."""

    local_start: str = ""
    first_day: str = ""
    last_day: str = ""
    recurrence: str = "once"
    weekdays: tuple[int, ...] = ()
    reason: str = ""

    @classmethod
    def suggested(cls, opening: Stretch | None) -> "AiringForm":
        """Begin with the next free moment."""
        if opening is None:
            return cls()
        return cls(hm(opening[0]), dmy(opening[0]))

    @classmethod
    def sent(cls, form: "MultiDict[str, str]") -> "AiringForm":
        """Read what was sent; the button of an offered time stands for that time."""
        days = {whole(day) for day in form.getlist("weekday") if day.isdecimal()}
        return cls(
            local_start=form.get("offer", form.get("local_start", "")).strip(),
            first_day=form.get("first_day", "").strip(),
            last_day=form.get("last_day", "").strip(),
            recurrence=form.get("recurrence", "once"),
            weekdays=tuple(sorted(day for day in days if day < _WEEK)),
            reason=form.get("reason", "").replace("\r", "").strip(),
        )

    def parsed(self) -> tuple[Airing | None, Sequence[Finding]]:
        """Turn it into times to ask for, or say which fields cannot be read."""
        start, first = parsed_time(self.local_start), parsed_day(self.first_day)
        once = self.recurrence == "once"
        last = None if once else parsed_day(self.last_day)
        findings = []
        if start is None:
            findings.append(Finding("bad-time"))
        if first is None:
            findings.append(Finding("bad-day"))
        if self.last_day and not once and last is None:
            findings.append(Finding("bad-day", {"field": "last_day"}))
        if start is None or first is None or findings:
            return None, findings
        mask = sum(1 << day for day in self.weekdays)
        return Airing(start, first, self.recurrence, last, mask), ()


def whole(text: str) -> int:
    """Read a small whole number; 0 where there is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _WEEK else 0


def parsed_instant(day: str, clock: str) -> datetime | None:
    """Read a day and a time on the wall."""
    on, at = parsed_day(day), parsed_time(clock)
    if on is None or at is None:
        return None
    return datetime.combine(on, at, LOCAL).astimezone(UTC)
