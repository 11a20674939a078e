"""Take clusters in from a sheet: told beforehand what would happen, then all of it or nothing."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, may, may_somewhere
from server.domain.cluster_import import Bounds, Change, ClusterFacts, Ground, Verdict, examined
from server.domain.cluster_rows import commune_key
from server.domain.cluster_sheets import SheetRefusedError
from server.domain.errors import NotAllowedError, UnknownThingError
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.services import audit, configuring, founding, units, widening
from server.services.country import country
from server.services.keyring import Keyring
from server.services.sheets import Rows, read_sheet
from server.store.gates import pass_gate
from server.store.inserts import change_many, insert_many
from server.store.models import ClusterRow, ClusterUnitRow, NodeRow, SheetDraftRow, UnitRow

DRAFT_LIFE = timedelta(hours=6)

_FACTS = (
    ClusterRow.cluster_id,
    ClusterRow.name,
    ClusterRow.village,
    ClusterRow.latitude,
    ClusterRow.longitude,
    ClusterRow.people,
    ClusterRow.contact_name,
    ClusterRow.contact_phone,
    ClusterRow.languages,
    ClusterRow.data_plan_mb,
    ClusterRow.data_plan_day,
)


def examine(db: Session, rows: Rows, *, now: datetime, actor: Actor) -> Verdict:
    """Tell what taking a sheet in would do, and where slots would meet; nothing is changed.

    Raises:
        NotAllowedError: The actor administers no unit.
    """
    verdict = examined(rows, _ground(db, now=now, actor=actor))
    if verdict.faults or not _is_widening(verdict):
        return verdict
    before = units.tree(db, today=local_day(now))
    after = _grown(db, before, verdict)
    clashes = widening.foreseen(
        db,
        widening.meeting_anew(db, before=before, after=after),
        before=before,
        after=after,
        now=now,
        actor=actor,
    )
    return replace(verdict, clashes=tuple(clashes))


def import_clusters(
    db: Session,
    rows: Rows,
    *,
    file_name: str,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    audio_urls: tuple[str, ...] = (),
) -> Verdict:
    """Add and change clusters as a sheet says.

    Raises:
        NotAllowedError: The actor administers no unit.
        SheetRefusedError: Something is wrong with a row; then no row is taken.
        WideningRefusedError: At these clusters slots would clash, or sound in quiet hours.
    """
    pass_gate(db, "units")
    verdict = examined(rows, _ground(db, now=now, actor=actor))
    if verdict.faults:
        raise SheetRefusedError(verdict.faults)
    before = units.tree(db, today=local_day(now))
    _add(db, verdict.new, now=now)
    _change(db, verdict.changed)
    if _is_widening(verdict):
        pass_gate(db, "slots")
        db.flush()  # read back as the tree with its groups and languages
        after = units.tree(db, today=local_day(now))
        widening.demand_room(
            db,
            widening.meeting_anew(db, before=before, after=after),
            before=before,
            after=after,
            now=now,
            actor=actor,
        )
    for node_id in _nodes_moved(db, verdict.changed):
        configuring.publish_config(db, node_id, now=now, keyring=keyring, audio_urls=audio_urls)
    if verdict.new or verdict.changed:
        audit.record(
            db,
            actor=actor,
            action="import-clusters",
            subject=file_name,
            now=now,
            new={facts.cluster_id: facts.unit_id for facts in verdict.new},
            changed={one.after.cluster_id: _differences(one) for one in verdict.changed},
        )
    return verdict


def keep_draft(db: Session, content: bytes, *, file_name: str, now: datetime, actor: Actor) -> str:
    """Keep a sheet until whoever sent it has seen what it would do; give the draft's id."""
    db.execute(delete(SheetDraftRow).where(SheetDraftRow.created_at < now - DRAFT_LIFE))
    draft_id = secrets.token_hex(16)
    db.add(
        SheetDraftRow(
            draft_id=draft_id,
            actor=actor.name,
            file_name=file_name,
            content=content,
            created_at=now,
        )
    )
    return draft_id


def import_draft(
    db: Session,
    draft_id: str,
    *,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    audio_urls: tuple[str, ...] = (),
) -> Verdict:
    """Take a kept sheet in; it is examined again, and then forgotten.

    Raises:
        UnknownThingError: It is not there any more, or somebody else's.
        NotAllowedError: The actor administers no unit.
        SheetRefusedError: Something is wrong with a row by now.
    """
    draft = db.get(SheetDraftRow, draft_id)
    if draft is None or draft.actor != actor.name or draft.created_at < now - DRAFT_LIFE:
        raise UnknownThingError("sheet", draft_id)
    verdict = import_clusters(
        db,
        read_sheet(draft.content),
        file_name=draft.file_name,
        now=now,
        actor=actor,
        keyring=keyring,
        audio_urls=audio_urls,
    )
    db.delete(draft)
    return verdict


def communes(db: Session, *, now: datetime, actor: Actor) -> list[tuple[str, str, str]]:
    """List code, name and province of the communes whose clusters somebody may enter.

    Raises:
        NotAllowedError: The actor administers no unit.
    """
    tree = units.tree(db, today=local_day(now))
    codes = dict(db.execute(select(UnitRow.unit_id, UnitRow.code)).all())
    return [
        (codes.get(unit) or unit, tree.unit(unit).name, tree.unit(tree.chain(unit)[0]).name)
        for unit in _own(tree, actor)
    ]


def cluster_facts(db: Session, tree: Tree) -> dict[str, ClusterFacts]:
    """Read what is known of each cluster, and which unit it belongs to in a tree."""
    return {
        row["cluster_id"]: ClusterFacts(
            **{
                **row,
                "unit_id": tree.clusters.get(row["cluster_id"], ""),
                "languages": tuple(row["languages"]),
            }
        )
        for row in db.execute(select(*_FACTS)).mappings()
    }


def _own(tree: Tree, actor: Actor) -> list[str]:
    """List the units below the top at which somebody may enter clusters."""
    if not may_somewhere(actor, Action.ADMINISTER):
        raise NotAllowedError(Action.ADMINISTER.value, "*")
    return [
        unit
        for unit, facts in tree.units.items()
        if facts.parent_id is not None and may(actor, Action.ADMINISTER, tree.chain(unit))
    ]


def _ground(db: Session, *, now: datetime, actor: Actor) -> Ground:
    tree = units.tree(db, today=local_day(now))
    own = _own(tree, actor)
    places = db.execute(select(UnitRow.unit_id, UnitRow.code, UnitRow.latitude, UnitRow.longitude))
    known = [row for row in places if row.unit_id in tree.units]
    below = [row for row in known if tree.unit(row.unit_id).parent_id is not None]
    named = {commune_key(row.code): row.unit_id for row in below if row.code}
    return Ground(
        {**named, **{commune_key(row.unit_id): row.unit_id for row in below}},
        frozenset(own),
        _bounds(tree, [(row.unit_id, row.latitude, row.longitude) for row in known]),
        cluster_facts(db, tree),
    )


def _is_widening(verdict: Verdict) -> bool:
    """Say whether slots may come to reach clusters that they did not reach."""
    return bool(verdict.new) or any(
        one.before.languages != one.after.languages for one in verdict.changed
    )


def _grown(db: Session, tree: Tree, verdict: Verdict) -> Tree:
    """Think of the tree as it would be read back with a sheet taken in."""
    places = {facts.cluster_id: facts.unit_id for facts in verdict.new}
    joining: dict[str, set[str]] = {}
    for group, cluster in founding.former_districts(db, country(), places=places):
        joining.setdefault(group, set()).add(cluster)
    entered = (*verdict.new, *(change.after for change in verdict.changed))
    said = {facts.cluster_id: frozenset(facts.languages) for facts in entered if facts.languages}
    return replace(
        tree,
        clusters={**tree.clusters, **places},
        groups={group: there.union(joining.get(group, ())) for group, there in tree.groups.items()},
        languages={**tree.languages, **said},
    )


def _bounds(
    tree: Tree, points: Iterable[tuple[str, float | None, float | None]]
) -> dict[str, Bounds]:
    """Enclose all points of each province; every unit of it shares them."""
    by_top: dict[str, list[tuple[float, float]]] = {}
    for unit, latitude, longitude in points:
        if latitude is not None and longitude is not None:
            by_top.setdefault(tree.chain(unit)[0], []).append((latitude, longitude))
    around = {top: Bounds.around(found) for top, found in by_top.items()}
    tops = {unit: tree.chain(unit)[0] for unit in tree.units}
    return {unit: around[top] for unit, top in tops.items() if top in around}


def _add(db: Session, new: Sequence[ClusterFacts], *, now: datetime) -> None:
    if not new:
        return
    rows = [asdict(facts) for facts in new]
    places = [
        {
            "cluster_id": row["cluster_id"],
            "unit_id": row.pop("unit_id"),
            "valid_from": local_day(now),
        }
        for row in rows
    ]
    insert_many(db, ClusterRow, rows)
    insert_many(db, ClusterUnitRow, places)
    founding.join_former_districts(
        db, country(), places={facts.cluster_id: facts.unit_id for facts in new}
    )


def _change(db: Session, changed: Sequence[Change]) -> None:
    rows = [asdict(change.after) for change in changed]
    for row in rows:
        del row["unit_id"]
    change_many(db, ClusterRow, rows)


def _nodes_moved(db: Session, changed: Iterable[Change]) -> list[str]:
    """List the nodes whose configuration names a place or languages that have changed."""
    moved = {
        one.after.cluster_id
        for one in changed
        if (one.before.latitude, one.before.longitude, one.before.languages)
        != (one.after.latitude, one.after.longitude, one.after.languages)
    }
    if not moved:
        return []
    active = select(NodeRow.node_id, NodeRow.cluster_id).where(NodeRow.decommissioned_at.is_(None))
    return [node for node, cluster in db.execute(active) if cluster in moved]


def _differences(change: Change) -> dict[str, list[object]]:
    return {
        column.value: [getattr(change.before, column.value), getattr(change.after, column.value)]
        for column in change.columns
    }
