"""The claims of a unit as a node receives them, and the timeline of a cluster from them."""

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import Generic, TypeVar

from protocol.airtime import apart
from protocol.messages import Claim, Frame, Interval, Plan, Targets
from protocol.policy import EVER, Policy, Silence
from protocol.precedence import winner
from protocol.turns import in_its_turn

HeardSpan = tuple[datetime, datetime, Claim | None, Sequence[Claim]]
"""Start and end of a span, the claim that is heard, and those around it, itself among them."""

S = TypeVar("S")
L = TypeVar("L", Frame, Interval, Silence)

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
    frames, quiet, silences = _sweep(policy.frames), _sweep(policy.quiet), _sweep(policy.silences)
    around = Sweep([(claim.start, claim.end, claim) for claim in claims])
    # Nearly always what a claim wants is its own time, which need not be looked at twice.
    others = apart(claims, policy)
    shorter, less = Sweep(others), {id(claim) for _, _, claim in others}
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
            wanting += shorter.move(left)
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

    def __init__(self, stretches: Iterable[tuple[datetime, datetime, S]]) -> None:
        """Take the things, each after its first instant and the first one after it."""
        lasting = [stretch for stretch in stretches if stretch[0] < stretch[1]]
        self._things = [thing for _, _, thing in lasting]
        # Places at which one begins, and turned over where it ends; the next one stands last.
        changes = [(stretch[0], place) for place, stretch in enumerate(lasting)]
        changes += [(stretch[1], ~place) for place, stretch in enumerate(lasting)]
        changes.sort(key=_INSTANT, reverse=True)
        self._changes = changes
        self._places: list[int] = []
        self._open: list[S] = []
        self.until = changes[-1][0] if changes else EVER

    def move(self, now: datetime) -> Sequence[S]:
        """Move on to an instant, and give what lasts there, in the order in which it came in."""
        if now < self.until:
            return self._open
        changes, places, things = self._changes, self._places, self._things
        until = EVER
        while changes:
            until, place = changes[-1]
            if until > now:
                break
            changes.pop()
            until = EVER
            if place >= 0:
                insort(places, place)
            else:
                places.remove(~place)
        self.until = until
        self._open = [things[place] for place in places]
        return self._open


def _sweep(laid_down: Iterable[L]) -> Sweep[L]:
    return Sweep((stretch.start, stretch.end, stretch) for stretch in laid_down)
