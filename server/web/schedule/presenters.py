"""One day of one unit's clusters, drawn: clusters with the same day share a row."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.domain.recurrence import LOCAL
from server.domain.units import Tree
from server.services.scheduling import TimelineSpan

_HOUR = timedelta(hours=1)
_LEAST_HOURS = 6
_LEAST_PERCENT = 0.4
_TITLE_PERCENT = 14.0
_WORDS_PERCENT = 6.0
_RANKS = ("level-0", "level-1", "level-2")


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch in which one claim is heard.

    Attributes:
        x, width: Place in the drawn hours, in percent.
        room: Width that its title may take: up to the next block, within reason.
        level: Class that colours it by the level of the unit whose it is.
        losers: Titles of what would be heard but for it.
    """

    start: datetime
    end: datetime
    title: str
    unit_name: str
    bulletin_class: str
    level: str
    slot_id: str | None
    losers: tuple[str, ...]
    x: float
    width: float
    room: float

    @property
    def share(self) -> float:
        """How much of its room it fills, in percent."""
        return round(100 * self.width / self.room, 2)

    @property
    def titled(self) -> bool:
        """Whether there is room enough for a few words."""
        return self.room >= _WORDS_PERCENT


@dataclass(frozen=True, slots=True)
class Row:
    """The day of one or several clusters."""

    names: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Hour:
    """A line of the drawing."""

    label: str
    x: float


@dataclass(frozen=True, slots=True)
class Entry:
    """A block in the list, and where it is heard; empty: everywhere."""

    block: Block
    names: tuple[str, ...]
    current: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """A whole day.

    Attributes:
        now_x: Where the present is, in percent; None on other days and outside the hours drawn.
    """

    start: datetime
    end: datetime
    rows: tuple[Row, ...]
    hours: tuple[Hour, ...]
    entries: tuple[Entry, ...]
    now_x: float | None


@dataclass(frozen=True, slots=True)
class ClusterDay:
    """One cluster's day as the rules decide it."""

    name: str
    spans: tuple[TimelineSpan, ...]


def drawn(
    days: Sequence[ClusterDay],
    tree: Tree,
    bounds: tuple[datetime, datetime],
    now: datetime,
    *,
    merge: bool,
) -> Drawing:
    """Lay out a day: the hours from the first to the last sound, and at least some of them."""
    start, end = _hours(days, bounds, now)
    whole = (end - start) / timedelta(hours=100)

    def x(at: datetime) -> float:
        return round((at - start) / _HOUR / whole, 3)

    rows: dict[tuple[object, ...], list[ClusterDay]] = {}
    for day in days:
        heard = tuple(span for span in day.spans if span.claim is not None)
        same = tuple((span.start, span.end, span.title, span.unit_name) for span in heard)
        rows.setdefault(same if merge else (day.name, same), []).append(day)
    made = tuple(
        Row(tuple(day.name for day in alike), tuple(_blocks(alike[0].spans, tree, x)))
        for alike in rows.values()
    )
    return Drawing(
        start,
        end,
        made,
        tuple(_lines(start, end, x)),
        _entries(made, len(days), now),
        x(now) if start <= now < end else None,
    )


def _hours(
    days: Sequence[ClusterDay], bounds: tuple[datetime, datetime], now: datetime
) -> tuple[datetime, datetime]:
    instants = [at for day in days for span in day.spans if span.claim for at in _ends(span)]
    if bounds[0] <= now < bounds[1]:
        instants.append(now)
    if not instants:
        instants = [bounds[0] + 5 * _HOUR, bounds[0] + 21 * _HOUR]
    first = bounds[0] + (min(instants) - bounds[0]) // _HOUR * _HOUR
    last = bounds[0] - (bounds[0] - max(instants)) // _HOUR * _HOUR
    while last - first < _LEAST_HOURS * _HOUR:
        first = max(bounds[0], first - _HOUR)
        last = min(bounds[1], last + _HOUR)
    return first, min(last, bounds[1])


def _ends(span: TimelineSpan) -> tuple[datetime, datetime]:
    return span.start, span.end


def _lines(start: datetime, end: datetime, x: Callable[[datetime], float]) -> Iterator[Hour]:
    at = start
    while at <= end:
        yield Hour(f"{at.astimezone(LOCAL):%H}", x(at))
        at += _HOUR


def _blocks(
    spans: Sequence[TimelineSpan], tree: Tree, x: Callable[[datetime], float]
) -> Iterator[Block]:
    heard = [span for span in spans if span.claim is not None]
    for number, span in enumerate(heard, 1):
        start = x(span.start)
        next_x = x(heard[number].start) if number < len(heard) else 100.0
        width = max(_LEAST_PERCENT, round(x(span.end) - start, 3))
        room = max(width, min(_TITLE_PERCENT, next_x - start))
        yield _block(span, tree, (start, width, room))


def _block(span: TimelineSpan, tree: Tree, drawn_at: tuple[float, float, float]) -> Block:
    claim = span.claim
    unit = tree.units.get(claim.unit) if claim else None
    rank = min(unit.level_rank if unit else 0, len(_RANKS) - 1)
    x, width, room = drawn_at
    return Block(
        start=span.start,
        end=span.end,
        title=span.title,
        unit_name=span.unit_name,
        bulletin_class=span.bulletin_class.value if span.bulletin_class else "ordinary",
        level=_RANKS[rank],
        slot_id=span.slot_id,
        losers=tuple(dict.fromkeys(loser.title for loser in span.losers)),
        x=x,
        width=width,
        room=round(room, 3),
    )


def _entries(rows: Sequence[Row], clusters: int, now: datetime) -> tuple[Entry, ...]:
    """List blocks by time; what is heard at several rows is one entry that names them."""
    found: dict[tuple[datetime, datetime, str, str], tuple[Block, list[str]]] = {}
    for row in rows:
        for block in row.blocks:
            key = (block.start, block.end, block.title, block.unit_name)
            found.setdefault(key, (block, []))[1].extend(row.names)
    ordered = sorted(found.values(), key=lambda pair: (pair[0].start, pair[0].end))
    return tuple(
        Entry(
            block,
            () if len(names) == clusters else tuple(names),
            current=block.start <= now < block.end,
        )
        for block, names in ordered
    )
