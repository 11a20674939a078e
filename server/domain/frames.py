"""Time frames: whose time it is, and when nothing but an emergency may sound."""

from bisect import bisect_left, bisect_right
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
    if not occurrences or not chain_frames:
        return []
    around = (occurrences[0][0] - timedelta(days=1), occurrences[-1][1] + timedelta(days=1))
    quiet = [frame for frame in chain_frames if frame.quiet]
    frames = [frame for frame in chain_frames if not frame.quiet]
    own = [frame for frame in frames if frame.owner_id in (None, unit_id)]
    silent, open_ = _joined(quiet, around), _joined(own, around)
    for start, end in occurrences:
        # Joined stretches lie apart, so only the last that begins in time can reach this one.
        last = bisect_left(silent, end, key=_begin)
        if last > 0 and silent[last - 1][1] > start:
            return [_where("quiet-hours", start, end, quiet)]
        around_it = bisect_right(open_, start, key=_begin)
        if frames and (around_it == 0 or end > open_[around_it - 1][1]):
            return [_where("outside-frame", start, end, own)]
    return []


def _joined(
    frames: Sequence[TimeFrame], around: tuple[datetime, datetime]
) -> list[tuple[datetime, datetime]]:
    """Join stretches that touch: there is no seam at midnight, nor between two frames."""
    joined: list[tuple[datetime, datetime]] = []
    for begin, until in sorted(at for frame in frames for at in frame.stretches(*around)):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(until, joined[-1][1]))
        else:
            joined.append((begin, until))
    return joined


def _begin(stretch: tuple[datetime, datetime]) -> datetime:
    return stretch[0]


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
