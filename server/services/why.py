"""Why a cluster sounds what it does at an instant: what is heard, what loses, what stays away."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.messages import Claim, ClaimKind, Play
from protocol.plan import Place, is_targeted
from protocol.signing import unverified
from protocol.why import Verdict, explain
from server.domain.absence import Absence, absence
from server.domain.authority import Action, Actor, demand
from server.domain.recurrence import local_day
from server.domain.slots import Slot, claim_id
from server.domain.units import Tree
from server.services.planning import heard_at, slots_at
from server.services.scheduling import while_it_sounds
from server.services.units import tree
from server.store.models import BroadcastRow

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Absent:
    """A slot that has this time of day, and does not come on this day."""

    slot: Slot
    why: Absence


@dataclass(frozen=True, slots=True)
class OtherTurn:
    """A slot whose time it is, while it is the turn of other clusters.

    Attributes:
        start, end: When it is, or was, this cluster's turn.
    """

    slot: Slot
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """All there is to say about one cluster at one instant.

    Attributes:
        owner: Unit whose time frame it is; None: nobody's.
        quiet: Whether nothing but an emergency may sound.
        other_turns: Slots that this cluster sounds before or after the others.
        stopped: Announcements that would still sound had nobody stopped them.
    """

    cluster_id: str
    unit_id: str
    at: datetime
    verdict: Verdict
    owner: str | None
    quiet: bool
    absent: tuple[Absent, ...]
    other_turns: tuple[OtherTurn, ...]
    stopped: tuple[Claim, ...]


def answer(db: Session, cluster_id: str, *, at: datetime, actor: Actor, now: datetime) -> Answer:
    """Say what one cluster sounds at ``at``, and why nothing else.

    Raises:
        UnknownThingError: There is no such cluster on that day.
        NotAllowedError: The actor may not see its unit.
    """
    day = local_day(at)
    units = tree(db, today=day)
    chain = units.chain_of_cluster(cluster_id)
    demand(actor, Action.VIEW, chain)
    heard = heard_at(db, cluster_id, start=at, end=at + _A_DAY, now=min(at, now), units=units)
    claims = [
        while_it_sounds(claim) for claim in heard.claims if not heard.policy.is_stopped(claim, at)
    ]
    meant = list(_meant(db, cluster_id, at, units))
    return Answer(
        cluster_id,
        chain[-1],
        at,
        explain(claims, at, heard.policy),
        heard.policy.owner(at),
        any(stretch.covers(at) for stretch in heard.policy.quiet),
        tuple(Absent(slot, why) for slot, day in meant if (why := absence(slot.rule, day))),
        tuple(_other_turns(meant, heard.claims, at)),
        tuple(_stopped(db, Place(cluster_id, chain), at)),
    )


def _meant(db: Session, cluster_id: str, at: datetime, units: Tree) -> Iterator[tuple[Slot, date]]:
    """Find the slots that have this time of day here, each with the day it would have begun on."""
    for slot in slots_at(db, cluster_id, units):
        if cluster_id in slot.clusters and (day := _day_meant(slot, at)) is not None:
            yield slot, day


def _other_turns(
    meant: Iterable[tuple[Slot, date]], claims: Iterable[Claim], at: datetime
) -> Iterator[OtherTurn]:
    here = {claim.claim_id: claim for claim in claims if claim.kind is ClaimKind.SCHEDULED}
    for slot, day in meant:
        claim = here.get(claim_id(slot.slot_id, slot.rule.occurrence(day)[0]))
        if claim is not None and not claim.covers(at):
            yield OtherTurn(slot, claim.start, claim.end)


def _day_meant(slot: Slot, at: datetime) -> date | None:
    """Tell on which day the slot would have begun to sound at ``at``; None: at no day."""
    for day in (local_day(at), local_day(at) - _A_DAY):
        start, end = slot.rule.occurrence(day)
        if start <= at < end:
            return day
    return None


def _stopped(db: Session, place: Place, at: datetime) -> Iterator[Claim]:
    rows = db.scalars(
        select(BroadcastRow.token)
        .where(BroadcastRow.stopped_at.is_not(None), BroadcastRow.stopped_at <= at)
        .where(BroadcastRow.start <= at, BroadcastRow.end > at)
        .order_by(BroadcastRow.broadcast_id)
    )
    for token in rows:
        order = unverified(token).msg
        if isinstance(order, Play) and is_targeted(order.claim.targets, place):
            claim = while_it_sounds(order.claim)
            if claim.covers(at):
                yield claim
