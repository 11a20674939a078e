"""Nodes that are in the middle of a programme which a new place would take from them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.messages import Claim, Plan
from protocol.plan import Place, is_targeted
from protocol.signing import unverified
from server.domain.units import Tree
from server.services.announced import lasting_of
from server.store.models import PlanRow

LONGEST_WAIT = timedelta(hours=2)
"""What goes on for longer is cut: a node must not go without its new unit's words for so long."""


def in_mid_programme(
    db: Session, leaving: Mapping[str, Place], *, units: Tree, now: datetime
) -> frozenset[str]:
    """Name the nodes that sound, at ``now``, what a unit says that is above them no more.

    Args:
        db: The transaction.
        leaving: Where each node was last told that it stands.
        units: The tree as it is by now.
        now: When.
    """
    sounding: dict[str, list[Claim]] = {}
    busy = set()
    for node, place in leaving.items():
        here = units.chain_of_cluster(place.cluster)
        for unit in place.chain:
            if unit in here:
                continue
            if unit not in sounding:
                sounding[unit] = _sounding(db, unit, now)
            if any(is_targeted(claim.targets, place) for claim in sounding[unit]):
                busy.add(node)
    return frozenset(busy)


def _sounding(db: Session, unit: str, now: datetime) -> list[Claim]:
    """Read from what a unit has published, as nodes have it, what it says now."""
    token = db.scalar(select(PlanRow.token).where(PlanRow.unit_id == unit))
    plan = None if token is None else unverified(token).msg
    claims = [
        *(plan.claims if isinstance(plan, Plan) else ()),
        *lasting_of(db, unit, now=now),
    ]
    return [claim for claim in claims if claim.covers(now) and claim.end - now <= LONGEST_WAIT]
