"""The administrative tree out of its rows, as it is on a day."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Text, cast, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.elements import ColumnElement

from server.domain.units import Tree, Unit
from server.store.models import (
    ClusterRow,
    ClusterUnitRow,
    GroupMemberRow,
    GroupRow,
    TreeStateRow,
    UnitEdgeRow,
    UnitRow,
)

_STATE = select(TreeStateRow.__table__.c.token)
_DATED = (UnitRow, UnitEdgeRow, ClusterUnitRow)


def state_of_trees(db: Session) -> str | None:
    """Name what the trees of all days rest on; None: nobody keeps watch over it.

    The name is changed by the database itself, with whatever changes a row that ``read_tree``
    reads, in the same transaction; none is ever used again.
    """
    db.flush()  # a plain column is read past the session: what waits in it changes the name
    return db.scalar(_STATE)


def days_of_change(db: Session) -> Sequence[date]:
    """List, in order, the days on which the tree is another than the day before."""
    firsts = [select(row.valid_from) for row in _DATED]
    lasts = [select(row.valid_to).where(row.valid_to.is_not(None)) for row in _DATED]
    return sorted(db.scalars(union(*firsts, *lasts)))


def read_tree(db: Session, day: date) -> Tree:
    """Read the tree as it is on a day."""
    units = db.execute(
        select(UnitRow.unit_id, UnitRow.name, UnitRow.level_rank, UnitRow.takes_turns).where(
            holds(UnitRow.valid_from, UnitRow.valid_to, day)
        )
    ).all()
    edges = db.execute(
        select(UnitEdgeRow.child_id, UnitEdgeRow.parent_id).where(
            holds(UnitEdgeRow.valid_from, UnitEdgeRow.valid_to, day)
        )
    )
    parents = dict(edges.all())
    places = db.execute(
        select(ClusterUnitRow.cluster_id, ClusterUnitRow.unit_id)
        .where(holds(ClusterUnitRow.valid_from, ClusterUnitRow.valid_to, day))
        .order_by(ClusterUnitRow.cluster_id)
    )
    members: dict[str, set[str]] = {
        group_id: set() for group_id in db.scalars(select(GroupRow.group_id))
    }
    for group_id, cluster_id in db.execute(
        select(GroupMemberRow.group_id, GroupMemberRow.cluster_id)
    ):
        members[group_id].add(cluster_id)
    spoken = select(ClusterRow.cluster_id, ClusterRow.languages).where(
        cast(ClusterRow.languages, Text) != "[]"
    )
    return Tree(
        {
            row.unit_id: Unit(
                row.unit_id,
                row.name,
                row.level_rank,
                parents.get(row.unit_id),
                row.takes_turns,
            )
            for row in sorted(units, key=lambda row: (row.level_rank, row.name))
        },
        dict(places.all()),
        {group_id: frozenset(clusters) for group_id, clusters in members.items()},
        {cluster_id: frozenset(languages) for cluster_id, languages in db.execute(spoken)},
    )


def holds(
    valid_from: InstrumentedAttribute[date],
    valid_to: InstrumentedAttribute[date | None],
    day: date,
) -> ColumnElement[bool]:
    """Ask for what is there on a day."""
    return (valid_from <= day) & or_(valid_to.is_(None), valid_to > day)
