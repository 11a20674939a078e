"""The hand that changes slots step by step, and can take each step back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, demand
from server.domain.clashes import occupant
from server.domain.errors import SlotRefusedError, StaleError, UnknownThingError
from server.domain.recurrence import local_day
from server.services import audit, events, guarding, scheduling
from server.services.keyring import Keyring
from server.services.planning import PLAN_DAYS, publish_plan
from server.services.slot_requests import NewSlot, as_new
from server.services.slot_values import slot_value
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import SlotRow
from server.store.queries.lists import WHOLE_SLOT


@dataclass(frozen=True, slots=True)
class Step:
    """What one slot was and became; None: it was not there, or had been withdrawn.

    Attributes:
        was, version: The slot's version before the step, 0 where there was none, and after it.
    """

    slot_id: str
    before: NewSlot | None
    after: NewSlot | None
    was: int
    version: int


def steps_of(document: dict[str, Any]) -> list[Step]:
    """Read steps as they are kept."""
    return msgspec.convert(document["steps"], list[Step])


def document_of(steps: list[Step]) -> dict[str, Any]:
    """Write steps down."""
    return {"steps": msgspec.to_builtins(steps)}


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody who changes slots in one transaction."""

    db: Session
    now: datetime
    actor: Actor
    keyring: Keyring
    plan_days: int = PLAN_DAYS

    def find(self, slot_id: str, version: int) -> tuple[SlotRow, NewSlot]:
        """Take hold of a slot as somebody has seen it.

        Raises:
            UnknownThingError: No such slot.
            StaleError: It has been changed or withdrawn since.
            NotAllowedError: The actor may not schedule for its unit.
        """
        pass_gate(self.db, "slots")
        row = self.db.get(SlotRow, slot_id, options=WHOLE_SLOT, with_for_update=True)
        if row is None:
            raise UnknownThingError("slot", slot_id)
        units = tree(self.db, today=local_day(self.now))
        demand(self.actor, Action.SCHEDULE, units.chain(row.unit_id))
        if row.withdrawn_at is not None or row.version != version:
            raise StaleError("slot", slot_id)
        return row, as_new(row)

    def add(self, new: NewSlot) -> Step:
        """Save a new slot."""
        row = scheduling.add_slot(
            self.db,
            new,
            now=self.now,
            actor=self.actor,
            keyring=self.keyring,
            plan_days=self.plan_days,
        )
        return Step(row.slot_id, None, new, 0, row.version)

    def change(self, slot_id: str, before: NewSlot, after: NewSlot, version: int) -> Step:
        """Change a slot that has this version."""
        row = scheduling.update_slot(
            self.db,
            slot_id,
            after,
            version=version,
            now=self.now,
            actor=self.actor,
            keyring=self.keyring,
            plan_days=self.plan_days,
        )
        return Step(slot_id, before, after, version, row.version)

    def withdraw(self, slot_id: str, version: int) -> Step:
        """Withdraw a slot that has this version."""
        _, before = self.find(slot_id, version)
        row = scheduling.withdraw_slot(
            self.db,
            slot_id,
            now=self.now,
            actor=self.actor,
            keyring=self.keyring,
            plan_days=self.plan_days,
        )
        return Step(slot_id, before, None, version, row.version)

    def restore(self, slot_id: str, wanted: NewSlot, version: int) -> Step:
        """Bring back a slot that was withdrawn, where its time is still free.

        Raises:
            StaleError: It has come back already.
            SlotRefusedError: It breaks a rule by now; each clash is named.
        """
        pass_gate(self.db, "slots")
        row = self.db.get(SlotRow, slot_id, options=WHOLE_SLOT, with_for_update=True)
        if row is None:
            raise UnknownThingError("slot", slot_id)
        if row.withdrawn_at is None or row.version != version:
            raise StaleError("slot", slot_id)
        wrong = scheduling.check_slot(
            self.db, wanted, now=self.now, actor=self.actor, replacing=slot_id
        )
        if wrong:
            raise SlotRefusedError(wrong)
        row.withdrawn_at = None
        row.version += 1
        row.changed_at = self.now
        self.db.flush()  # the plan is compiled from the rows
        units = tree(self.db, today=local_day(self.now))
        slot = occupant(slot_value(row, units), row.overrides)
        guarding.hold(self.db, slot, units=units, now=self.now)
        publish_plan(self.db, row.unit_id, now=self.now, keyring=self.keyring, days=self.plan_days)
        audit.record(
            self.db, actor=self.actor, action="restore-slot", subject=slot_id, now=self.now
        )
        events.emit(self.db, kind="schedule", ref=row.unit_id, now=self.now)
        return Step(slot_id, None, wanted, version, row.version)

    def take_back(self, step: Step) -> Step:
        """Turn a step round: the slot becomes what it was; the answer turns it round again."""
        match step.before, step.after:
            case None, None:
                return step
            case None, _:
                return self.withdraw(step.slot_id, step.version)
            case before, None:
                return self.restore(step.slot_id, before, step.version)
            case before, after:
                return self.change(step.slot_id, after, before, step.version)
