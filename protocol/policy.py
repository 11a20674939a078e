"""Hours, frames and volume, merged from the top unit down; used by both ends.

A lower unit may only tighten what an upper one set: quiet hours add up, the lowest volume ceiling
holds, and a frame that an upper unit has given away cannot be given away again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from protocol.messages import (
    BulletinClass,
    Ceiling,
    Claim,
    ClaimKind,
    Frame,
    HushState,
    Interval,
    Mode,
    Plan,
)

EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Silence:
    """A stretch in which a unit has ordered the loudspeakers under it to be silent.

    Attributes:
        end: When it was lifted; ``EVER`` while it lasts.
        spares_emergencies: Whether real emergencies sound all the same.
    """

    hush_id: str
    unit: str
    start: datetime
    end: datetime = EVER
    spares_emergencies: bool = False

    def covers(self, now: datetime) -> bool:
        """Say whether ``now`` lies in it."""
        return self.start <= now < self.end


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds at one cluster.

    Attributes:
        frames: Frames in the order in which they are asked, the top unit's first.
        quiet: Stretches in which nothing but an emergency may sound.
        volume_ceiling_db: Loudest gain allowed at any time, in dB.
        ceilings: Stretches in which all but emergencies are held lower still.
        silences: Stretches in which nothing may sound, by order.
        ranks: Places the commune gave to priority claims; smaller goes first.
        stops: From when claims are over by order, by their units and ids.
    """

    frames: tuple[Frame, ...] = ()
    quiet: tuple[Interval, ...] = ()
    volume_ceiling_db: float = 0.0
    ceilings: tuple[Ceiling, ...] = ()
    silences: tuple[Silence, ...] = ()
    ranks: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    stops: Mapping[tuple[str, str], datetime] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def closed(self) -> tuple[Interval | Silence, ...]:
        """Every stretch in which something may not sound."""
        return (*self.quiet, *self.silences)

    def owner(self, now: datetime) -> str | None:
        """Name the unit whose time frame ``now`` is, if it is anybody's."""
        # Asked of every claim that meets another: ``next`` would take three times as long.
        for frame in self.frames:
            if frame.start <= now < frame.end:
                return frame.owner
        return None

    @property
    def forbids_any(self) -> bool:
        """Whether there is any stretch or order by which a claim may not sound."""
        return bool(self.quiet or self.silences or self.stops)

    def permits(self, claim: Claim, now: datetime) -> bool:
        """Say whether ``claim`` may sound at ``now``.

        Only a real emergency passes through quiet hours, and through a hush that spares it. Who
        speaks at the box while the network is away passes through the one, and never the other.
        """
        if self.stops and self.is_stopped(claim, now):
            return False
        if self.silences and self.hushed_by(claim, now) is not None:
            return False
        if not self.quiet or _passes_quiet(claim):
            return True
        return not any(stretch.covers(now) for stretch in self.quiet)

    def stopped_at(self, claim: Claim) -> datetime | None:
        """Tell from when ``claim`` is over by order; None: it was not stopped."""
        return self.stops.get((claim.unit, claim.claim_id))

    def is_stopped(self, claim: Claim, now: datetime) -> bool:
        """Say whether ``claim`` is over by order at ``now``."""
        stopped_at = self.stopped_at(claim)
        return stopped_at is not None and stopped_at <= now

    def hushed_by(self, claim: Claim, now: datetime) -> Silence | None:
        """Find what orders ``claim`` to be silent at ``now``, the highest unit's first."""
        spared = is_emergency(claim)
        for silence in self.silences:
            if silence.covers(now) and not (spared and silence.spares_emergencies):
                return silence
        return None

    def loudest_db(self, claim: Claim, start: datetime, end: datetime) -> float:
        """Tell the loudest gain that ``claim`` may have when it sounds from ``start`` to ``end``.

        It has one gain from beginning to end, so the lowest ceiling that it touches holds.
        """
        if is_emergency(claim):
            return self.volume_ceiling_db
        touched = (
            ceiling.volume_ceiling_db
            for ceiling in self.ceilings
            if ceiling.start < end and start < ceiling.end
        )
        return min((self.volume_ceiling_db, *touched))


def _passes_quiet(claim: Claim) -> bool:
    return claim.bulletin_class is BulletinClass.EMERGENCY and claim.mode is Mode.REAL


def is_emergency(claim: Claim) -> bool:
    """Say whether a claim is a real emergency that a unit ordered."""
    return _passes_quiet(claim) and claim.kind is not ClaimKind.LOCAL


def newest_words(told: Iterable[tuple[str, HushState]]) -> dict[tuple[str, Mode], HushState]:
    """Find what counts of all that units have said of silence, in whatever order it came.

    A rehearsed hush is counted by itself: it never lifts a real one.
    """
    newest: dict[tuple[str, Mode], HushState] = {}
    for unit, state in told:
        known = newest.get((unit, state.mode))
        if known is None or _weight(state) > _weight(known):
            newest[unit, state.mode] = state
    return newest


def _weight(state: HushState) -> tuple[int, bool]:
    # Numbers are given once; were one given twice, silence would be the safe reading.
    return state.number, state.until is None


def merge(
    plans_top_down: Iterable[Plan],
    commune: str | None,
    ordered: Iterable[tuple[str, HushState]] = (),
) -> Policy:
    """Merge what the units above a cluster laid down, the top unit's plan first.

    A hush is in force by the plan or by an order, whichever says the newest; ``ordered`` are the
    words of orders, each with its unit.

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
        silences=_silences(plans, ordered),
        ranks=MappingProxyType(
            {
                claim: rank
                for plan in plans
                if plan.unit == commune
                for claim, rank in plan.ranks.items()
            }
        ),
    )


def _silences(
    plans: Iterable[Plan], ordered: Iterable[tuple[str, HushState]]
) -> tuple[Silence, ...]:
    told = [(plan.unit, state) for plan in plans for state in plan.rules.hushes]
    return tuple(
        Silence(state.hush_id, unit, state.since, state.until or EVER, state.spares_emergencies)
        for (unit, mode), state in newest_words([*told, *ordered]).items()
        if mode is Mode.REAL
    )
