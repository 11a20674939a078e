"""Slots, the plans made of them, and what silence about them means."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, time, timedelta

import pytest

from protocol.messages import AsRun, Outcome, Plan, Segment
from server.domain.authority import Role
from server.domain.errors import NotAllowedError, SlotRefusedError, UnknownThingError
from server.domain.recurrence import day_bounds, local_day
from server.domain.slots import claim_id
from server.services import as_run, planning, scheduling, units
from server.services.slot_values import rule_of
from server.store.models import (
    AsRunRow,
    AuditRow,
    EventRow,
    FrameRow,
    OccurrenceRow,
    OutboxRow,
    PlanRow,
    SlotRow,
)
from tests.factories.claims import NOON
from tests.factories.provinces import SPEECH, a_new_slot
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, an_actor

A_DAY = timedelta(days=1)
TOMORROW = TODAY + A_DAY
REVERSED = {"first_day": TOMORROW + A_DAY, "last_day": TOMORROW}
FIRST = day_bounds(TOMORROW)[0] + timedelta(hours=5, minutes=30)
"""When the slot that nobody asked to be otherwise is heard first."""


def newest_plan(province, unit: str = "xa-1") -> Plan:
    return province.said(f"unit/{unit}/plan")[-1].msg


def refused(province, **new: object) -> list:
    with pytest.raises(SlotRefusedError) as error:
        province.add_slot(**new)
    return [(finding.code, dict(finding.fields)) for finding in error.value.findings]


def codes(province, **new: object) -> list[str]:
    return [code for code, _ in refused(province, **new)]


def lay_down(province, start: str, end: str, **facts: object) -> None:
    boring = {
        "frame_id": f"f-{start}-{end}".replace(":", ""),
        "unit_id": "tinh",
        "local_start": time.fromisoformat(start),
        "local_end": time.fromisoformat(end),
    }
    with province.sessions.begin() as db:
        db.add(FrameRow(**{**boring, **facts}))


def test_a_slot_is_in_its_units_plan_for_each_day_of_the_window(province):
    slot = province.add_slot()
    plan = newest_plan(province)
    assert (plan.start, plan.end) == (day_bounds(TODAY)[0], day_bounds(TODAY + 14 * A_DAY)[0])
    assert [claim.start for claim in plan.claims] == [FIRST + n * A_DAY for n in range(13)]
    assert plan.claims[0].claim_id == claim_id(slot.slot_id, FIRST)
    assert all(claim.end - claim.start == 30 * timedelta(seconds=1) for claim in plan.claims)
    assert province.posted("/plan")[-1].retained


def test_a_withdrawn_slot_leaves_the_plan_and_twice_is_once(province):
    slot = province.add_slot()
    for _ in range(2):
        assert province.withdraw(slot, now=NOON + A_DAY).withdrawn_at == NOON + A_DAY
    assert newest_plan(province).claims == ()
    assert len(province.posted("/plan")) == 2
    assert len(province.rows(AuditRow, action="withdraw-slot")) == 1
    assert province.add_slot()


def test_an_overlap_is_refused_and_names_the_slot_the_day_and_the_time(province):
    slot = province.add_slot(title="Tin xã")
    assert refused(province, unit_id="tinh", units=("tinh",), local_start=time(5, 30, 10)) == [
        (
            "overlap",
            {
                "slot_id": slot.slot_id,
                "title": "Tin xã",
                "unit": "Xã xa-1",
                "level": "1",
                "day": "22/11/2026",
                "start": "05:30:00",
                "end": "05:30:30",
                "days": "22/11/2026, 23/11/2026, 24/11/2026…",
                "day_count": "4058+",
                "clusters": "2",
                "cluster_names": "Thôn Đoài",
            },
        )
    ]
    assert province.add_slot(local_start=time(5, 30, 30))
    assert province.add_slot(unit_id="xa-2", units=("xa-2",))
    assert province.add_slot(bulletin_class="priority")


def test_two_officers_who_ask_for_the_same_time_at_once_do_not_both_get_it(province):
    def ask(title: str) -> bool:
        try:
            province.add_slot(title=title)
        except SlotRefusedError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, "abcd")) == [False, False, False, True]
    assert len(province.rows(SlotRow)) == 1


def test_a_slot_lies_in_an_open_frame_and_out_of_quiet_hours(province):
    lay_down(province, "05:00", "06:00")
    lay_down(province, "06:00", "07:00", owner_id="tinh")
    lay_down(province, "05:45", "06:00", kind="quiet", unit_id="xa-1")
    assert province.add_slot()
    assert refused(province, local_start=time(6, 30)) == [
        (
            "outside-frame",
            {"day": "22/11/2026", "start": "06:30:00", "end": "06:30:30", "frames": "05:00-06:00"},
        )
    ]
    assert province.add_slot(unit_id="tinh", units=("xa-1",), local_start=time(6, 30))
    assert codes(province, local_start=time(5, 44, 50)) == ["quiet-hours"]
    assert province.add_slot(unit_id="xa-2", units=("xa-2",), local_start=time(5, 44, 50))
    # The province's slot meets the quiet hours that one of its communes has laid down.
    assert codes(province, unit_id="tinh", units=("tinh",), local_start=time(5, 50)) == [
        "quiet-hours"
    ]


WRONG = (
    ({"title": ""}, ["bad-title"]),
    ({"title": "a\0b"}, ["bad-title"]),
    ({"assets": ()}, ["no-audio"]),
    ({"assets": ("f" * 64,)}, ["unknown-asset"]),
    ({"bulletin_class": "emergency"}, ["not-allowed-class"]),
    ({"recurrence": "hourly"}, ["bad-recurrence"]),
    ({"recurrence": "weekly", "weekdays": 0}, ["bad-weekdays"]),
    ({"recurrence": "weekly", "weekdays": 128}, ["bad-weekdays"]),
    ({"first_day": TOMORROW + A_DAY, "last_day": TOMORROW}, ["days-reversed"]),
    ({"recurrence": "once", "first_day": TODAY}, ["past"]),
    ({"first_day": TODAY - A_DAY, "last_day": TODAY}, ["past"]),
    ({"first_day": date.min}, ["bad-day"]),
    ({"last_day": date.max}, ["bad-day"]),
    ({"when_cut": "explode"}, ["bad-when-cut"]),
    ({"gain_db": 3.0}, ["bad-gain"]),
    ({"units": ()}, ["no-target"]),
    ({"units": ("tinh",)}, ["out-of-scope"]),
    ({"clusters": ("xa-2-c1",)}, ["out-of-scope"]),
    ({"exclude": ("xa-2-c1",)}, ["out-of-scope"]),
    ({"recurrence": "weekly", "weekdays": 1, "last_day": TOMORROW}, ["never"]),
    ({"title": "", "assets": (), "units": ()}, ["bad-title", "no-audio", "no-target"]),
)


def test_what_is_wrong_is_refused_by_name_and_nothing_is_saved(province):
    for wrong, expected in WRONG:
        assert codes(province, **wrong) == expected, wrong
    assert not province.rows(SlotRow)
    assert not province.posted("/plan")


def test_a_far_day_is_a_day_like_any_other(province):
    far = {"recurrence": "once", "first_day": date(2031, 5, 1)}
    province.add_slot(**far)
    assert codes(province, **far) == ["overlap"]


def test_slots_are_for_those_who_may_schedule_there(province):
    slot = province.add_slot(actor=an_actor())
    for actor in (an_actor(Role.VIEWER), an_actor(Role.TECHNICIAN), an_actor(unit_id="xa-2")):
        with pytest.raises(NotAllowedError):
            province.add_slot(local_start=time(9), actor=actor)
        with pytest.raises(NotAllowedError):
            province.withdraw(slot, actor=actor)
    with pytest.raises(NotAllowedError):
        province.add_slot(unit_id="tinh", units=("xa-1",), local_start=time(9), actor=an_actor())
    slot.slot_id = "s-none"
    with pytest.raises(UnknownThingError):
        province.withdraw(slot)


def test_slot_plan_audit_outbox_and_event_come_together_or_not_at_all(province):
    def broken(db):
        facts = {"now": NOON, "actor": OPERATOR, "keyring": province.keyring}
        scheduling.add_slot(db, a_new_slot(), **facts)
        db.flush()  # all of it is written, and none of it committed
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        province.run(broken)
    kinds = (SlotRow, PlanRow, OutboxRow, EventRow)
    assert [len(province.rows(kind)) for kind in kinds] == [0, 0, 0, 0]
    province.add_slot()
    assert [len(province.rows(kind)) for kind in kinds] == [1, 1, 1, 1]
    assert len(province.rows(AuditRow, action="add-slot")) == 1


def publish(province, now=NOON, days: int = planning.PLAN_DAYS) -> int:
    return province.run(planning.publish_due_plans, now=now, keyring=province.keyring, days=days)


def test_unchanged_plans_are_published_once_and_again_when_the_day_turns(province):
    province.add_slot()
    assert publish(province) == 2  # the slot's own unit has published already
    assert publish(province) == 0
    assert publish(province, day_bounds(TOMORROW)[0] - timedelta(seconds=1)) == 0
    assert publish(province, day_bounds(TOMORROW)[0]) == 3


def test_plan_versions_only_grow_even_when_the_clock_goes_back(province):
    slot = province.add_slot()
    an_hour_ago = NOON - timedelta(hours=1)
    province.withdraw(slot, now=an_hour_ago)
    province.add_slot(now=an_hour_ago)
    versions = [token.msg.version for token in province.said("unit/xa-1/plan")]
    assert versions == sorted(set(versions))
    assert len(versions) == 3


def test_plans_made_at_once_have_versions_and_contents_of_their_own(on_postgres):
    starts = [time(hour) for hour in (7, 8, 9, 10)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda start: on_postgres.add_slot(local_start=start), starts))
    plans = [token.msg for token in on_postgres.said("unit/xa-1/plan")]
    assert len({plan.version for plan in plans}) == 4
    newest = max(plans, key=lambda plan: plan.version)
    assert {claim.start.hour for claim in newest.claims} == {0, 1, 2, 3}


def test_a_plan_is_due_when_anything_it_rests_on_has_changed(province):
    publish(province)

    def due(now=NOON) -> list[str]:
        tree = province.run(units.tree, today=TODAY)
        return province.run(planning.due_units, now=now, units=tree)

    assert due() == []
    lay_down(province, "21:00", "05:00", kind="quiet", unit_id="xa-2")
    assert due() == ["xa-2"]
    broadcast = province.announce()
    assert sorted(due()) == ["xa-1", "xa-2"]
    assert publish(province) == 2
    assert newest_plan(province).claims[0].claim_id == broadcast.broadcast_id
    assert newest_plan(province, "xa-2").rules.quiet
    province.stop(broadcast)
    assert due() == ["xa-1"]
    publish(province)
    assert newest_plan(province).claims == ()
    assert due() == []
    assert publish(province, days=7) == 3


def test_an_announcement_leaves_the_plan_when_it_may_no_longer_sound(province):
    broadcast = province.announce()
    publish(province)
    assert publish(province, broadcast.end - timedelta(seconds=1)) == 0
    assert publish(province, broadcast.end) == 1
    assert newest_plan(province).claims == ()


def test_a_cluster_hears_what_its_node_works_out_from_the_same_plans(province):
    own = province.add_slot(unit_id="tinh", units=("tinh",))
    province.add_slot(bulletin_class="priority", local_start=time(5, 30, 10))
    spans = province.run(scheduling.day_timeline, cluster_id="xa-1-c1", day=TOMORROW, now=NOON)
    heard = [(span.slot_id == own.slot_id, span.unit_name) for span in spans if span.claim]
    assert heard == [(True, "Tỉnh"), (False, "Xã xa-1")]
    assert spans[0].start == day_bounds(TOMORROW)[0]
    assert spans[-1].end == day_bounds(TOMORROW + A_DAY)[0]
    loser = next(span for span in spans if span.losers)
    assert [claim.title for claim in loser.losers] == ["Bản tin sáng"]
    with pytest.raises(UnknownThingError):
        province.run(scheduling.day_timeline, cluster_id="c-none", day=TODAY, now=NOON)


def aired(province, slot, cluster: str) -> None:
    segment = Segment(start=FIRST, end=FIRST + timedelta(seconds=30), position_s=0.0)
    word = AsRun(
        report_id="p-1",
        claim_id=claim_id(slot.slot_id, FIRST),
        cluster=cluster,
        at=segment.end,
        outcome=Outcome.PLAYED,
        segments=(segment,),
    )
    province.hear(f"n-{cluster}", word, now=segment.end)


def test_every_cluster_of_an_occurrence_has_just_one_record_whoever_speaks_first(province):
    province.commission("xa-1-c1")
    slot = province.add_slot()
    aired(province, slot, "xa-1-c1")
    over = FIRST + timedelta(seconds=30) + as_run.GRACE
    assert province.run(as_run.conclude_missed, now=over) == 0
    assert len(province.rows(OccurrenceRow)) == 1
    assert province.run(as_run.conclude_missed, now=over + timedelta(seconds=1)) == 1
    assert province.run(as_run.conclude_missed, now=over + timedelta(hours=9)) == 0
    records = province.as_run(claim_id(slot.slot_id, FIRST))
    assert {cluster: (row.outcome, row.source) for cluster, row in records.items()} == {
        "xa-1-c1": ("played", "node"),
        "xa-1-c2": ("missed", "server"),
    }


def test_a_node_that_speaks_late_replaces_what_was_concluded(province):
    province.commission("xa-1-c1")
    slot = province.add_slot()
    province.run(as_run.conclude_missed, now=FIRST + timedelta(minutes=5))
    aired(province, slot, "xa-1-c1")
    row = province.as_run(claim_id(slot.slot_id, FIRST))["xa-1-c1"]
    assert (row.outcome, row.source, row.start) == ("played", "node", FIRST)


def test_what_was_to_sound_before_the_slot_was_made_is_not_missed(province):
    slot = province.add_slot(now=NOON, first_day=TODAY - 3 * A_DAY)
    province.run(as_run.conclude_missed, now=NOON + timedelta(hours=1))
    assert not province.rows(AsRunRow)
    province.run(as_run.conclude_missed, now=FIRST + timedelta(hours=1))
    assert {row.claim_id for row in province.rows(AsRunRow)} == {claim_id(slot.slot_id, FIRST)}


@pytest.mark.parametrize("begins", [time(5, 30), time(23, 59, 59), time(0)])
def test_who_looks_on_from_the_last_time_notes_what_looking_back_a_day_notes(province, begins):
    slot = province.add_slot(local_start=begins)
    first = rule_of(slot).next_occurrence(NOON)[0]
    for second in (-2, 0, 3):
        now = first + timedelta(seconds=second)
        province.run(as_run.conclude_missed, now=now, since=now - timedelta(seconds=60))
    assert [row.start for row in province.rows(OccurrenceRow)] == [first]
    province.run(as_run.conclude_missed, now=now)
    assert [row.start for row in province.rows(OccurrenceRow)] == [first]


def test_records_are_listed_from_the_first_instant_up_to_but_without_the_last(province):
    province.commission("xa-1-c1")
    aired(province, province.add_slot(), "xa-1-c1")

    def listed(since, until, **facts: object) -> int:
        return len(province.run(as_run.records, since=since, until=until, **facts))

    assert listed(FIRST, FIRST + A_DAY) == 1
    assert listed(FIRST - A_DAY, FIRST) == 0
    assert listed(FIRST, FIRST + A_DAY, cluster_id="xa-1-c2") == 0
    assert listed(FIRST, FIRST + A_DAY, claim="b-none") == 0


def test_a_claim_names_its_file_with_length_and_size(province):
    province.add_slot()
    assert newest_plan(province).claims[0].content.items == (SPEECH,)


def test_an_occurrence_long_over_is_forgotten_and_not_noted_anew_and_its_record_stays(province):
    province.add_slot()
    over = FIRST + timedelta(hours=1)
    province.run(as_run.conclude_missed, now=over)
    (first,) = {row.claim_id for row in province.rows(OccurrenceRow)}
    silences = province.as_run(first)
    assert province.run(as_run.forget_occurrences, now=over + as_run.OCCURRENCES_KEPT) == 0
    later = over + as_run.OCCURRENCES_KEPT + timedelta(seconds=1)
    assert province.run(as_run.forget_occurrences, now=later) == 1
    province.run(as_run.conclude_missed, now=later)
    assert first not in {row.claim_id for row in province.rows(OccurrenceRow)}
    assert province.as_run(first).keys() == silences.keys()


@pytest.mark.parametrize(
    ("days", "first"),
    [
        ({"recurrence": "monthly", "pattern": "BYMONTHDAY=1"}, date(2026, 12, 1)),
        ({"recurrence": "monthly", "pattern": "BYDAY=-1MO"}, date(2026, 11, 30)),
        ({"recurrence": "lunar", "pattern": "DAY=15"}, date(2026, 11, 23)),
        ({"recurrence": "rrule", "pattern": "FREQ=DAILY;INTERVAL=9"}, date(2026, 11, 22)),
        ({"recurrence": "daily", "holidays": "only"}, date(2026, 11, 24)),
    ],
)
def test_every_kind_of_recurrence_reaches_the_plan(province, days, first):
    row = province.add_slot(**days)
    assert (row.recurrence, row.pattern) == (days["recurrence"], days.get("pattern", ""))
    begins = day_bounds(first)[0] + timedelta(hours=5, minutes=30)
    assert newest_plan(province).claims[0].start == begins


def test_holidays_are_left_out_of_the_plan(province):
    province.add_slot(holidays="except")
    planned = {local_day(claim.start) for claim in newest_plan(province).claims}
    assert date(2026, 11, 24) not in planned  # Ngày Văn hóa Việt Nam
    assert {date(2026, 11, 23), date(2026, 11, 25)} <= planned


@pytest.mark.parametrize(
    ("days", "code"),
    [
        ({"recurrence": "rrule", "pattern": "FREQ=SECONDLY"}, "rrule-too-often"),
        ({"recurrence": "rrule", "pattern": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31"}, "never"),
        ({"recurrence": "rrule", "pattern": "FREQ=DAILY;UNTIL=20261120"}, "never"),
        ({"recurrence": "rrule", "pattern": ""}, "rrule-missing"),
        ({"recurrence": "monthly", "pattern": "31/02"}, "bad-month-day"),
        ({"recurrence": "lunar", "pattern": "DAY=31"}, "bad-lunar-day"),
        ({"recurrence": "daily", "pattern": "DAY=1"}, "pattern-unused"),
        ({"recurrence": "daily", "holidays": "sometimes"}, "bad-holidays"),
        ({"recurrence": "lunar", "pattern": "DAY=1", **REVERSED}, "days-reversed"),
    ],
)
def test_days_that_never_come_or_mean_nothing_are_refused(province, days, code):
    assert codes(province, **days) == [code]
    assert province.rows(SlotRow) == []


def test_a_full_moon_years_ahead_clashes_with_what_is_there_then(province):
    province.add_slot(recurrence="lunar", pattern="DAY=15", title="Ngày rằm")
    # 15/4 of Đinh Mùi.
    once = {"recurrence": "once", "local_start": time(5, 30, 10)}
    ((code, fields),) = refused(province, first_day=date(2027, 5, 20), **once)
    assert (code, fields["title"], fields["day"]) == ("overlap", "Ngày rằm", "20/05/2027")
    province.add_slot(first_day=date(2027, 5, 21), **once)


def test_a_holiday_on_a_sunday_is_held_against_the_frames_of_sundays(province):
    lay_down(province, "05:00", "07:00", weekdays=0b0111111)
    once_a_month = {"recurrence": "monthly", "pattern": "BYMONTHDAY=2"}
    ((code, fields),) = refused(province, **once_a_month)
    assert (code, fields["day"]) == ("outside-frame", "02/05/2027")
    province.add_slot(recurrence="monthly", pattern="BYDAY=1MO")


def test_silence_about_a_lunar_slot_is_noticed(province):
    province.add_slot(recurrence="lunar", pattern="DAY=15")
    after = day_bounds(date(2026, 11, 23))[0] + timedelta(hours=7)
    province.run(as_run.conclude_missed, now=after)
    assert {row.start for row in province.rows(OccurrenceRow)} == {FIRST + A_DAY}
