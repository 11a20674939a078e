"""Hold a sheet of clusters against the clusters that are there: what is new, changed, and wrong."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple, TypeVar

from server.domain.cluster_rows import AT_ONCE, Reader, Row, commune_key
from server.domain.cluster_sheets import (
    HEADINGS,
    Column,
    Fault,
    Faults,
    Layout,
    Tally,
    layout,
)
from server.domain.errors import Finding
from server.domain.names import folded, folded_all, hyphenated

MARGIN_DEG = 1.0
_MADE_CHARACTERS = 56
"""Room is left for a number behind it."""

_UNMADE = ""
"""Stands for the id of a new cluster that is to be given one."""

T = TypeVar("T")


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
    data_plan_mb: int | None = None
    data_plan_day: int = 1


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
    placed = list(_placed(_read(rows, Reader(found.places, tally), found), ground, tally))
    matched = [] if tally.is_full else list(_matched(placed, ground, tally))
    if faults := tally.faults():
        return Verdict((), (), 0, faults, found.passed_over)
    new, changed, same = _done(matched, ground)
    return Verdict(tuple(new), tuple(changed), same, (), found.passed_over)


def _read(rows: Sequence[Sequence[str]], reader: Reader, found: Layout) -> Iterator[Row]:
    """Read row after row, until there is more wrong than anybody would read."""
    for first in range(found.row, len(rows), AT_ONCE):
        if reader.tally.is_full:
            reader.tally.stop(first + 1)
            return
        yield from reader.rows(enumerate(rows[first : first + AT_ONCE], first + 1))


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


class _Match(NamedTuple):
    """A row with nothing wrong, the unit and the id that are its cluster's, and what is there.

    Attributes:
        bare: Its village and name, as ``folded`` has them.
        cluster_id: Empty where one is still to be made.
    """

    row: Row
    unit: str
    bare: tuple[str, str]
    cluster_id: str
    before: ClusterFacts | None


def _matched(placed: Sequence[tuple[Row, str]], ground: Ground, tally: Tally) -> Iterator[_Match]:
    """Find the cluster of each row; no two are of one id, or of one name in a village."""
    units = {unit for _, unit in placed}
    there = [one for one in ground.there.values() if one.unit_id in units]
    bare = folded_all(
        [text for one in there for text in (one.village, one.name)]
        + [text for row, _ in placed for text in (row.village or row.name, row.name)]
    )
    owners = {(one.unit_id, bare[one.village], bare[one.name]): one.cluster_id for one in there}
    seen: set[str] = {_UNMADE}
    for row, unit in placed:
        names = bare[row.village or row.name], bare[row.name]
        cluster_id = row.cluster_id or owners.get((unit, *names))
        if cluster_id is None:
            owners[unit, *names] = _UNMADE
            yield _Match(row, unit, names, _UNMADE, None)
            continue
        before = ground.there.get(cluster_id)
        if before is not None and row.village is None:
            names = folded(before.village), names[1]
        if cluster_id in seen and row.cluster_id is not None:
            tally.note(Fault.ID_TWICE, row.number, HEADINGS[Column.CLUSTER_ID][0], cluster_id)
        elif before is not None and before.unit_id != unit:
            tally.note(Fault.MOVED, row.number, HEADINGS[Column.COMMUNE][0], cluster_id)
        elif cluster_id in seen or owners.setdefault((unit, *names), cluster_id) != cluster_id:
            tally.note(Fault.NAME_TWICE, row.number, HEADINGS[Column.NAME][0], row.name)
        else:
            yield _Match(row, unit, names, cluster_id, before)
        seen.add(cluster_id)


def _done(
    matched: Sequence[_Match], ground: Ground
) -> tuple[list[ClusterFacts], list[Change], int]:
    """Tell what the rows of a sheet without faults add and change, and how many do neither."""
    new: list[ClusterFacts] = []
    changed: list[Change] = []
    same = 0
    ids = _Ids(ground.there, {one.cluster_id for one in matched})
    for one in matched:
        if one.before is None:
            new.append(_entered(one.row, one.cluster_id or ids.made(one), one.unit))
            continue
        after = _altered(one.row, one.before)
        if one.before == after:
            same += 1
        else:
            changed.append(Change(one.before, after))
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
        row.data_plan_mb,
        row.data_plan_day or 1,
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
        data_plan_mb=_said(row.data_plan_mb, before.data_plan_mb),
        data_plan_day=_said(row.data_plan_day, before.data_plan_day),
    )


def _said(new: T | None, known: T) -> T:
    return known if new is None else new


@dataclass(slots=True)
class _Ids:
    """Makes ids for new clusters, each once.

    Attributes:
        there: Ids that are taken.
        seen: Those that the sheet names, and those made so far.
    """

    there: Container[str]
    seen: set[str]
    _numbers: dict[str, int] = field(default_factory=dict)

    def made(self, one: _Match) -> str:
        """Make an id out of a commune and a cluster's names."""
        is_named_alike = one.row.village in {None, one.row.name}
        named = one.bare[1] if is_named_alike else " ".join(one.bare)
        base = f"{one.unit}-{hyphenated(named) or 'cum'}"[:_MADE_CHARACTERS].rstrip("-")
        made = base
        while made in self.seen or made in self.there:
            # Counted on from the last: thousands of names may begin alike.
            number = self._numbers[base] = self._numbers.get(base, 1) + 1
            made = f"{base}-{number}"
        self.seen.add(made)
        return made
