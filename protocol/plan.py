"""The claims of a unit as a node receives them, and the timeline of a cluster from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from protocol.airtime import Airtime, airtimes
from protocol.messages import Claim, Interval, Plan, Targets
from protocol.policy import Policy
from protocol.precedence import winner


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

    The answer can only change where an airtime, a frame or a quiet stretch begins or ends, so only
    those instants are asked. Neighbouring spans with the same answer are joined.
    """
    times = airtimes(claims, policy)
    edges = {start, end}
    stretches: tuple[Airtime | Interval, ...] = (*times, *policy.frames, *policy.quiet)
    for stretch in stretches:
        edges.update(at for at in (stretch.start, stretch.end) if start < at < end)
    spans: list[Span] = []
    ordered = sorted(edges)
    for left, right in pairwise(ordered):
        wanted = (each.claim for each in times if each.start <= left < each.end)
        heard = winner(wanted, left, policy)
        if spans and spans[-1].claim == heard:
            spans[-1] = Span(spans[-1].start, right, heard)
        else:
            spans.append(Span(left, right, heard))
    return tuple(spans)
