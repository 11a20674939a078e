"""A watch over plans: it finds what looking at everything finds, and looks at next to nothing."""

from datetime import time, timedelta

from sqlalchemy import select, update

from server.domain.recurrence import local_day
from server.services import planning, units
from server.services.plan_watch import LOOKED_AT_ANYWAY, ORDER_ALONE, PlanWatch
from server.store.models import ClusterRow, FrameRow, HushRow, SlotRow, UnitKeyRow
from tests.factories.claims import NOON
from tests.factories.questions import counted

S = timedelta(seconds=1)
DAYS = 14


def looked(province, watch: PlanWatch, now) -> list[str]:
    """Ask the watch, compare with a look at everything, and publish."""
    with province.sessions.begin() as db:
        tree = units.tree(db, today=local_day(now))
        facts = {"now": now, "units": tree, "days": DAYS}
        found = watch.due(db, **facts)
        assert found == planning.due_units(db, **facts)
        planning.publish_plans(db, found, keyring=province.keyring, **facts)
    return found


def write(province, statement) -> None:
    with province.sessions.begin() as db:
        db.execute(statement)


def test_what_has_changed_behind_everybodys_back_is_noticed_at_the_next_look(province):
    watch = PlanWatch()
    slot = province.add_slot()
    assert looked(province, watch, NOON) == ["tinh", "xa-2"]
    assert looked(province, watch, NOON + S) == []
    one = SlotRow.slot_id == slot.slot_id
    write(province, update(SlotRow).where(one).values(title="Khác", version=2))
    assert looked(province, watch, NOON + 2 * S) == ["xa-1"]
    write(province, update(SlotRow).where(one).values(withdrawn_at=NOON))
    assert looked(province, watch, NOON + 3 * S) == ["xa-1"]
    assert looked(province, watch, NOON + 4 * S) == []


def test_one_slot_that_goes_as_another_of_its_version_comes_back_is_noticed(province):
    watch = PlanWatch()
    there = province.add_slot()
    gone = province.withdraw(province.add_slot(local_start=time(7)), now=NOON)
    looked(province, watch, NOON)
    assert looked(province, watch, NOON + S) == []
    with province.sessions.begin() as db:
        db.get_one(SlotRow, there.slot_id).withdrawn_at = NOON + S
        db.get_one(SlotRow, gone.slot_id).withdrawn_at = None
    assert looked(province, watch, NOON + 2 * S) == ["xa-1"]


def test_an_announcement_that_ends_frames_languages_keys_and_midnight_are_noticed(province):
    watch = PlanWatch()
    province.add_slot(languages=("vi",))
    looked(province, watch, NOON)
    said = province.announce(now=NOON + S)
    looked(province, watch, NOON + S + ORDER_ALONE)
    assert looked(province, watch, said.end + S) == ["xa-1"]
    at = said.end + 2 * S
    with province.sessions.begin() as db:
        db.add(
            FrameRow(frame_id="f-1", unit_id="xa-2", local_start=NOON.time(), local_end=at.time())
        )
    assert looked(province, watch, at) == ["xa-2"]
    write(province, update(FrameRow).values(kind="quiet"))
    assert looked(province, watch, at) == ["xa-2"]
    write(province, update(ClusterRow).values(languages=["hmn"]))
    assert looked(province, watch, at + S) == ["xa-1"]
    with province.sessions.begin() as db:
        key = db.scalars(select(UnitKeyRow).where(UnitKeyRow.unit_id == "xa-2")).first()
        province.keyring.issue(db, unit_id="xa-2", level=1, configures=False, now=at)
        key.revoked_at = at
    assert looked(province, watch, at + 2 * S) == ["xa-2"]
    assert looked(province, watch, at + timedelta(days=1)) == ["tinh", "xa-1", "xa-2"]


def test_the_order_of_an_announcement_goes_alone_before_the_plan_says_it_too(province):
    watch = PlanWatch()
    for _ in range(2):
        looked(province, watch, NOON)
    province.announce(now=NOON + S)
    with province.sessions.begin() as db:
        now = NOON + S + 0.9 * ORDER_ALONE
        tree = units.tree(db, today=local_day(now))
        assert watch.due(db, now=now, units=tree, days=DAYS) == []
    assert looked(province, watch, NOON + S + ORDER_ALONE) == ["xa-1"]
    assert looked(province, watch, NOON + 2 * S + ORDER_ALONE) == []


def test_a_hush_is_noticed(province):
    watch = PlanWatch()
    for second in range(2):
        looked(province, watch, NOON + second * S)
    hush = {"mode": "real", "spares_emergencies": True, "reason": "", "created_by": "loa"}
    with province.sessions.begin() as db:
        ends = NOON + timedelta(days=1)
        row = HushRow(hush_id="h-1", unit_id="xa-2", number=1, token=b"", plan_version=1, **hush)
        row.since, row.expires_at = NOON, ends
        db.add(row)
        tree = units.tree(db, today=local_day(NOON))
        db.flush()  # the watch reads the rows
        assert watch.due(db, now=NOON + 2 * S, units=tree, days=DAYS) == ["xa-2"]


def test_what_left_no_trace_is_noticed_after_some_minutes(province):
    watch = PlanWatch()
    province.add_slot()
    looked(province, watch, NOON)
    write(province, update(SlotRow).values(title="Không dấu vết"))
    with province.sessions.begin() as db:
        tree = units.tree(db, today=local_day(NOON))
        assert watch.due(db, now=NOON + S, units=tree, days=DAYS) == []
    assert looked(province, watch, NOON + LOOKED_AT_ANYWAY + S) == ["xa-1"]


def test_what_could_not_be_published_is_due_at_every_look(province):
    watch = PlanWatch()
    province.add_slot()
    with province.sessions.begin() as db:
        tree = units.tree(db, today=local_day(NOON))
        for second in range(3):
            assert "xa-2" in watch.due(db, now=NOON + second * S, units=tree, days=DAYS)


def test_a_quiet_watch_reads_no_slot_and_one_that_sees_a_change_only_its_units(on_sqlite):
    watch = PlanWatch()
    slot = on_sqlite.add_slot()
    on_sqlite.add_slot(unit_id="xa-2", units=("xa-2",))
    for second in range(2):
        looked(on_sqlite, watch, NOON + second * S)
    with on_sqlite.sessions.begin() as db:
        tree = units.tree(db, today=local_day(NOON))
    facts = {"units": tree, "days": DAYS}
    with counted(on_sqlite) as sent:
        on_sqlite.run(watch.due, now=NOON + 2 * S, **facts)
    assert len(sent) <= 6
    assert not any("slot_items" in one for one in sent)
    one = SlotRow.slot_id == slot.slot_id
    write(on_sqlite, update(SlotRow).where(one).values(title="Khác", version=2))
    with counted(on_sqlite) as sent:
        assert on_sqlite.run(watch.due, now=NOON + 3 * S, **facts) == ["xa-1"]
    of_items = [one for one in sent if "slot_items" in one]
    assert of_items
    assert all("unit_id IN" in one for one in of_items)
