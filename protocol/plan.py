"""The claims of a unit as a node receives them, and the timeline of a cluster from them."""

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import Generic, TypeVar

from protocol.airtime import Airtime, apart
from protocol.messages import Claim, Frame, Interval, Plan, Targets
from protocol.policy import EVER, Policy, Silence
from protocol.precedence import winner
from protocol.turns import in_its_turn

HeardSpan = tuple[datetime, datetime, Claim | None, Sequence[Claim]]
"""Start and end of a span, the claim that is heard, and those around it, itself among them."""

S = TypeVar("S", Airtime, Claim, Frame, Interval, Silence)

_INSTANT = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cluster stands: its id and the units above it, from the top down."""

    cluster: str
    chain: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a cluster's timeline in which one claim is heard, or none."""

    start: datetime
    end: datetime
    claim: Claim | None


def is_targeted(targets: Targets, place: Place) -> bool:
    """Say whether ``targets`` mean the cluster at ``place``."""
    if place.cluster in targets.exclude:
        return False
    if place.cluster in targets.clusters:
        return True
    # Asked of every claim: ``any`` would take three times as long.
    for unit in targets.units:  # noqa: SIM110
        if unit in place.chain:
            return True
    return False


def claims_at(plans: Iterable[Plan], place: Place) -> tuple[Claim, ...]:
    """Collect the claims of the plans above a cluster that target it, each in its turn there."""
    return tuple(
        claim if claim.turns is None else in_its_turn(claim, plan.turns.get(place.cluster, 0))
        for plan in plans
        for claim in plan.claims
        if is_targeted(claim.targets, place)
    )


def timeline(
    claims: Sequence[Claim], policy: Policy, start: datetime, end: datetime
) -> tuple[Span, ...]:
    """Work out what one cluster will sound from ``start`` to ``end``.

    The answer can only change where an airtime, a frame, a quiet stretch or a hush begins or ends,
    so only those instants are asked. Neighbouring spans with the same answer are joined.
    """
    found = heard_among(claims, policy, start, end)
    return tuple(Span(begins, ends, claim) for begins, ends, claim, _ in found)


def heard_among(
    claims: Sequence[Claim], policy: Policy, start: datetime, end: datetime
) -> Iterator[HeardSpan]:
    """Yield each span of a timeline with all claims in whose own time it begins."""
    frames, quiet, silences = Sweep(policy.frames), Sweep(policy.quiet), Sweep(policy.silences)
    around = Sweep(claims)
    # Nearly always what a claim wants is its own time, which need not be looked at twice.
    others = apart(claims, policy)
    shorter, less = Sweep(others), {id(other.claim) for other in others}
    here, holds_until, is_free = policy, start, False
    left = begun = start
    before: Claim | None = None
    then: Sequence[Claim] = around.move(start)
    while left < end:
        if left >= holds_until:
            here = replace(
                policy,
                frames=tuple(frames.move(left)),
                quiet=tuple(quiet.move(left)),
                silences=tuple(silences.move(left)),
            )
            holds_until = min(frames.until, quiet.until, silences.until)
            is_free = not here.forbids_any
        present = wanting = around.move(left)
        until = around.until
        if less:
            wanting = [claim for claim in present if id(claim) not in less]
            wanting += [other.claim for other in shorter.move(left)]
            until = min(until, shorter.until)
        if len(wanting) == 1 and is_free:  # so it is at most instants
            one = wanting[0]
            heard: Claim | None = one if one.start <= left < one.end else None
        else:
            heard = winner(wanting, left, here) if wanting else None
        if heard is not before and heard != before:
            if begun < left:
                yield begun, left, before, then
            begun, before, then = left, heard, present
        left = min(holds_until, until)
    if begun < end:
        yield begun, end, before, then


class Sweep(Generic[S]):
    """Those of some things that last at an instant, which may only move on.

    Each is looked at when it begins and while it lasts, not whenever another begins or ends.

    Attributes:
        until: The first instant after it at which one begins or ends.
    """

    __slots__ = ("_changes", "_open", "_places", "_things", "until")

    def __init__(self, things: Iterable[S]) -> None:
        """Take the things; one that ends when it begins never lasts."""
        self._things: list[S] = [thing for thing in things if thing.start < thing.end]
        # Places at which one begins, and turned over where it ends; the next one stands last.
        changes: list[tuple[datetime, int]] = [(EVER, 0)]
        changes += [(thing.start, place) for place, thing in enumerate(self._things)]
        changes += [(thing.end, ~place) for place, thing in enumerate(self._things)]
        changes.sort(key=_INSTANT, reverse=True)
        self._changes = changes
        self._places: list[int] = []
        self._open: list[S] = []
        self.until: datetime = changes[-1][0]

    def move(self, now: datetime) -> Sequence[S]:
        """Move on to an instant, and give what lasts there, in the order in which it came in."""
        if now < self.until:
            return self._open
        changes, places, things = self._changes, self._places, self._things
        while changes[-1][0] <= now:
            _, place = changes.pop()
            if place >= 0:
                insort(places, place)
            else:
                places.remove(~place)
        self.until = changes[-1][0]
        self._open = [things[place] for place in places]
        return self._open
