"""Which cluster, and from when until when: as typed, or as our own addresses carry it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from werkzeug.datastructures import MultiDict

from server.domain.errors import Finding
from server.domain.recurrence import LOCAL, local_day
from server.web.fields import parsed_day, parsed_time
from server.web.formats import dmy, hm

USUAL = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PreviewForm:
    """What was typed."""

    cluster_id: str
    day: str
    start: str
    end: str
    skip_silence: bool

    @classmethod
    def read(cls, args: "MultiDict[str, str]", clusters: list[str], now: datetime) -> "PreviewForm":
        """Read what was sent; at first the hour that begins now, at the first cluster."""
        asked = args.get("cluster", "")
        return cls(
            asked or (clusters[0] if clusters else ""),
            args.get("day", "") or dmy(local_day(now)),
            args.get("start", "") or hm(now),
            args.get("end", "") or hm(now + USUAL),
            "start" not in args or "skip" in args,
        )

    def parsed(self) -> tuple[tuple[datetime, datetime] | None, list[Finding]]:
        """Turn it into two instants; an end not after the beginning lies on the next day."""
        day, start, end = parsed_day(self.day), parsed_time(self.start), parsed_time(self.end)
        findings = [] if day else [Finding("bad-day")]
        if start is None or end is None:
            findings.append(Finding("bad-time"))
        if day is None or start is None or end is None:
            return None, findings
        since, until = _instant(day, start), _instant(day, end)
        return (since, until if until > since else until + timedelta(days=1)), []


def _instant(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, LOCAL).astimezone(UTC)
