"""Hours, frames and volume, merged from the top unit down; used by both ends.

A lower unit may only tighten what an upper one set: quiet hours add up, the lowest volume ceiling
holds, and a frame that an upper unit has given away cannot be given away again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from protocol.messages import BulletinClass, Ceiling, Claim, Frame, Interval, Mode, Plan


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds at one cluster.

    Attributes:
        frames: Frames in the order in which they are asked, the top unit's first.
        quiet: Stretches in which nothing but an emergency may sound.
        volume_ceiling_db: Loudest gain allowed at any time, in dB.
        ceilings: Stretches in which all but emergencies are held lower still.
        ranks: Places the commune gave to priority claims; smaller goes first.
    """

    frames: tuple[Frame, ...] = ()
    quiet: tuple[Interval, ...] = ()
    volume_ceiling_db: float = 0.0
    ceilings: tuple[Ceiling, ...] = ()
    ranks: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def owner(self, now: datetime) -> str | None:
        """Name the unit whose time frame ``now`` is, if it is anybody's."""
        return next((frame.owner for frame in self.frames if frame.covers(now)), None)

    def permits(self, claim: Claim, now: datetime) -> bool:
        """Say whether ``claim`` may sound at ``now``.

        Only a real emergency passes through quiet hours.
        """
        if not self.quiet or _is_emergency(claim):
            return True
        return not any(stretch.covers(now) for stretch in self.quiet)

    def loudest_db(self, claim: Claim, start: datetime, end: datetime) -> float:
        """Tell the loudest gain that ``claim`` may have when it sounds from ``start`` to ``end``.

        It has one gain from beginning to end, so the lowest ceiling that it touches holds.
        """
        if _is_emergency(claim):
            return self.volume_ceiling_db
        touched = (
            ceiling.volume_ceiling_db
            for ceiling in self.ceilings
            if ceiling.start < end and start < ceiling.end
        )
        return min((self.volume_ceiling_db, *touched))


def _is_emergency(claim: Claim) -> bool:
    return claim.bulletin_class is BulletinClass.EMERGENCY and claim.mode is Mode.REAL


def merge(plans_top_down: Iterable[Plan], commune: str | None) -> Policy:
    """Merge what the units above a cluster laid down, the top unit's plan first.

    The ranks are those of ``commune`` alone, the lowest unit above the cluster: Circular
    39/2020/TT-BTTTT leaves the order of clashing priority items to it. As long as its plan is not
    there, nobody else ranks them in its stead.
    """
    plans = tuple(plans_top_down)
    rules = tuple(plan.rules for plan in plans)
    return Policy(
        frames=tuple(frame for rule in rules for frame in rule.frames),
        quiet=tuple(stretch for rule in rules for stretch in rule.quiet),
        volume_ceiling_db=min((rule.volume_ceiling_db for rule in rules), default=0.0),
        ceilings=tuple(ceiling for rule in rules for ceiling in rule.ceilings),
        ranks=MappingProxyType(
            {
                claim: rank
                for plan in plans
                if plan.unit == commune
                for claim, rank in plan.ranks.items()
            }
        ),
    )
