"""The next moment at which a programme may lie inside the frames and beside what is there."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, time, timedelta

from server.domain.frames import TimeFrame, misplaced
from server.domain.recurrence import EVERY_DAY
from server.domain.slots import Stretch
from server.domain.units import Unit

_MINUTE = timedelta(minutes=1)

_NIGHT = TimeFrame("", None, EVERY_DAY, time(21), time(5), quiet=True)
"""Where nobody has laid down any hours at all, nothing is placed at night by itself."""


def decent(frames: Sequence[TimeFrame]) -> Sequence[TimeFrame]:
    """Give the hours that bind what no person chooses the time of."""
    return frames or (_NIGHT,)


def first_opening(
    length: timedelta,
    around: Stretch,
    *,
    busy: Collection[Stretch],
    unit: Unit,
    above: Collection[str],
    chain_frames: Sequence[TimeFrame],
) -> Stretch | None:
    """Find the first stretch of a length that begins and ends in ``around``; None: there is none.

    It begins at a whole minute: now, where hours begin, or where something that is there has ended.

    Args:
        length: How long the programme lasts.
        around: Where to look.
        busy: What it may not lie over.
        unit: Unit whose programme it is.
        above: That unit and those above it.
        chain_frames: What all units above the clusters have laid down.
    """
    earliest, latest = around
    begins = {earliest, *(end for _, end in busy)}
    begins.update(at for frame in chain_frames for at in _edges(frame, around))
    for start in sorted({_whole_minute(at) for at in begins if at >= earliest}):
        end = start + length
        if end > latest:
            return None
        is_free = not any(begin < end and start < until for begin, until in busy)
        if is_free and not misplaced(
            [(start, end)], unit=unit, above=above, chain_frames=chain_frames
        ):
            return start, end
    return None


def _edges(frame: TimeFrame, around: Stretch) -> Iterable[datetime]:
    """Give the instants from which on a frame may let something lie: its start, or quiet's end."""
    return (end if frame.quiet else begin for begin, end in frame.stretches(*around))


def _whole_minute(at: datetime) -> datetime:
    down = at.replace(second=0, microsecond=0)
    return down if down == at else down + _MINUTE
