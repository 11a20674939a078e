"""Time frames: who may lay them down, what they change, and what they would leave outside."""

from datetime import time

import pytest

from server.domain.authority import Role
from server.domain.errors import (
    FrameRefusedError,
    NotAllowedError,
    SlotRefusedError,
    StaleError,
    UnknownThingError,
)
from server.domain.recurrence import LOCAL
from server.services import framing, planning, units
from server.store.models import AssetRow, AuditRow, EventRow, FrameRow
from tests.factories.claims import NOON, an_asset
from tests.factories.questions import counted
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, an_actor

PROVINCE_OFFICE = an_actor(Role.BROADCASTER, "tinh")


def a_new_frame(start: str, end: str, **facts: object) -> framing.NewFrame:
    hours = {"local_start": time.fromisoformat(start), "local_end": time.fromisoformat(end)}
    return framing.NewFrame(**{"unit_id": "tinh", "kind": "frame", **hours, **facts})


def lay_down(province, start: str, end: str, *, actor=OPERATOR, confirmed=False, **facts: object):
    return province.run(
        framing.add_frame,
        new=a_new_frame(start, end, **facts),
        now=NOON,
        actor=actor,
        keyring=province.keyring,
        confirmed=confirmed,
    )


def withdraw(province, row: FrameRow, *, actor=OPERATOR, confirmed=False) -> FrameRow:
    return province.run(
        framing.withdraw_frame,
        frame_id=row.frame_id,
        now=NOON,
        actor=actor,
        keyring=province.keyring,
        confirmed=confirmed,
    )


def change(province, row: FrameRow, start: str, end: str, *, actor=OPERATOR, **facts: object):
    confirmed = facts.pop("confirmed", False)
    version = facts.pop("version", None) or framing.version_of(planning.frame_value(row))
    return province.run(
        framing.change_frame,
        frame_id=row.frame_id,
        new=a_new_frame(start, end, **facts),
        version=version,
        now=NOON,
        actor=actor,
        keyring=province.keyring,
        confirmed=confirmed,
    )


def refused(province, *hours: str, **facts: object) -> dict[str, dict[str, str]]:
    with pytest.raises(FrameRefusedError) as error:
        lay_down(province, *hours, **facts)
    return {finding.code: dict(finding.fields) for finding in error.value.findings}


def newest_rules(province, unit: str):
    return province.said(f"unit/{unit}/plan")[-1].msg.rules


def due(province) -> list[str]:
    tree = province.run(units.tree, today=TODAY)
    return province.run(planning.due_units, now=NOON, units=tree)


def test_frame_plan_audit_and_event_come_together(province):
    row = lay_down(
        province, "22:00", "05:00", kind="quiet", legal_reference="Quyết định 12/2026/QĐ-UBND"
    )
    quiet = newest_rules(province, "tinh").quiet[1]
    assert f"{quiet.start.astimezone(LOCAL):%H:%M}" == "22:00"
    assert (quiet.end - quiet.start).total_seconds() == 7 * 3600
    (noted,) = province.rows(AuditRow, action="add-frame")
    assert noted.subject == row.frame_id
    assert noted.detail["legal_reference"] == "Quyết định 12/2026/QĐ-UBND"
    (event,) = province.rows(EventRow)
    assert (event.kind, event.ref) == ("schedule", "tinh")


def test_a_withdrawn_frame_is_gone_from_plan_and_list_and_kept_on_record(province):
    row = lay_down(province, "22:00", "05:00", kind="quiet")
    for _ in range(2):  # twice is once
        assert withdraw(province, row).withdrawn_at == NOON
    assert newest_rules(province, "tinh").quiet == ()
    assert len(province.rows(AuditRow, action="withdraw-frame")) == 1
    tree = province.run(units.tree, today=TODAY)
    assert province.run(framing.frames_at, unit_id="tinh", units=tree) == []
    assert len(province.rows(FrameRow)) == 1
    row.frame_id = "f-none"
    with pytest.raises(UnknownThingError):
        withdraw(province, row)


def test_a_frame_given_to_a_level_is_in_the_plans_of_that_levels_units_at_once(province):
    province.run(planning.publish_due_plans, now=NOON, keyring=province.keyring)
    row = lay_down(province, "06:00", "07:00", owner_rank=1, volume_ceiling_db=-6.0)
    assert due(province) == []
    for commune in ("xa-1", "xa-2"):
        assert {frame.owner for frame in newest_rules(province, commune).frames} == {commune}
    assert newest_rules(province, "tinh").frames == ()
    assert newest_rules(province, "tinh").ceilings[0].volume_ceiling_db == -6.0
    withdraw(province, row)
    assert newest_rules(province, "xa-1").frames == ()
    assert due(province) == []


def test_what_holds_at_a_unit_names_who_laid_it_down(province):
    lay_down(province, "05:00", "22:00")
    lay_down(province, "12:00", "13:00", unit_id="xa-1", kind="quiet")
    lay_down(province, "12:00", "13:00", unit_id="xa-2", kind="quiet")
    tree = province.run(units.tree, today=TODAY)
    found = province.run(framing.frames_at, unit_id="xa-1", units=tree)
    assert [(one.unit_name, one.frame.hours, one.is_own) for one in found] == [
        ("Tỉnh", "05:00-22:00", False),
        ("Xã xa-1", "12:00-13:00", True),
    ]


def test_a_commune_lays_down_hours_only_in_what_the_province_leaves(province):
    lay_down(province, "05:00", "06:00", owner_id="tinh")
    lay_down(province, "06:00", "22:00")
    found = refused(province, "05:00", "07:00", unit_id="xa-1")
    assert found["frame-outside"] == {
        "weekday": "0",
        "start": "05:00",
        "end": "06:00",
        "left": "06:00-22:00",
    }
    assert lay_down(province, "06:00", "07:00", unit_id="xa-1", owner_id="xa-1")


def test_hours_are_given_only_downward(province):
    assert set(refused(province, "06:00", "07:00", unit_id="xa-1", owner_id="tinh")) == {
        "frame-owner"
    }
    assert set(refused(province, "06:00", "07:00", unit_id="xa-1", owner_rank=0)) == {"frame-owner"}
    assert set(refused(province, "06:00", "07:00", owner_rank=7)) == {"frame-owner"}
    assert set(refused(province, "06:00", "07:00", owner_id="tinh", owner_rank=0)) == {
        "frame-owner"
    }


WRONG = (
    ({"kind": "loud"}, "bad-frame-kind"),
    ({"weekdays": 0}, "bad-weekdays"),
    ({"weekdays": 128}, "bad-weekdays"),
    ({"local_start": time(5, 0, 1)}, "bad-frame-time"),
    ({"session_limit_s": 59}, "bad-session-limit"),
    ({"volume_ceiling_db": 0.1}, "bad-ceiling"),
    ({"volume_ceiling_db": float("nan")}, "bad-ceiling"),
    ({"legal_reference": "một\0hai"}, "bad-legal-reference"),
    ({"kind": "quiet", "owner_id": "tinh"}, "quiet-is-nobodys"),
)


def test_what_is_wrong_is_refused_by_name_and_nothing_is_saved(province):
    for wrong, code in WRONG:
        assert list(refused(province, "05:00", "06:00", **wrong)) == [code], wrong
    assert not province.rows(FrameRow)
    assert not province.posted("/plan")


def test_slots_that_would_be_left_outside_are_named_until_it_is_confirmed(province):
    slots = [
        province.add_slot(title=f"Tin {number}", local_start=time(5, number))
        for number in range(12)
    ]
    province.add_slot(unit_id="xa-2", units=("xa-2",), local_start=time(23, 30), title="Khuya")
    hours = {"kind": "quiet", "unit_id": "xa-1"}
    found = refused(province, "23:00", "05:30", **hours)["slots-left-outside"]
    assert found["count"] == "12"
    assert found["slots"].split("; ")[0] == "05:00 Tin 0 (Xã xa-1)"
    assert found["slots"].split("; ")[-1] == "05:09 Tin 9 (Xã xa-1)…"
    assert not province.rows(FrameRow)
    assert lay_down(province, "23:00", "05:30", confirmed=True, **hours)
    assert {slot.withdrawn_at for slot in slots} == {None}
    # Those that lie badly already do not stand in the way of the next.
    assert lay_down(province, "13:00", "14:00", **hours)


def test_withdrawing_one_of_two_frames_names_the_slots_in_it(province):
    morning, _evening = lay_down(province, "05:00", "06:00"), lay_down(province, "17:00", "18:00")
    province.add_slot()
    with pytest.raises(FrameRefusedError) as error:
        withdraw(province, morning)
    assert [one.code for one in error.value.findings] == ["slots-left-outside"]
    assert withdraw(province, morning, confirmed=True).withdrawn_at == NOON


def test_a_slot_longer_than_its_hours_allow_is_refused_with_both_lengths(province):
    an_hour = an_asset("an hour", duration_s=3600.0)
    with province.sessions.begin() as db:
        db.add(
            AssetRow(
                digest=an_hour.digest,
                unit_id="tinh",
                title="Ca nhạc",
                purpose="programme",
                duration_s=an_hour.duration_s,
                size_bytes=an_hour.size_bytes,
                created_at=NOON,
                created_by="loa",
            )
        )
    lay_down(province, "05:00", "07:00", session_limit_s=1800)
    assert province.add_slot()  # of thirty seconds
    with pytest.raises(SlotRefusedError) as error:
        province.add_slot(assets=(an_hour.digest,), local_start=time(6))
    (found,) = error.value.findings
    assert (found.code, found.fields["length"], found.fields["limit"]) == (
        "session-too-long",
        "1:00:00",
        "0:30:00",
    )


ALLOWED = (
    ("tinh", an_actor(Role.ADMIN, "tinh"), True),
    ("tinh", PROVINCE_OFFICE, True),
    ("xa-1", an_actor(Role.ADMIN, "tinh"), True),
    ("xa-1", an_actor(Role.COMMUNE_OFFICER, "xa-1"), True),
    ("xa-1", an_actor(Role.BROADCASTER, "xa-1"), True),
    ("xa-1", PROVINCE_OFFICE, False),
    ("xa-1", an_actor(Role.COMMUNE_OFFICER, "xa-2"), False),
    ("xa-1", an_actor(Role.TECHNICIAN, "xa-1"), False),
    ("xa-1", an_actor(Role.VIEWER, "xa-1"), False),
    ("tinh", an_actor(Role.COMMUNE_OFFICER, "xa-1"), False),
)


def test_hours_are_laid_down_by_administrators_and_by_who_schedules_at_just_that_unit(on_sqlite):
    for unit_id, actor, allowed in ALLOWED:
        facts = {"unit_id": unit_id, "kind": "quiet", "actor": actor}
        if allowed:
            withdraw(on_sqlite, lay_down(on_sqlite, "23:00", "04:00", **facts), actor=actor)
            continue
        with pytest.raises(NotAllowedError):
            lay_down(on_sqlite, "23:00", "04:00", **facts)
        row = lay_down(on_sqlite, "23:00", "04:00", **{**facts, "actor": OPERATOR})
        with pytest.raises(NotAllowedError):
            withdraw(on_sqlite, row, actor=actor)
        withdraw(on_sqlite, row)


def test_hours_are_changed_in_place_and_the_audit_says_from_what_to_what(province):
    row = lay_down(province, "05:00", "22:00", owner_rank=1)
    changed = change(province, row, "05:30", "21:00", volume_ceiling_db=-6.0)
    assert changed.frame_id == row.frame_id
    (noted,) = province.rows(AuditRow, action="change-frame")
    assert noted.detail["changed"] == {
        "start": ["05:00", "05:30"],
        "end": ["22:00", "21:00"],
        "owner": [1, None],
        "volume_ceiling_db": [None, -6.0],
    }
    assert [one.local_start for one in province.rows(FrameRow)] == [time(5, 30)]
    # It was the communes' own, and stood in their plans: not any more.
    assert not newest_rules(province, "xa-1").frames
    change(province, changed, "05:30", "21:00", volume_ceiling_db=-6.0)
    assert len(province.rows(AuditRow, action="change-frame")) == 1


def test_of_two_who_change_hours_the_second_is_told(province):
    row = lay_down(province, "05:00", "22:00")
    change(province, row, "05:00", "21:00")
    with pytest.raises(StaleError):
        change(province, row, "05:00", "20:00")
    withdraw(province, row)
    with pytest.raises(UnknownThingError):
        change(province, row, "05:00", "20:00")


def test_hours_are_held_only_behind_the_gate_that_a_reform_passes_first(on_postgres):
    row = lay_down(on_postgres, "05:00", "22:00")
    with counted(on_postgres) as asked:
        change(on_postgres, row, "05:00", "21:00")
        withdraw(on_postgres, row)
    order = [
        "gate" if "pg_advisory_xact_lock" in one else "row"
        for one in asked
        if "pg_advisory_xact_lock" in one or "FOR UPDATE" in one
    ]
    held = order.index("row")
    assert order[:held] == ["gate"]
    again = order.index("row", held + 1)
    assert order[again - 1] == "gate"


def test_changed_hours_break_no_rule_and_name_the_slots_that_they_would_leave_outside(province):
    row = lay_down(province, "05:00", "12:00")
    lay_down(province, "13:00", "22:00")
    province.add_slot(local_start=time(5, 30))
    before = [one.local_end for one in province.rows(FrameRow)]
    for hours, facts, code in (
        (("05:00", "14:00"), {}, "frame-overlap"),
        (("06:00", "12:00"), {}, "slots-left-outside"),
        (("05:00", "12:00"), {"weekdays": 0}, "bad-weekdays"),
        (("05:00", "12:00"), {"unit_id": "xa-1"}, "frame-other-unit"),
    ):
        with pytest.raises(FrameRefusedError) as error:
            change(province, row, *hours, **facts)
        assert [finding.code for finding in error.value.findings] == [code]
    assert [one.local_end for one in province.rows(FrameRow)] == before
    assert change(province, row, "06:00", "12:00", confirmed=True).local_start == time(6)
    with pytest.raises(NotAllowedError):
        change(province, row, "05:00", "12:00", actor=an_actor(Role.COMMUNE_OFFICER, "xa-1"))
