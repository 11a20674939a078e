"""Quiet hours into which slots would come that reach clusters they did not reach.

Frames bind a unit's programmes wherever they sound; quiet hours bind whatever sounds under the unit
that laid them down. So it is these that a slot has not been judged by where it did not sound.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from server.domain.errors import Finding
from server.domain.frames import TimeFrame
from server.domain.names import in_a_line
from server.domain.units import Tree
from server.services.placement import misplaced_slot
from server.services.planning import frames_of, slots_of


def quiet_hours_met(
    db: Session,
    *,
    before: Tree,
    after: Tree,
    now: datetime,
    slot_ids: Collection[str] | None = None,
) -> list[Finding]:
    """Name the slots that another tree brings into quiet hours.

    Args:
        db: The transaction.
        before: The tree by which they have been judged.
        after: The tree to come; the database need not have it yet.
        now: When.
        slot_ids: Which slots may be concerned; None: any.
    """
    frames = [frame for frame in frames_of(db, after.units) if frame.quiet]
    places = {cluster for frame in frames for cluster in after.clusters_under(frame.unit_id)}
    if not places:
        return []
    known = {slot.slot_id: slot.clusters for slot in slots_of(db, units=before, slot_ids=slot_ids)}
    met: dict[str, None] = {}
    hours: dict[str, None] = {}
    for slot in slots_of(db, units=after, slot_ids=slot_ids):
        above = after.chain(slot.unit_id)
        # Those from above have bound it wherever it sounded.
        binding = [frame for frame in frames if frame.unit_id not in above]
        if not binding:
            continue
        was = known.get(slot.slot_id, frozenset())
        chains = _first_reached((slot.clusters & places) - was, was, before, after)
        if chains and misplaced_slot(slot, chains, binding, units=after, now=now):
            met[f"{slot.rule.local_start:%H:%M} {slot.title} ({slot.unit_name})"] = None
            hours.update(dict.fromkeys(_named(chains, binding, after)))
    if not met:
        return []
    return [
        Finding(
            "wider-quiet",
            {"slots": in_a_line(list(met), "; "), "hours": in_a_line(list(hours), "; ")},
        )
    ]


def _first_reached(
    joined: Collection[str], was: frozenset[str], before: Tree, after: Tree
) -> set[tuple[str, ...]]:
    """List the chains of units of new clusters but for those where the slot has sounded before."""
    chains = {after.chain_of_cluster(cluster) for cluster in joined}
    return {
        chain
        for chain in chains
        if chain[-1] not in before.units
        or before.chain(chain[-1]) != chain
        or was.isdisjoint(before.clusters_under(chain[-1]))
    }


def _named(
    chains: Collection[tuple[str, ...]], frames: Sequence[TimeFrame], units: Tree
) -> list[str]:
    above = {unit_id for chain in chains for unit_id in chain}
    return [
        f"{frame.hours} ({units.unit(frame.unit_id).name})"
        for frame in frames
        if frame.unit_id in above
    ]
