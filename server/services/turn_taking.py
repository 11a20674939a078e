"""Which loudspeakers of a unit overlap, in which turns they sound, and whether they take turns."""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from server.domain.slots import Slot
from server.domain.turn_taking import NO_TURNS, Sharing, TurnOf, sharing
from server.domain.turns import ASSUMED_REACH_M, Horn, Neighbours, neighbours, turns
from server.domain.units import Tree
from server.store.models import ClusterRow
from server.store.queries.among import among

_PLACED = select(
    ClusterRow.cluster_id,
    ClusterRow.latitude,
    ClusterRow.longitude,
    func.coalesce(ClusterRow.reach_m, ASSUMED_REACH_M),
)

_FINE = 1_000_000
"""Parts of a degree that are told apart: a tenth of a metre."""


def horns(db: Session, clusters: Collection[str]) -> tuple[Horn, ...]:
    """Read where some clusters stand and how far they reach, where it is known, in order of id."""
    db.flush()  # plain columns are read past the session: what waits in it counts too
    rows = db.execute(_PLACED.where(among(ClusterRow.cluster_id, clusters)))
    placed = (
        Horn(one, north, east, float(reach))
        for one, north, east, reach in rows
        if north is not None and east is not None
    )
    return tuple(sorted(placed, key=_by_id))


@lru_cache(maxsize=256)
def told_apart(some: tuple[Horn, ...]) -> tuple[Neighbours, TurnOf]:
    """Find who overlaps whom, and whose turn is when; asked again and again of the same horns."""
    near = neighbours(some)
    return near, turns(near)


def turns_of(db: Session, unit_ids: Iterable[str], units: Tree) -> dict[str, TurnOf]:
    """Give the turns of all clusters under those of some units that take turns.

    Who has the first turn is left out. Nothing is asked where no unit takes turns.
    """
    found: dict[str, TurnOf] = {}
    for unit_id in unit_ids if units.takes_turns else ():
        if units.unit(unit_id).takes_turns:
            given = told_apart(horns(db, units.clusters_under(unit_id)))[1]
            found[unit_id] = {cluster: turn for cluster, turn in given.items() if turn}
    return found


def trace(db: Session, units: Tree) -> tuple[object, ...]:
    """Sum up what turns rest on besides the tree; nothing where no unit takes turns.

    Whole numbers: a sum of others differs with the order in which they are added.
    """
    if not units.takes_turns:
        return ()
    fine = (
        func.sum(cast(func.round(column * _FINE), BigInteger))
        for column in (ClusterRow.latitude, ClusterRow.longitude)
    )
    placed = func.count(ClusterRow.latitude), func.count(ClusterRow.reach_m)
    return tuple(db.execute(select(*placed, *fine, func.sum(ClusterRow.reach_m))).one())


def sharing_of(db: Session, slot: Slot, units: Tree) -> Sharing | None:
    """Tell how a slot would be heard in turns; None: everywhere at once anyway."""
    taken = turns_of(db, [slot.unit_id], units)
    return sharing(slot, taken.get(slot.unit_id, NO_TURNS))


def noted(slot: Slot, taken: Mapping[str, TurnOf]) -> dict[str, object]:
    """Put down, of an occurrence that begins, which clusters begin later; see ``OccurrenceRow``."""
    turns = taken.get(slot.unit_id, NO_TURNS)
    shared = sharing(slot, turns)
    if shared is None or not shared.fits:
        return {}
    return {"lasts_s": shared.lasts_s, "later_s": shared.later(slot.clusters, turns)}


def _by_id(horn: Horn) -> str:
    return horn.cluster_id
