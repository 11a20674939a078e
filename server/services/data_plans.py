"""What the SIMs of clusters may use in a month, and how much of it they have used.

Each node counts all that ever went through its network, and tells it. Here the differences are
added up, and what a node had used is marked at its first word of each day of the server's. So a
month begins on whatever day the plan says, also after it was changed; a node that is replaced, or
has forgotten its count, or does not know the time, changes nothing about what was used before.
What nothing was told of for days counts on the day on which it is told.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server.domain.authority import Actor
from server.domain.data_plans import (
    LEAST_PLAN_MB,
    MOST_PLAN_MB,
    DataPlan,
    DataUse,
    data_use,
    month_of_plan,
    volume_text,
)
from server.domain.errors import Finding, UpkeepRefusedError
from server.domain.recurrence import local_day
from server.services import audit, events
from server.services.upkeep import place
from server.store.inserts import insert_new
from server.store.models import ClusterRow, DataMarkRow, NodeRow
from server.store.queries.among import among

MARKS_KEPT = timedelta(days=70)
"""The longest month of a plan, and as much again for one that is entered late."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """What was used at a cluster since a day, and since when that was counted."""

    used_mb: float
    since: date


def set_plan(
    db: Session, cluster_id: str, plan: DataPlan, *, now: datetime, actor: Actor
) -> ClusterRow:
    """Say what the SIM of a cluster may use.

    Raises:
        UnknownThingError: No such cluster.
        NotAllowedError: The actor may not look after it.
        UpkeepRefusedError: There are no such plans.
    """
    row, _node, _units = place(db, cluster_id, now=now, actor=actor)
    if not plan.is_sensible:
        facts = {"least": volume_text(LEAST_PLAN_MB), "most": volume_text(MOST_PLAN_MB)}
        raise UpkeepRefusedError([Finding("bad-data-plan", facts)])
    before = DataPlan(row.data_plan_mb, row.data_plan_day)
    if before != plan:
        audit.record(
            db,
            actor=actor,
            action="set-data-plan",
            subject=cluster_id,
            now=now,
            monthly_mb=[before.monthly_mb, plan.monthly_mb],
            first_day=[before.first_day, plan.first_day],
        )
        row.data_plan_mb, row.data_plan_day = plan.monthly_mb, plan.first_day
        events.emit(db, kind="cluster", ref=cluster_id, now=now)
    return row


def uses(db: Session, *, now: datetime, only: Collection[str] | None = None) -> dict[str, DataUse]:
    """Tell how the plans stand of all clusters that have one, or of some of these."""
    wanted = select(ClusterRow.cluster_id, ClusterRow.data_plan_mb, ClusterRow.data_plan_day)
    wanted = wanted.where(ClusterRow.data_plan_mb.is_not(None))
    if only is not None:
        wanted = wanted.where(among(ClusterRow.cluster_id, only))
    plans = {name: DataPlan(most_mb, day) for name, most_mb, day in db.execute(wanted)}
    today = local_day(now)
    found: dict[str, DataUse] = {}
    for first_day in sorted({plan.first_day for plan in plans.values()}):
        alike = [name for name, plan in plans.items() if plan.first_day == first_day]
        begun, _after = month_of_plan(first_day, today)
        counted = _counted(db, alike, begun, today)
        for name in alike:
            one = counted.get(name)
            used_mb, since = (round(one.used_mb, 1), one.since) if one else (0.0, None)
            found[name] = data_use(plans[name], used_mb, since, now)
    return found


def begin_day(db: Session, nodes: Iterable[NodeRow], *, now: datetime) -> None:
    """Mark what nodes have used that are heard of for the first time on a day; twice is once."""
    today = local_day(now)
    new = [node for node in nodes if node.data_day != today]
    insert_new(
        db,
        DataMarkRow,
        [{"node_id": node.node_id, "day": today, "data_mb": node.data_mb} for node in new],
    )
    for node in new:
        node.data_day = today


def forget(db: Session, *, now: datetime) -> int:
    """Drop marks of days long past; say how many."""
    past = delete(DataMarkRow).where(DataMarkRow.day < local_day(now) - MARKS_KEPT)
    return len(db.execute(past.returning(DataMarkRow.node_id)).all())


def _counted(db: Session, clusters: Sequence[str], begun: date, today: date) -> dict[str, _Counted]:
    """Add up what all nodes have used that served clusters since a day, the replaced ones too."""
    # A mark of tomorrow was set by a clock that was ahead. Each is one look into the key's index.
    marks = (
        select(DataMarkRow)
        .where(
            DataMarkRow.node_id == NodeRow.node_id,
            DataMarkRow.day >= begun,
            DataMarkRow.day <= today,
        )
        .order_by(DataMarkRow.day)
        .limit(1)
    )
    before_mb, marked = (
        marks.with_only_columns(column).scalar_subquery()
        for column in (DataMarkRow.data_mb, DataMarkRow.day)
    )
    read = select(NodeRow.cluster_id, NodeRow.data_mb - before_mb, marked).where(
        among(NodeRow.cluster_id, clusters)
    )
    found: dict[str, _Counted] = {}
    for cluster_id, used_mb, since in db.execute(read):
        if since is not None:
            before = found.get(cluster_id, _Counted(0.0, since))
            found[cluster_id] = _Counted(before.used_mb + used_mb, min(before.since, since))
    return found
