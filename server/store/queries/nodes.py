"""Nodes by where they serve."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.store.models import NodeRow
from server.store.queries.among import among


def nodes_at(db: Session, clusters: Iterable[str]) -> dict[str, NodeRow]:
    """Find the nodes that serve clusters now, by cluster."""
    rows = select(NodeRow).where(
        NodeRow.decommissioned_at.is_(None), among(NodeRow.cluster_id, clusters)
    )
    return {node.cluster_id: node for node in db.scalars(rows)}
