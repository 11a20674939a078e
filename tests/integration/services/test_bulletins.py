"""Bulletins from the first draft to what each commune made of them, on both engines."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import update

from protocol.messages import AsRun, Outcome, Segment
from server.domain.authority import Role
from server.domain.bulletins import Answer, State, standing
from server.domain.errors import (
    BulletinRefusedError,
    NotAllowedError,
    SlotRefusedError,
    StaleError,
    TakenError,
    UnknownThingError,
)
from server.domain.recurrence import LOCAL
from server.scheduler.tick import place_bulletins
from server.services import (
    answers,
    as_run,
    bulletin_results,
    bulletins,
    desk_changes,
    framing,
    inbox,
    planning,
    ranking,
    sending,
    units,
)
from server.services.answers import Airing
from server.services.slot_hand import Hand
from server.services.slot_moves import Move, Scope
from server.store.models import (
    AuditRow,
    BroadcastRow,
    BulletinActRow,
    BulletinCopyRow,
    BulletinRow,
    ClaimRankRow,
    EventRow,
    SlotRow,
    UnitKeyRow,
)
from tests.factories.bulletins import a_new_bulletin
from tests.factories.claims import NOON
from tests.factories.slots import TODAY
from tests.factories.units import an_actor

AUTHOR, EDITOR = an_actor(Role.BROADCASTER, "tinh"), an_actor(Role.ADMIN, "tinh")
OFFICER, NEIGHBOUR = an_actor(), an_actor(unit_id="xa-2")
HOUR = timedelta(hours=1)
A_DAY = timedelta(days=1)
MORNING = Airing(time(5, 30), TODAY + timedelta(days=1))


def composed(province, *, actor=AUTHOR, **new: object) -> BulletinRow:
    return province.run(bulletins.compose, new=a_new_bulletin(**new), now=NOON, actor=actor)


def stepped(province, service, row, *, actor, now=NOON, **facts: object) -> BulletinRow:
    facts = {"version": row.version, "now": now, "actor": actor, **facts}
    return province.run(service, bulletin_id=row.bulletin_id, **facts)


def a_way(province, *, actor=AUTHOR, now=NOON) -> sending.Way:
    return sending.Way(now=now, actor=actor, keyring=province.keyring)


def approved(province, **new: object) -> BulletinRow:
    row = composed(province, **new)
    stepped(province, bulletins.submit, row, actor=AUTHOR)
    return stepped(province, bulletins.approve, row, actor=EDITOR)


def sent(province, *, now=NOON, **new: object) -> BulletinRow:
    row = approved(province, **new)
    return province.run(
        sending.send,
        bulletin_id=row.bulletin_id,
        version=row.version,
        way=a_way(province, now=now),
    )


def take(province, row, unit_id="xa-1", airing=MORNING, *, actor=OFFICER, now=NOON):
    return province.run(
        answers.take,
        bulletin_id=row.bulletin_id,
        unit_id=unit_id,
        airing=airing,
        now=now,
        actor=actor,
        keyring=province.keyring,
    )


def decline(province, row, unit_id="xa-1", *, reason="Đã phát hôm qua", actor=OFFICER, now=NOON):
    facts = {"unit_id": unit_id, "reason": reason, "now": now, "actor": actor}
    return province.run(answers.decline, bulletin_id=row.bulletin_id, **facts)


def withdrawn(province, row, *, now=NOON) -> BulletinRow:
    facts = {"version": row.version, "way": a_way(province, now=now)}
    return province.run(sending.withdraw, bulletin_id=row.bulletin_id, **facts)


def copies(province, row) -> dict[str, BulletinCopyRow]:
    found = province.rows(BulletinCopyRow, bulletin_id=row.bulletin_id)
    return {copy.unit_id: copy for copy in found}


def state(province, row) -> State:
    (now_row,) = province.rows(BulletinRow, bulletin_id=row.bulletin_id)
    return State(now_row.state)


def report(province, row, now=NOON):
    with province.sessions.begin() as db:
        tree = units.tree(db, today=TODAY)
        return bulletin_results.report(
            db, db.get(BulletinRow, row.bulletin_id), units=tree, seen=None, now=now
        )


def refused(call, *arguments: object, **facts: object) -> list[str]:
    with pytest.raises(BulletinRefusedError) as error:
        call(*arguments, **facts)
    return [finding.code for finding in error.value.findings]


def lay_down(province, start: str, end: str, **facts: object):
    hours = {"local_start": time.fromisoformat(start), "local_end": time.fromisoformat(end)}
    new = framing.NewFrame(**{"unit_id": "tinh", "kind": "frame", **hours, **facts})
    facts = {"now": NOON, "actor": EDITOR, "keyring": province.keyring}
    return province.run(framing.add_frame, new=new, **facts)


def hear(province, claim: str, cluster: str, start, *, now) -> None:
    heard = Segment(start=start, end=start + timedelta(seconds=30), position_s=0.0)
    record = AsRun(
        report_id=f"{claim[-20:]}-{cluster}",
        claim_id=claim,
        cluster=cluster,
        at=now,
        outcome=Outcome.PLAYED,
        segments=(heard,),
    )
    node = f"n-{cluster}"
    province.hear(node, record, now=now)


# ---------------------------------------------------------------- before it is sent


def test_the_same_request_twice_is_one_bulletin_and_never_another_units(province):
    one, two = composed(province), composed(province)
    assert one.bulletin_id == two.bulletin_id
    assert len(province.rows(BulletinActRow)) == 1
    with pytest.raises(TakenError):
        composed(province, unit_id="xa-1", addressed=())


def test_each_step_is_in_history_audit_and_events(province):
    row = sent(province)
    acts = [act.act for act in province.rows(BulletinActRow)]
    assert acts == ["compose", "submit", "approve", "send"]
    audited = {one.action for one in province.rows(AuditRow) if one.subject == row.bulletin_id}
    assert audited == {f"{act}-bulletin" for act in acts}
    told = {one.ref for one in province.rows(EventRow) if one.kind == "bulletin"}
    assert told == {row.bulletin_id}


def test_nothing_is_sent_without_the_approval_of_somebody_else(on_sqlite):
    """Circular 39/2020/TT-BTTTT: compose, approve, send; nothing is approved by default."""
    row = composed(on_sqlite)
    way = a_way(on_sqlite)
    facts = {"bulletin_id": row.bulletin_id, "version": 1, "way": way}
    assert refused(on_sqlite.run, sending.send, **facts) == ["not-in-state"]
    stepped(on_sqlite, bulletins.submit, row, actor=AUTHOR)
    assert refused(stepped, on_sqlite, bulletins.approve, row, actor=AUTHOR) == ["own-bulletin"]
    for nobody in (OFFICER, an_actor(Role.VIEWER, "tinh"), an_actor(Role.COMMUNE_OFFICER, "tinh")):
        with pytest.raises(NotAllowedError):
            stepped(on_sqlite, bulletins.approve, row, actor=nobody)
    assert state(on_sqlite, row) is State.SUBMITTED
    assert stepped(on_sqlite, bulletins.approve, row, actor=EDITOR).approved_by == EDITOR.name


def test_an_edit_after_the_approval_takes_it_back_and_old_pages_change_nothing(province):
    row = approved(province)
    changed = a_new_bulletin(title="Tiêm phòng, giờ mới")
    after = stepped(province, bulletins.edit, row, actor=AUTHOR, new=changed)
    assert (after.state, after.version, after.approved_by) == ("draft", 2, None)
    with pytest.raises(StaleError):
        stepped(province, bulletins.edit, row, actor=EDITOR, new=changed)
    with pytest.raises(StaleError):
        province.run(sending.send, bulletin_id=row.bulletin_id, version=1, way=a_way(province))


def test_it_is_sent_back_with_a_reason_only(on_sqlite):
    row = composed(on_sqlite)
    stepped(on_sqlite, bulletins.submit, row, actor=AUTHOR)
    back = {"service": bulletins.send_back, "row": row, "actor": EDITOR}
    assert refused(stepped, on_sqlite, **back, reason="  ") == ["reason-needed"]
    assert stepped(on_sqlite, **back, reason="Sai ngày tiêm").state == "draft"
    (act,) = on_sqlite.rows(BulletinActRow, act="return")
    assert act.reason == "Sai ngày tiêm"


LACKING = (
    ({"asset_digest": ""}, "no-audio"),
    ({"addressed": ()}, "no-commune"),
    ({"deadline": None}, "deadline-needed"),
    ({"deadline": NOON}, "deadline-past"),
    ({"bulletin_class": "emergency"}, "decision-number-needed"),
)


def test_what_is_incomplete_stays_a_draft(on_sqlite):
    """An emergency from above rests on a decision (Decree 49/2024/NĐ-CP, articles 7-9)."""
    for number, (lacking, code) in enumerate(LACKING):
        row = composed(on_sqlite, request_id=f"bulletin-{number}", **lacking)
        assert refused(stepped, on_sqlite, bulletins.submit, row, actor=AUTHOR) == [code]
        assert state(on_sqlite, row) is State.DRAFT


WRONG = (
    ({"title": " "}, "bad-title"),
    ({"text": "một\0hai"}, "bad-text"),
    ({"bulletin_class": "loud"}, "not-allowed-class"),
    ({"asset_digest": "f" * 64}, "unknown-asset"),
    ({"severity": 9}, "bad-severity"),
    ({"deadline": NOON.replace(year=2300)}, "bad-deadline"),
    ({"addressed": ("mars",)}, "out-of-scope"),
)


def test_what_cannot_be_kept_is_refused_by_name(on_sqlite):
    for wrong, code in WRONG:
        assert refused(composed, on_sqlite, **wrong) == [code], wrong
    assert not on_sqlite.rows(BulletinRow)


def test_who_may_not_schedule_for_a_unit_composes_nothing_in_its_name(on_sqlite):
    with pytest.raises(NotAllowedError):
        composed(on_sqlite, actor=OFFICER)


# ---------------------------------------------------------------- ordinary


def test_an_ordinary_bulletin_lands_in_each_addressed_communes_inbox(province):
    row = sent(province)
    assert {unit: one.answer for unit, one in copies(province, row).items()} == {
        "xa-1": "waiting",
        "xa-2": "waiting",
    }
    (letter,) = province.run(inbox.received, unit_id="xa-1", now=NOON, limit=9)
    assert (letter.standing, letter.length_s) == (Answer.WAITING, 30.0)
    assert province.run(inbox.unanswered, units=["xa-1", "xa-2"], now=NOON) == 2
    assert province.run(inbox.unanswered, units=["xa-1"], now=NOON + timedelta(days=2)) == 0
    assert not province.posted("/plan"), "nothing is aired before a commune says so"


def test_only_the_addressed_get_it_and_sending_twice_is_once(province):
    row = sent(province, addressed=("xa-2",))
    again = {"bulletin_id": row.bulletin_id, "version": row.version, "way": a_way(province)}
    province.run(sending.send, **again)
    assert set(copies(province, row)) == {"xa-2"}
    assert len(province.rows(BulletinActRow, act="send")) == 1
    with pytest.raises(UnknownThingError):
        take(province, row)


def test_the_commune_takes_it_into_a_slot_of_its_own(province):
    """Circular 39/2020/TT-BTTTT: of an ordinary bulletin the commune chooses whether and when."""
    row = sent(province)
    copy = take(province, row)
    assert take(province, row).slot_id == copy.slot_id, "twice is once"
    (slot,) = province.rows(SlotRow)
    assert (slot.unit_id, slot.title, slot.bulletin_class) == ("xa-1", row.title, "ordinary")
    plan = province.said("unit/xa-1/plan")[-1].msg
    assert [claim.start.astimezone(LOCAL).time() for claim in plan.claims] == [time(5, 30)]
    assert copy.until == plan.claims[0].end
    lines = {line.unit_id: line.standing for line in report(province, row).lines}
    assert lines == {"xa-1": Answer.TAKEN, "xa-2": Answer.WAITING}
    assert refused(decline, province, row) == ["answered-already"]


def test_nobody_answers_in_a_communes_name_but_its_own_officers(on_sqlite):
    """Circular 39/2020/TT-BTTTT: the choice is the commune's, not the province's."""
    row = sent(on_sqlite)
    for actor in (AUTHOR, EDITOR, NEIGHBOUR, an_actor(Role.VIEWER)):
        with pytest.raises(NotAllowedError):
            take(on_sqlite, row, actor=actor)
        with pytest.raises(NotAllowedError):
            decline(on_sqlite, row, actor=actor)


def test_a_clash_is_named_like_for_any_slot_and_nothing_is_answered(on_sqlite):
    on_sqlite.add_slot()
    row = sent(on_sqlite)
    with pytest.raises(SlotRefusedError) as error:
        take(on_sqlite, row)
    assert [one.code for one in error.value.findings] == ["overlap"]
    assert copies(on_sqlite, row)["xa-1"].answer == "waiting"


def test_it_is_declined_with_a_reason_and_for_good(province):
    row = sent(province)
    assert refused(decline, province, row, reason="") == ["reason-needed"]
    assert decline(province, row).reason == "Đã phát hôm qua"
    assert decline(province, row).answered_by == OFFICER.name
    assert refused(take, province, row) == ["answered-already"]
    decline(province, row, "xa-2", actor=NEIGHBOUR)
    province.run(bulletin_results.conclude, now=NOON)
    assert state(province, row) is State.DECLINED


def test_after_the_deadline_it_is_not_answered(province):
    row = sent(province)
    late = NOON + timedelta(days=2)
    assert refused(take, province, row, now=late) == ["deadline-past"]
    assert refused(decline, province, row, now=late) == ["deadline-past"]
    assert report(province, row, late).counts == {Answer.UNANSWERED: 2}
    province.run(bulletin_results.conclude, now=late - HOUR)
    assert state(province, row) is State.SENT
    assert province.run(bulletin_results.conclude, now=late) == 1
    assert state(province, row) is State.EXPIRED


def test_an_airing_without_end_is_refused(on_sqlite):
    row = sent(on_sqlite)
    tomorrow = TODAY + timedelta(days=1)
    for last in (None, tomorrow + timedelta(days=93)):
        endless = Airing(time(5, 30), tomorrow, "daily", last)
        assert refused(take, on_sqlite, row, airing=endless) == ["airing-endless"]
    lasting = Airing(time(5, 30), tomorrow, "daily", tomorrow + timedelta(days=2))
    assert take(on_sqlite, row, airing=lasting).until.astimezone(LOCAL).date() == date(2026, 11, 24)


def test_a_slot_withdrawn_again_lets_the_commune_answer_anew(province):
    row = sent(province)
    take(province, row)
    (slot,) = province.rows(SlotRow)
    province.withdraw(slot, actor=OFFICER)
    assert province.run(inbox.unanswered, units=["xa-1"], now=NOON) == 1
    assert decline(province, row).answer == "declined"


def test_a_slot_that_is_moved_at_the_desk_stays_what_the_commune_took(province):
    row = sent(province)
    take(province, row, airing=replace(MORNING, recurrence="daily", last_day=TODAY + 2 * A_DAY))
    (slot,) = province.rows(SlotRow)
    at = MORNING.first_day
    move = Move(Scope.ONWARD, at, at, time(9), 30.0)

    def go(db):
        hand = Hand(db, NOON, OFFICER, province.keyring)
        return desk_changes.move(hand, slot.slot_id, move, version=slot.version)

    province.run(go)
    assert province.run(inbox.find, bulletin_id=row.bulletin_id, unit_id="xa-1", now=NOON).slot
    assert province.run(inbox.unanswered, units=["xa-1"], now=NOON) == 0
    (slot,) = province.rows(SlotRow)
    assert (slot.local_start, slot.withdrawn_at) == (time(9), None)


def test_the_next_free_moment_is_suggested_inside_the_communes_hours(on_sqlite):
    lay_down(on_sqlite, "06:00", "07:00")
    on_sqlite.add_slot(local_start=time(6))
    opening = on_sqlite.run(inbox.suggested, unit_id="xa-1", length_s=30.0, now=NOON)
    assert f"{opening[0].astimezone(LOCAL):%d/%m %H:%M}" == "22/11 06:01"


def test_the_free_moment_is_looked_for_as_far_ahead_as_plans_go(on_sqlite):
    on_sqlite.add_slot(
        content_kind="live",
        assets=(),
        local_start=time(0),
        length_s=86_400.0,
        first_day=TODAY,
        last_day=TODAY + timedelta(days=19),
    )
    found = [
        on_sqlite.run(inbox.suggested, unit_id="xa-1", length_s=30.0, now=NOON, plan_days=days)
        for days in (14, 30)
    ]
    assert found[0] is None
    assert found[1][0].astimezone(LOCAL).date() == TODAY + timedelta(days=20)


def test_of_two_officers_who_answer_at_once_one_is_told_that_it_is_answered(on_postgres):
    row = sent(on_postgres)
    times = [Airing(time(hour), TODAY + timedelta(days=1)) for hour in (7, 8, 9)]
    told = []

    def answer(airing: Airing) -> None:
        try:
            take(on_postgres, row, airing=airing)
        except BulletinRefusedError as error:
            told.extend(finding.code for finding in error.findings)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(answer, times))
    assert told == ["answered-already"] * 2
    assert len(on_postgres.rows(SlotRow)) == 1


@pytest.mark.slow
def test_a_double_click_sends_once_even_where_both_are_under_way_at_once(on_postgres):
    row = approved(on_postgres, bulletin_class="priority")
    facts = {"bulletin_id": row.bulletin_id, "version": 1, "way": a_way(on_postgres)}
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: on_postgres.run(sending.send, **facts), range(3)))
    assert len(on_postgres.rows(SlotRow)) == 1
    assert len(on_postgres.rows(BulletinActRow, act="send")) == 1


# ---------------------------------------------------------------- what was heard


def test_what_was_heard_is_counted_and_ends_the_bulletin_as_played(province):
    for cluster in ("xa-1-c1", "xa-1-c2"):
        province.commission(cluster)
    row = sent(province, addressed=("xa-1",))
    copy = take(province, row)
    (claim,) = province.said("unit/xa-1/plan")[-1].msg.claims
    after = claim.end + as_run.GRACE
    hear(province, claim.claim_id, "xa-1-c1", claim.start, now=after)
    assert province.run(bulletin_results.conclude, now=after) == 1
    found = report(province, row, after)
    assert (found.sounded, found.clusters) == (1, 2)
    assert found.counts == {Answer.PLAYED: 1}
    assert state(province, row) is State.PLAYED
    # What comes late is counted too, and there is no news without news.
    hear(province, claim.claim_id, "xa-1-c2", claim.start, now=after + HOUR)
    assert province.run(bulletin_results.conclude, now=after + HOUR) == 1
    assert province.run(bulletin_results.conclude, now=after + 2 * HOUR) == 0
    assert report(province, row, after).sounded == 2
    assert copies(province, row)["xa-1"].until == copy.until


# ---------------------------------------------------------------- priority


def placed_at(province, row) -> dict[str, str]:
    slots = {slot.slot_id: slot for slot in province.rows(SlotRow)}
    return {
        unit: f"{slots[copy.slot_id].first_day:%d/%m} {slots[copy.slot_id].local_start:%H:%M}"
        for unit, copy in copies(province, row).items()
        if copy.slot_id
    }


def test_a_priority_bulletin_is_placed_in_the_next_hours_open_to_it(province):
    """Circular 39/2020/TT-BTTTT: it plays with priority inside the programme."""
    lay_down(province, "06:00", "07:00")
    lay_down(province, "17:00", "18:00", owner_rank=1)  # the communes' own time
    row = sent(province, bulletin_class="priority", deadline=None)
    assert placed_at(province, row) == {"xa-1": "22/11 06:00", "xa-2": "22/11 06:00"}
    (slot,) = province.rows(SlotRow)
    assert (slot.unit_id, slot.bulletin_class) == ("tinh", "priority")
    assert province.rows(BulletinRow)[0].deadline is None
    assert refused(take, province, row) == ["not-to-answer"]


def test_it_is_placed_beside_what_is_there_in_its_class(on_sqlite):
    lay_down(on_sqlite, "06:00", "07:00")
    on_sqlite.add_slot(
        unit_id="tinh", units=("tinh",), bulletin_class="priority", local_start=time(6)
    )
    row = sent(on_sqlite, bulletin_class="priority")
    assert placed_at(on_sqlite, row) == {"xa-1": "22/11 06:01", "xa-2": "22/11 06:01"}


def test_where_no_hours_are_long_enough_it_is_said_so_for_that_commune(on_sqlite):
    lay_down(on_sqlite, "05:00", "22:00")
    lay_down(on_sqlite, "00:00", "00:00", unit_id="xa-2", kind="quiet")
    row = sent(on_sqlite, bulletin_class="priority")
    found = copies(on_sqlite, row)
    assert (found["xa-1"].answer, found["xa-2"].answer) == ("placed", "unplaced")
    assert found["xa-2"].reason == "no-opening"


def test_what_found_no_place_is_tried_again_until_its_deadline(province):
    lay_down(province, "05:00", "22:00")
    quiet = lay_down(province, "00:00", "00:00", unit_id="xa-2", kind="quiet")
    due = NOON + timedelta(days=30)
    row = sent(province, bulletin_class="priority", deadline=due)
    later, keyring = NOON + timedelta(days=3), province.keyring

    def look(now):
        return place_bulletins(province.sessions, now, keyring=keyring, days=14)

    def standing_at(now):
        return standing(inbox.copy_of(copies(province, row)["xa-2"], None), now, due)

    assert (look(later), standing_at(later)) == (0, Answer.SEEKING)
    province.run(bulletin_results.conclude, now=later)
    assert province.rows(BulletinRow)[0].state == "sent"
    facts = {"now": later, "actor": EDITOR, "keyring": keyring}
    province.run(framing.withdraw_frame, frame_id=quiet.frame_id, **facts)
    assert (look(due), standing_at(due)) == (0, Answer.UNPLACED)
    assert (look(later), look(later)) == (1, 0)
    found = copies(province, row)["xa-2"]
    assert (found.answer, found.reason, found.until > later) == ("placed", "", True)


def test_a_sender_that_cannot_sign_does_not_keep_others_from_being_looked_at(on_sqlite):
    lay_down(on_sqlite, "05:00", "22:00")
    quiet = lay_down(on_sqlite, "00:00", "00:00", unit_id="xa-2", kind="quiet")
    later, keyring = NOON + timedelta(days=3), on_sqlite.keyring
    row = sent(on_sqlite, bulletin_class="priority", deadline=NOON + timedelta(days=30))
    facts = {"now": later, "actor": EDITOR, "keyring": keyring}
    on_sqlite.run(framing.withdraw_frame, frame_id=quiet.frame_id, **facts)
    with on_sqlite.sessions.begin() as db:
        db.execute(update(UnitKeyRow).values(valid_to=later))
    assert place_bulletins(on_sqlite.sessions, later, keyring=keyring, days=14) == 0
    assert copies(on_sqlite, row)["xa-2"].answer == "unplaced"
    with on_sqlite.sessions.begin() as db:
        db.execute(update(UnitKeyRow).values(valid_to=later + timedelta(days=1)))
    assert place_bulletins(on_sqlite.sessions, later, keyring=keyring, days=14) == 1


def test_without_a_deadline_it_is_tried_again_for_as_long_as_plans_reach(on_sqlite):
    lay_down(on_sqlite, "05:00", "22:00")
    quiet = lay_down(on_sqlite, "00:00", "00:00", unit_id="xa-2", kind="quiet")
    row = sent(on_sqlite, bulletin_class="priority", deadline=None)
    (kept,) = on_sqlite.rows(BulletinRow, bulletin_id=row.bulletin_id)
    assert kept.deadline == NOON + timedelta(days=14)
    later, keyring = NOON + timedelta(hours=1), on_sqlite.keyring
    assert place_bulletins(on_sqlite.sessions, later, keyring=keyring, days=14) == 0
    facts = {"now": later, "actor": EDITOR, "keyring": keyring}
    on_sqlite.run(framing.withdraw_frame, frame_id=quiet.frame_id, **facts)
    assert place_bulletins(on_sqlite.sessions, kept.deadline, keyring=keyring, days=14) == 0
    assert place_bulletins(on_sqlite.sessions, later, keyring=keyring, days=14) == 1


@pytest.mark.parametrize(("hour", "start"), [(12, "21/11 12:02"), (23, "22/11 05:00")])
def test_where_there_are_no_hours_at_all_it_is_not_placed_at_night(on_sqlite, hour, start):
    at = datetime.combine(TODAY, time(hour), LOCAL).astimezone(UTC)
    row = sent(on_sqlite, bulletin_class="priority", now=at)
    assert set(placed_at(on_sqlite, row).values()) == {start}


def clash_at_xa_1(province) -> BulletinRow:
    """Leave one minute a day, which the commune's own priority item already has."""
    lay_down(province, "06:00", "06:01")
    province.add_slot(bulletin_class="priority", local_start=time(6), title="Tin của xã")
    return sent(province, bulletin_class="priority")


def clashes(province, now=NOON, unit_id="xa-1"):
    tree = province.run(units.tree, today=TODAY)
    return province.run(ranking.clashes_at, unit_id=unit_id, units=tree, now=now)


def put_in_order(province, wanted, seen, *, actor=OFFICER):
    return province.run(
        ranking.order,
        unit_id="xa-1",
        wanted=wanted,
        seen=seen,
        now=NOON,
        actor=actor,
        keyring=province.keyring,
    )


def test_where_it_meets_the_communes_own_item_the_commune_decides_the_order(province):
    """Circular 39/2020/TT-BTTTT: on such a collision the commune user decides the order."""
    row = clash_at_xa_1(province)
    assert placed_at(province, row) == {"xa-1": "22/11 06:00", "xa-2": "22/11 06:00"}
    (clash,) = clashes(province)
    assert not clash.is_decided
    assert [one.is_own for one in clash.contenders] == [False, True], "unranked, the higher goes"
    assert clashes(province, unit_id="xa-2") == []
    before = clash.claim_ids
    decided = put_in_order(province, before[::-1], before)
    assert decided.claim_ids == before[::-1]
    plan = province.said("unit/xa-1/plan")[-1].msg
    assert plan.ranks == {before[1]: 1, before[0]: 2}, "the plan says so at once"
    assert clashes(province)[0].claim_ids == before[::-1]
    tree = province.run(units.tree, today=TODAY)
    due = province.run(planning.due_units, now=NOON, units=tree)
    assert "xa-1" not in due


def test_a_rank_is_given_by_the_commune_alone(on_sqlite):
    """Circular 39/2020/TT-BTTTT: by nobody in its stead."""
    clash_at_xa_1(on_sqlite)
    (clash,) = clashes(on_sqlite)
    for actor in (AUTHOR, EDITOR, NEIGHBOUR):
        with pytest.raises(NotAllowedError):
            put_in_order(on_sqlite, clash.claim_ids, clash.claim_ids, actor=actor)
    assert not on_sqlite.rows(ClaimRankRow)


def test_of_two_officers_who_order_at_once_the_second_is_told(province):
    clash_at_xa_1(province)
    seen = clashes(province)[0].claim_ids
    put_in_order(province, seen[::-1], seen)
    assert put_in_order(province, seen[::-1], seen).is_decided, "the same twice is once"
    with pytest.raises(StaleError):
        put_in_order(province, seen, seen)
    with pytest.raises(StaleError):
        put_in_order(province, seen[:1], seen[:1])
    assert refused(put_in_order, province, (seen[0], "s-other"), seen) == ["bad-order"]


def test_a_rank_that_changed_makes_the_plan_due(province):
    clash_at_xa_1(province)
    seen = clashes(province)[0].claim_ids
    put_in_order(province, seen, seen)
    with province.sessions.begin() as db:
        db.get(ClaimRankRow, ("xa-1", seen[0])).rank = 9
    tree = province.run(units.tree, today=TODAY)
    assert "xa-1" in province.run(planning.due_units, now=NOON, units=tree)


# ---------------------------------------------------------------- emergency, and calling back


def test_an_emergency_sounds_at_once_and_is_kept_with_its_approval(province):
    """Circular 39/2020/TT-BTTTT; decided above, Decree 49/2024/NĐ-CP, articles 7-9."""
    row = sent(province, bulletin_class="emergency", decision_number="15/QĐ-UBND", severity=3)
    (order,) = province.said("unit/tinh/order")
    assert order.msg.claim.bulletin_class == "emergency"
    assert order.msg.claim.start - NOON < timedelta(seconds=1)
    (broadcast,) = province.rows(BroadcastRow)
    assert (broadcast.decision_number, broadcast.broadcast_id) == ("15/QĐ-UBND", row.broadcast_id)
    assert {one.answer for one in copies(province, row).values()} == {"announced"}
    assert row.approved_by == EDITOR.name


def test_what_is_withdrawn_is_pulled_out_of_every_plan_and_stopped(province):
    row = sent(province)
    take(province, row)
    decline(province, row, "xa-2", actor=NEIGHBOUR)
    assert withdrawn(province, row).state == "withdrawn"
    assert province.said("unit/xa-1/plan")[-1].msg.claims == ()
    assert {unit: one.answer for unit, one in copies(province, row).items()} == {
        "xa-1": "withdrawn",
        "xa-2": "declined",
    }
    assert refused(take, province, row) == ["not-in-state"]
    assert withdrawn(province, row).closed_at == NOON, "twice is once"
    urgent = {"bulletin_class": "emergency", "decision_number": "16", "request_id": "urgent-1"}
    emergency = sent(province, **urgent)
    withdrawn(province, emergency)
    (broadcast,) = province.rows(BroadcastRow)
    assert broadcast.stopped_at == NOON


def test_a_withdrawn_bulletin_cannot_be_sent_again(on_sqlite):
    row = sent(on_sqlite)
    withdrawn(on_sqlite, row)
    facts = {"bulletin_id": row.bulletin_id, "version": 1, "way": a_way(on_sqlite)}
    assert refused(on_sqlite.run, sending.send, **facts) == ["not-in-state"]
