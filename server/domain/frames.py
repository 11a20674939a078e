"""Time frames: whose time it is, and when nothing but an emergency may sound."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from protocol.messages import Frame, Interval, Rules
from server.domain.errors import Finding
from server.domain.recurrence import LOCAL, Recurrence, Rule


@dataclass(frozen=True, slots=True)
class TimeFrame:
    """A stretch of local time on some weekdays.

    Attributes:
        unit_id: Unit whose subtree it is laid down for.
        owner_id: Unit whose programmes it is for; None: any unit under ``unit_id``.
        quiet: Nothing but an emergency may sound in it.
        local_end: May lie before ``local_start`` (across midnight); equal means the whole day.
    """

    unit_id: str
    owner_id: str | None
    weekdays: int
    local_start: time
    local_end: time
    quiet: bool = False
    legal_reference: str = ""

    @property
    def length(self) -> timedelta:
        """How long it lasts each day."""
        day = date(2000, 1, 1)
        length = datetime.combine(day, self.local_end) - datetime.combine(day, self.local_start)
        return length if length > timedelta() else length + timedelta(days=1)

    def stretches(self, start: datetime, end: datetime) -> Iterable[tuple[datetime, datetime]]:
        """Yield its UTC intervals that touch ``start`` to ``end``."""
        rule = Rule(
            Recurrence.WEEKLY, self.local_start, self.length, date(2000, 1, 1), None, self.weekdays
        )
        return rule.occurrences(start, end)


def rules(frames: Sequence[TimeFrame], start: datetime, end: datetime) -> Rules:
    """Write a unit's frames down as UTC intervals for a plan."""
    return Rules(
        frames=tuple(
            Frame(start=begin, end=until, owner=frame.owner_id)
            for frame in frames
            if not frame.quiet and frame.owner_id is not None
            for begin, until in frame.stretches(start, end)
        ),
        quiet=tuple(
            Interval(start=begin, end=until)
            for frame in frames
            if frame.quiet
            for begin, until in frame.stretches(start, end)
        ),
    )


def misplaced(
    occurrences: Sequence[tuple[datetime, datetime]],
    *,
    unit_id: str,
    chain_frames: Sequence[TimeFrame],
) -> list[Finding]:
    """Say which occurrences lie in quiet hours, or outside every frame that is open to the unit.

    Where nobody above the clusters has laid down a frame, all hours but the quiet ones are open.
    """
    for start, end in occurrences:
        around = (start - timedelta(days=1), end + timedelta(days=1))
        quiet = [frame for frame in chain_frames if frame.quiet]
        if any(
            begin < end and start < until
            for frame in quiet
            for begin, until in frame.stretches(*around)
        ):
            return [_where("quiet-hours", start, end, quiet)]
        frames = [frame for frame in chain_frames if not frame.quiet]
        own = [frame for frame in frames if frame.owner_id in (None, unit_id)]
        inside = any(
            begin <= start and end <= until
            for frame in own
            for begin, until in _joined(frame.stretches(*around))
        )
        if frames and not inside:
            return [_where("outside-frame", start, end, own)]
    return []


def _joined(
    stretches: Iterable[tuple[datetime, datetime]],
) -> list[tuple[datetime, datetime]]:
    """Join stretches that touch, so that an all-day frame has no seam at midnight."""
    joined: list[tuple[datetime, datetime]] = []
    for begin, until in sorted(stretches):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(until, joined[-1][1]))
        else:
            joined.append((begin, until))
    return joined


def _where(code: str, start: datetime, end: datetime, frames: Sequence[TimeFrame]) -> Finding:
    local_start, local_end = start.astimezone(LOCAL), end.astimezone(LOCAL)
    return Finding(
        code,
        {
            "day": f"{local_start:%d/%m/%Y}",
            "start": f"{local_start:%H:%M:%S}",
            "end": f"{local_end:%H:%M:%S}",
            "frames": ", ".join(
                f"{frame.local_start:%H:%M}-{frame.local_end:%H:%M}" for frame in frames
            ),
        },
    )
