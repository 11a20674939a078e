"""Loudspeakers that overlap take turns: what is published, foreseen, put down and told of it."""

from datetime import time, timedelta

import pytest

from protocol.plan import Place, claims_at
from server.domain.authority import Role
from server.domain.errors import NotAllowedError
from server.domain.recurrence import day_bounds, local_day
from server.domain.slots import claim_id
from server.services import (
    aired,
    as_run,
    heard_rows,
    neighbours,
    planning,
    preview,
    scheduling,
    simulation,
    units,
    why,
)
from server.services.plan_watch import PlanWatch
from server.store.models import AuditRow, ClusterRow, OccurrenceRow
from tests.factories.claims import NOON
from tests.factories.provinces import a_new_slot
from tests.factories.questions import counted
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, PROVINCE, an_actor

S = timedelta(seconds=1)
ONE, OTHER = "xa-1-c1", "xa-1-c2"
BEGINS = NOON + timedelta(minutes=10)
LATER = BEGINS + 32 * S
"""Thirty seconds of speech, and the pause."""
TODAY_AT_TEN_PAST = {"first_day": TODAY, "local_start": time(12, 10), "length_s": 120.0}


def stand(province, cluster_id, latitude, longitude=105.0):
    with province.sessions.begin() as db:
        row = db.get_one(ClusterRow, cluster_id)
        row.latitude, row.longitude = latitude, longitude


def take_turns(province, *, on=True, now=NOON, actor=OPERATOR, unit_id="xa-1"):
    facts = {"on": on, "now": now, "actor": actor, "keyring": province.keyring}
    return province.run(neighbours.take_turns, unit_id=unit_id, **facts)


@pytest.fixture
def beside(province):
    """Two clusters of a commune that overlap, and take turns."""
    stand(province, ONE, 21.0)
    stand(province, OTHER, 21.0045)
    take_turns(province)
    return province


def plan(province, unit_id="xa-1"):
    return province.said(f"unit/{unit_id}/plan")[-1].msg


def begins(province, cluster_id, unit_id="xa-1"):
    """Tell when a cluster first sounds what its commune's newest plan says."""
    heard = claims_at([plan(province, unit_id)], Place(cluster_id, (PROVINCE, unit_id)))
    return min(claim.start for claim in heard)


def spans(province, cluster_id, *, now=NOON):
    found = province.run(scheduling.day_timeline, cluster_id=cluster_id, day=TODAY, now=now)
    return [(span.start, span.end) for span in found if span.claim is not None]


def test_whoever_takes_turns_is_told_so_in_the_plan_and_twice_is_once(province):
    stand(province, ONE, 21.0)
    stand(province, OTHER, 21.0045)
    province.add_slot(**TODAY_AT_TEN_PAST)
    assert begins(province, ONE) == begins(province, OTHER) == BEGINS
    before = len(province.posted("xa-1/plan"))
    officer = an_actor(Role.COMMUNE_OFFICER, "xa-1")
    for _ in range(2):
        assert take_turns(province, actor=officer).takes_turns
    assert len(province.posted("xa-1/plan")) == before + 1
    assert (begins(province, ONE), begins(province, OTHER)) == (BEGINS, LATER)
    (deed,) = province.rows(AuditRow, action="take-turns")
    assert (deed.subject, deed.detail) == ("xa-1", {"on": True})
    take_turns(province, on=False, now=NOON + S)
    assert begins(province, ONE) == begins(province, OTHER) == BEGINS
    assert plan(province).turns == {}


def test_who_may_not_plan_programmes_may_not_say_so(province):
    for role, unit_id in ((Role.TECHNICIAN, "xa-1"), (Role.COMMUNE_OFFICER, "xa-2")):
        with pytest.raises(NotAllowedError):
            take_turns(province, actor=an_actor(role, unit_id))


def test_only_the_units_own_slots_with_room_for_all_are_heard_in_turns(beside):
    beside.add_slot(**TODAY_AT_TEN_PAST)
    beside.add_slot(**{**TODAY_AT_TEN_PAST, "local_start": time(13), "length_s": 61.0})
    from_above = {"unit_id": PROVINCE, "units": (PROVINCE,), "local_start": time(14)}
    beside.add_slot(**{**TODAY_AT_TEN_PAST, **from_above})
    enough, scarce = plan(beside).claims[:2]
    assert enough.turns is not None
    assert scarce.turns is None
    assert all(claim.turns is None for claim in plan(beside, PROVINCE).claims)
    facts = {"now": NOON, "actor": OPERATOR}
    (short,) = beside.run(neighbours.overlaps, unit_id="xa-1", **facts).too_short
    assert (short.length_s, short.needed_s) == (61.0, 62)


def test_an_announcement_and_an_emergency_sound_everywhere_at_once(beside):
    for bulletin_class in ("emergency", "ordinary"):
        told = beside.announce(bulletin_class=bulletin_class)
        order = next(
            one.msg
            for one in beside.said("xa-1/order")
            if one.msg.claim.claim_id == told.broadcast_id
        )
        assert order.claim.turns is None
    later = NOON + 10 * S
    beside.run(planning.publish_due_plans, now=later, keyring=beside.keyring)
    assert all(claim.turns is None for claim in plan(beside).claims)


def test_the_timeline_the_desk_the_preview_and_the_node_tell_the_same_turn(beside):
    beside.add_slot(**TODAY_AT_TEN_PAST)
    expected = {ONE: (BEGINS, BEGINS + 30 * S), OTHER: (LATER, LATER + 30 * S)}
    start, end = day_bounds(TODAY)
    with beside.sessions.begin() as db:
        tree = units.tree(db, today=TODAY)
        facts = {"start": start, "end": end, "now": NOON, "units": tree}
        together = scheduling.timelines(db, (ONE, OTHER), **facts)
    desk = beside.run(
        heard_rows.heard_rows,
        unit_id="xa-1",
        start=TODAY,
        until=TODAY + timedelta(days=1),
        actor=OPERATOR,
        now=NOON,
    )
    for row in desk:
        since, until = expected[row.cluster_id]
        assert [(one.start_s, one.end_s) for one in row.spans] == [
            ((since - start).total_seconds(), (until - start).total_seconds())
        ]
    for cluster_id, (since, until) in expected.items():
        assert spans(beside, cluster_id) == [(since, until)]
        alone = [(one.start, one.end) for one in together[cluster_id] if one.claim is not None]
        assert alone == [(since, until)]
        assert begins(beside, cluster_id) == since
        (cut,) = beside.run(
            preview.rehearsal_of,
            cluster_id=cluster_id,
            since=BEGINS,
            until=BEGINS + 120 * S,
            skip_silence=False,
            now=NOON,
            units=tree,
        ).cuts
        assert cut.at_s == (since - BEGINS).total_seconds()


def test_why_a_cluster_is_silent_while_another_has_its_turn(beside):
    slot = beside.add_slot(**TODAY_AT_TEN_PAST)

    def said(cluster_id, at):
        return beside.run(why.answer, cluster_id=cluster_id, at=at, actor=OPERATOR, now=NOON)

    waits = said(OTHER, BEGINS + S)
    assert waits.verdict.heard is None
    (turn,) = waits.other_turns
    assert (turn.slot.slot_id, turn.start) == (slot.slot_id, LATER)
    assert said(ONE, BEGINS + S).verdict.heard is not None
    assert said(ONE, BEGINS + S).other_turns == ()
    (over,) = said(ONE, LATER + S).other_turns
    assert over.end == BEGINS + 30 * S


def test_before_it_is_saved_it_is_said_whether_a_slot_has_room_for_all(beside):
    def foreseen(length_s):
        new = a_new_slot(**{**TODAY_AT_TEN_PAST, "length_s": length_s})
        effect = beside.run(simulation.simulate, new=new, now=NOON, actor=OPERATOR)
        with beside.sessions.begin() as db:
            tree = units.tree(db, today=TODAY)
            alone = scheduling.sharing_foreseen(db, new, now=NOON, units=tree)
        assert effect.sharing == alone
        starts = {
            cluster: next(span.start for change in group.days for span in change.after)
            for group in effect.groups
            for cluster, _name in group.clusters
        }
        return effect.sharing, starts

    shared, starts = foreseen(62.0)
    assert shared.fits
    assert starts == {ONE: BEGINS, OTHER: LATER}
    shared, starts = foreseen(61.0)
    assert not shared.fits
    assert starts == {ONE: BEGINS, OTHER: BEGINS}


def test_who_has_a_later_turn_is_neither_late_nor_missed_before_it_is_over(beside):
    slot = beside.add_slot(**TODAY_AT_TEN_PAST)
    claim = claim_id(slot.slot_id, BEGINS)

    def day(cluster_id, now):
        facts = {"cluster_id": cluster_id, "day": TODAY, "now": now}
        (one,) = beside.run(aired.day_of_cluster, **facts)
        return one.entry.start, one.entry.end, one.outcome

    assert day(OTHER, NOON) == (LATER, LATER + 30 * S, "")
    beside.run(as_run.conclude_missed, now=BEGINS + S)
    (noted,) = beside.rows(OccurrenceRow)
    assert noted.turns == {"lasts_s": 30, "later_s": {OTHER: 32}}
    # What was put down then holds, whatever becomes of the turns.
    take_turns(beside, on=False, now=BEGINS + 2 * S)
    assert day(ONE, BEGINS + S) == (BEGINS, BEGINS + 30 * S, "")
    assert day(OTHER, BEGINS + S) == (LATER, LATER + 30 * S, "")
    beside.run(as_run.conclude_missed, now=BEGINS + 120 * S + as_run.GRACE)
    assert beside.as_run(claim) == {}
    beside.run(as_run.conclude_missed, now=BEGINS + 121 * S + as_run.GRACE)
    assert day(OTHER, BEGINS + timedelta(hours=1))[2] == "missed"
    facts = {"unit_id": "xa-1", "claim": claim, "day": TODAY, "now": NOON + timedelta(hours=1)}
    _, at_each = beside.run(aired.claim_at_unit, **facts)
    assert {one.cluster_id: one.entry.start for one in at_each} == {ONE: BEGINS, OTHER: LATER}


def test_a_new_place_a_new_reach_and_a_new_cluster_change_the_turns_and_the_plan(beside):
    beside.add_slot(**TODAY_AT_TEN_PAST)
    watch = PlanWatch()

    def looked(now):
        with beside.sessions.begin() as db:
            facts = {"now": now, "units": units.tree(db, today=local_day(now)), "days": 14}
            due = watch.due(db, **facts)
            assert due == planning.due_units(db, **facts)
            return planning.publish_plans(db, due, keyring=beside.keyring, **facts)

    looked(NOON)
    assert looked(NOON + S) == 0
    with beside.sessions.begin() as db:
        tree = units.tree(db, today=TODAY)
        with counted(beside) as questions:
            assert watch.due(db, now=NOON + S, units=tree, days=14) == []
        assert len(questions) < 10
    # Far away: at once again.
    stand(beside, OTHER, 21.5)
    assert looked(NOON + 2 * S) == 1
    assert begins(beside, OTHER) == BEGINS
    stand(beside, OTHER, 21.0045)
    assert looked(NOON + 3 * S) == 1
    assert begins(beside, OTHER) == LATER
    for cluster_id in (ONE, OTHER):
        facts = {"reach_m": 100, "now": NOON, "actor": OPERATOR}
        beside.run(neighbours.set_reach, cluster_id=cluster_id, **facts)
    assert looked(NOON + 4 * S) == 1
    assert begins(beside, OTHER) == BEGINS
    new = units.NewCluster("xa-1-c3", "Loa 3", "Thôn 3", "xa-1", latitude=21.0, longitude=105.0)
    beside.run(units.create_cluster, new=new, now=NOON, actor=OPERATOR)
    assert looked(NOON + 5 * S) == 1
    assert {begins(beside, ONE), begins(beside, "xa-1-c3")} == {BEGINS, LATER}
    # What changes nothing of anybody's turn publishes nothing.
    stand(beside, OTHER, 21.6)
    assert looked(NOON + 6 * S) == 0


def test_where_nobody_takes_turns_nothing_is_asked_about_places(province):
    province.add_slot(**TODAY_AT_TEN_PAST)
    start, end = planning.window(NOON, 14)
    with province.sessions.begin() as db:
        tree = units.tree(db, today=TODAY)
        facts = {"start": start, "end": end, "now": NOON, "units": tree}
        with counted(province) as questions:
            (made,) = planning.plans_of(db, ["xa-1"], **facts)
        assert made.claims
        assert not any("latitude" in one for one in questions)
