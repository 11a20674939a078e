"""What nodes say they lack, sent to them anew."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from protocol import topics
from protocol.ids import NodeId, UnitId
from server.domain.nodes import LOST_AFTER
from server.domain.recurrence import local_day
from server.services import outbox
from server.services.units import tree
from server.store.models import NodeRow, OutboxRow, PlanRow, PlanVersionRow

NUDGE_AFTER = timedelta(seconds=5)
NUDGE_AGAIN = timedelta(seconds=30)

MOST_NUDGED = 200
"""Nodes in one transaction; the others follow a second later."""


def bring_up_to_date(db: Session, *, now: datetime, most: int = MOST_NUDGED) -> int:
    """Send plans and configurations anew to nodes that say they hold older ones; say how many.

    Retained copies are only the quick way: not every broker keeps them.
    """
    units = tree(db, today=local_day(now))
    settled = select(PlanRow.unit_id, PlanRow.version).where(
        PlanRow.published_at < now - NUDGE_AFTER
    )
    newest = dict(db.execute(settled).all())
    plans: set[str] = set()
    configs: set[str] = set()
    nudged: set[str] = set()
    for node_id, cluster_id, plan_versions, is_config_old in db.execute(_may_lack(now)):
        if len(nudged) == most:
            break
        chain = units.chain_of_cluster(cluster_id) if cluster_id in units.clusters else ()
        older = {unit for unit in chain if plan_versions.get(unit, 0) < newest.get(unit, 0)}
        plans |= older
        configs |= {node_id} if is_config_old else set()
        nudged |= {node_id} if older or is_config_old else set()
    # A plan goes to its unit's topic: once is enough for however many nodes lack it, those who are
    # looked at a second later too.
    plans -= _sent_lately(db, plans, now)
    for unit, token in _tokens(db, PlanRow.unit_id, PlanRow.token, plans):
        _post(db, topics.unit_plan(UnitId(unit)), token, now)
    for node, token in _tokens(db, NodeRow.node_id, NodeRow.config_token, configs):
        _post(db, topics.node_config(NodeId(node)), token, now)
    if nudged:
        # Locked in order, as whoever takes in what nodes say locks them too.
        rows = select(NodeRow.node_id).where(NodeRow.node_id.in_(nudged)).order_by(NodeRow.node_id)
        db.execute(rows.with_for_update(key_share=True))
        db.execute(update(NodeRow).where(NodeRow.node_id.in_(nudged)).values(nudged_at=now))
    return len(plans) + len(configs)


def trace(db: Session, *, now: datetime) -> tuple[object, ...]:
    """Sum up what makes nodes lack something: new plans and configurations, and coming back.

    Only a node that says, without having been away, that it holds less than before is not in it.
    """
    settled = now - NUDGE_AFTER
    plans = select(func.max(PlanVersionRow.published_at)).where(
        PlanVersionRow.published_at < settled
    )
    nodes = select(
        func.count(),
        func.max(NodeRow.presence_at),
        func.sum(NodeRow.config_version - NodeRow.held_config_version),
    ).where(
        NodeRow.decommissioned_at.is_(None),
        NodeRow.presence == "here",
        NodeRow.presence_at < settled,
    )
    return (db.scalar(plans), *db.execute(nodes).one())


def _may_lack(now: datetime) -> Select[str, str, dict[str, int], bool]:
    """Ask for no more than what tells: this may be read every second for all nodes."""
    return select(
        NodeRow.node_id,
        NodeRow.cluster_id,
        NodeRow.plan_versions,
        NodeRow.held_config_version < NodeRow.config_version,
    ).where(
        NodeRow.decommissioned_at.is_(None),
        NodeRow.presence == "here",
        NodeRow.presence_at < now - NUDGE_AFTER,
        NodeRow.last_heard_at > now - LOST_AFTER,
        or_(NodeRow.nudged_at.is_(None), NodeRow.nudged_at <= now - NUDGE_AGAIN),
    )


def _sent_lately(db: Session, units: Collection[str], now: datetime) -> set[str]:
    """Tell whose plans are waiting to be sent, or were since all that are looked at were here."""
    unit_of = {topics.unit_plan(UnitId(unit)): unit for unit in units}
    sent = select(OutboxRow.topic).where(
        OutboxRow.topic.in_(unit_of),
        or_(OutboxRow.published_at.is_(None), OutboxRow.published_at > now - NUDGE_AFTER),
    )
    return {unit_of[topic] for topic in db.scalars(sent)}


def _tokens(
    db: Session,
    name: InstrumentedAttribute[str],
    token: InstrumentedAttribute[bytes] | InstrumentedAttribute[bytes | None],
    wanted: Collection[str],
) -> list[tuple[str, bytes]]:
    if not wanted:
        return []
    rows = select(name, token).where(name.in_(wanted), token.is_not(None)).order_by(name)
    return [(ref, raw) for ref, raw in db.execute(rows) if raw is not None]


def _post(db: Session, topic: str, token: bytes, now: datetime) -> None:
    outbox.post(db, topic=topic, payload=token, retained=True, expires_at=None, now=now)
