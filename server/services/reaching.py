"""Whom a broadcast would reach, before it is ordered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.nodes import Liveness, liveness
from server.domain.recurrence import local_day
from server.domain.targeting import chosen
from server.services.units import tree
from server.store.models import ClusterRow
from server.store.queries.among import among
from server.store.queries.nodes import nodes_at


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a broadcast would reach."""

    cluster_ids: tuple[str, ...]
    people: int
    reachable: int

    @property
    def clusters(self) -> int:
        """Number of clusters."""
        return len(self.cluster_ids)


def reach(
    db: Session,
    *,
    unit_id: str,
    units: Iterable[str],
    clusters: Iterable[str],
    groups: Iterable[str] = (),
    exclude: Iterable[str] = (),
    now: datetime,
) -> Reach:
    """Count the clusters and people that targets mean, and how many clusters answer now."""
    places = tree(db, today=local_day(now))
    meant = chosen(places, units=units, clusters=clusters, groups=groups, exclude=exclude)
    meant &= places.clusters_under(unit_id)
    people = select(ClusterRow.people).where(among(ClusterRow.cluster_id, meant))
    nodes = nodes_at(db, meant)
    here = sum(
        liveness(node.presence, node.last_heard_at, now) is Liveness.HERE for node in nodes.values()
    )
    return Reach(tuple(sorted(meant)), sum(db.scalars(people)), here)
