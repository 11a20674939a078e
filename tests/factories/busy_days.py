"""A province in full work: a node at every cluster, plans published, and a day of records."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import insert, literal, select, update
from sqlalchemy.orm import Session

from server.domain.recurrence import local_day
from server.services import as_run, configuring, planning
from server.services.keyring import Keyring
from server.store.holds import SLOT_GUARDS
from server.store.models import AsRunRow, NodeRow, OccurrenceRow, PlanRow, SlotRow
from tests.factories.countries import BigProvince

ONE_IN_LOST, ONE_IN_SOUNDING, ONE_IN_MISSED = 20, 3, 25


def enter_day(db: Session, province: BigProvince, *, now: datetime, keyring: Keyring) -> None:
    """Let a province have worked until ``now``: what was to sound has, but at one in 25."""
    planning.publish_due_plans(db, now=now, keyring=keyring)
    as_run.conclude_missed(db, now=now)
    db.flush()  # nodes are entered with the versions and claims that are there by now
    _enter_nodes(db, province, now)
    configuring.publish_configs(db, db.scalars(select(NodeRow.node_id)), now=now, keyring=keyring)
    db.flush()  # they hold what has just been published
    db.execute(update(NodeRow).values(held_config_version=NodeRow.config_version))
    if db.get_bind().dialect.name == "postgresql":
        _enter_guards(db, local_day(now))
    over = select(OccurrenceRow).where(OccurrenceRow.end < now)
    records = list(_records(db, now))
    if records:
        db.execute(insert(AsRunRow), records)
    for row in db.scalars(over):
        row.closed_at = now


def _enter_guards(db: Session, today: date) -> None:
    """Let the wall behind the check have been looked through today."""
    slots = select(SlotRow.slot_id, literal(today), literal("")).where(
        SlotRow.withdrawn_at.is_(None)
    )
    db.execute(insert(SLOT_GUARDS).from_select(["slot_id", "checked_on", "digest"], slots))


def _enter_nodes(db: Session, province: BigProvince, now: datetime) -> None:
    newest = dict(db.execute(select(PlanRow.unit_id, PlanRow.version)).all())
    sounding = db.scalars(select(OccurrenceRow.claim_id).where(OccurrenceRow.end > now)).all()
    db.execute(
        insert(NodeRow),
        [
            {
                "node_id": f"n-{cluster}",
                "cluster_id": cluster,
                "secret_hash": "",
                "commissioned_at": now - timedelta(days=30),
                "presence": "lost" if number % ONE_IN_LOST == 0 else "here",
                "presence_at": now - timedelta(hours=1),
                "last_heard_at": now,
                "software": "1.0",
                "plan_versions": {unit: newest[unit] for unit in (province.unit_id, commune)},
                "on_air": sounding[number % len(sounding)]
                if sounding and number % ONE_IN_SOUNDING == 0
                else "",
                "telemetry": {"level_dbfs": -20.0},
            }
            for commune, own in province.clusters.items()
            for number, cluster in enumerate(own)
        ],
    )


def _records(db: Session, now: datetime) -> Iterator[dict[str, object]]:
    known = set(db.execute(select(AsRunRow.claim_id, AsRunRow.cluster_id)).all())
    for row in db.scalars(select(OccurrenceRow).where(OccurrenceRow.end < now)).all():
        for number, cluster in enumerate(row.clusters.split(",")):
            if (row.claim_id, cluster) in known:
                continue
            missed = number % ONE_IN_MISSED == 1
            yield {
                "claim_id": row.claim_id,
                "cluster_id": cluster,
                "unit_id": row.unit_id,
                "outcome": "missed" if missed else "played",
                "reason": "no-report" if missed else "",
                "start": None if missed else row.start,
                "end": None if missed else row.end,
                "segments": {"heard": []},
                "source": "server" if missed else "node",
                "recorded_at": row.end,
            }
