"""Where each file of a content lies in time."""

import math
from dataclasses import dataclass

from protocol.messages import AssetRef, Content


@dataclass(frozen=True, slots=True)
class Placed:
    """One file, and its place counted in seconds from the content's first sample."""

    offset_s: float
    asset: AssetRef


def layout(content: Content) -> tuple[Placed, ...]:
    """Place every file: the opening once, then the items ``repeat`` times with gaps between."""
    placed: list[Placed] = []
    at = 0.0
    if content.opening is not None:
        placed.append(Placed(at, content.opening))
        at += content.opening.duration_s
    for turn in range(content.repeat):
        if turn:
            at += content.gap_s
        for asset in content.items:
            placed.append(Placed(at, asset))
            at += asset.duration_s
    return tuple(placed)


def lasts_as_its_claim(content: Content) -> bool:
    """Say whether it has no length of its own: a relay has none, and nobody who speaks."""
    return content.relay is not None or content.live is not None


def length_s(content: Content) -> float:
    """Tell how long the whole content lasts, in seconds; endless where only its claim ends it."""
    if lasts_as_its_claim(content):
        return math.inf
    # Summed up just as ``layout`` does, so that no rounding tells them apart.
    at = 0.0 if content.opening is None else content.opening.duration_s
    for turn in range(content.repeat):
        if turn:
            at += content.gap_s
        for asset in content.items:
            at += asset.duration_s
    return at


def opening_s(content: Content) -> float:
    """Tell how long the opening lasts, in seconds; 0 where there is none."""
    return content.opening.duration_s if content.opening is not None else 0.0


def assets(content: Content) -> tuple[AssetRef, ...]:
    """List each file once, in the order in which it is needed."""
    return tuple(dict.fromkeys(placed.asset for placed in layout(content)))
