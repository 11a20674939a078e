"""Compile a unit's plan from its rows, sign it, and publish it when its content has changed."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

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
from server.services.hush_words import hushes_by_unit, silences_by_unit
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
from server.store.queries.slots import Target, naming, running, slot_columns

PLAN_DAYS = 14
_FRAME_COLUMNS = (
    FrameRow.unit_id,
    FrameRow.owner_id,
    FrameRow.weekdays,
    FrameRow.local_start,
    FrameRow.local_end,
    FrameRow.kind,
    FrameRow.legal_reference,
    FrameRow.owner_rank,
    FrameRow.session_limit_s,
    FrameRow.volume_ceiling_db,
    FrameRow.frame_id,
)
AT_ONCE = 200
"""Units whose plans are compiled together, slots that are read together."""


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
    pass_gate(db, _gate(unit_id))
    places = units or tree(db, today=local_day(now))
    start, end = window(now, days)
    rests_on = sources(db, units=places, start=start, end=end, now=now, unit_ids=[unit_id])
    plan = plan_of(db, unit_id, start=start, end=end, now=now, units=places)
    return _published(db, plan, rests_on[unit_id], now=now, keyring=keyring)


def _published(db: Session, plan: Plan, rests_on: str, *, now: datetime, keyring: Keyring) -> bool:
    """Publish a plan that has been compiled behind its unit's gate, if it says something new."""
    unit_id = plan.unit
    plan = msgspec.structs.replace(plan, certificates=certificates(db, [unit_id], now=now))
    digest = hashlib.sha256(encode(plan)).hexdigest()
    row = db.get(PlanRow, unit_id)
    if row is not None and row.content_digest == digest:
        row.source_digest = rests_on
        return False
    # Seconds since 1970 keep versions growing even after the database came back from a backup.
    version = max(int(now.timestamp()), row.version + 1 if row else 1)
    expires = plan.end + timedelta(days=1)
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
    start, end = window(now, days)
    published = 0
    for some in in_parts(unit_ids):
        for unit_id in some:
            pass_gate(db, _gate(unit_id))
        rests_on = sources(db, units=units, start=start, end=end, now=now, unit_ids=some)
        for plan in plans_of(db, some, start=start, end=end, now=now, units=units):
            try:
                published += _published(db, plan, rests_on[plan.unit], now=now, keyring=keyring)
            except KeyMissingError:
                # A unit without a key cannot speak; one without slots need not.
                if slots_of(db, units=units, unit_id=plan.unit):
                    raise
    return published


def _gate(unit_id: str) -> str:
    return f"plan of {unit_id}"


def in_parts(ids: Iterable[str]) -> Iterator[list[str]]:
    """Part units or slots into as many as are worked on at once: what is read fits in memory."""
    waiting = iter(ids)
    while some := list(islice(waiting, AT_ONCE)):
        yield some


def due_units(
    db: Session,
    *,
    now: datetime,
    units: Tree,
    days: int = PLAN_DAYS,
    among: Collection[str] | None = None,
) -> list[str]:
    """List the units, or those of some, whose newest plan rests on something else than now.

    It asks a handful of questions about all units together.
    """
    start, end = window(now, days)
    published = dict(db.execute(select(PlanRow.unit_id, PlanRow.source_digest)).all())
    current = sources(db, units=units, start=start, end=end, now=now, unit_ids=among)
    return [unit_id for unit_id, digest in current.items() if published.get(unit_id) != digest]


def window(now: datetime, days: int) -> tuple[datetime, datetime]:
    """Give the stretch that a plan published now is about."""
    start = day_bounds(local_day(now))[0]
    return start, start + timedelta(days=days)


def plan_of(
    db: Session, unit_id: str, *, start: datetime, end: datetime, now: datetime, units: Tree
) -> Plan:
    """Compile what one unit has to say from ``start`` to ``end``; version 1, no certificates."""
    return next(plans_of(db, [unit_id], start=start, end=end, now=now, units=units))


def plans_of(
    db: Session,
    unit_ids: Collection[str],
    *,
    start: datetime,
    end: datetime,
    now: datetime,
    units: Tree,
    places: Sequence[Place] = (),
    only: Collection[str] | None = None,
) -> Iterator[Plan]:
    """Compile what some units have to say, as ``plan_of`` does; all is read at once.

    Args:
        db: Is asked the same few questions, however many units there are.
        unit_ids: Units in the order in which their plans are wanted.
        start: First instant of the plans.
        end: Instant at which they end.
        now: What is over by then is left out.
        units: The tree of the day.
        places: Clusters that alone matter; none: all, as in what is published.
        only: Slots that alone matter; None: all.
    """
    wanted = [SlotRow.unit_id.in_(unit_ids), running(local_day(start), local_day(end))]
    if places:
        wanted.append(naming(_names(places, units)))
    if only is not None:
        wanted.append(SlotRow.slot_id.in_(only))
    slots: dict[str, list[Slot]] = {}
    for slot in _slots(db, units, wanted):
        if not places or any(is_targeted(slot.targets, place) for place in places):
            slots.setdefault(slot.unit_id, []).append(slot)
    frames = frames_of(db, {upper for unit_id in unit_ids for upper in units.chain(unit_id)})
    announced = announcements_by_unit(db, unit_ids, now=now)
    ranks = ranks_by_unit(db, unit_ids, since=start)
    hushes = hushes_by_unit(db, unit_ids)
    for unit_id in unit_ids:
        chain = set(units.chain(unit_id))
        chain_frames = [frame for frame in frames if frame.unit_id in chain]
        yield Plan(
            unit=unit_id,
            version=1,
            start=start,
            end=end,
            claims=compiled(slots.get(unit_id, ()), announced.get(unit_id, ()), start, end),
            rules=msgspec.structs.replace(
                rules(units.unit(unit_id), chain_frames, start, end),
                hushes=hushes.get(unit_id, ()),
            ),
            ranks=ranks.get(unit_id, {}),
        )


def _names(places: Sequence[Place], units: Tree) -> set[str]:
    """List all by which a slot may target one of some clusters."""
    clusters = {place.cluster for place in places}
    groups = {group for group, members in units.groups.items() if members & clusters}
    return {*clusters, *groups, *(unit for place in places for unit in place.chain)}


def heard_at(
    db: Session, cluster_id: str, *, start: datetime, end: datetime, now: datetime, units: Tree
) -> Heard:
    """Collect what one cluster goes by, just as its node merges it, and what it went by before."""
    heard = heard_by(db, [cluster_id], start=start, end=end, now=now, units=units)
    return heard[cluster_id]


def heard_by(
    db: Session,
    cluster_ids: Iterable[str],
    *,
    start: datetime,
    end: datetime,
    now: datetime,
    units: Tree,
) -> dict[str, Heard]:
    """Collect what each of some clusters goes by; of clusters side by side little is read twice."""
    places = [Place(one, units.chain_of_cluster(one)) for one in cluster_ids]
    above = list(dict.fromkeys(unit_id for place in places for unit_id in place.chain))
    made = plans_of(db, above, start=start, end=end, now=now, units=units, places=places)
    plans = {plan.unit: plan for plan in made}
    over = over_by_now(db, above, start=start, end=end, now=now)
    silences = silences_by_unit(db, above, start=start, end=end)
    policies: dict[tuple[str, ...], Policy] = {}
    found = {}
    for place in places:
        own = [plans[unit_id] for unit_id in place.chain]
        if place.chain not in policies:
            policies[place.chain] = replace(
                merge(own, place.chain[-1]),
                silences=tuple(one for unit in place.chain for one in silences.get(unit, ())),
            )
        before = (
            claim
            for claim in over
            if claim.unit in place.chain and is_targeted(claim.targets, place)
        )
        claims = (*claims_at(own, place), *before)
        found[place.cluster] = Heard(claims, policies[place.chain])
    return found


def slots_of(
    db: Session,
    *,
    units: Tree,
    unit_id: str | None = None,
    slot_ids: Collection[str] | None = None,
) -> list[Slot]:
    """Read the slots of one unit, some slots, or all, that have not been withdrawn."""
    wanted = list[ColumnElement[bool]]()
    if unit_id is not None:
        wanted.append(SlotRow.unit_id == unit_id)
    if slot_ids is not None:
        wanted.append(SlotRow.slot_id.in_(slot_ids))
    return list(_slots(db, units, wanted))


def _slots(db: Session, units: Tree, wanted: Iterable[ColumnElement[bool]]) -> Iterator[Slot]:
    assets: dict[str, AssetRef] = {}
    for found in slot_columns(db, *wanted):
        # A unit that has been dissolved has no time any more, whatever it had asked for.
        if found.row.unit_id not in units.units:
            continue
        for digest, duration_s, size_bytes in found.items:
            if digest not in assets:
                assets[digest] = AssetRef(
                    digest=digest, duration_s=duration_s, size_bytes=size_bytes
                )
        items = tuple(assets[digest] for digest, *_ in found.items)
        yield _value(found.row, found.targets, items, units)


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
    targets = [(target.kind, target.ref) for target in row.targets]
    return _value(row, targets, tuple(asset_ref(item.asset) for item in row.items), units)


def _value(
    row: SlotRow | Row[*tuple[Any, ...]],
    picked: Iterable[Target],
    items: tuple[AssetRef, ...],
    units: Tree,
) -> Slot:
    by_kind = sorted_out(picked)
    targets = Targets(
        units=tuple(by_kind["unit"]),
        clusters=tuple(by_kind["cluster"]),
        exclude=tuple(by_kind["except"]),
    )
    unit = units.unit(row.unit_id)
    clusters = clusters_of(by_kind, row.languages, units)
    if by_kind["group"] or row.languages:
        targets = narrowed(units, row.unit_id, clusters)
    return Slot(
        slot_id=row.slot_id,
        unit_id=row.unit_id,
        unit_name=unit.name,
        level=unit.level_rank,
        title=row.title,
        bulletin_class=BulletinClass(row.bulletin_class),
        rule=rule_of(row),
        items=items,
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


def sorted_out(picked: Iterable[Target]) -> dict[str, list[str]]:
    """Put what a slot targets under its kinds, in order."""
    by_kind: dict[str, list[str]] = {"unit": [], "cluster": [], "except": [], "group": []}
    for kind, ref in sorted(picked):
        by_kind[kind].append(ref)
    return by_kind


def clusters_of(
    by_kind: Mapping[str, Sequence[str]], languages: Sequence[str], units: Tree
) -> frozenset[str]:
    """Resolve what a slot targets; what is there no more is left out."""
    return chosen(
        units,
        units=[ref for ref in by_kind["unit"] if ref in units.units],
        clusters=[ref for ref in by_kind["cluster"] if ref in units.clusters],
        exclude=by_kind["except"],
        groups=[ref for ref in by_kind["group"] if ref in units.groups],
        languages=languages,
    )


def narrowed(units: Tree, unit_id: str, clusters: frozenset[str]) -> Targets:
    """Name clusters as claims do: nodes know neither groups nor who speaks which language."""
    words = cover(units, unit_id, clusters & units.clusters_under(unit_id))
    return Targets(units=words.units, clusters=words.clusters)


def announcements_of(db: Session, unit_id: str, *, now: datetime) -> list[Claim]:
    """Read the claims of a unit's broadcasts that may still sound, out of their signed orders."""
    return announcements_by_unit(db, [unit_id], now=now).get(unit_id, [])


def announcements_by_unit(
    db: Session, unit_ids: Collection[str], *, now: datetime
) -> dict[str, list[Claim]]:
    """Read the same of several units at once."""
    rows = db.execute(
        select(BroadcastRow.unit_id, BroadcastRow.token)
        .where(BroadcastRow.unit_id.in_(unit_ids), BroadcastRow.stopped_at.is_(None))
        .where(BroadcastRow.end > now)
        .order_by(BroadcastRow.broadcast_id)
    )
    found: dict[str, list[Claim]] = {}
    for unit_id, token in rows:
        order = unverified(token).msg
        if isinstance(order, Play):
            found.setdefault(unit_id, []).append(order.claim)
    return found


def ranks_of(db: Session, unit_id: str, *, since: datetime) -> dict[str, int]:
    """Read the places that a unit has given to priority claims not over at ``since``."""
    return ranks_by_unit(db, [unit_id], since=since).get(unit_id, {})


def ranks_by_unit(
    db: Session, unit_ids: Collection[str], *, since: datetime
) -> dict[str, dict[str, int]]:
    """Read the same of several units at once."""
    rows = select(ClaimRankRow.unit_id, ClaimRankRow.claim_id, ClaimRankRow.rank).where(
        ClaimRankRow.unit_id.in_(unit_ids), ClaimRankRow.ends > since
    )
    found: dict[str, dict[str, int]] = {}
    for unit_id, claim_id, rank in db.execute(rows.order_by(ClaimRankRow.claim_id)):
        found.setdefault(unit_id, {})[claim_id] = rank
    return found


def frames_of(db: Session, unit_ids: Iterable[str]) -> Sequence[TimeFrame]:
    """Read the frames that some units have laid down, the earliest first."""
    rows = select(*_FRAME_COLUMNS).where(FrameRow.unit_id.in_(tuple(unit_ids)))
    kept = rows.where(FrameRow.withdrawn_at.is_(None))
    ordered = kept.order_by(FrameRow.local_start, FrameRow.frame_id)
    return [frame_value(row) for row in db.execute(ordered)]


def frame_value(row: FrameRow | Row[*tuple[Any, ...]]) -> TimeFrame:
    """Turn a row, or the columns of one, into the value that the rules work on."""
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
