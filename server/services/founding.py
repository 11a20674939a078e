"""Enter a real province: its communes, and its former districts as groups.

Both may be entered again at any time: what is there already stays as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, demand
from server.domain.country import COMMUNE_RANK, PROVINCE_RANK, REFORM, Country, Place
from server.domain.recurrence import local_day
from server.domain.units import NewUnit
from server.services import audit, units
from server.services.keyring import Keyring
from server.store.gates import pass_gate
from server.store.inserts import insert_new
from server.store.models import GroupMemberRow, GroupRow, LevelRow, UnitRow

FORMER_DISTRICT = "%s (cũ)"
_LEVELS = ((PROVINCE_RANK, "Tỉnh", "Province"), (COMMUNE_RANK, "Xã", "Commune"))


@dataclass(frozen=True, slots=True)
class Founding:
    """What entering a province adds.

    Attributes:
        province: The province.
        new: Units that are not there yet, the province first where it is one of them.
        there: How many of its units are there already.
        groups: Ids and names of groups that are not there yet.
    """

    province: Place
    new: tuple[Place, ...]
    there: int
    groups: tuple[tuple[str, str], ...]


def planned(
    db: Session, country: Country, *, province: str, former_districts: bool = False
) -> Founding:
    """Tell what entering a province would add; nothing is changed.

    Raises:
        UnknownThingError: There is no province of this name or code.
    """
    found = country.province(province)
    wanted = (found, *country.communes_of(found))
    there = set(db.scalars(select(UnitRow.unit_id)))
    new = tuple(place for place in wanted if place.unit_id not in there)
    groups: Sequence[tuple[str, str]] = ()
    if former_districts:
        known = set(db.scalars(select(GroupRow.group_id)))
        groups = [
            (district.group_id(found), FORMER_DISTRICT % district.name)
            for district in country.districts_of(found)
            if district.group_id(found) not in known
        ]
    return Founding(found, new, len(wanted) - len(new), tuple(groups))


def found_province(
    db: Session,
    country: Country,
    *,
    province: str,
    former_districts: bool = False,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
) -> Founding:
    """Add a province and its communes, each with its signing key, as they are since the reform.

    With ``former_districts`` each district of old becomes a group, which has no rank: the clusters
    of a commune are in that of the district from which most of the commune came.

    Raises:
        UnknownThingError: There is no province of this name or code.
        NotAllowedError: The actor may not administer the whole installation.
    """
    demand(actor, Action.ADMINISTER, ())
    pass_gate(db, "units")
    founding = planned(db, country, province=province, former_districts=former_districts)
    _enter_levels(db)
    for place in founding.new:
        new = NewUnit(
            place.unit_id,
            place.name,
            PROVINCE_RANK if place.province is None else COMMUNE_RANK,
            None if place.province is None else founding.province.unit_id,
            code=place.code,
            latitude=place.latitude,
            longitude=place.longitude,
        )
        units.enter_unit(db, new, since=REFORM, now=now, keyring=keyring)
    top = founding.province.unit_id
    db.add_all(GroupRow(group_id=code, unit_id=top, name=name) for code, name in founding.groups)
    db.flush()  # members refer to the groups
    if former_districts:
        places = units.tree(db, today=local_day(now)).clusters
        join_former_districts(db, country, places=dict(places))
    if founding.new or founding.groups:
        audit.record(
            db,
            actor=actor,
            action="import-province",
            subject=top,
            now=now,
            units=[place.unit_id for place in founding.new],
            groups=[code for code, _ in founding.groups],
        )
    return founding


def join_former_districts(db: Session, country: Country, *, places: dict[str, str]) -> None:
    """Put clusters (id → unit) into the groups of their former districts, where those are kept."""
    members = former_districts(db, country, places=places)
    insert_new(
        db,
        GroupMemberRow,
        [{"group_id": group, "cluster_id": cluster} for group, cluster in members],
    )


def former_districts(
    db: Session, country: Country, *, places: dict[str, str]
) -> list[tuple[str, str]]:
    """List into which groups of former districts clusters (id → unit) belong: group, cluster."""
    known = set(db.scalars(select(GroupRow.group_id)))
    groups = {
        commune.unit_id: district.group_id(country.provinces[commune.province])
        for commune in country.communes.values()
        if commune.province is not None
        and (district := country.district_of(commune.code)) is not None
    }
    return [
        (groups[unit], cluster) for cluster, unit in places.items() if groups.get(unit) in known
    ]


def _enter_levels(db: Session) -> None:
    """Name the two levels where they have no name yet; a name that was chosen stays."""
    for rank, vietnamese, english in _LEVELS:
        if db.get(LevelRow, rank) is None:
            units.create_level(db, rank=rank, name_vi=vietnamese, name_en=english)
    db.flush()  # units refer to their level
