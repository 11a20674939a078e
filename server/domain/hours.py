"""What a unit may lay down inside what the units above it have left, and whose time it is."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from operator import itemgetter

from server.domain.errors import Finding
from server.domain.frames import TimeFrame, owned
from server.domain.units import Unit
from server.domain.week import (
    DAY_S,
    WEEK_S,
    WHOLE,
    Stretches,
    clock,
    common,
    joined,
    without,
)

_MOST_NAMED = 6


def left_to(unit: Unit, frames: Sequence[TimeFrame]) -> Stretches:
    """Tell which time in the week some layers of frames leave to the programmes of a unit."""
    left = WHOLE
    laid_down = [frame for frame in frames if not frame.quiet]
    for upper in dict.fromkeys(frame.unit_id for frame in laid_down):
        theirs = [frame for frame in laid_down if frame.unit_id == upper]
        left = common(left, _week([frame for frame in theirs if frame.is_open_to(unit)]))
    return without(left, _week([frame for frame in frames if frame.quiet]))


def trespasses(
    new: TimeFrame, unit: Unit, above: Sequence[TimeFrame], own: Sequence[TimeFrame]
) -> list[Finding]:
    """Say where a frame goes beyond what the units above leave, or meets another of the same unit.

    Quiet hours only take away, so they may be anywhere.
    """
    if new.quiet:
        return []
    findings = []
    left = left_to(unit, above)
    if outside := without(new.week, left):
        findings.append(_named("frame-outside", outside, left=_listed(left)))
    others = _week([frame for frame in own if not frame.quiet])
    if twice := common(new.week, others):
        findings.append(_named("frame-overlap", twice))
    met = [frame for frame in above if common(frame.week, new.week)]
    return findings + _beyond(new, unit, met)


def _beyond(new: TimeFrame, unit: Unit, met: Sequence[TimeFrame]) -> list[Finding]:
    findings = []
    ceilings = [one.volume_ceiling_db for one in met if one.volume_ceiling_db is not None]
    if new.volume_ceiling_db is not None and new.volume_ceiling_db > min(ceilings, default=0.0):
        findings.append(Finding("frame-louder", {"limit": f"{min(ceilings):g}"}))
    limits = [
        one.session_limit_s
        for one in met
        if one.session_limit_s is not None and one.is_open_to(unit)
    ]
    if new.session_limit_s is not None and limits and new.session_limit_s > min(limits):
        findings.append(Finding("frame-longer", {"limit": f"{min(limits) / 60:g}"}))
    return findings


class Hold(StrEnum):
    """What may sound in a stretch of time."""

    QUIET = "quiet"
    OWNED = "owned"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the week that is somebody's, anybody's or nobody's.

    Attributes:
        start, end: Seconds since Monday midnight.
        owner_id: Unit whose time it is.
        owner_rank: Level whose time it is, each unit's under itself.
    """

    start: int
    end: int
    hold: Hold
    owner_id: str | None = None
    owner_rank: int | None = None


def pieces(chain: Sequence[Unit], frames: Sequence[TimeFrame]) -> list[Piece]:
    """Cut the week at every midnight and edge, and tell whose time each piece is.

    Args:
        chain: Units from the top down; the week is the last one's.
        frames: What they have laid down.
    """
    here = chain[-1]
    # The order in which a node asks: the top unit's plan first.
    owners: _Owners = [
        (frame.week, owner, None) for unit in chain for frame, owner in owned(unit, frames)
    ] + [
        (frame.week, None, frame.owner_rank)
        for frame in frames
        if not frame.quiet and frame.owner_rank is not None and frame.owner_rank > here.level_rank
    ]
    silent = _week([frame for frame in frames if frame.quiet])
    open_ = left_to(here, frames)
    edges = {day * DAY_S for day in range(8)}
    for frame in frames:
        edges.update(edge for stretch in frame.week for edge in stretch)
    return _joined_by_day(
        [_piece(start, end, owners, silent, open_) for start, end in pairwise(sorted(edges))]
    )


_Owners = Sequence[tuple[Stretches, str | None, int | None]]


def _piece(start: int, end: int, owners: _Owners, silent: Stretches, open_: Stretches) -> Piece:
    if _covers(silent, start):
        return Piece(start, end, Hold.QUIET)
    for week, owner_id, owner_rank in owners:
        if _covers(week, start):
            return Piece(start, end, Hold.OWNED, owner_id, owner_rank)
    return Piece(start, end, Hold.OPEN if _covers(open_, start) else Hold.CLOSED)


def _joined_by_day(found: Sequence[Piece]) -> list[Piece]:
    kept: list[Piece] = []
    for piece in found:
        if kept and piece.start % DAY_S and _facts(kept[-1]) == _facts(piece):
            kept[-1] = Piece(kept[-1].start, piece.end, *_facts(piece))
        else:
            kept.append(piece)
    return kept


def _facts(piece: Piece) -> tuple[Hold, str | None, int | None]:
    return piece.hold, piece.owner_id, piece.owner_rank


def _covers(stretches: Stretches, second: int) -> bool:
    at = bisect_right(stretches, second, key=itemgetter(0))
    return at > 0 and second < stretches[at - 1][1]


def _week(frames: Sequence[TimeFrame]) -> Stretches:
    return joined(stretch for frame in frames for stretch in frame.week)


def _named(code: str, where: Stretches, **fields: str) -> Finding:
    start, end = where[0]
    return Finding(
        code,
        {
            "weekday": str(start // DAY_S),
            "start": clock(start),
            "end": clock(end % WEEK_S or WEEK_S, ends=True),
            **fields,
        },
    )


def _listed(stretches: Stretches) -> str:
    """Name hours in figures, each once."""
    by_day = _cut_at_midnight(stretches)
    named = list(dict.fromkeys(f"{clock(a)}-{clock(b, ends=True)}" for a, b in by_day))
    return ", ".join(named[:_MOST_NAMED]) + ("…" if len(named) > _MOST_NAMED else "") or "–"


def _cut_at_midnight(stretches: Stretches) -> list[tuple[int, int]]:
    return [
        (max(begin, day), min(until, day + DAY_S))
        for begin, until in stretches
        for day in range(0, WEEK_S, DAY_S)
        if begin < day + DAY_S and day < until
    ]
