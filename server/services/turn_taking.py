"""Which loudspeakers of a unit overlap, in which turns they sound, and whether they take turns."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from server.domain.slots import Slot
from server.domain.turn_taking import NO_TURNS, Sharing, TurnOf, sharing
from server.domain.turns import ASSUMED_REACH_M, Horn, Neighbours, neighbours, turns
from server.domain.units import Tree
from server.store.models import ClusterRow
from server.store.queries.among import among

_Row = tuple[str, float | None, float | None, float]

_PLACED = select(
    ClusterRow.cluster_id,
    ClusterRow.latitude,
    ClusterRow.longitude,
    func.coalesce(ClusterRow.reach_m, ASSUMED_REACH_M),
).order_by(ClusterRow.cluster_id)

_FINE = 1_000_000
"""Parts of a degree that are told apart: a tenth of a metre."""


@dataclass(frozen=True, slots=True)
class ToldApart:
    """Some clusters whose place is known, and their turns.

    Attributes:
        horns: Where each stands and how far it reaches, by id.
        near: Those that each overlaps.
        turns: Its turn, from 0 on.
        later: Those turns that are not the first.
    """

    horns: Mapping[str, Horn]
    near: Neighbours
    turns: TurnOf
    later: TurnOf


def told_apart(db: Session, clusters: Collection[str]) -> ToldApart:
    """Find who of some clusters overlaps whom, and whose turn is when."""
    db.flush()  # plain columns are read past the session: what waits in it counts too
    rows = db.execute(_PLACED.where(among(ClusterRow.cluster_id, clusters)))
    return _told_apart(tuple(map(tuple, rows)))


@lru_cache(maxsize=256)
def _told_apart(rows: tuple[_Row, ...]) -> ToldApart:
    """Do so; it is asked again and again of clusters that stand where they stood."""
    horns = {
        one: Horn(one, north, east, float(reach_m))
        for one, north, east, reach_m in rows
        if north is not None and east is not None
    }
    near = neighbours(horns.values())
    given = turns(near)
    return ToldApart(horns, near, given, {one: turn for one, turn in given.items() if turn})


def turns_of(db: Session, unit_ids: Iterable[str], units: Tree) -> dict[str, TurnOf]:
    """Give the turns of all clusters under those of some units that take turns.

    Who has the first turn is left out. Nothing is asked where no unit takes turns.
    """
    if not units.takes_turns:
        return {}
    taking = [unit_id for unit_id in unit_ids if units.unit(unit_id).takes_turns]
    return {one: told_apart(db, units.clusters_under(one)).later for one in taking}


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
