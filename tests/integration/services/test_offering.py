"""Ways out offered for a slot that clashes: each is taken, and none is idle."""

from dataclasses import replace
from datetime import time, timedelta
from random import Random

import pytest

from server.domain.authority import Role
from server.domain.clashes import SlotClashError
from server.domain.errors import SlotRefusedError
from server.domain.offers import OfferKind
from server.services import framing, offering, overriding, scheduling, units
from server.store.models import AuditRow, EventRow
from server.store.queries import lists
from tests.factories.claims import NOON
from tests.factories.provinces import a_new_slot
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, an_actor

A_DAY = timedelta(days=1)
TOMORROW = TODAY + A_DAY
ABOVE = {"unit_id": "tinh", "units": ("tinh",), "length_s": 600.0}


def offered(province, *, actor=OPERATOR, replacing: str = "", **new: object):
    wanted = a_new_slot(**new)
    with pytest.raises(SlotClashError) as refused:
        province.add_slot(actor=actor, **new)
    facts = {"now": NOON, "actor": actor, "replacing": replacing}
    found = province.run(offering.offers, new=wanted, found=refused.value.clashes, **facts)
    assert len({offer.kind for offer in found}) == len(found)
    return {offer.kind: offer.changes for offer in found}


def lay_down(province, unit: str = "tinh", **facts: object):
    boring = {"kind": "frame", "local_start": time(5), "local_end": time(22)}
    return province.run(
        framing.add_frame,
        new=framing.NewFrame(unit_id=unit, **boring | facts),
        now=NOON,
        actor=OPERATOR,
        keyring=province.keyring,
        confirmed=True,
    )


def test_a_slot_is_shortened_up_to_the_next_or_begins_after_the_last(province):
    province.add_slot(local_start=time(6), length_s=600.0)
    ending = offered(province, local_start=time(5, 45), length_s=1200.0)
    assert ending[OfferKind.TRIM] == {"length_s": 900.0}
    beginning = offered(province, local_start=time(6, 5), length_s=1200.0)
    assert beginning[OfferKind.TRIM] == {"length_s": 900.0, "local_start": time(6, 10)}
    assert OfferKind.TRIM not in offered(province, local_start=time(6, 5), length_s=60.0)


def test_the_nearest_later_time_is_free_on_all_days_at_all_clusters(province):
    province.add_slot(local_start=time(5, 30), length_s=600.0)
    monday = {"recurrence": "weekly", "weekdays": 1, "units": (), "clusters": ("xa-1-c2",)}
    province.add_slot(local_start=time(5, 45), length_s=600.0, **monday)
    assert offered(province, length_s=600.0)[OfferKind.NEXT_GAP] == {"local_start": time(5, 55)}
    one = {"units": (), "clusters": ("xa-1-c1",)}
    assert offered(province, length_s=600.0, **one)[OfferKind.NEXT_GAP] == {
        "local_start": time(5, 40)
    }


def test_it_is_moved_inside_the_frames_and_out_of_quiet_hours_or_else_earlier(province):
    lay_down(province, local_end=time(6))
    lay_down(province, local_start=time(5, 35), local_end=time(5, 50), kind="quiet")
    province.add_slot(local_start=time(5, 20), length_s=900.0)
    found = offered(province, local_start=time(5, 20), length_s=600.0)
    assert found[OfferKind.NEXT_GAP] == {"local_start": time(5, 50)}
    found = offered(province, local_start=time(5, 20), length_s=660.0)
    assert found[OfferKind.NEXT_GAP] == {"local_start": time(5, 9)}


def test_days_that_clash_are_left_out_while_they_are_few(province):
    other = province.add_slot(recurrence="once", first_day=TOMORROW + A_DAY)
    kept = (TODAY + 9 * A_DAY,)
    found = offered(province, excluded_days=kept)
    assert found[OfferKind.EXCLUDE] == {"excluded_days": (other.first_day, *kept)}
    province.add_slot(local_start=time(7))
    assert OfferKind.EXCLUDE not in offered(province, local_start=time(7))
    once = {"recurrence": "once", "first_day": other.first_day}
    assert OfferKind.EXCLUDE not in offered(province, **once)


def test_slots_below_are_lain_over_and_named_to_those_who_had_them(province):
    own = province.add_slot(title="Tin xã", length_s=600.0)
    over = offered(province, **ABOVE)[OfferKind.OVERRIDE]
    assert over == {"override": (own.slot_id,)}
    before = len(province.rows(EventRow, ref="xa-1"))
    upper = province.add_slot(title="Tin tỉnh", **ABOVE, **over)
    assert len(province.rows(EventRow, ref="xa-1")) > before
    (deed,) = province.rows(AuditRow, subject=upper.slot_id)
    assert deed.detail["lies_over"] == [f"{own.slot_id} Tin xã"]

    def marks(db):
        tree = units.tree(db, today=TODAY)
        return overriding.lain_over(db, lists.slots_of(db, "xa-1"), units=tree, now=NOON)

    assert [one.title for one in province.run(marks)[own.slot_id]] == ["Tin tỉnh"]
    province.withdraw(upper)
    assert province.run(marks) == {}


def test_nobody_lies_over_equals_or_those_above_or_into_hours_that_are_not_theirs(province):
    own = province.add_slot(length_s=600.0)
    assert OfferKind.OVERRIDE not in offered(province, length_s=600.0)
    assert OfferKind.OVERRIDE in offered(province, **ABOVE)
    frame = lay_down(province, "xa-1", owner_id="xa-1", local_end=time(6))
    assert OfferKind.OVERRIDE not in offered(province, **ABOVE)
    province.run(
        framing.withdraw_frame,
        frame_id=frame.frame_id,
        now=NOON,
        actor=OPERATOR,
        keyring=province.keyring,
    )
    province.withdraw(own)
    province.add_slot(**ABOVE)
    below = an_actor(Role.COMMUNE_OFFICER, "xa-1")
    assert OfferKind.OVERRIDE not in offered(province, actor=below, length_s=600.0)


def test_a_slot_that_is_changed_is_not_in_its_own_way(province):
    slot = province.add_slot(local_start=time(5, 30), length_s=600.0)
    province.add_slot(local_start=time(6), length_s=600.0)
    wanted = {"local_start": time(5, 55), "length_s": 600.0}
    found = offered(province, replacing=slot.slot_id, **wanted)
    assert found[OfferKind.NEXT_GAP] == {"local_start": time(6, 10)}
    found = offered(province, replacing=slot.slot_id, **wanted | {"length_s": 900.0})
    assert found[OfferKind.NEXT_GAP] == {"local_start": time(6, 10)}


def test_nothing_is_offered_where_nothing_would_help(province):
    all_day = {"local_start": time(0), "length_s": 86_400.0}
    province.add_slot(**all_day)
    assert offered(province, **all_day) == {}


DAYS = (
    {"recurrence": "daily"},
    {"recurrence": "weekly", "weekdays": 0b1000001},
    {"recurrence": "once"},
    {"recurrence": "monthly", "pattern": "BYMONTHDAY=-1"},
    {"recurrence": "lunar", "pattern": "DAY=15"},
    {"recurrence": "rrule", "pattern": "FREQ=WEEKLY;INTERVAL=2"},
    {"recurrence": "weekly", "weekdays": 0b0100010, "holidays": "except"},
)
PLACES = (
    {"unit_id": "tinh", "units": ("tinh",)},
    {"unit_id": "xa-1", "units": ("xa-1",)},
    {"unit_id": "xa-1", "units": (), "clusters": ("xa-1-c2",)},
    {"unit_id": "xa-2", "units": ("xa-2",)},
)


def chance(random: Random) -> scheduling.NewSlot:
    minutes = random.choice((0, 5, 290, 300, 320, 330, 345, 1410, 1435))
    return a_new_slot(
        local_start=time(minutes // 60, minutes % 60, random.choice((0, 0, 7))),
        length_s=random.choice((30.0, 90.5, 600.0, 3600.0)),
        first_day=TOMORROW + random.randrange(9) * A_DAY,
        **random.choice(DAYS),
        **random.choice(PLACES),
    )


@pytest.mark.parametrize("seed", range(2))
def test_every_offer_is_accepted_when_it_is_taken(province, seed):
    random = Random(seed)  # noqa: S311 - no secret: the same slots every time
    lay_down(province, "xa-2", local_start=time(5, 40), local_end=time(5, 50), kind="quiet")
    taken = 0
    for _ in range(12):
        new = chance(random)
        try:
            with province.sessions.begin() as db:
                facts = {"now": NOON, "actor": OPERATOR, "keyring": province.keyring}
                scheduling.add_slot(db, new, **facts, plan_days=1)
        except SlotClashError as refused:
            facts = {"now": NOON, "actor": OPERATOR}
            found = province.run(offering.offers, new=new, found=refused.clashes, **facts)
            for offer in found:
                wanted = replace(new, **offer.changes)
                assert province.run(scheduling.check_slot, new=wanted, **facts) == [], offer
                taken += 1
        except SlotRefusedError:
            continue
    assert taken
