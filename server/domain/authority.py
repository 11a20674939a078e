"""Who may do what, where: the one place that decides, for page, API and command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from server.domain.errors import NotAllowedError
from server.domain.units import Tree

EVERYWHERE = "*"


class Role(StrEnum):
    """What somebody is, at a unit and under it."""

    ADMIN = "admin"
    BROADCASTER = "broadcaster"
    COMMUNE_OFFICER = "commune-officer"
    TECHNICIAN = "technician"
    VIEWER = "viewer"


class Action(StrEnum):
    """What somebody wants to do."""

    VIEW = "view"
    UPLOAD = "upload"
    SCHEDULE = "schedule"
    ANNOUNCE = "announce"
    ANNOUNCE_EMERGENCY = "announce-emergency"
    STOP = "stop"
    HUSH = "hush"
    APPROVE = "approve"
    MAINTAIN = "maintain"
    TEND = "tend"
    ADMINISTER = "administer"


_ON_AIR = frozenset(
    {
        Action.VIEW,
        Action.UPLOAD,
        Action.SCHEDULE,
        Action.ANNOUNCE,
        Action.ANNOUNCE_EMERGENCY,
        Action.STOP,
        Action.HUSH,
        Action.TEND,
    }
)

ALLOWED: dict[Role, frozenset[Action]] = {
    Role.ADMIN: frozenset(Action),
    Role.BROADCASTER: _ON_AIR | {Action.APPROVE},
    Role.COMMUNE_OFFICER: _ON_AIR,
    Role.TECHNICIAN: frozenset({Action.VIEW, Action.MAINTAIN, Action.TEND}),
    Role.VIEWER: frozenset({Action.VIEW}),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role at a unit and all that is under it."""

    role: Role
    unit_id: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody, by the name that stands in the audit, with all that was granted to them."""

    name: str
    grants: tuple[Grant, ...]

    @classmethod
    def operator(cls, name: str) -> "Actor":
        """Stand for whoever runs commands on the server's own machine."""
        return cls(name, (Grant(Role.ADMIN, EVERYWHERE),))


def may(actor: Actor, action: Action, chain: Sequence[str]) -> bool:
    """Say whether ``actor`` may do this at the last unit of ``chain`` (top down, itself last)."""
    return any(
        action in ALLOWED[grant.role] and (grant.unit_id == EVERYWHERE or grant.unit_id in chain)
        for grant in actor.grants
    )


def seen_above(actor: Actor, chain: Sequence[str]) -> str | None:
    """Name the unit above the last one of ``chain``, where there is one that somebody may see."""
    above = chain[:-1]
    return above[-1] if above and may(actor, Action.VIEW, above) else None


def may_somewhere(actor: Actor, action: Action) -> bool:
    """Tell whether there is any unit where somebody may do something."""
    return any(action in ALLOWED[grant.role] for grant in actor.grants)


def demand(actor: Actor, action: Action, chain: Sequence[str]) -> None:
    """Go on only when ``actor`` may do this at the last unit of ``chain``.

    Raises:
        NotAllowedError: No grant covers it.
    """
    if not may(actor, action, chain):
        raise NotAllowedError(action.value, chain[-1] if chain else EVERYWHERE)


def seen_units(actor: Actor, tree: Tree) -> frozenset[str] | None:
    """Name the units that ``actor`` may see; None: all, those too that are no more."""
    seen = frozenset(unit for unit in tree.units if may(actor, Action.VIEW, tree.chain(unit)))
    return None if len(seen) == len(tree.units) else seen


def seen_clusters(actor: Actor, tree: Tree) -> frozenset[str] | None:
    """Name the clusters that ``actor`` may see; None: all, those too that belong nowhere today."""
    units = seen_units(actor, tree)
    if units is None:
        return None
    return frozenset(cluster for cluster, unit in tree.clusters.items() if unit in units)


def touches(actor: Actor, unit_id: str, tree: Tree) -> bool:
    """Say whether what a unit orders reaches a unit that ``actor`` may see, or is ordered there."""
    if may(actor, Action.VIEW, tree.chain(unit_id)):
        return True
    granted = {grant.unit_id for grant in actor.grants if Action.VIEW in ALLOWED[grant.role]}
    return any(unit in tree.units and unit_id in tree.chain(unit) for unit in granted)


def may_lay_down(actor: Actor, chain: Sequence[str]) -> bool:
    """Say whether ``actor`` may lay down hours in the name of the last unit of ``chain``.

    Hours are policy and have an owner: administrators above may, and whoever schedules at just
    this unit. A provincial broadcaster's rules bind a commune, but are not laid down in its name.
    """
    return may(actor, Action.ADMINISTER, chain) or may(actor, Action.SCHEDULE, chain[-1:])


def demand_laying_down(actor: Actor, chain: Sequence[str]) -> None:
    """Go on only when ``actor`` may lay down hours for the last unit of ``chain``.

    Raises:
        NotAllowedError: No grant covers it.
    """
    if not may_lay_down(actor, chain):
        raise NotAllowedError("lay-down-hours", chain[-1] if chain else EVERYWHERE)


def demand_own(actor: Actor, action: Action, chain: Sequence[str]) -> None:
    """Go on only when ``actor`` was granted this at just the last unit of ``chain``, not above it.

    What Circular 39/2020/TT-BTTTT leaves to the commune is not done in its name from above.

    Raises:
        NotAllowedError: No grant at the unit itself covers it.
    """
    demand(actor, action, chain[-1:])
