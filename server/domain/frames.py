"""Time frames: whose time it is, and when nothing but an emergency may sound.

What a unit lays down binds all that is under it. A frame of an upper unit can be given to one unit
or to a level; time in no frame of a unit that has frames is closed to all but the units above it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil

from protocol.messages import Ceiling, Frame, Interval, Rules
from server.domain.errors import Finding
from server.domain.recurrence import LOCAL, Recurrence, Rule
from server.domain.units import Unit
from server.domain.week import (
    DAY_S,
    WEEK_S,
    Stretches,
    common,
    joined,
    weekly,
    without,
)


@dataclass(frozen=True, slots=True)
class TimeFrame:
    """A stretch of local time on some weekdays.

    Attributes:
        unit_id: Unit whose subtree it is laid down for.
        owner_id: Unit whose programmes it is for.
        owner_rank: Level whose units' programmes it is for, where no ``owner_id`` is given;
            neither: any unit under ``unit_id``.
        quiet: Nothing but an emergency may sound in it.
        local_end: May lie before ``local_start`` (across midnight); equal means the whole day.
        session_limit_s: Longest programme in it.
        volume_ceiling_db: Loudest gain in it.
    """

    unit_id: str
    owner_id: str | None
    weekdays: int
    local_start: time
    local_end: time
    quiet: bool = False
    legal_reference: str = ""
    owner_rank: int | None = None
    session_limit_s: int | None = None
    volume_ceiling_db: float | None = None
    frame_id: str = ""

    @property
    def length(self) -> timedelta:
        """How long it lasts each day."""
        day = date(2000, 1, 1)
        length = datetime.combine(day, self.local_end) - datetime.combine(day, self.local_start)
        return length if length > timedelta() else length + timedelta(days=1)

    @property
    def week(self) -> Stretches:
        """Its place in every week."""
        return weekly(self.weekdays, self.local_start, self.length)

    @property
    def hours(self) -> str:
        """Its hours in figures; an end at midnight is 24:00."""
        end = f"{self.local_end:%H:%M}" if self.local_end != time() else "24:00"
        return f"{self.local_start:%H:%M}-{end}"

    def stretches(self, start: datetime, end: datetime) -> Iterable[tuple[datetime, datetime]]:
        """Yield its UTC intervals that touch ``start`` to ``end``."""
        rule = Rule(
            Recurrence.WEEKLY, self.local_start, self.length, date(2000, 1, 1), None, self.weekdays
        )
        return rule.occurrences(start, end)

    def is_open_to(self, unit: Unit) -> bool:
        """Say whether it is for the programmes of ``unit``, or for anybody's."""
        if self.owner_id is not None:
            return self.owner_id == unit.unit_id
        return self.owner_rank in (None, unit.level_rank)


def owned(unit: Unit, chain_frames: Sequence[TimeFrame]) -> list[tuple[TimeFrame, str]]:
    """List the frames whose owners a unit's plan names, each with the owner.

    A frame that an upper unit gave to a level is named by each unit of that level for itself. A
    unit's own frames go first: it may give on what it was given.
    """
    own = [frame for frame in chain_frames if frame.unit_id == unit.unit_id and not frame.quiet]
    given = [
        frame
        for frame in chain_frames
        if not frame.quiet and frame.owner_id is None and frame.owner_rank == unit.level_rank
    ]
    named = [(frame, frame.owner_id) for frame in own if frame.owner_id is not None]
    own_given = [frame for frame in given if frame.unit_id == unit.unit_id]
    above = [frame for frame in given if frame.unit_id != unit.unit_id]
    return [*named, *((frame, unit.unit_id) for frame in (*own_given, *above))]


def rules(unit: Unit, chain_frames: Sequence[TimeFrame], start: datetime, end: datetime) -> Rules:
    """Write down for a plan, as UTC intervals, what a unit has laid down and what it was given."""
    own = [frame for frame in chain_frames if frame.unit_id == unit.unit_id]
    return Rules(
        frames=tuple(
            Frame(start=begin, end=until, owner=owner)
            for frame, owner in owned(unit, chain_frames)
            for begin, until in frame.stretches(start, end)
        ),
        quiet=tuple(
            Interval(start=begin, end=until)
            for frame in own
            if frame.quiet
            for begin, until in frame.stretches(start, end)
        ),
        ceilings=tuple(
            Ceiling(start=begin, end=until, volume_ceiling_db=frame.volume_ceiling_db)
            for frame in own
            if frame.volume_ceiling_db is not None
            for begin, until in frame.stretches(start, end)
        ),
    )


def misplaced(
    occurrences: Sequence[tuple[datetime, datetime]],
    *,
    unit: Unit,
    above: Collection[str],
    chain_frames: Sequence[TimeFrame],
) -> list[Finding]:
    """Say which occurrences lie in quiet hours, outside the frames open to a unit, or are too long.

    Quiet hours of every unit above the clusters bind; frames bind only programmes of the unit that
    laid them down and of those under it. Where nobody has frames, all hours are open.

    Args:
        occurrences: Stretches in which the unit's programme is to sound, in order.
        unit: Unit whose programme it is.
        above: That unit and those above it.
        chain_frames: What all units above the clusters have laid down.
    """
    if not occurrences or not chain_frames:
        return []
    quiet = [frame for frame in chain_frames if frame.quiet]
    binding = [frame for frame in chain_frames if not frame.quiet and frame.unit_id in above]
    open_ = [frame for frame in binding if frame.is_open_to(unit)]
    silent = _week(quiet)
    layers = [
        _week([frame for frame in open_ if frame.unit_id == upper])
        for upper in {frame.unit_id for frame in binding}
    ]
    for start, end in occurrences:
        place = _in_week(start, end)
        if common(place, silent):
            return [_where("quiet-hours", start, end, quiet)]
        if any(without(place, layer) for layer in layers):
            return [_where("outside-frame", start, end, open_)]
        limit_s = _limit_s(open_, place)
        if limit_s is not None and (end - start).total_seconds() > limit_s:
            return [_too_long(start, end, limit_s)]
    return []


def _in_week(start: datetime, end: datetime) -> Stretches:
    """Place an occurrence in the week in whole seconds, those that it begins or ends in too."""
    local = start.astimezone(LOCAL)
    begins = local.weekday() * DAY_S + local.hour * 3600 + local.minute * 60 + local.second
    lasts_s = (end - start).total_seconds() + local.microsecond / 1e6
    ends = begins + ceil(lasts_s)
    if ends > WEEK_S:
        return ((0, ends - WEEK_S), (begins, WEEK_S))
    return ((begins, ends),)


def _limit_s(frames: Sequence[TimeFrame], place: Stretches) -> int | None:
    """Find the shortest limit of the frames that an occurrence touches."""
    limits = (
        frame.session_limit_s
        for frame in frames
        if frame.session_limit_s is not None and common(place, frame.week)
    )
    return min(limits, default=None)


def _week(frames: Sequence[TimeFrame]) -> Stretches:
    """Join stretches that touch: there is no seam at midnight, nor between two frames."""
    return joined(stretch for frame in frames for stretch in frame.week)


def _where(code: str, start: datetime, end: datetime, frames: Sequence[TimeFrame]) -> Finding:
    local_start, local_end = start.astimezone(LOCAL), end.astimezone(LOCAL)
    return Finding(
        code,
        {
            "day": f"{local_start:%d/%m/%Y}",
            "start": f"{local_start:%H:%M:%S}",
            "end": f"{local_end:%H:%M:%S}",
            "frames": ", ".join(dict.fromkeys(frame.hours for frame in frames)),
        },
    )


def _too_long(start: datetime, end: datetime, limit_s: int) -> Finding:
    return Finding(
        "session-too-long",
        {
            "day": f"{start.astimezone(LOCAL):%d/%m/%Y}",
            "length": str(timedelta(seconds=round((end - start).total_seconds()))),
            "limit": str(timedelta(seconds=limit_s)),
        },
    )
