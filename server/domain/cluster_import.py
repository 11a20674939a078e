"""Hold a sheet of clusters against the clusters that are there: what is new, changed, and wrong."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from server.domain.cluster_rows import Reader, Row, commune_key
from server.domain.cluster_sheets import (
    EXAMPLE_ID,
    HEADINGS,
    Column,
    Fault,
    Faults,
    Layout,
    Tally,
    layout,
)
from server.domain.errors import Finding
from server.domain.names import folded, hyphenated

MARGIN_DEG = 1.0
_MADE_CHARACTERS = 56
"""Room is left for a number behind it."""

T = TypeVar("T")

NameKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What is known of a cluster."""

    cluster_id: str
    unit_id: str
    name: str
    village: str
    latitude: float | None = None
    longitude: float | None = None
    people: int = 0
    contact_name: str = ""
    contact_phone: str = ""
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """A rectangle of the map."""

    south: float
    west: float
    north: float
    east: float

    @classmethod
    def around(cls, points: Iterable[tuple[float, float]]) -> "Bounds":
        """Enclose points, with a margin: a commune is larger than the point that stands for it."""
        latitudes, longitudes = zip(*points, strict=True)
        return cls(
            min(latitudes) - MARGIN_DEG,
            min(longitudes) - MARGIN_DEG,
            max(latitudes) + MARGIN_DEG,
            max(longitudes) + MARGIN_DEG,
        )

    def hold(self, latitude: float, longitude: float) -> bool:
        """Say whether a point lies within."""
        return self.south <= latitude <= self.north and self.west <= longitude <= self.east


@dataclass(frozen=True, slots=True)
class Ground:
    """What a sheet is held against.

    Attributes:
        communes: Unit of each code and id by which a commune may be named.
        own: Units whose clusters whoever sends the sheet may enter.
        bounds: Where the clusters of a unit can stand; a unit without is not checked.
        there: Clusters that are there, by id; one that belongs nowhere today has no unit.
    """

    communes: Mapping[str, str]
    own: frozenset[str]
    bounds: Mapping[str, Bounds]
    there: Mapping[str, ClusterFacts]


@dataclass(frozen=True, slots=True)
class Change:
    """A cluster before and after."""

    before: ClusterFacts
    after: ClusterFacts

    @property
    def columns(self) -> tuple[Column, ...]:
        """What changes."""
        return tuple(
            Column(field.name)
            for field in fields(ClusterFacts)
            if getattr(self.before, field.name) != getattr(self.after, field.name)
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What taking a sheet in would do; with any fault or clash, nothing.

    Attributes:
        passed_over: Headings that mean nothing here.
        clashes: Why slots would not have room at clusters that they would come to reach.
    """

    new: tuple[ClusterFacts, ...]
    changed: tuple[Change, ...]
    same: int
    faults: tuple[Faults, ...]
    passed_over: tuple[str, ...] = ()
    clashes: tuple[Finding, ...] = ()

    @property
    def fault_count(self) -> int:
        """How many faults there are, of all kinds."""
        return sum(kind.count for kind in self.faults if kind.shown[0].code != Fault.MORE_UNREAD)


def examined(rows: Sequence[Sequence[str]], ground: Ground) -> Verdict:
    """Read a whole sheet: cells as text, its empty rows included."""
    tally = Tally()
    found = layout(rows, tally)
    if faults := tally.faults():
        return Verdict((), (), 0, faults, found.passed_over)
    reader = Reader(found.places, tally)
    placed = list(_placed(_read(rows, reader, found), ground, tally))
    if tally.is_full:
        return Verdict((), (), 0, tally.faults(), found.passed_over)
    new, changed, same = _matched(placed, ground, tally)
    return Verdict(tuple(new), tuple(changed), same, tally.faults(), found.passed_over)


def _read(rows: Sequence[Sequence[str]], reader: Reader, found: Layout) -> Iterator[Row]:
    """Read row after row, until there is more wrong than anybody would read."""
    for number, cells in enumerate(rows[found.row :], found.row + 1):
        if reader.tally.is_full:
            reader.tally.stop(number)
            return
        if any(cells) and not _is_example(cells, found.places):
            row = reader.row(number, cells)
            if row is not None:
                yield row


def _is_example(cells: Sequence[str], places: Mapping[Column, int]) -> bool:
    place = places.get(Column.CLUSTER_ID)
    return place is not None and place < len(cells) and cells[place].strip() == EXAMPLE_ID


def _placed(rows: Iterable[Row], ground: Ground, tally: Tally) -> Iterator[tuple[Row, str]]:
    """Find the unit of each row, and leave out the rows that may not be there."""
    for row in rows:
        unit = ground.communes.get(commune_key(row.commune))
        heading = HEADINGS[Column.COMMUNE][0]
        if unit is None:
            tally.note(Fault.UNKNOWN_COMMUNE, row.number, heading, row.commune)
        elif unit not in ground.own:
            tally.note(Fault.NOT_YOURS, row.number, heading, row.commune)
        elif _is_far(row, ground.bounds.get(unit)):
            place = f"{row.latitude}; {row.longitude}"
            tally.note(Fault.FAR_AWAY, row.number, HEADINGS[Column.LATITUDE][0], place)
        else:
            yield row, unit


def _is_far(row: Row, bounds: Bounds | None) -> bool:
    if bounds is None or row.latitude is None or row.longitude is None:
        return False
    return not bounds.hold(row.latitude, row.longitude)


def _matched(
    placed: Sequence[tuple[Row, str]], ground: Ground, tally: Tally
) -> tuple[list[ClusterFacts], list[Change], int]:
    units = {unit for _, unit in placed}
    owners = {_key(one): one.cluster_id for one in ground.there.values() if one.unit_id in units}
    new: list[ClusterFacts] = []
    changed: list[Change] = []
    same = 0
    ids = _Ids(ground.there)
    for row, unit in placed:
        key = _named(unit, row.village or row.name, row.name)
        cluster_id = row.cluster_id or owners.get(key) or ids.made(row, unit)
        before = ground.there.get(cluster_id)
        after = _entered(row, cluster_id, unit) if before is None else _altered(row, before)
        if before is not None:
            key = _key(after)
        if cluster_id in ids.seen and row.cluster_id is not None:
            tally.note(Fault.ID_TWICE, row.number, HEADINGS[Column.CLUSTER_ID][0], cluster_id)
        elif before is not None and before.unit_id != unit:
            tally.note(Fault.MOVED, row.number, HEADINGS[Column.COMMUNE][0], cluster_id)
        elif cluster_id in ids.seen or owners.setdefault(key, cluster_id) != cluster_id:
            tally.note(Fault.NAME_TWICE, row.number, HEADINGS[Column.NAME][0], row.name)
        elif before is None:
            new.append(after)
        elif before == after:
            same += 1
        else:
            changed.append(Change(before, after))
        ids.seen.add(cluster_id)
    return new, changed, same


def _entered(row: Row, cluster_id: str, unit: str) -> ClusterFacts:
    return ClusterFacts(
        cluster_id,
        unit,
        row.name,
        row.village or row.name,
        row.latitude,
        row.longitude,
        row.people or 0,
        row.contact_name or "",
        row.contact_phone or "",
        row.languages or (),
    )


def _altered(row: Row, before: ClusterFacts) -> ClusterFacts:
    """Put what the row says over what is there; an empty cell takes nothing away."""
    return replace(
        before,
        name=row.name,
        village=_said(row.village, before.village),
        latitude=_said(row.latitude, before.latitude),
        longitude=_said(row.longitude, before.longitude),
        people=_said(row.people, before.people),
        contact_name=_said(row.contact_name, before.contact_name),
        contact_phone=_said(row.contact_phone, before.contact_phone),
        languages=_said(row.languages, before.languages),
    )


def _said(new: T | None, known: T) -> T:
    return known if new is None else new


@dataclass(slots=True)
class _Ids:
    """Makes ids for new clusters, each once.

    Attributes:
        there: Ids that are taken.
        seen: Those of rows so far.
    """

    there: Container[str]
    seen: set[str] = field(default_factory=set)
    _numbers: dict[str, int] = field(default_factory=dict)

    def made(self, row: Row, unit: str) -> str:
        """Make an id out of a commune and a cluster's names."""
        is_named_alike = row.village is None or row.village == row.name
        named = row.name if is_named_alike else f"{row.village} {row.name}"
        base = f"{unit}-{hyphenated(named) or 'cum'}"[:_MADE_CHARACTERS].rstrip("-")
        made = base
        while made in self.seen or made in self.there:
            # Counted on from the last: thousands of names may begin alike.
            number = self._numbers[base] = self._numbers.get(base, 1) + 1
            made = f"{base}-{number}"
        return made


def _key(facts: ClusterFacts) -> NameKey:
    return _named(facts.unit_id, facts.village, facts.name)


def _named(unit_id: str, village: str, name: str) -> NameKey:
    bare = folded(name)
    return unit_id, bare if village == name else folded(village), bare
