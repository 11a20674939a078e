"""A week of a unit's time, drawn: seven days, coloured by the level whose time it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from server.domain.hours import Hold, Piece, pieces
from server.domain.recurrence import day_bounds, local_day
from server.domain.units import Tree
from server.domain.week import DAY_S, clock
from server.http.languages import DEFAULT, chosen, gettext
from server.services import framing
from server.services.framing import LaidDown

_RANKS = ("level-0", "level-1", "level-2")


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of one day.

    Attributes:
        css: Class that colours it.
        label: Whose time it is, in words.
        x, width: Place in the day, in percent.
    """

    css: str
    label: str
    start: str
    end: str
    x: float
    width: float

    @property
    def titled(self) -> bool:
        """Whether there is room enough for a few words."""
        return self.width >= 8  # noqa: PLR2004 - percent of the width


@dataclass(frozen=True, slots=True)
class Entry:
    """One frame in the list."""

    laid_down: LaidDown
    css: str
    owner: str


def week(
    unit_id: str, laid_down: Sequence[LaidDown], tree: Tree, names: Mapping[int, str]
) -> list[list[Band]]:
    """Lay out the seven days; empty where nobody has laid anything down."""
    if not laid_down:
        return []
    chain = [tree.unit(one) for one in tree.chain(unit_id)]
    days: list[list[Band]] = [[] for _ in range(7)]
    for piece in pieces(chain, [one.frame for one in laid_down]):
        days[piece.start // DAY_S].append(_band(piece, tree, names))
    return days


def clipped(bands: Sequence[Band], start: datetime, end: datetime) -> list[Band]:
    """Keep of a day what lies from ``start`` to ``end``, and stretch it over that width."""
    midnight = day_bounds(local_day(start))[0]
    first, last = ((at - midnight).total_seconds() * 100 / DAY_S for at in (start, end))
    whole = (last - first) / 100
    return [
        replace(
            band,
            x=round((max(band.x, first) - first) / whole, 3),
            width=round((min(band.x + band.width, last) - max(band.x, first)) / whole, 3),
        )
        for band in bands
        if band.x < last and first < band.x + band.width
    ]


def level_names(db: Session) -> dict[int, str]:
    """Name the levels of government in the reader's language."""
    is_vietnamese = chosen() == DEFAULT
    return {row.rank: row.name_vi if is_vietnamese else row.name_en for row in framing.levels(db)}


def entries(laid_down: Sequence[LaidDown], tree: Tree, names: Mapping[int, str]) -> list[Entry]:
    """List frames, each with the colour and the name of whose time it is."""
    found = []
    for one in laid_down:
        frame = one.frame
        hold = Hold.QUIET if frame.quiet else Hold.OWNED
        if hold is Hold.OWNED and frame.owner_id is None and frame.owner_rank is None:
            hold = Hold.OPEN
        css, owner = _looks(hold, frame.owner_id, frame.owner_rank, tree, names)
        found.append(Entry(one, css, owner))
    return found


def _band(piece: Piece, tree: Tree, names: Mapping[int, str]) -> Band:
    css, label = _looks(piece.hold, piece.owner_id, piece.owner_rank, tree, names)
    return Band(
        css,
        label,
        clock(piece.start),
        clock(piece.end, ends=True),
        round(piece.start % DAY_S * 100 / DAY_S, 3),
        round((piece.end - piece.start) * 100 / DAY_S, 3),
    )


def _looks(
    hold: Hold, owner_id: str | None, owner_rank: int | None, tree: Tree, names: Mapping[int, str]
) -> tuple[str, str]:
    if hold is Hold.QUIET:
        return "hold-quiet", gettext("Quiet hours")
    if hold is Hold.OPEN:
        return "hold-open", gettext("Open to all")
    if hold is Hold.CLOSED:
        return "hold-closed", gettext("Closed")
    unit = tree.units.get(owner_id) if owner_id is not None else None
    if unit is not None:
        return _RANKS[min(unit.level_rank, len(_RANKS) - 1)], unit.name
    rank = owner_rank or 0
    return _RANKS[min(rank, len(_RANKS) - 1)], names.get(rank, "–")
