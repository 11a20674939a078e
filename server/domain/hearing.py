"""What of a content was heard, from the stretches in which it sounded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from protocol.content import Placed

_TOLERANCE_S = 0.1
"""Fades and the length of one block of samples: what lacks less was heard whole."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch in which something sounded, from ``position_s`` of its content."""

    start: datetime
    end: datetime
    position_s: float


@dataclass(frozen=True, slots=True)
class Heard:
    """One file of a content as it was heard.

    Attributes:
        digest: Which file; empty for what has no file, as somebody who speaks.
        is_whole: From its first sample to its last.
    """

    digest: str
    start: datetime
    end: datetime
    is_whole: bool


def heard(
    placed: Sequence[Placed], stretches: Iterable[Stretch], *, goes_on: bool
) -> tuple[Heard, ...]:
    """Tell which files were heard when, in the order in which they were.

    Args:
        placed: The files, and from where in the content each sounds.
        stretches: When which part of the content sounded.
        goes_on: Whether something that has no file sounds behind the last one: somebody speaks.
    """
    last_s = max((one.offset_s + one.asset.duration_s for one in placed), default=0.0)
    return tuple(
        piece
        for stretch in sorted(stretches, key=lambda one: one.start)
        for piece in (*_files(placed, stretch), *(_beyond(last_s, stretch) if goes_on else ()))
    )


def _files(placed: Sequence[Placed], stretch: Stretch) -> Iterable[Heard]:
    from_s, until_s = stretch.position_s, stretch.position_s + _length_s(stretch)
    for one in placed:
        first_s, last_s = one.offset_s, one.offset_s + one.asset.duration_s
        begin_s, end_s = max(first_s, from_s), min(last_s, until_s)
        begin, end = _at(stretch, begin_s), _at(stretch, end_s)
        # Sums of tenths of a second are not exact; no piece is shorter than a microsecond.
        if end <= begin:
            continue
        yield Heard(
            one.asset.digest,
            begin,
            end,
            begin_s - first_s <= _TOLERANCE_S and last_s - end_s <= _TOLERANCE_S,
        )


def _beyond(last_s: float, stretch: Stretch) -> Iterable[Heard]:
    begin_s = max(last_s, stretch.position_s)
    if stretch.position_s + _length_s(stretch) - begin_s > _TOLERANCE_S:
        yield Heard("", _at(stretch, begin_s), stretch.end, is_whole=True)


def _at(stretch: Stretch, position_s: float) -> datetime:
    return stretch.start + timedelta(seconds=position_s - stretch.position_s)


def _length_s(stretch: Stretch) -> float:
    return (stretch.end - stretch.start).total_seconds()
