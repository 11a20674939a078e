"""The desk: what its rows show, changes by hand and their undoing, copies, and why."""

from dataclasses import replace
from datetime import time, timedelta

import pytest

from protocol.why import Why
from server.domain.absence import Absence
from server.domain.authority import Role
from server.domain.clashes import SlotClashError
from server.domain.errors import (
    DeskRefusedError,
    NotAllowedError,
    SlotRefusedError,
    StaleError,
)
from server.domain.offers import OfferKind
from server.domain.recurrence import day_bounds
from server.services import copies, desk, desk_changes, heard_rows, why
from server.services.slot_hand import Hand
from server.services.slot_moves import Move, Scope
from server.store.models import ClusterRow, SlotRow
from tests.factories.claims import NOON
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, an_actor

DAY = [TODAY + timedelta(days=ahead) for ahead in range(30)]
OFFICER = an_actor()


def hand(province, db, actor=OFFICER):
    return Hand(db, NOON, actor, province.keyring)


def done(province, deed, *args: object, actor=OFFICER, **facts: object):
    return province.run(lambda db: deed(hand(province, db, actor), *args, **facts))


def moved(province, slot, scope, day, start, *, to=None, length_s=30.0, actor=OFFICER, version=1):
    wanted = Move(scope, day, to or day, start, length_s)
    return done(province, desk_changes.move, slot.slot_id, wanted, version=version, actor=actor)


def coming(province, *unit_ids: str, first=DAY[1], days=7):
    """What the desk shows: for each day, the starts of the slots of some units."""
    shown = province.run(
        desk.feed,
        unit_ids=unit_ids or ("xa-1",),
        start=first,
        until=first + timedelta(days=days),
        actor=OPERATOR,
        now=NOON,
    )
    return [
        [
            f"{slot.start_s // 3600:02}:{slot.start_s // 60 % 60:02}"
            for slot in shown.slots
            if n in slot.days
        ]
        for n in range(days)
    ]


def test_a_row_shows_its_slots_their_content_and_whom_they_reach(province):
    province.add_slot()
    province.add_slot(unit_id="tinh", units=("xa-2",), local_start=time(6), length_s=10.0)
    province.add_slot(
        unit_id="tinh", units=("tinh",), local_start=time(7), recurrence="lunar", pattern="DAY=15"
    )
    shown = province.run(
        desk.feed, unit_ids=("tinh", "xa-1"), start=DAY[1], until=DAY[8], actor=OPERATOR, now=NOON
    )
    assert [(unit.unit_id, unit.children, unit.clusters) for unit in shown.units] == [
        ("tinh", 2, 0),
        ("xa-1", 0, 2),
    ]
    daily, short, moon = sorted(shown.slots, key=lambda slot: slot.start_s)
    assert (daily.unit_id, daily.start_s, daily.days) == ("xa-1", 19_800, tuple(range(7)))
    assert (short.length_s, short.content_s, short.reach) == (10.0, 30.0, ("xa-2",))
    assert (moon.days, moon.reach) == ((1,), None)  # 23/11/2026 is the 15th of the tenth month


def test_what_crosses_midnight_is_shown_on_the_day_after_too(province):
    province.add_slot(local_start=time(23, 59, 50), recurrence="once", first_day=DAY[1])
    shown = province.run(
        desk.feed, unit_ids=("xa-1",), start=DAY[2], until=DAY[3], actor=OFFICER, now=NOON
    )
    assert [slot.days for slot in shown.slots] == [(-1,)]
    assert coming(province, first=DAY[3], days=1) == [[]]


def test_one_looks_only_where_one_may_and_not_at_a_year_at_once(province):
    facts = {"start": DAY[0], "actor": OFFICER, "now": NOON}
    with pytest.raises(NotAllowedError):
        province.run(desk.feed, unit_ids=("xa-2",), until=DAY[1], **facts)
    for until in (DAY[0], DAY[9]):
        with pytest.raises(DeskRefusedError):
            province.run(desk.feed, unit_ids=("xa-1",), until=until, **facts)


def test_one_day_is_moved_and_taken_back_and_done_again(province):
    slot = province.add_slot()
    row = moved(province, slot, Scope.DAY, DAY[2], time(9))
    assert row.kind == "move"
    after = [["05:30"], ["09:00"], *[["05:30"]] * 5]
    assert coming(province) == after
    done(province, desk_changes.undo)
    assert coming(province) == [["05:30"]] * 7
    done(province, desk_changes.redo)
    assert coming(province) == after
    done(province, desk_changes.undo)
    with pytest.raises(DeskRefusedError):
        done(province, desk_changes.undo)


def test_from_a_day_on_the_slot_ends_and_another_begins(province):
    slot = province.add_slot()
    moved(province, slot, Scope.ONWARD, DAY[3], time(9), length_s=20.0)
    assert coming(province) == [["05:30"]] * 2 + [["09:00"]] * 5
    moved(province, province.rows(SlotRow, duration_s=20.0)[0], Scope.ALL, DAY[4], time(10))
    assert coming(province) == [["05:30"]] * 2 + [["10:00"]] * 5
    for _ in range(2):
        for _ in range(2):
            done(province, desk_changes.undo)
        assert coming(province) == [["05:30"]] * 7
        for _ in range(2):
            done(province, desk_changes.redo)
        assert coming(province) == [["05:30"]] * 2 + [["10:00"]] * 5


def test_a_new_change_makes_an_end_of_doing_again(province):
    slot = province.add_slot()
    moved(province, slot, Scope.ALL, DAY[2], time(9))
    done(province, desk_changes.undo)
    moved(province, slot, Scope.ALL, DAY[2], time(10), version=3)
    with pytest.raises(DeskRefusedError) as error:
        done(province, desk_changes.redo)
    assert [finding.code for finding in error.value.findings] == ["nothing-to-redo"]


def test_what_somebody_else_has_changed_since_is_neither_moved_nor_taken_back(province):
    slot = province.add_slot()
    moved(province, slot, Scope.ALL, DAY[2], time(9))
    with pytest.raises(StaleError):
        moved(province, slot, Scope.ALL, DAY[2], time(10))
    moved(province, slot, Scope.ALL, DAY[2], time(11), actor=OPERATOR, version=2)
    with pytest.raises(StaleError):
        done(province, desk_changes.undo)
    assert coming(province) == [["11:00"]] * 7


def test_what_was_changed_since_does_not_stand_before_an_older_change(province):
    older, newer = province.add_slot(), province.add_slot(local_start=time(7))
    moved(province, older, Scope.ALL, DAY[2], time(9))
    moved(province, newer, Scope.ALL, DAY[2], time(10))
    moved(province, newer, Scope.ALL, DAY[2], time(11), actor=OPERATOR, version=2)
    done(province, desk_changes.undo)
    assert coming(province) == [["05:30", "11:00"]] * 7
    with pytest.raises(StaleError):
        done(province, desk_changes.undo)
    done(province, desk_changes.redo)
    assert coming(province) == [["09:00", "11:00"]] * 7


def test_a_clash_is_told_with_its_days_and_nothing_is_changed(province):
    slot = province.add_slot()
    province.add_slot(local_start=time(9), title="Nông vụ")
    for scope in Scope:
        with pytest.raises(SlotRefusedError) as error:
            moved(province, slot, scope, DAY[2], time(9))
        assert error.value.findings[0].code == "overlap"
        assert error.value.findings[0].fields["title"] == "Nông vụ"
    assert coming(province) == [["05:30", "09:00"]] * 7
    assert [row.version for row in province.rows(SlotRow)] == [1, 1]


def ways_out(province, slot, wanted, actor=OFFICER):
    with pytest.raises(SlotClashError) as refused:
        done(province, desk_changes.move, slot.slot_id, wanted, version=1, actor=actor)
    return province.run(
        desk_changes.ways_out,
        slot_id=slot.slot_id,
        wanted=wanted,
        found=refused.value.clashes,
        version=1,
        now=NOON,
        actor=actor,
    )


def taken(wanted, offer):
    changes = dict(offer.changes)
    if "local_start" in changes:
        changes["start"] = changes.pop("local_start")
    return replace(wanted, **changes)


@pytest.mark.parametrize("scope", list(Scope))
def test_a_move_that_clashes_is_offered_ways_out_each_of_which_is_taken_and_comes_back(
    province, scope
):
    slot = province.add_slot(length_s=600.0)
    province.add_slot(local_start=time(9), length_s=600.0, title="Nông vụ")
    before = coming(province)
    wanted = Move(scope, DAY[2], DAY[2], time(8, 55), 600.0)
    offers = ways_out(province, slot, wanted)
    assert {offer.kind for offer in offers} == {OfferKind.TRIM, OfferKind.NEXT_GAP}
    version = 1
    for offer in offers:
        done(province, desk_changes.move, slot.slot_id, taken(wanted, offer), version=version)
        assert coming(province) != before
        done(province, desk_changes.undo)
        assert coming(province) == before
        version += 2


def test_a_day_is_not_offered_the_time_of_the_days_that_stay(province):
    slot = province.add_slot(length_s=600.0)
    wanted = Move(Scope.DAY, DAY[2], DAY[3], time(5, 35), 1200.0)
    offers = {offer.kind: offer.changes for offer in ways_out(province, slot, wanted)}
    assert offers[OfferKind.TRIM] == {"local_start": time(5, 40), "length_s": 900.0}
    assert offers[OfferKind.NEXT_GAP] == {"local_start": time(5, 40)}


def test_a_move_is_offered_to_leave_days_out_or_to_lie_over_slots_below(province):
    other = province.add_slot(
        local_start=time(9), recurrence="once", first_day=DAY[4], title="Nông vụ"
    )
    slot = province.add_slot(unit_id="tinh", units=("tinh",), local_start=time(7))
    wanted = Move(Scope.ONWARD, DAY[2], DAY[2], time(9), 30.0)
    offers = {one.kind: one for one in ways_out(province, slot, wanted, OPERATOR)}
    assert offers[OfferKind.EXCLUDE].changes == {"excluded_days": (DAY[4],)}
    over = taken(wanted, offers[OfferKind.OVERRIDE])
    assert over.override == (other.slot_id,)
    done(province, desk_changes.move, slot.slot_id, over, version=1, actor=OPERATOR)
    assert coming(province, "tinh", "xa-1")[3] == ["09:00", "09:00"]


def test_nothing_is_offered_for_what_has_been_changed_meanwhile(province):
    slot = province.add_slot(length_s=600.0)
    province.add_slot(local_start=time(9), length_s=600.0)
    wanted = Move(Scope.ALL, DAY[2], DAY[2], time(8, 55), 600.0)
    with pytest.raises(SlotClashError) as refused:
        done(province, desk_changes.move, slot.slot_id, wanted, version=1)
    facts = {"found": refused.value.clashes, "now": NOON, "actor": OFFICER}
    assert not province.run(
        desk_changes.ways_out, slot_id=slot.slot_id, wanted=wanted, version=2, **facts
    )


def test_days_are_withdrawn_and_come_back(province):
    slot = province.add_slot()
    versions = iter((1, 3, 5))
    for scope, left in ((Scope.DAY, 6), (Scope.ONWARD, 2), (Scope.ALL, 0)):
        done(
            province,
            desk_changes.withdraw,
            slot.slot_id,
            scope,
            DAY[3],
            version=next(versions),
        )
        assert sum(map(len, coming(province))) == left
        done(province, desk_changes.undo)
        assert coming(province) == [["05:30"]] * 7


def test_a_withdrawn_slot_does_not_come_back_where_its_time_has_been_taken(province):
    slot = province.add_slot()
    done(province, desk_changes.withdraw, slot.slot_id, Scope.ALL, DAY[3], version=1)
    province.add_slot(title="Nông vụ")
    with pytest.raises(SlotRefusedError) as error:
        done(province, desk_changes.undo)
    assert error.value.findings[0].code == "overlap"


def test_changes_are_for_those_who_may_schedule_there(province):
    slot = province.add_slot()
    for actor in (an_actor(Role.VIEWER), an_actor(unit_id="xa-2")):
        with pytest.raises(NotAllowedError):
            moved(province, slot, Scope.ALL, DAY[2], time(9), actor=actor)
        with pytest.raises(NotAllowedError):
            done(
                province,
                desk_changes.withdraw,
                slot.slot_id,
                Scope.ALL,
                DAY[2],
                version=1,
                actor=actor,
            )


def test_a_day_is_copied_to_other_units_and_one_undo_takes_it_all_back(province):
    province.add_slot(recurrence="once", first_day=DAY[1])
    province.add_slot(recurrence="once", first_day=DAY[1], local_start=time(6))
    province.add_slot(unit_id="xa-2", units=("xa-2",), local_start=time(6), title="Nông vụ")
    wish = copies.Wish("xa-1", DAY[1], 1, (DAY[2], DAY[3]), ("xa-1", "xa-2"))
    draft = province.run(copies.draft, wish=wish, actor=OPERATOR, now=NOON)
    assert (len(draft.lines), draft.free, draft.there) == (8, 6, 0)
    assert {line.findings[0].fields["title"] for line in draft.lines if not line.is_free} == {
        "Nông vụ"
    }
    with pytest.raises(SlotRefusedError):
        done(province, copies.copy, wish, only_free=False, actor=OPERATOR)
    made, _ = done(province, copies.copy, wish, only_free=True, actor=OPERATOR)
    assert made == 6
    assert coming(province, days=4) == [["05:30", "06:00"]] * 3 + [[]]
    assert coming(province, "xa-2", days=3) == [["06:00"], *[["05:30", "06:00"]] * 2]
    assert len(province.said("unit/xa-2/plan")[-1].msg.claims) == 13 + 2
    done(province, desk_changes.undo, actor=OPERATOR)
    assert coming(province, days=4) == [["05:30", "06:00"], [], [], []]
    assert coming(province, "xa-2", days=3) == [["06:00"]] * 3


def called(province, **villages: str):
    with province.sessions.begin() as db:
        for cluster, village in villages.items():
            db.get_one(ClusterRow, cluster.replace("_", "-")).village = village


def test_a_copy_goes_to_the_loudspeakers_that_are_called_alike_or_not_at_all(province):
    called(province, xa_1_c1="Nà Pồng", xa_1_c2="Bản Cáp", xa_2_c1="na pồng", xa_2_c2="Khuổi Vạc")
    for hour, places in ((6, ("xa-1-c1",)), (7, ("xa-1-c2",))):
        province.add_slot(
            recurrence="once", first_day=DAY[1], local_start=time(hour), units=(), clusters=places
        )
    province.add_slot(recurrence="once", first_day=DAY[1], local_start=time(8))
    wish = copies.Wish("xa-1", DAY[1], 1, (DAY[2],), ("xa-2",), copies.CopyReach.ALIKE)
    draft = province.run(copies.draft, wish=wish, actor=OPERATOR, now=NOON)
    one, none, whole = draft.lines
    assert (sorted(one.clusters), one.is_whole, one.is_free) == (["xa-2-c1"], False, True)
    assert [found.code for found in none.findings] == ["copy-nowhere"]
    assert (whole.is_whole, whole.slot.units) == (True, ("xa-2",))
    made, _ = done(province, copies.copy, wish, only_free=True, actor=OPERATOR)
    assert made == 2
    assert coming(province, "xa-2", days=2) == [[], ["06:00", "08:00"]]
    everywhere = replace(wish, reach=copies.CopyReach.ALL, to_days=(DAY[3],))
    draft = province.run(copies.draft, wish=everywhere, actor=OPERATOR, now=NOON)
    assert all(line.is_whole and line.is_free for line in draft.lines)


def test_a_week_is_copied_without_what_comes_there_anyway(province):
    province.add_slot()
    province.add_slot(recurrence="once", first_day=DAY[3], local_start=time(9))
    monday = DAY[2]
    wish = copies.Wish("xa-1", monday, 7, (monday + timedelta(days=7),))
    made, draft = done(province, copies.copy, wish, only_free=False)
    assert (made, draft.there) == (1, 7)
    assert coming(province, first=DAY[10], days=1) == [["05:30", "09:00"]]
    with pytest.raises(NotAllowedError):
        done(province, copies.copy, wish, only_free=False, actor=an_actor(Role.VIEWER))
    far = copies.Wish("xa-1", monday, 7, tuple(DAY[9:10]) * 200)
    with pytest.raises(DeskRefusedError):
        province.run(copies.draft, wish=far, actor=OFFICER, now=NOON)


def test_why_names_the_winner_each_loser_and_what_stays_away(province):
    ours = province.add_slot(bulletin_class="priority")
    theirs = province.add_slot(unit_id="tinh", units=("tinh",), title="Thời sự")
    away = province.add_slot(
        unit_id="xa-1",
        title="Chủ nhật",
        bulletin_class="priority",
        recurrence="weekly",
        weekdays=0b1000000,
        first_day=DAY[15],
        last_day=DAY[16],
        local_start=time(5, 31),
    )
    at = day_bounds(DAY[2])[0] + timedelta(hours=5, minutes=30, seconds=10)
    said = province.run(why.answer, cluster_id="xa-1-c1", at=at, actor=OFFICER, now=NOON)
    assert said.verdict.heard.title == ours.title
    assert [(one.claim.title, one.why) for one in said.verdict.losers] == [
        (theirs.title, Why.CLASS)
    ]
    later = at + timedelta(minutes=1)
    said = province.run(why.answer, cluster_id="xa-1-c1", at=later, actor=OFFICER, now=NOON)
    assert said.verdict.heard is None
    assert [(one.slot.title, one.why) for one in said.absent] == [(away.title, Absence.NOT_YET)]
    with pytest.raises(NotAllowedError):
        province.run(why.answer, cluster_id="xa-2-c1", at=at, actor=OFFICER, now=NOON)


def test_why_names_what_stays_away_from_the_top_unit_down_and_not_what_other_places_miss(province):
    beside = {"units": (), "clusters": ("xa-1-c2",)}
    there = {unit_id: {"units": (unit_id,)} for unit_id in ("xa-1", "xa-2", "tinh")}
    for number, (unit_id, targets) in enumerate([*there.items(), ("xa-1", beside)] * 2):
        day = DAY[number + 3]
        facts = {"recurrence": "once", "first_day": day, "last_day": day}
        province.add_slot(unit_id=unit_id, **targets, **facts)
    at = day_bounds(DAY[2])[0] + timedelta(hours=5, minutes=30, seconds=10)
    said = province.run(why.answer, cluster_id="xa-1-c1", at=at, actor=OFFICER, now=NOON)
    assert [one.slot.unit_id for one in said.absent] == ["tinh", "tinh", "xa-1", "xa-1"]


def test_a_stopped_announcement_is_named(province):
    said = province.announce()
    at = said.start + timedelta(seconds=1)
    facts = {"cluster_id": "xa-1-c1", "at": at, "actor": OFFICER, "now": at}
    assert province.run(why.answer, **facts).verdict.heard.claim_id == said.broadcast_id
    province.stop(said, now=said.start)
    stopped = province.run(why.answer, **facts)
    assert stopped.verdict.heard is None
    assert [claim.claim_id for claim in stopped.stopped] == [said.broadcast_id]


def test_the_rows_of_clusters_show_what_is_heard_there(province):
    province.add_slot(clusters=("xa-1-c1",), units=())
    facts = {"bulletin_class": "priority", "local_start": time(5, 30, 20)}
    province.add_slot(unit_id="tinh", units=("tinh",), title="Thời sự", **facts)
    rows = province.run(
        heard_rows.heard_rows, unit_id="xa-1", start=DAY[1], until=DAY[2], actor=OFFICER, now=NOON
    )
    assert {row.cluster_id: [(s.start_s, s.end_s, s.title) for s in row.spans] for row in rows} == {
        "xa-1-c1": [(19_800, 19_820, "Bản tin sáng"), (19_820, 19_850, "Thời sự")],
        "xa-1-c2": [(19_820, 19_850, "Thời sự")],
    }
