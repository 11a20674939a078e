"""The order that somebody asked for by dragging, or by a step up or down."""

from collections.abc import Sequence


def moved(claims: Sequence[str], up: str | None, down: str | None) -> list[str]:
    """Move one of them a step; at the end of the list it stays."""
    order = list(claims)
    for claim, by in ((up, -1), (down, 1)):
        if claim in order:
            at = order.index(claim)
            to = min(len(order) - 1, max(0, at + by))
            order.insert(to, order.pop(at))
    return order
