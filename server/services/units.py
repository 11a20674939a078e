"""The administrative tree: read as of a day, and built up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from protocol.ids import checked_id
from server.domain.authority import Action, Actor, demand
from server.domain.errors import Finding, ReformRefusedError, TakenError, UnknownThingError
from server.domain.recurrence import local_day
from server.domain.units import NewUnit, Tree
from server.services import audit
from server.services.kept_trees import KeptTrees
from server.services.keyring import Keyring
from server.store.gates import pass_gate
from server.store.models import (
    ClusterRow,
    ClusterUnitRow,
    LevelRow,
    UnitEdgeRow,
    UnitRow,
)
from server.store.queries.trees import holds

_KEPT = KeptTrees()


@dataclass(frozen=True, slots=True)
class NewCluster:
    """A cluster that is to belong to a unit from today on."""

    cluster_id: str
    name: str
    village: str
    unit_id: str
    latitude: float | None = None
    longitude: float | None = None
    people: int = 0
    contact_name: str = ""
    contact_phone: str = ""
    languages: tuple[str, ...] = ()


def tree(db: Session, *, today: date) -> Tree:
    """Give the tree as it is on a day."""
    return _KEPT.tree(db, today)


def unit_names(db: Session) -> dict[str, str]:
    """Name all units that there are, were or are to be."""
    return dict(db.execute(select(UnitRow.unit_id, UnitRow.name)).all())


def chain_now_or_then(db: Session, unit_id: str, *, day: date, now: datetime) -> tuple[str, ...]:
    """Give the units above one as they are today, or, where it is no more, as they were that day.

    Raises:
        UnknownThingError: It is there on neither day.
    """
    today = tree(db, today=local_day(now))
    there = today if unit_id in today.units else tree(db, today=day)
    return there.chain(unit_id)


def clusters_of_day(day: date, unit_ids: Collection[str]) -> Select[str]:
    """Ask for the clusters that belonged to some units on a day."""
    return select(ClusterUnitRow.cluster_id).where(
        ClusterUnitRow.unit_id.in_(unit_ids),
        holds(ClusterUnitRow.valid_from, ClusterUnitRow.valid_to, day),
    )


def create_level(db: Session, *, rank: int, name_vi: str, name_en: str) -> None:
    """Add a level of government, or rename it; 0 is the highest."""
    db.merge(LevelRow(rank=rank, name_vi=name_vi, name_en=name_en))


def create_unit(
    db: Session, new: NewUnit, *, now: datetime, actor: Actor, keyring: Keyring
) -> UnitRow:
    """Add a unit with its signing key; a root of the tree may also configure nodes.

    Raises:
        TakenError: The id exists.
        UnknownThingError: No such parent, or level.
        NotAllowedError: The actor may not administer the parent.
        ReformRefusedError: The parent is to end.
    """
    today = local_day(now)
    chain = tree(db, today=today).chain(new.parent_id) if new.parent_id else ()
    demand(actor, Action.ADMINISTER, chain)
    pass_gate(db, "units")
    if db.get(UnitRow, checked_id(new.unit_id)) is not None:
        raise TakenError("unit", new.unit_id)
    if db.get(LevelRow, new.level_rank) is None:
        raise UnknownThingError("level", str(new.level_rank))
    refuse_ending(db, new.parent_id)
    row = enter_unit(db, new, since=today, now=now, keyring=keyring)
    audit.record(db, actor=actor, action="create-unit", subject=new.unit_id, now=now, name=new.name)
    return row


def enter_unit(
    db: Session, new: NewUnit, *, since: date, now: datetime, keyring: Keyring
) -> UnitRow:
    """Write down a unit that is known to be new and allowed, its edge and its key."""
    row = UnitRow(
        unit_id=new.unit_id,
        name=new.name,
        level_rank=new.level_rank,
        code=new.code,
        latitude=new.latitude,
        longitude=new.longitude,
        valid_from=since,
    )
    db.add(row)
    db.flush()  # the edge and the key refer to the unit
    if new.parent_id is not None:
        db.add(UnitEdgeRow(child_id=new.unit_id, parent_id=new.parent_id, valid_from=since))
    keyring.issue(
        db,
        unit_id=new.unit_id,
        level=new.level_rank,
        configures=new.parent_id is None,
        now=now,
    )
    return row


def create_cluster(db: Session, new: NewCluster, *, now: datetime, actor: Actor) -> ClusterRow:
    """Add a cluster at a unit.

    Raises:
        TakenError: The id exists.
        NotAllowedError: The actor may not administer the unit.
        ReformRefusedError: The unit is to end.
    """
    today = local_day(now)
    demand(actor, Action.ADMINISTER, tree(db, today=today).chain(new.unit_id))
    pass_gate(db, "units")
    refuse_ending(db, new.unit_id)
    if db.get(ClusterRow, checked_id(new.cluster_id)) is not None:
        raise TakenError("cluster", new.cluster_id)
    row = ClusterRow(
        cluster_id=new.cluster_id,
        name=new.name,
        village=new.village,
        latitude=new.latitude,
        longitude=new.longitude,
        people=new.people,
        contact_name=new.contact_name,
        contact_phone=new.contact_phone,
        languages=list(new.languages),
    )
    db.add(row)
    db.flush()  # its place refers to it
    db.add(ClusterUnitRow(cluster_id=new.cluster_id, unit_id=new.unit_id, valid_from=today))
    audit.record(
        db, actor=actor, action="create-cluster", subject=new.cluster_id, now=now, unit=new.unit_id
    )
    return row


def refuse_ending(db: Session, unit_id: str | None) -> None:
    """Go on only when a unit is not to end: what is added would belong nowhere from then on.

    Raises:
        ReformRefusedError: A reform has laid down its end.
    """
    row = None if unit_id is None else db.get(UnitRow, unit_id)
    if row is not None and row.valid_to is not None:
        fields = {"unit": row.name, "day": f"{row.valid_to:%d/%m/%Y}"}
        raise ReformRefusedError([Finding("unit-ends", fields)])
