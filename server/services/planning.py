"""Compile a unit's plan from its rows, sign it, and publish it when its content has changed."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice

import msgspec
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from protocol import topics
from protocol.ids import UnitId
from protocol.messages import Claim, Plan, encode
from protocol.plan import Place, claims_at, is_targeted
from protocol.policy import Policy, merge
from protocol.signing import MAX_TOKEN_BYTES, audience_unit, sign
from server.domain.compilation import compiled
from server.domain.errors import KeyMissingError
from server.domain.frames import TimeFrame, rules
from server.domain.recurrence import day_bounds, local_day
from server.domain.slots import Slot
from server.domain.turn_taking import NO_TURNS
from server.domain.units import Tree
from server.services import events, outbox
from server.services.announced import Lasting, lasting_and_over, lasting_by_unit
from server.services.hush_words import hushes_by_unit, silences_by_unit
from server.services.kept_slots import KEPT
from server.services.keyring import Keyring, certificates
from server.services.slot_values import read_slots
from server.services.sources import sources
from server.services.turn_taking import turns_of
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import (
    ClaimRankRow,
    FrameRow,
    PlanRow,
    PlanVersionRow,
)
from server.store.queries.among import among
from server.store.queries.slots import WantedSlots
from server.store.types import InstantType

PLAN_DAYS = 14
_DAY = timedelta(days=1)
_VALID_AFTER_END = _DAY
_MOST_BYTES = MAX_TOKEN_BYTES // 4 * 3 - 4096
"""A token is a third larger than what it says; the rest is for its head and its signature."""
_AN_INSTANT = timedelta(microseconds=1)
_frames = FrameRow.__table__.c
_FRAME_COLUMNS = (
    _frames.unit_id,
    _frames.owner_id,
    _frames.weekdays,
    _frames.local_start,
    _frames.local_end,
    _frames.kind == "quiet",
    _frames.legal_reference,
    _frames.owner_rank,
    _frames.session_limit_s,
    _frames.volume_ceiling_db,
    _frames.frame_id,
)
"""In the order in which a ``TimeFrame`` takes them."""
_FRAMES = (
    select(*_FRAME_COLUMNS)
    .where(among(_frames.unit_id, "units"), _frames.withdrawn_at.is_(None))
    .order_by(_frames.local_start, _frames.frame_id)
)
_RANKED = (
    select(ClaimRankRow.unit_id, ClaimRankRow.claim_id, ClaimRankRow.rank)
    .where(among(ClaimRankRow.unit_id, "units"))
    .where(ClaimRankRow.ends > bindparam("since", type_=InstantType()))
    .order_by(ClaimRankRow.claim_id)
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
    said = encode(plan)
    if len(said) > _MOST_BYTES:
        plan = fitting(plan)
        said = encode(plan)
    digest = hashlib.sha256(said).hexdigest()
    row = db.get(PlanRow, unit_id)
    if row is not None and row.content_digest == digest:
        row.source_digest = rests_on
        return False
    # Seconds since 1970 keep versions growing even after the database came back from a backup.
    version = max(int(now.timestamp()), row.version + 1 if row else 1)
    expires = plan.end + _VALID_AFTER_END
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


def fitting(plan: Plan) -> Plan:
    """Leave out the last days of a plan that is larger than what a node takes in.

    They are told of later: a plan is published anew each day. One day is always told of.
    """
    while len(encode(plan)) > _MOST_BYTES and plan.end > plan.start + _DAY:
        end = plan.end - _DAY
        claims = tuple(claim for claim in plan.claims if claim.start < end)
        plan = msgspec.structs.replace(plan, end=end, claims=claims)
    return plan


def last_day(row: PlanRow) -> date:
    """Tell the last day that a published plan tells of."""
    return local_day(row.expires_at - _VALID_AFTER_END) - _DAY


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
        only: Slots that alone matter; None: all.
    """
    slots = read_slots(db, _wanted(unit_ids, start, end)._replace(slot_ids=only), units)
    lasting = lasting_by_unit(db, unit_ids, now=now)
    hushes = hushes_by_unit(db, unit_ids)
    for plan in _compiled(db, unit_ids, slots, lasting, start=start, end=end, units=units):
        hushed = msgspec.structs.replace(plan.rules, hushes=hushes.get(plan.unit, ()))
        yield msgspec.structs.replace(plan, rules=hushed)


def _wanted(unit_ids: Collection[str], start: datetime, end: datetime) -> WantedSlots:
    return WantedSlots(unit_ids=unit_ids, first=local_day(start), last=local_day(end))


def _compiled(
    db: Session,
    unit_ids: Collection[str],
    slots: Iterable[Slot],
    lasting: Lasting,
    *,
    start: datetime,
    end: datetime,
    units: Tree,
) -> Iterator[Plan]:
    """Compile plans of these slots and announcements; nothing is said of silence."""
    by_unit: dict[str, list[Slot]] = {}
    for slot in slots:
        by_unit.setdefault(slot.unit_id, []).append(slot)
    frames = frames_of(db, {upper for unit_id in unit_ids for upper in units.chain(unit_id)})
    ranks = ranks_by_unit(db, unit_ids, since=start)
    taken = turns_of(db, unit_ids, units)
    for unit_id in unit_ids:
        turns = taken.get(unit_id, NO_TURNS)
        own, announced = by_unit.get(unit_id, ()), lasting.get(unit_id, ())
        claims = compiled(own, announced, start, end, turns)
        is_shared = bool(turns) and any(claim.turns is not None for claim in claims)
        chain = set(units.chain(unit_id))
        chain_frames = [frame for frame in frames if frame.unit_id in chain]
        yield Plan(
            unit=unit_id,
            version=1,
            start=start,
            end=end,
            claims=claims,
            rules=rules(units.unit(unit_id), chain_frames, start, end),
            ranks=ranks.get(unit_id, {}),
            turns=dict(turns) if is_shared else {},
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
    wanted = _wanted(above, start, end)._replace(refs=_names(places, units))
    slots = [
        slot
        for slot in KEPT.read(db, wanted, units)
        if any(is_targeted(slot.targets, place) for place in places)
    ]
    lasting, over = lasting_and_over(db, above, start=start, end=end, now=now)
    silences = silences_by_unit(db, above, start=start, end=end)
    made = _compiled(db, above, slots, lasting, start=start, end=end, units=units)
    plans = {plan.unit: plan for plan in made}
    policies: dict[tuple[str, ...], Policy] = {}
    found = {}
    for place in places:
        own = [plans[unit_id] for unit_id in place.chain]
        if place.chain not in policies:
            policies[place.chain] = replace(
                merge(own, place.chain[-1]),
                silences=tuple(one for unit in place.chain for one in silences.get(unit, ())),
                stops=over.stops,
            )
        before = (
            claim
            for claim in over.claims
            if claim.unit in place.chain and is_targeted(claim.targets, place)
        )
        claims = (*claims_at(own, place), *before)
        found[place.cluster] = Heard(claims, policies[place.chain])
    return found


def policies_of(
    db: Session, chains: Collection[tuple[str, ...]], *, at: datetime, units: Tree
) -> dict[tuple[str, ...], Policy]:
    """Merge what holds at an instant below each of some chains, as nodes do; but for silence."""
    above = list(dict.fromkeys(unit_id for chain in chains for unit_id in chain))
    made = _compiled(db, above, (), {}, start=at, end=at + _AN_INSTANT, units=units)
    plans = {plan.unit: plan for plan in made}
    return {chain: merge([plans[unit] for unit in chain], chain[-1]) for chain in chains}


def slots_of(
    db: Session,
    *,
    units: Tree,
    unit_id: str | None = None,
    slot_ids: Collection[str] | None = None,
) -> list[Slot]:
    """Read the slots of one unit, some slots, or all, that have not been withdrawn."""
    unit_ids = None if unit_id is None else (unit_id,)
    return read_slots(db, WantedSlots(unit_ids=unit_ids, slot_ids=slot_ids), units)


def slots_at(db: Session, cluster_id: str, units: Tree) -> list[Slot]:
    """Read the slots that name one cluster or what it is part of, the top unit's first."""
    place = Place(cluster_id, units.chain_of_cluster(cluster_id))
    wanted = WantedSlots(unit_ids=place.chain, refs=_names([place], units))
    return sorted(KEPT.read(db, wanted, units), key=lambda slot: place.chain.index(slot.unit_id))


def ranks_of(db: Session, unit_id: str, *, since: datetime) -> dict[str, int]:
    """Read the places that a unit has given to priority claims not over at ``since``."""
    return ranks_by_unit(db, [unit_id], since=since).get(unit_id, {})


def ranks_by_unit(
    db: Session, unit_ids: Collection[str], *, since: datetime
) -> dict[str, dict[str, int]]:
    """Read the same of several units at once."""
    found: dict[str, dict[str, int]] = {}
    for unit_id, claim_id, rank in db.execute(_RANKED, {"units": unit_ids, "since": since}):
        found.setdefault(unit_id, {})[claim_id] = rank
    return found


def frames_of(db: Session, unit_ids: Iterable[str]) -> Sequence[TimeFrame]:
    """Read the frames that some units have laid down, the earliest first."""
    db.flush()  # plain columns are read past the session: what waits in it is laid down too
    return [TimeFrame(*row) for row in db.execute(_FRAMES, {"units": tuple(unit_ids)})]


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
