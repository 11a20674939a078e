"""The claims of a unit as a node receives them, and the timeline of a cluster from them."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
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
    return place.cluster in targets.clusters or any(unit in place.chain for unit in targets.units)


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
    times = airtimes(claims, policy)
    frames, quiet, wanted = Sweep(policy.frames), Sweep(policy.quiet), Sweep(times)
    silences = Sweep(policy.silences)
    here = policy
    spans: list[Span] = []
    left = start
    while left < end:
        if left >= min(frames.until, quiet.until, silences.until):
            frames.move(left)
            quiet.move(left)
            silences.move(left)
            here = replace(
                policy,
                frames=tuple(frames.open),
                quiet=tuple(quiet.open),
                silences=tuple(silences.open),
            )
        wanted.move(left)
        right = min(end, frames.until, quiet.until, silences.until, wanted.until)
        heard = winner((time.claim for time in wanted.open), left, here) if wanted.open else None
        if spans and (spans[-1].claim is heard or spans[-1].claim == heard):
            spans[-1] = Span(spans[-1].start, right, heard)
        else:
            spans.append(Span(left, right, heard))
        left = right
    return tuple(spans)


class Sweep(Generic[S]):
    """Those of some stretches that cover an instant, which may only move on.

    Each is looked at when it begins and while it lasts, not whenever another begins or ends.

    Attributes:
        open: Those that cover the instant, in the order they came in.
        until: The first instant after it at which one begins or ends.
    """

    def __init__(self, stretches: Iterable[S]) -> None:
        lasting = {
            place: stretch for place, stretch in enumerate(stretches) if stretch.start < stretch.end
        }
        self._stretches: Mapping[int, S] = lasting
        # The next one stands last.
        self._begins = sorted(((s.start, place) for place, s in lasting.items()), reverse=True)
        self._ends = sorted(((s.end, place) for place, s in lasting.items()), reverse=True)
        self._places: list[int] = []
        self.open: list[S] = []
        self.until = datetime.min.replace(tzinfo=UTC)

    def move(self, now: datetime) -> None:
        """Move on to an instant."""
        if now < self.until:
            return
        begins, ends, places = self._begins, self._ends, self._places
        while begins and begins[-1][0] <= now:
            number = begins.pop()[1]
            place = bisect_left(places, number)
            places.insert(place, number)
            self.open.insert(place, self._stretches[number])
        while ends and ends[-1][0] <= now:
            place = bisect_left(places, ends.pop()[1])
            del places[place], self.open[place]
        # What is yet to begin is yet to end, so while there are begins there are ends.
        next_ = begins if begins and begins[-1] < ends[-1] else ends
        self.until = next_[-1][0] if next_ else EVER
