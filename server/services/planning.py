"""Compile a unit's plan from its rows, sign it, and publish it when its content has changed."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from protocol import topics
from protocol.ids import UnitId
from protocol.messages import (
    AssetRef,
    BulletinClass,
    Claim,
    Plan,
    Play,
    StartMode,
    Targets,
    WhenCut,
    encode,
)
from protocol.plan import Place, claims_at, is_targeted
from protocol.policy import Policy, merge
from protocol.signing import audience_unit, sign, unverified
from server.domain.compilation import compiled
from server.domain.errors import KeyMissingError
from server.domain.frames import TimeFrame, rules
from server.domain.public_holidays import HolidayChoice
from server.domain.recurrence import Recurrence, Rule, day_bounds, local_day
from server.domain.slots import ContentKind, Slot
from server.domain.targeting import chosen, cover
from server.domain.units import Tree
from server.services import events, outbox
from server.services.announced import over_by_now
from server.services.keyring import Keyring, certificates
from server.services.sources import sources
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import (
    AssetRow,
    BroadcastRow,
    ClaimRankRow,
    FrameRow,
    PlanRow,
    PlanVersionRow,
    SlotRow,
)
from server.store.queries.lists import WHOLE_SLOT

PLAN_DAYS = 14


@dataclass(frozen=True, slots=True)
class Heard:
    """What one cluster goes by: the claims that target it, and the policy that holds there."""

    claims: tuple[Claim, ...]
    policy: Policy


def publish_plan(
    db: Session,
    unit_id: str,
    *,
    now: datetime,
    keyring: Keyring,
    units: Tree | None = None,
    days: int = PLAN_DAYS,
) -> bool:
    """Publish the unit's plan if it says something new; say whether it does.

    The window begins at local midnight, so an unchanged plan is published anew once a day.
    """
    # Two at once would give one version to two contents, and miss each other's slots.
    pass_gate(db, f"plan of {unit_id}")
    places = units or tree(db, today=local_day(now))
    start, end = window(now, days)
    rests_on = sources(db, units=places, start=start, end=end, now=now, unit_id=unit_id)[unit_id]
    plan = plan_of(db, unit_id, start=start, end=end, now=now, units=places)
    plan = msgspec.structs.replace(plan, certificates=certificates(db, [unit_id], now=now))
    digest = hashlib.sha256(encode(plan)).hexdigest()
    row = db.get(PlanRow, unit_id)
    if row is not None and row.content_digest == digest:
        row.source_digest = rests_on
        return False
    # Seconds since 1970 keep versions growing even after the database came back from a backup.
    version = max(int(now.timestamp()), row.version + 1 if row else 1)
    expires = end + timedelta(days=1)
    token = sign(
        keyring.unit_key(db, unit_id, now=now),
        msgspec.structs.replace(plan, version=version),
        audience=[audience_unit(unit_id)],
        issued_at=now,
        expires=expires,
        token_id=f"plan-{unit_id}-{version}"[:96],
    )
    db.merge(
        PlanRow(
            unit_id=unit_id,
            version=version,
            content_digest=digest,
            source_digest=rests_on,
            token=token,
            published_at=now,
            expires_at=expires,
        )
    )
    db.add(PlanVersionRow(unit_id=unit_id, version=version, published_at=now))
    outbox.post(
        db,
        topic=topics.unit_plan(UnitId(unit_id)),
        payload=token,
        retained=True,
        expires_at=None,
        now=now,
    )
    events.emit(db, kind="schedule", ref=unit_id, now=now)
    return True


def publish_due_plans(
    db: Session, *, now: datetime, keyring: Keyring, days: int = PLAN_DAYS
) -> int:
    """Publish every unit's plan that says something new; say how many did."""
    places = tree(db, today=local_day(now))
    due = due_units(db, now=now, units=places, days=days)
    return publish_plans(db, due, now=now, keyring=keyring, units=places, days=days)


def publish_plans(
    db: Session,
    unit_ids: Iterable[str],
    *,
    now: datetime,
    keyring: Keyring,
    units: Tree,
    days: int = PLAN_DAYS,
) -> int:
    """Publish the plans of some units that say something new; say how many did."""
    published = 0
    for unit_id in unit_ids:
        try:
            published += publish_plan(db, unit_id, now=now, keyring=keyring, units=units, days=days)
        except KeyMissingError:
            # A unit without a key cannot speak; one without slots need not.
            if slots_of(db, units=units, unit_id=unit_id):
                raise
    return published


def due_units(db: Session, *, now: datetime, units: Tree, days: int = PLAN_DAYS) -> list[str]:
    """List the units whose newest plan rests on something else than what there is now.

    It asks a handful of questions about all units together, so it can be asked often.
    """
    start, end = window(now, days)
    published = dict(db.execute(select(PlanRow.unit_id, PlanRow.source_digest)).all())
    current = sources(db, units=units, start=start, end=end, now=now)
    return [unit_id for unit_id, digest in current.items() if published.get(unit_id) != digest]


def window(now: datetime, days: int) -> tuple[datetime, datetime]:
    """Give the stretch that a plan published now is about."""
    start = day_bounds(local_day(now))[0]
    return start, start + timedelta(days=days)


def plan_of(
    db: Session, unit_id: str, *, start: datetime, end: datetime, now: datetime, units: Tree
) -> Plan:
    """Compile what one unit has to say from ``start`` to ``end``; version 1, no certificates."""
    frames = frames_of(db, units.chain(unit_id))
    return Plan(
        unit=unit_id,
        version=1,
        start=start,
        end=end,
        claims=compiled(
            slots_of(db, units=units, unit_id=unit_id),
            announcements_of(db, unit_id, now=now),
            start,
            end,
        ),
        rules=rules(units.unit(unit_id), frames, start, end),
        ranks=ranks_of(db, unit_id, since=start),
    )


def heard_at(
    db: Session, cluster_id: str, *, start: datetime, end: datetime, now: datetime, units: Tree
) -> Heard:
    """Collect what one cluster goes by, just as its node merges it, and what it went by before."""
    chain = units.chain_of_cluster(cluster_id)
    plans = [plan_of(db, unit_id, start=start, end=end, now=now, units=units) for unit_id in chain]
    place = Place(cluster_id, chain)
    announced = tuple(
        claim
        for claim in over_by_now(db, chain, start=start, end=end, now=now)
        if is_targeted(claim.targets, place)
    )
    return Heard((*claims_at(plans, place), *announced), merge(plans, chain[-1]))


def slots_of(db: Session, *, units: Tree, unit_id: str | None = None) -> list[Slot]:
    """Read the slots of one unit, or of all, that have not been withdrawn."""
    rows = (
        select(SlotRow)
        .where(SlotRow.withdrawn_at.is_(None))
        .options(*WHOLE_SLOT)
        .order_by(SlotRow.slot_id)
    )
    if unit_id is not None:
        rows = rows.where(SlotRow.unit_id == unit_id)
    # A unit that has been dissolved has no time any more, whatever it had asked for.
    return [slot_value(slot, units) for slot in db.scalars(rows) if slot.unit_id in units.units]


class SlotTimes(NamedTuple):
    """The columns of a slot that tell its times."""

    recurrence: str
    local_start: time
    duration_s: float
    first_day: date
    last_day: date | None
    weekdays: int
    pattern: str
    holidays: str
    excluded_days: Sequence[str]


def rule_of(row: SlotRow | SlotTimes | Row[*tuple[Any, ...]]) -> Rule:
    """Turn a slot's row, or the columns of one that tell its times, into its rule."""
    return Rule(
        Recurrence(row.recurrence),
        row.local_start,
        timedelta(seconds=row.duration_s),
        row.first_day,
        row.last_day,
        row.weekdays,
        row.pattern,
        HolidayChoice(row.holidays),
        frozenset(date.fromisoformat(day) for day in row.excluded_days),
    )


def slot_value(row: SlotRow, units: Tree) -> Slot:
    """Turn a row, with its items and targets, into the value that the rules work on."""
    targets = Targets(
        units=refs(row, "unit"), clusters=refs(row, "cluster"), exclude=refs(row, "except")
    )
    groups = refs(row, "group")
    unit = units.unit(row.unit_id)
    clusters = chosen(
        units,
        units=[ref for ref in targets.units if ref in units.units],
        clusters=[ref for ref in targets.clusters if ref in units.clusters],
        exclude=targets.exclude,
        groups=[ref for ref in groups if ref in units.groups],
        languages=row.languages,
    )
    if groups or row.languages:
        targets = narrowed(units, row.unit_id, clusters)
    return Slot(
        slot_id=row.slot_id,
        unit_id=row.unit_id,
        unit_name=unit.name,
        level=unit.level_rank,
        title=row.title,
        bulletin_class=BulletinClass(row.bulletin_class),
        rule=rule_of(row),
        items=tuple(asset_ref(item.asset) for item in row.items),
        targets=targets,
        clusters=clusters,
        when_cut=WhenCut(row.when_cut),
        gain_db=row.gain_db,
        created_at=row.created_at,
        content_kind=ContentKind(row.content_kind),
        relay_url=row.relay_url,
        start_mode=StartMode(row.start_mode),
        wait_s=row.wait_s,
        version=row.version,
    )


def narrowed(units: Tree, unit_id: str, clusters: frozenset[str]) -> Targets:
    """Name clusters as claims do: nodes know neither groups nor who speaks which language."""
    words = cover(units, unit_id, clusters & units.clusters_under(unit_id))
    return Targets(units=words.units, clusters=words.clusters)


def announcements_of(db: Session, unit_id: str, *, now: datetime) -> list[Claim]:
    """Read the claims of a unit's broadcasts that may still sound, out of their signed orders."""
    rows = db.scalars(
        select(BroadcastRow.token)
        .where(BroadcastRow.unit_id == unit_id, BroadcastRow.stopped_at.is_(None))
        .where(BroadcastRow.end > now)
        .order_by(BroadcastRow.broadcast_id)
    )
    orders = (unverified(token).msg for token in rows)
    return [order.claim for order in orders if isinstance(order, Play)]


def ranks_of(db: Session, unit_id: str, *, since: datetime) -> dict[str, int]:
    """Read the places that a unit has given to priority claims not over at ``since``."""
    rows = select(ClaimRankRow.claim_id, ClaimRankRow.rank).where(
        ClaimRankRow.unit_id == unit_id, ClaimRankRow.ends > since
    )
    return dict(db.execute(rows.order_by(ClaimRankRow.claim_id)).all())


def frames_of(db: Session, unit_ids: Iterable[str]) -> Sequence[TimeFrame]:
    """Read the frames that some units have laid down, the earliest first."""
    rows = select(FrameRow).where(FrameRow.unit_id.in_(tuple(unit_ids)))
    kept = rows.where(FrameRow.withdrawn_at.is_(None))
    ordered = kept.order_by(FrameRow.local_start, FrameRow.frame_id)
    return [frame_value(row) for row in db.scalars(ordered)]


def frame_value(row: FrameRow) -> TimeFrame:
    """Turn a row into the value that the rules work on."""
    return TimeFrame(
        row.unit_id,
        row.owner_id,
        row.weekdays,
        row.local_start,
        row.local_end,
        quiet=row.kind == "quiet",
        legal_reference=row.legal_reference,
        owner_rank=row.owner_rank,
        session_limit_s=row.session_limit_s,
        volume_ceiling_db=row.volume_ceiling_db,
        frame_id=row.frame_id,
    )


def asset_ref(row: AssetRow) -> AssetRef:
    """Name a file as claims do."""
    return AssetRef(digest=row.digest, duration_s=row.duration_s, size_bytes=row.size_bytes)


def refs(row: SlotRow, kind: str) -> tuple[str, ...]:
    """List what a slot targets of one kind."""
    return tuple(sorted(target.ref for target in row.targets if target.kind == kind))
