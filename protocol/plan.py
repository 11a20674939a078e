"""The claims of a unit as a node receives them, and the timeline of a cluster from them."""

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Generic, TypeVar

from protocol.airtime import Airtime, airtimes
from protocol.messages import Claim, Frame, Interval, Plan, Targets
from protocol.policy import EVER, Policy, Silence
from protocol.precedence import winner

S = TypeVar("S", Airtime, Claim, Frame, Interval, Silence)


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
    """Collect the claims of the plans above a cluster that target it."""
    return tuple(
        claim for plan in plans for claim in plan.claims if is_targeted(claim.targets, place)
    )


def timeline(
    claims: Sequence[Claim], policy: Policy, start: datetime, end: datetime
) -> tuple[Span, ...]:
    """Work out what one cluster will sound from ``start`` to ``end``.

    The answer can only change where an airtime, a frame, a quiet stretch or a hush begins or ends,
    so only those instants are asked. Neighbouring spans with the same answer are joined.
    """
    frames, quiet, silences = Sweep(policy.frames), Sweep(policy.quiet), Sweep(policy.silences)
    wanted = Sweep(airtimes(claims, policy))
    here, holds_until = policy, start
    spans: list[Span] = []
    left = begun = start
    before: Claim | None = None
    while left < end:
        if left >= holds_until:
            for laid_down in (frames, quiet, silences):
                laid_down.move(left)
            here = replace(
                policy,
                frames=tuple(frames.open),
                quiet=tuple(quiet.open),
                silences=tuple(silences.open),
            )
            holds_until = min(frames.until, quiet.until, silences.until)
        wanted.move(left)
        heard = winner([time.claim for time in wanted.open], left, here) if wanted.open else None
        if heard is not before and heard != before:
            if begun < left:
                spans.append(Span(begun, left, before))
            begun, before = left, heard
        left = min(end, holds_until, wanted.until)
    if begun < end:
        spans.append(Span(begun, end, before))
    return tuple(spans)


class Sweep(Generic[S]):
    """Those of some stretches that cover an instant, which may only move on.

    Each is looked at when it begins and while it lasts, not whenever another begins or ends.

    Attributes:
        open: Those that cover the instant, in the order they came in.
        until: The first instant after it at which one begins or ends.
    """

    def __init__(self, stretches: Iterable[S]) -> None:
        lasting = [stretch for stretch in stretches if stretch.start < stretch.end]
        self._stretches: Sequence[S] = lasting
        # Places at which one begins, and turned over where it ends; the next one stands last.
        changes = [(stretch.start, place) for place, stretch in enumerate(lasting)]
        changes += [(stretch.end, ~place) for place, stretch in enumerate(lasting)]
        self._changes = sorted(changes, reverse=True)
        self._places: list[int] = []
        self.open: list[S] = []
        self.until = datetime.min.replace(tzinfo=UTC)

    def move(self, now: datetime) -> None:
        """Move on to an instant."""
        if now < self.until:
            return
        changes, places = self._changes, self._places
        while changes and changes[-1][0] <= now:
            place = changes.pop()[1]
            if place >= 0:
                insort(places, place)
            else:
                places.remove(~place)
        self.open = [self._stretches[place] for place in places]
        self.until = changes[-1][0] if changes else EVER
