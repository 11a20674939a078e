"""Why one claim is heard and another is not: the rule of precedence, said step by step."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from protocol.messages import Claim
from protocol.policy import Policy
from protocol.precedence import key, winner


class Why(StrEnum):
    """What decides between the claim that is heard and one that is not."""

    HUSHED = "hushed"
    QUIET = "quiet"
    CLASS = "class"
    DRILL = "drill"
    SEVERITY = "severity"
    NEWER = "newer"
    RANK = "rank"
    LIVE = "live"
    FRAME = "frame"
    LEVEL = "level"
    EARLIER = "earlier"
    NAME = "name"


_LAST = (Why.LEVEL, Why.EARLIER, Why.NAME, Why.NAME)
STEPS: tuple[tuple[Why, ...], ...] = (
    (Why.CLASS, Why.SEVERITY, Why.NEWER, Why.NAME, Why.NAME),
    (Why.CLASS, Why.DRILL, Why.RANK, Why.RANK, Why.LIVE, *_LAST),
    (Why.CLASS, Why.FRAME, *_LAST),
    (Why.CLASS, Why.EARLIER, Why.NAME, Why.NAME),
)
"""What each part of ``precedence.key`` stands for, by its first part."""


@dataclass(frozen=True, slots=True)
class Loser:
    """A claim that wants to be heard and is not, and the first thing that decides against it."""

    claim: Claim
    why: Why


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which claim is heard at an instant, and why each of the others is not."""

    heard: Claim | None
    losers: tuple[Loser, ...]


def explain(claims: Iterable[Claim], now: datetime, policy: Policy) -> Verdict:
    """Choose as ``winner`` does, and say of each other claim of that instant why it loses.

    The losers come in the order in which they would be heard if those before them were not there;
    what may not sound at all comes last.
    """
    present = [claim for claim in claims if claim.covers(now)]
    heard = winner(present, now, policy)
    if heard is None:
        return Verdict(None, tuple(Loser(claim, _barred(claim, now, policy)) for claim in present))
    rest = sorted(
        (claim for claim in present if claim != heard),
        key=lambda claim: (not policy.permits(claim, now), key(claim, now, policy)),
    )
    return Verdict(heard, tuple(Loser(claim, _why(heard, claim, now, policy)) for claim in rest))


def _barred(claim: Claim, now: datetime, policy: Policy) -> Why:
    return Why.QUIET if policy.hushed_by(claim, now) is None else Why.HUSHED


def _why(heard: Claim, loser: Claim, now: datetime, policy: Policy) -> Why:
    if not policy.permits(loser, now):
        return _barred(loser, now, policy)
    won, lost = key(heard, now, policy), key(loser, now, policy)
    steps = STEPS[int(won[0])]
    parts = zip(steps, won, lost, strict=False)  # those of another class go on otherwise
    return next((step for step, mine, theirs in parts if mine != theirs), Why.NAME)
