"""Slots that have been read, kept for the next look of this process.

A slot is known by its id and version, which grows at every change, and rests on the tree besides:
with another tree all are read anew. Only who reads alone is given kept ones. Whoever writes may see
a version of their own that nobody else will ever see, and goes by the rows.
"""

from weakref import ref

from sqlalchemy.orm import Session

from server.domain.slots import Slot
from server.domain.units import Tree
from server.services.slot_values import read_slots
from server.store.engine import only_reads
from server.store.queries.slots import WantedSlots, slot_versions

MOST_KEPT = 20_000
"""Of some 1.5 kB each; when there are more, it is begun anew."""


class KeptSlots:
    """The slots asked for last, as they are on one tree; may be asked by several threads."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._begin(Tree({}, {}))

    def read(self, db: Session, wanted: WantedSlots, units: Tree) -> list[Slot]:
        """Read slots as ``read_slots`` does; of those that are kept, only their version."""
        if not only_reads(db):
            return read_slots(db, wanted, units)
        kept = self._kept(units)
        found: dict[str, Slot | None] = {}
        for slot_id, unit_id, version in slot_versions(db, wanted):
            if unit_id in units.units:
                slot = kept.get(slot_id)
                found[slot_id] = None if slot is None or slot.version != version else slot
        missing = [slot_id for slot_id, slot in found.items() if slot is None]
        if missing:
            read = {
                slot.slot_id: slot for slot in read_slots(db, WantedSlots(slot_ids=missing), units)
            }
            found |= read
            kept |= read
        return [slot for slot in found.values() if slot is not None]

    def _kept(self, units: Tree) -> dict[str, Slot]:
        tree, slots = self._last
        if tree() is not units or len(slots) > self._most:
            slots = self._begin(units)
        return slots

    def _begin(self, units: Tree) -> dict[str, Slot]:
        slots: dict[str, Slot] = {}
        self._last = (ref(units), slots)
        return slots


KEPT = KeptSlots()
