"""Where a priority bulletin comes at each commune: the next moment that its hours leave."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from protocol.messages import BulletinClass
from server.domain.errors import BulletinRefusedError, Finding
from server.domain.frames import TimeFrame
from server.domain.openings import decent, first_opening
from server.domain.recurrence import LOCAL
from server.domain.slots import Slot, Stretch
from server.domain.units import Tree
from server.services.planning import frames_of, slots_of
from server.store.gates import pass_gate
from server.store.models import AssetRow, BulletinRow

NOTICE = timedelta(minutes=2)
"""How long before it begins a bulletin is placed at the latest: nodes have to fetch its sound."""

PATIENCE = timedelta(hours=1)
"""How much later it may begin so as not to lie over a priority item of the commune's own; where
that is not enough, the commune decides the order (Circular 39/2020/TT-BTTTT)."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a bulletin comes.

    Attributes:
        over: Slots of the commune's own that it lies over.
    """

    start: datetime
    end: datetime
    over: tuple[str, ...]

    @property
    def local_start(self) -> time:
        """Begin on the wall."""
        return self.start.astimezone(LOCAL).time()


def places(
    db: Session,
    row: BulletinRow,
    meant: Sequence[str],
    *,
    units: Tree,
    now: datetime,
    days: int,
) -> dict[str, Placed]:
    """Find a place at each commune; those where there is none are left out.

    Raises:
        BulletinRefusedError: It has no sound.
    """
    asset = db.get(AssetRow, row.asset_digest) if row.asset_digest else None
    if asset is None:
        raise BulletinRefusedError([Finding("no-audio")])
    # Nobody may add a slot between the look and the placing.
    pass_gate(db, "slots")
    latest = now + timedelta(days=days)
    around = (now + NOTICE, min(latest, row.deadline) if row.deadline else latest)
    chains = {unit: units.chain(unit) for unit in meant}
    frames = frames_of(db, {above for chain in chains.values() for above in chain})
    priority = [
        slot for slot in slots_of(db, units=units) if slot.bulletin_class is BulletinClass.PRIORITY
    ]
    search = _Search(row.unit_id, timedelta(seconds=asset.duration_s), around, units)
    found = {
        unit: search.place(
            unit, [frame for frame in frames if frame.unit_id in chains[unit]], priority
        )
        for unit in meant
    }
    return {unit: place for unit, place in found.items() if place is not None}


@dataclass(frozen=True, slots=True)
class _Search:
    """What is looked for, for all communes alike."""

    sender: str
    length: timedelta
    around: Stretch
    units: Tree

    def place(
        self, unit: str, frames: Sequence[TimeFrame], priority: Iterable[Slot]
    ) -> Placed | None:
        clusters = set(self.units.own_clusters(unit))
        near = [slot for slot in priority if slot.clusters & clusters]
        below = set(self.units.subtree(unit))
        own = {slot.slot_id: self._times(slot) for slot in near if slot.unit_id in below}
        others = [at for slot in near if slot.slot_id not in own for at in self._times(slot)]
        first = self._opening(frames, others, self.around)
        if first is None:
            return None
        met = tuple(sorted(slot for slot, times in own.items() if _meet(first, times)))
        if met:
            soon = (first[0], min(self.around[1], first[1] + PATIENCE))
            all_of_it = [*others, *(at for times in own.values() for at in times)]
            beside = self._opening(frames, all_of_it, soon)
            if beside is not None:
                return Placed(*beside, over=())
        return Placed(*first, over=met)

    def _times(self, slot: Slot) -> list[Stretch]:
        return list(slot.rule.occurrences(*self.around))

    def _opening(
        self, frames: Sequence[TimeFrame], busy: Collection[Stretch], around: Stretch
    ) -> Stretch | None:
        return first_opening(
            self.length,
            around,
            busy=busy,
            unit=self.units.unit(self.sender),
            above=self.units.chain(self.sender),
            chain_frames=decent(frames),
        )


def _meet(one: Stretch, others: Iterable[Stretch]) -> bool:
    return any(begin < one[1] and one[0] < end for begin, end in others)
