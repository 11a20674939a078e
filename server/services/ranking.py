"""The order that a commune gives to priority items which clash at its own loudspeakers.

Circular 39/2020/TT-BTTTT: where a priority bulletin collides with the commune's own priority item,
the commune decides the order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from protocol.messages import BulletinClass, Claim
from protocol.policy import Policy
from protocol.precedence import key
from server.domain.authority import Action, Actor, demand_own
from server.domain.compilation import claims_of
from server.domain.errors import BulletinRefusedError, Finding, StaleError
from server.domain.recurrence import local_day
from server.domain.slots import Slot
from server.domain.units import Tree
from server.services import audit, events
from server.services.keyring import Keyring
from server.services.planning import PLAN_DAYS, publish_plan, ranks_of, slots_of
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import ClaimRankRow

MOST_CLASHES = 20


@dataclass(frozen=True, slots=True)
class Contender:
    """One of several priority items that want the same loudspeakers at the same time.

    Attributes:
        is_own: It is the commune's own, or of a unit under it.
        rank: The place the commune has given it; None: none yet.
    """

    claim_id: str
    slot_id: str
    title: str
    unit_name: str
    start: datetime
    end: datetime
    rank: int | None
    is_own: bool


@dataclass(frozen=True, slots=True)
class Clash:
    """Contenders, the one that goes first on top."""

    contenders: tuple[Contender, ...]

    @property
    def is_decided(self) -> bool:
        """Whether the commune has given each its place."""
        return all(one.rank is not None for one in self.contenders)

    @property
    def claim_ids(self) -> tuple[str, ...]:
        """Their claims, in their order."""
        return tuple(one.claim_id for one in self.contenders)


def clashes_at(
    db: Session, unit_id: str, *, units: Tree, now: datetime, days: int = PLAN_DAYS
) -> list[Clash]:
    """List where the commune's own priority items meet others in the coming days, soonest first."""
    own = set(units.subtree(unit_id))
    clusters = set(units.own_clusters(unit_id))
    slots = [
        slot
        for above in (*units.chain(unit_id), *sorted(own - {unit_id}))
        for slot in slots_of(db, units=units, unit_id=above)
        if slot.bulletin_class is BulletinClass.PRIORITY and slot.clusters & clusters
    ]
    if {slot.unit_id in own for slot in slots} != {True, False}:
        return []
    given = ranks_of(db, unit_id, since=now)
    policy = Policy(ranks=given)
    wanting = [
        (claim, slot)
        for slot in slots
        for claim in claims_of(slot, now, now + timedelta(days=days))
    ]
    found = []
    for group in _meeting(wanting):
        if not any(
            _collide(one, other, clusters)
            for one in group
            for other in group
            if one[1].unit_id in own and other[1].unit_id not in own
        ):
            continue
        group.sort(key=lambda one: key(one[0], one[0].start, policy))
        found.append(
            Clash(
                tuple(
                    _contender(claim, slot, given, own=slot.unit_id in own) for claim, slot in group
                )
            )
        )
        if len(found) == MOST_CLASHES:
            break
    return found


def order(
    db: Session,
    unit_id: str,
    wanted: Sequence[str],
    *,
    seen: Sequence[str],
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    plan_days: int = PLAN_DAYS,
) -> Clash:
    """Put the contenders of one clash into an order, and publish the commune's plan with it.

    Both ``wanted`` and ``seen`` name their claims, the first one on top; ``seen`` is the order that
    was shown, so that nobody undoes unseen what somebody else has just decided.

    Raises:
        NotAllowedError: The actor does not schedule for just this commune.
        StaleError: The clash or its order is another one by now.
        BulletinRefusedError: The claims are not those of the clash.
    """
    units = tree(db, today=local_day(now))
    demand_own(actor, Action.SCHEDULE, units.chain(unit_id))
    # Two officers at once: the second one sees the first one's order.
    pass_gate(db, f"ranks of {unit_id}")
    clash = next(
        (
            one
            for one in clashes_at(db, unit_id, units=units, now=now, days=plan_days)
            if set(one.claim_ids) == set(seen)
        ),
        None,
    )
    if clash is None:
        raise StaleError("order", unit_id)
    if sorted(wanted) != sorted(clash.claim_ids):
        raise BulletinRefusedError([Finding("bad-order")])
    if clash.is_decided and clash.claim_ids == tuple(wanted):
        return clash
    if clash.claim_ids != tuple(seen):
        raise StaleError("order", unit_id)
    ends = {one.claim_id: one.end for one in clash.contenders}
    for rank, claim in enumerate(wanted, 1):
        db.merge(
            ClaimRankRow(
                unit_id=unit_id,
                claim_id=claim,
                rank=rank,
                ends=ends[claim],
                given_at=now,
                given_by=actor.name,
            )
        )
    db.flush()  # the plan is compiled from the rows
    publish_plan(db, unit_id, now=now, keyring=keyring, units=units, days=plan_days)
    audit.record(
        db, actor=actor, action="order-priority", subject=unit_id, now=now, order=list(wanted)
    )
    events.emit(db, kind="bulletin", ref=unit_id, now=now)
    by_claim = {one.claim_id: one for one in clash.contenders}
    return Clash(tuple(by_claim[claim] for claim in wanted))


def _collide(one: tuple[Claim, Slot], other: tuple[Claim, Slot], clusters: set[str]) -> bool:
    in_time = one[0].start < other[0].end and other[0].start < one[0].end
    return in_time and bool(one[1].clusters & other[1].clusters & clusters)


def _meeting(wanting: Iterable[tuple[Claim, Slot]]) -> Iterable[list[tuple[Claim, Slot]]]:
    """Yield those that lie over one another, directly or through others, soonest first."""
    group: list[tuple[Claim, Slot]] = []
    ends: datetime | None = None
    for claim, slot in sorted(wanting, key=lambda one: (one[0].start, one[0].claim_id)):
        if ends is not None and claim.start >= ends:
            yield group
            group, ends = [], None
        group.append((claim, slot))
        ends = claim.end if ends is None else max(ends, claim.end)
    if group:
        yield group


def _contender(claim: Claim, slot: Slot, given: dict[str, int], *, own: bool) -> Contender:
    return Contender(
        claim_id=claim.claim_id,
        slot_id=slot.slot_id,
        title=slot.title,
        unit_name=slot.unit_name,
        start=claim.start,
        end=claim.end,
        rank=given.get(claim.claim_id),
        is_own=own,
    )
