"""Groups: clusters picked by people for convenience, such as a former district; no legal rank."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, count

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from protocol.errors import BadIdError
from protocol.ids import checked_id
from server.domain.authority import Action, Actor, demand, may, seen_clusters
from server.domain.errors import Finding, GroupRefusedError, TakenError, UnknownThingError
from server.domain.names import hyphenated, in_a_line
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.services import audit, events, widening
from server.services.texts import is_line
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import GroupMemberRow, GroupRow, SlotRow, SlotTargetRow
from server.store.queries.among import among

_MADE_CHARACTERS = 56
"""Room is left for a number behind it."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of clusters and what it is called."""

    group_id: str
    name: str
    unit_id: str
    clusters: tuple[str, ...]

    @property
    def version(self) -> str:
        """Tells whether somebody else has changed it since it was looked at."""
        text = "\n".join((self.name, self.unit_id, *self.clusters))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def groups(db: Session) -> list[Group]:
    """List all groups by name."""
    members: dict[str, list[str]] = {}
    for row in db.scalars(select(GroupMemberRow).order_by(GroupMemberRow.cluster_id)):
        members.setdefault(row.group_id, []).append(row.cluster_id)
    return [
        Group(row.group_id, row.name, row.unit_id, tuple(members.get(row.group_id, ())))
        for row in db.scalars(select(GroupRow).order_by(GroupRow.name, GroupRow.group_id))
    ]


def group(db: Session, group_id: str) -> Group:
    """Find one.

    Raises:
        UnknownThingError: No such group.
    """
    row = db.get(GroupRow, group_id)
    if row is None:
        raise UnknownThingError("group", group_id)
    members = select(GroupMemberRow.cluster_id).where(GroupMemberRow.group_id == group_id)
    clusters = tuple(db.scalars(members.order_by(GroupMemberRow.cluster_id)))
    return Group(group_id, row.name, row.unit_id, clusters)


def visible(all_groups: Iterable[Group], actor: Actor, units: Tree) -> list[Group]:
    """Keep the groups of units that somebody may see, and those with a cluster that they may."""
    seen = seen_clusters(actor, units)
    return [
        one
        for one in all_groups
        if seen is None
        or not seen.isdisjoint(one.clusters)
        or (one.unit_id in units.units and may(actor, Action.VIEW, units.chain(one.unit_id)))
    ]


def usable(all_groups: Iterable[Group], unit_id: str, units: Tree) -> list[Group]:
    """Keep the groups that a unit may aim at: all of whose clusters are under it today."""
    below = units.clusters_under(unit_id)
    today = [replace(one, clusters=_today(one, units)) for one in all_groups]
    return [one for one in today if one.clusters and below.issuperset(one.clusters)]


def free_id(db: Session, *, unit_id: str, name: str) -> str:
    """Make an id out of a unit's and a group's name that no group has yet."""
    base = f"{unit_id}-{hyphenated(name) or 'nhom'}"[:_MADE_CHARACTERS].rstrip("-")
    known = set(db.scalars(select(GroupRow.group_id).where(GroupRow.group_id.startswith(base))))
    numbered = (f"{base}-{number}" for number in count(2))
    return next(made for made in chain((base,), numbered) if made not in known)


def create_group(
    db: Session,
    *,
    group_id: str,
    name: str,
    unit_id: str,
    clusters: tuple[str, ...],
    now: datetime,
    actor: Actor,
) -> Group:
    """Name some clusters of a unit as a group; it has no rank and owns no time.

    Raises:
        TakenError: The id exists.
        UnknownThingError: No such unit, or one of the clusters does not exist today.
        NotAllowedError: The actor may not administer the unit.
        GroupRefusedError: The name or id cannot be used, or a cluster is not the unit's.
    """
    places = tree(db, today=local_day(now))
    demand(actor, Action.ADMINISTER, places.chain(unit_id))
    pass_gate(db, "units")
    _check(places, group_id=group_id, name=name, unit_id=unit_id, new=clusters)
    if db.get(GroupRow, group_id) is not None:
        raise TakenError("group", group_id)
    db.add(GroupRow(group_id=group_id, unit_id=unit_id, name=name.strip()))
    db.flush()  # members refer to it
    _join(db, group_id, dict.fromkeys(clusters))
    audit.record(
        db,
        actor=actor,
        action="create-group",
        subject=group_id,
        now=now,
        name=name.strip(),
        clusters=sorted(set(clusters)),
    )
    return group(db, group_id)


def change_group(
    db: Session,
    group_id: str,
    *,
    name: str,
    clusters: tuple[str, ...],
    version: str | None = None,
    lie_over: bool = False,
    now: datetime,
    actor: Actor,
) -> Group:
    """Call a group something else, or give it other members; plans that target it follow.

    Where slots that target it would come to lie over others, it is refused; with ``lie_over`` only
    if those are none of lower levels for which the actor may decide.

    Raises:
        UnknownThingError: No such group, or one of the new members does not exist today.
        NotAllowedError: The actor may not administer its unit.
        GroupRefusedError: The name cannot be used, a new member is not the unit's, or somebody
            else has changed the group since ``version``.
        WideningRefusedError: Slots that target it would clash at its new members, or sound there
            in quiet hours.
    """
    pass_gate(db, "units")
    pass_gate(db, "slots")  # nobody may save a slot there unseen
    before = group(db, group_id)
    places = tree(db, today=local_day(now))
    demand(actor, Action.ADMINISTER, places.chain(before.unit_id))
    if version is not None and version != before.version:
        raise GroupRefusedError([Finding("group-changed", {"name": before.name})])
    joining = set(clusters) - set(before.clusters)
    leaving = set(before.clusters) - set(clusters)
    _check(places, group_id=group_id, name=name, unit_id=before.unit_id, new=joining)
    after = Group(group_id, name.strip(), before.unit_id, tuple(sorted(set(clusters))))
    if after == before:
        return before
    db.get_one(GroupRow, group_id).name = after.name
    gone = delete(GroupMemberRow).where(GroupMemberRow.group_id == group_id)
    db.execute(gone.where(among(GroupMemberRow.cluster_id, leaving)))
    _join(db, group_id, sorted(joining))
    aimed = widening.aimed_at_group(db, group_id)
    over = widening.demand_room(
        db,
        aimed,
        before=places,
        after=tree(db, today=local_day(now)),
        now=now,
        actor=actor,
        slot_ids=[row.slot_id for row in aimed],
        lie_over=lie_over,
    )
    audit.record(
        db,
        actor=actor,
        action="change-group",
        subject=group_id,
        now=now,
        name=[before.name, after.name],
        joined=sorted(joining),
        left=sorted(leaving),
        **({"lies_over": over} if over else {}),
    )
    events.emit(db, kind="schedule", ref=before.unit_id, now=now)
    return after


def delete_group(db: Session, group_id: str, *, now: datetime, actor: Actor) -> Group:
    """Forget a group that no slot targets; its clusters stay as they are.

    Raises:
        UnknownThingError: No such group.
        NotAllowedError: The actor may not administer its unit.
        GroupRefusedError: Slots target it.
    """
    pass_gate(db, "units")
    pass_gate(db, "slots")  # nobody may aim a slot at it unseen
    gone = group(db, group_id)
    demand(actor, Action.ADMINISTER, tree(db, today=local_day(now)).chain(gone.unit_id))
    titles = targeting(db, group_id)
    if titles:
        fields = {"count": str(len(titles)), "slots": in_a_line(titles, "; ")}
        raise GroupRefusedError([Finding("group-in-use", fields)])
    db.execute(delete(GroupMemberRow).where(GroupMemberRow.group_id == group_id))
    db.execute(delete(GroupRow).where(GroupRow.group_id == group_id))
    audit.record(
        db,
        actor=actor,
        action="delete-group",
        subject=group_id,
        now=now,
        name=gone.name,
        clusters=gone.clusters,
    )
    return gone


def targeting(db: Session, group_id: str) -> list[str]:
    """Name the slots that target a group and are not withdrawn."""
    aimed = (
        select(SlotRow.title)
        .join(SlotTargetRow, SlotTargetRow.slot_id == SlotRow.slot_id)
        .where(SlotTargetRow.kind == "group", SlotTargetRow.ref == group_id)
        .where(SlotRow.withdrawn_at.is_(None))
        .order_by(SlotRow.local_start, SlotRow.slot_id)
    )
    return list(db.scalars(aimed))


def _today(one: Group, units: Tree) -> tuple[str, ...]:
    return tuple(cluster for cluster in one.clusters if cluster in units.clusters)


def _check(places: Tree, *, group_id: str, name: str, unit_id: str, new: Iterable[str]) -> None:
    findings = []
    try:
        checked_id(group_id)
    except BadIdError:
        findings.append(Finding("bad-id", {"id": group_id[:64]}))
    if not is_line(name):
        findings.append(Finding("bad-name"))
    for cluster in new:
        places.chain_of_cluster(cluster)
    outside = sorted(set(new) - places.clusters_under(unit_id))
    if outside:
        findings.append(Finding("out-of-scope", {"targets": in_a_line(outside)}))
    if findings:
        raise GroupRefusedError(findings)


def _join(db: Session, group_id: str, clusters: Iterable[str]) -> None:
    db.add_all(GroupMemberRow(group_id=group_id, cluster_id=cluster) for cluster in clusters)
    db.flush()  # what is read back must be all of it
