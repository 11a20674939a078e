"""The form of a time frame: what was typed is kept, whether or not it can be used."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

from werkzeug.datastructures import MultiDict

from server.domain.errors import Finding
from server.domain.recurrence import EVERY_DAY
from server.services.framing import LaidDown, NewFrame
from server.web.fields import parsed_time

_WEEK = 7
_RANK, _UNIT = "level-", "unit-"
_SMALL, _NO_RANK = re.compile("[0-9]{1,4}"), -1
_MIDNIGHT = ("24:00", "24:00:00", "24h00", "24g00", "24h", "24")


@dataclass(frozen=True, slots=True)
class FrameForm:
    """A frame as it was typed; ``owner`` is empty, ``level-<rank>`` or ``unit-<id>``."""

    unit_id: str
    version: str = ""
    kind: str = "frame"
    weekdays: tuple[int, ...] = tuple(range(_WEEK))
    local_start: str = ""
    local_end: str = ""
    owner: str = ""
    session_limit_min: str = ""
    volume_ceiling_db: str = ""
    legal_reference: str = ""

    @classmethod
    def of(cls, laid_down: LaidDown) -> "FrameForm":
        """Show hours that are there."""
        frame = laid_down.frame
        limit_s, ceiling_db = frame.session_limit_s, frame.volume_ceiling_db
        owner = f"{_UNIT}{frame.owner_id}" if frame.owner_id is not None else ""
        start, end = frame.hours.split("-")
        return cls(
            unit_id=frame.unit_id,
            version=laid_down.version,
            kind="quiet" if frame.quiet else "frame",
            weekdays=tuple(day for day in range(_WEEK) if frame.weekdays >> day & 1),
            local_start=start,
            local_end=end,
            owner=owner if frame.owner_rank is None else f"{_RANK}{frame.owner_rank}",
            session_limit_min="" if limit_s is None else f"{limit_s / 60:g}",
            volume_ceiling_db="" if ceiling_db is None else f"{ceiling_db:g}",
            legal_reference=frame.legal_reference,
        )

    @property
    def owner_id(self) -> str:
        """Unit that is chosen as the owner, if one is."""
        return self.owner.removeprefix(_UNIT) if self.owner.startswith(_UNIT) else ""

    @property
    def owner_rank(self) -> int | None:
        """Level that is chosen as the owner, if one is; what is no level is told as one unknown."""
        if not self.owner.startswith(_RANK):
            return None
        rank = self.owner.removeprefix(_RANK)
        return int(rank) if _SMALL.fullmatch(rank) else _NO_RANK

    @classmethod
    def sent(cls, unit_id: str, form: "MultiDict[str, str]") -> "FrameForm":
        """Read what was sent."""
        days = {day for day in range(_WEEK) if str(day) in form.getlist("weekday")}
        quiet = form.get("kind") == "quiet"
        return cls(
            unit_id=unit_id,
            version=form.get("version", ""),
            kind=form.get("kind", "frame"),
            weekdays=tuple(sorted(days)),
            local_start=form.get("local_start", "").strip(),
            local_end=form.get("local_end", "").strip(),
            # The form hides these for quiet hours.
            owner="" if quiet else form.get("owner", ""),
            session_limit_min="" if quiet else form.get("session_limit_min", "").strip(),
            volume_ceiling_db="" if quiet else form.get("volume_ceiling_db", "").strip(),
            legal_reference=form.get("legal_reference", "").strip(),
        )

    def parsed(self) -> tuple[NewFrame | None, Sequence[Finding]]:
        """Turn it into a frame to ask for, or say which fields cannot be read."""
        start, end = parsed_time(self.local_start), _end(self.local_end)
        limit_min, ceiling_db = _number(self.session_limit_min), _number(self.volume_ceiling_db)
        findings = []
        for name, at in (("local_start", start), ("local_end", end)):
            if at is None:
                findings.append(Finding("bad-time", {"field": name}))
        if self.session_limit_min and limit_min is None:
            findings.append(Finding("bad-session-limit"))
        if self.volume_ceiling_db and ceiling_db is None:
            findings.append(Finding("bad-ceiling"))
        if start is None or end is None or findings:
            return None, findings
        return NewFrame(
            unit_id=self.unit_id,
            kind=self.kind,
            local_start=start,
            local_end=end,
            weekdays=sum(1 << day for day in self.weekdays) & EVERY_DAY,
            owner_id=self.owner_id or None,
            owner_rank=self.owner_rank,
            session_limit_s=None if limit_min is None else round(limit_min * 60),
            volume_ceiling_db=ceiling_db,
            legal_reference=self.legal_reference,
        ), ()


def _end(text: str) -> time | None:
    return time() if text in _MIDNIGHT else parsed_time(text)


def _number(text: str) -> float | None:
    """Read a small number, with a comma as Vietnamese write it or with a point."""
    plain = text.replace(",", ".").replace("−", "-")  # noqa: RUF001 - the minus sign of print
    digits = plain.removeprefix("-").replace(".", "", 1)
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _WEEK):
        return None
    return float(plain)
