"""Reforms on both engines: approved whole or not at all, and carried out on their day, once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, seed, settings
from sqlalchemy import select, update

from protocol import topics
from protocol.plan import Place, claims_at
from server.domain.authority import Role
from server.domain.errors import NotAllowedError, ReformRefusedError, UnknownThingError
from server.domain.escalation import Rule, Step
from server.domain.recurrence import LOCAL
from server.domain.reforms import END, How, VillageWay, Way
from server.scheduler.tick import carry_out_reforms
from server.services import (
    accounts,
    configuring,
    contacts,
    escalation_rules,
    framing,
    grouping,
    neighbours,
    planning,
    reform_day,
    reforming,
    units,
)
from server.services.contacts import NewContact
from server.store.holds import SLOT_HOLDS
from server.store.models import (
    AssetRow,
    AuditRow,
    BulletinCopyRow,
    BulletinRow,
    ClusterRow,
    ContactRow,
    EscalationRuleRow,
    FrameRow,
    GrantRow,
    GroupRow,
    ReformRow,
    SlotRow,
    UnitRow,
)
from tests.factories.claims import NOON
from tests.factories.provinces import CLUSTERS, SPEECH
from tests.factories.reforms import a_new_unit, a_proposal, a_way, proposals
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, an_actor

DAY = date(2026, 12, 1)
EVE = DAY - timedelta(days=1)


def local(day: date, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute, second), LOCAL).astimezone(UTC)


def merged(**overrides: object):
    """Two communes become one new one."""
    ways = (a_way("xa-1", to=("xa-moi",)), a_way("xa-2", to=("xa-moi",)))
    return replace(a_proposal(ways=ways, valid_from=DAY), **overrides)


def renamed(**overrides: object):
    """The second commune becomes a new one, alone."""
    return replace(a_proposal(valid_from=DAY), **overrides)


def apply(province, proposal, *, now=NOON, actor=OPERATOR):
    return province.run(
        reforming.apply, proposal=proposal, now=now, actor=actor, keyring=province.keyring
    )


def examine(province, proposal, *, now=NOON, actor=OPERATOR):
    return province.run(
        reforming.examine, proposal=proposal, now=now, actor=actor, keyring=province.keyring
    )


def refusals(province, proposal, **facts: object) -> list[str]:
    with pytest.raises(ReformRefusedError) as refused:
        apply(province, proposal, **facts)
    return [finding.code for finding in refused.value.findings]


def carry_out(province, now: datetime) -> int:
    return carry_out_reforms(province.sessions, now, keyring=province.keyring, days=14)


def tree_on(province, day: date):
    return province.run(units.tree, today=day)


def test_history_keeps_the_unit_of_its_day(province):
    apply(province, merged())
    for day, chain in ((EVE, ("tinh", "xa-1")), (DAY, ("tinh", "xa-moi"))):
        assert tree_on(province, day).chain_of_cluster("xa-1-c1") == chain
    assert set(tree_on(province, DAY).units) == {"tinh", "xa-moi"}
    assert set(tree_on(province, EVE).units) == {"tinh", "xa-1", "xa-2"}
    (deed,) = province.rows(AuditRow, action="approve-reform")
    assert deed.detail["moves"]["xa-2-c1"] == ["xa-2", "xa-moi"]


@pytest.mark.parametrize(("taking", "takes"), [(("xa-1", "xa-2"), True), (("xa-1",), False)])
def test_a_new_unit_takes_turns_when_all_did_whose_slots_pass_to_it(province, taking, takes):
    for unit_id in taking:
        facts = {"unit_id": unit_id, "on": True, "now": NOON, "actor": OPERATOR}
        province.run(neighbours.take_turns, **facts, keyring=province.keyring)
    _, verdict = apply(province, merged())
    assert verdict.effects.turns == (("xa-moi",) if takes else ())
    carry_out(province, local(DAY))
    assert tree_on(province, DAY).units["xa-moi"].takes_turns is takes


def test_with_any_finding_nothing_is_changed(province):
    assert refusals(province, merged(born=())) == ["reform-bad-target"] * 2
    assert not province.rows(ReformRow)
    assert not province.rows(UnitRow, unit_id="xa-moi")
    assert tree_on(province, DAY) == tree_on(province, EVE)


def test_only_who_administers_the_unit_above_all_that_changes_may_reform(province):
    for actor in (an_actor(Role.ADMIN, "xa-1"), an_actor(Role.BROADCASTER, "tinh")):
        with pytest.raises(NotAllowedError):
            apply(province, merged(), actor=actor)
        with pytest.raises(NotAllowedError):
            examine(province, merged(), actor=actor)
    apply(province, merged(), actor=an_actor(Role.ADMIN, "tinh"))


def test_ids_are_for_ever_and_a_later_change_is_not_overtaken(province):
    apply(province, renamed())
    again = renamed(ways=(a_way("xa-1"),))
    assert refusals(province, again) == ["reform-id-taken"]
    earlier = renamed(born=(a_new_unit("xa-khac"),), ways=(a_way("xa-2", to=("xa-khac",)),))
    earlier = replace(earlier, valid_from=EVE)
    assert refusals(province, earlier) == ["reform-later"]
    # On the day itself and afterwards it goes on from the new tree.
    later = renamed(
        born=(a_new_unit("xa-3"),),
        ways=(a_way("xa-moi", to=("xa-3",)),),
        valid_from=DAY + timedelta(days=9),
    )
    apply(province, later)
    assert tree_on(province, later.valid_from).clusters["xa-2-c1"] == "xa-3"
    assert tree_on(province, DAY).clusters["xa-2-c1"] == "xa-moi"


def test_units_may_be_reformed_on_the_day_on_which_they_were_entered(province):
    ways = (Way("xa-2", ends=False, to=("xa-1",)),)
    apply(province, renamed(valid_from=TODAY, born=(), ways=ways))
    assert tree_on(province, TODAY).clusters["xa-2-c1"] == "xa-1"
    assert refusals(province, renamed(valid_from=TODAY)) == ["reform-young"]


@pytest.mark.parametrize("number", range(3))
def test_on_every_day_before_and_after_any_reforms_the_tree_is_a_tree(province, number):
    expected = {}
    day = DAY
    for step in range(4):
        for proposal in _some(proposals(tree_on(province, day), day, f"u{step}-"), number):
            verdict = examine(province, proposal)
            if not verdict.findings:
                apply(province, proposal)
                expected[day] = verdict.drawing.after
                break
        day += timedelta(days=step % 2)
    assert len(expected) > 1
    for offset in range(-2, 8):
        tree = tree_on(province, DAY + timedelta(days=offset))
        assert tree.roots == ("tinh",)
        assert set(tree.clusters) == set(CLUSTERS)
        for cluster in CLUSTERS:
            assert tree.chain_of_cluster(cluster)[0] == "tinh"
        for unit in tree.units:
            assert tree.chain(unit)[0] == "tinh"
    for at, after in expected.items():
        found = tree_on(province, at)
        assert (found.units, found.clusters) == (after.units, after.clusters)


def _some(strategy, number: int):
    """Draw examples, the same at every run, the most intricate first."""
    found = []

    @seed(number)
    @settings(max_examples=12, database=None, deadline=None)
    @given(strategy)
    def draw(proposal) -> None:
        found.append(proposal)

    draw()
    return found[::-1]


def test_a_draft_is_kept_changed_and_discarded_and_two_people_do_not_undo_each_other(province):
    facts = {"now": NOON, "actor": OPERATOR}
    row = province.run(reforming.start, proposal=merged(ways=()), **facts)
    saved = province.run(
        reforming.save, reform_id=row.reform_id, proposal=merged(), version=1, **facts
    )
    assert (saved.version, reforming.asked(saved)) == (2, merged())
    with pytest.raises(ReformRefusedError):
        province.run(
            reforming.save, reform_id=row.reform_id, proposal=renamed(), version=1, **facts
        )
    with pytest.raises(NotAllowedError):
        province.run(reforming.find, reform_id=row.reform_id, now=NOON, actor=an_actor())
    province.run(reforming.discard, reform_id=row.reform_id, **facts)
    with pytest.raises(UnknownThingError):
        province.run(reforming.find, reform_id=row.reform_id, **facts)
    assert tree_on(province, DAY) == tree_on(province, EVE)


def a_draft(province, proposal) -> str:
    row = province.run(reforming.start, proposal=proposal, now=NOON, actor=OPERATOR)
    return row.reform_id


def look(province, reform_id: str):
    return province.run(
        reforming.look, reform_id=reform_id, now=NOON, actor=OPERATOR, keyring=province.keyring
    )


def approve(province, reform_id: str, seen: str):
    return province.run(
        reforming.approve,
        reform_id=reform_id,
        seen=seen,
        now=NOON,
        actor=OPERATOR,
        keyring=province.keyring,
    )


def test_a_draft_that_would_do_something_else_by_now_is_refused_with_what_has_changed(province):
    reform_id = a_draft(province, merged())
    seen = look(province, reform_id).digest
    slot = province.add_slot()
    with pytest.raises(ReformRefusedError) as refused:
        approve(province, reform_id, seen)
    (finding,) = refused.value.findings
    assert (finding.code, finding.fields["kind"]) == ("reform-stale", "slots")
    assert finding.fields["refs"] == slot.slot_id
    assert not province.rows(UnitRow, unit_id="xa-moi")
    approve(province, reform_id, look(province, reform_id).digest)
    assert province.rows(UnitRow, unit_id="xa-moi")


def test_of_two_who_approve_at_once_one_does_and_twice_is_once(province):
    reform_id = a_draft(province, merged())
    seen = look(province, reform_id).digest
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: approve(province, reform_id, seen), range(2)))
    assert len(province.rows(AuditRow, action="approve-reform")) == 1
    with pytest.raises(ReformRefusedError):  # and it is no draft any more
        look(province, reform_id)


def test_a_nodes_configuration_changes_at_midnight_of_the_day_and_its_plans_are_there(province):
    province.commission("xa-1-c1")
    province.add_slot(title="Bản tin của xã cũ")
    province.add_slot(
        unit_id="tinh", units=("xa-1",), local_start=time(6, 30), title="Thời sự của tỉnh"
    )
    apply(province, merged())
    just_before = local(EVE, 23, 59, 59)
    province.run(planning.publish_due_plans, now=just_before, keyring=province.keyring)
    assert carry_out(province, just_before) == 0
    assert province.run(configuring.due_nodes, now=just_before) == []
    assert carry_out(province, local(DAY)) == 1
    posted = [row.topic for row in province.posted()]
    config_at = max(i for i, topic in enumerate(posted) if topic.endswith("/in/config"))
    config = province.said("/in/config")[-1].msg
    chain = [place.unit for place in config.chain]
    assert chain == ["tinh", "xa-moi"]
    for unit in chain:
        assert topics.unit_plan(unit) in posted[:config_at]
    plans = [province.said(topics.unit_plan(unit))[-1].msg for unit in chain]
    heard = {claim.title for claim in claims_at(plans, Place("xa-1-c1", tuple(chain)))}
    assert heard == {"Bản tin của xã cũ", "Thời sự của tỉnh"}
    # The other half of the new commune hears no more than it did.
    other = claims_at(plans, Place("xa-2-c1", tuple(chain)))
    assert not other
    (row,) = province.rows(ReformRow)
    assert row.began_at is not None
    assert row.done_at is not None
    before = len(province.posted("/in/config"))
    assert carry_out(province, local(DAY, 0, 0, 5)) == 0
    assert len(province.posted("/in/config")) == before


def test_a_programme_that_sounds_over_midnight_goes_on_and_its_node_is_told_afterwards(province):
    for cluster in ("xa-1-c1", "xa-2-c1"):
        province.commission(cluster)
    province.add_slot(local_start=time(23, 59, 45), title="Đêm giao thừa")
    apply(province, merged())
    province.run(planning.publish_due_plans, now=local(EVE, 23), keyring=province.keyring)
    assert carry_out(province, local(DAY)) == 1
    assert province.said("/in/config")[-1].msg.node == "n-xa-2-c1"
    assert "n-xa-1-c1" not in province.run(configuring.due_nodes, now=local(DAY))
    (row,) = province.rows(ReformRow)
    assert row.done_at is None
    assert carry_out(province, local(DAY, 0, 0, 20)) == 1
    assert province.said("/in/config")[-1].msg.node == "n-xa-1-c1"
    assert province.rows(ReformRow)[0].done_at is not None


def test_it_is_carried_out_late_and_after_being_killed_half_way_but_once(province):
    province.commission("xa-1-c1")
    slot = province.add_slot()
    row, _ = apply(province, merged())
    late = local(DAY + timedelta(days=1), 3)
    province.run(reform_day.begin, reform_id=row.reform_id, now=late)
    assert not province.run(reform_day.begin, reform_id=row.reform_id, now=late)
    assert carry_out(province, late) == 1
    mine = province.rows(SlotRow, unit_id="xa-moi")
    assert len(mine) == 1
    (old,) = province.rows(SlotRow, slot_id=slot.slot_id)
    assert (old.last_day, mine[0].first_day) == (EVE, DAY)
    assert len(province.rows(AuditRow, action="begin-reform")) == 1


def test_what_passes_on_is_behind_the_databases_wall_at_once(on_postgres):
    slot = on_postgres.add_slot()
    row, _ = apply(on_postgres, merged())
    on_postgres.run(reform_day.begin, reform_id=row.reform_id, now=local(DAY, 1))
    (passed,) = on_postgres.rows(SlotRow, unit_id="xa-moi")
    with on_postgres.sessions.begin() as db:
        held = {one.slot_id for one in db.execute(select(SLOT_HOLDS.c.slot_id))}
    assert held == {passed.slot_id}
    assert slot.slot_id not in held


def test_slots_pass_to_each_unit_that_takes_over_or_to_one_or_end(province):
    province.add_slot(title="Theo cụm loa")
    split = (
        Way("xa-1", how=How.STAY, villages=(VillageWay("Thôn Đoài", "n-1"),)),
        a_way("xa-2", to=("n-2",)),
    )
    born = (a_new_unit("n-1"), a_new_unit("n-2"))
    with province.sessions.begin() as db:
        moved = update(ClusterRow).where(ClusterRow.cluster_id == "xa-1-c2")
        db.execute(moved.values(village="Thôn Đông"))
    both = (*split[0].villages, VillageWay("Thôn Đông", "n-2"))
    split = (replace(split[0], villages=both), split[1])
    found = examine(province, renamed(born=born, ways=split)).effects.slots
    assert [(one.unit_id, one.clusters) for one in found[0].passed] == [
        ("n-1", frozenset({"xa-1-c1"})),
        ("n-2", frozenset({"xa-1-c2"})),
    ]
    assert (found[0].passed[0].targets.units, found[0].passed[1].targets.clusters) == (
        ("n-1",),
        ("xa-1-c2",),
    )
    to_one = (replace(split[0], slots="n-2"), split[1])
    (one,) = examine(province, renamed(born=born, ways=to_one)).effects.slots
    assert [passed.unit_id for passed in one.passed] == ["n-2"]
    assert one.lost == {"xa-1-c1"}
    ended = (replace(split[0], slots=END), split[1])
    (one,) = examine(province, renamed(born=born, ways=ended)).effects.slots
    assert (one.passed, one.lost) == ((), {"xa-1-c1", "xa-1-c2"})


def test_slots_of_two_communes_at_one_hour_pass_side_by_side_and_into_a_third_they_collide(
    province,
):
    """Each keeps its own loudspeakers; who takes over everything may not be spoken over."""
    first = province.add_slot()
    province.add_slot(unit_id="xa-2", units=("xa-2",))
    assert not examine(province, merged()).findings
    into = renamed(born=(), ways=(a_way("xa-1", to=("xa-2",)),))
    (finding,) = examine(province, into).findings
    assert finding.code == "reform-collision"
    assert finding.fields["unit"] == "Xã xa-1"
    apply(province, replace(into, ended_slots=(first.slot_id,)))


def test_programmes_that_come_under_quiet_hours_are_named_before(province):
    facts = {"now": NOON, "actor": OPERATOR, "keyring": province.keyring}
    quiet = framing.NewFrame("xa-1", "quiet", time(22), time(6))
    province.run(framing.add_frame, new=quiet, **facts)
    above = province.add_slot(unit_id="tinh", units=("xa-2",), exclude=("xa-2-c2",))
    own = province.add_slot(unit_id="xa-2", units=("xa-2",), local_start=time(5))
    province.add_slot(unit_id="tinh", units=("tinh",), local_start=time(6))
    into = a_proposal(born=(), ways=(a_way("xa-2", to=("xa-1",)),), valid_from=DAY)
    found = examine(province, into)
    told = {one.slot.slot_id: (one.hours, one.clusters) for one in found.effects.silenced}
    assert told == {
        above.slot_id: (("22:00-06:00",), {"xa-2-c1"}),
        own.slot_id: (("22:00-06:00",), {"xa-2-c1", "xa-2-c2"}),
    }
    assert set(found.summary["silenced"]) == set(told)
    # Where it was quiet already nothing falls silent.
    also = framing.NewFrame("xa-2", "quiet", time(22), time(6))
    province.run(framing.add_frame, new=also, confirmed=True, **facts)
    assert not examine(province, into).effects.silenced


def test_what_else_a_unit_leaves_behind_is_named_and_passed_on_on_the_day(province):
    admin = {"now": NOON, "actor": OPERATOR}
    facts = {**admin, "keyring": province.keyring}
    person = {"password_hash": "x", "full_name": "Người", "grants": [("commune-officer", "xa-2")]}
    province.run(accounts.create_user, username="can-bo", **person, **admin)
    group = {"group_id": "g", "name": "Nhóm", "unit_id": "xa-2", "clusters": ("xa-2-c1",)}
    province.run(grouping.create_group, **group, **admin)
    quiet = framing.NewFrame("xa-2", "quiet", time(22), time(5))
    province.run(framing.add_frame, new=quiet, **facts)
    given = framing.NewFrame("tinh", "frame", time(6), time(7), owner_id="xa-2")
    province.run(framing.add_frame, new=given, **facts)
    with province.sessions.begin() as db:
        chime = update(AssetRow).where(AssetRow.digest == SPEECH.digest)
        db.execute(chime.values(unit_id="xa-2"))
    found = examine(province, renamed()).effects
    assert [one.to for one in found.grants] == [("xa-moi",)]
    assert [one.to for one in found.frames] == [("xa-moi",)] * 2
    apply(province, renamed())
    assert {row.unit_id for row in province.rows(GrantRow)} == {"xa-2"}
    carry_out(province, local(DAY))
    assert {row.unit_id for row in province.rows(GrantRow)} == {"xa-2", "xa-moi"}
    assert province.rows(GroupRow)[0].unit_id == "xa-moi"
    frames = province.rows(FrameRow, withdrawn_at=None)
    assert {(row.unit_id, row.owner_id) for row in frames} == {
        ("xa-moi", None),
        ("tinh", "xa-moi"),
    }
    assert province.rows(AssetRow, digest=SPEECH.digest)[0].unit_id == "xa-moi"


def cancel(province, row, *, now=NOON, actor=OPERATOR):
    return province.run(reforming.cancel, reform_id=row.reform_id, now=now, actor=actor)


def test_an_approved_reform_is_taken_back_before_its_day_and_nothing_of_it_is_left(province):
    slot = province.add_slot(unit_id="tinh", units=("xa-1",))
    before = {day: tree_on(province, day) for day in (TODAY, EVE, DAY)}
    row, verdict = apply(province, merged())
    assert tree_on(province, DAY) != before[DAY]
    for _ in range(2):
        assert cancel(province, row).approved_at is None
    assert {day: tree_on(province, day) for day in before} == before
    (kept,) = province.rows(SlotRow, slot_id=slot.slot_id)
    assert kept.version == 3
    reached = province.run(planning.slots_of, units=before[DAY], unit_id="tinh")
    assert [one.targets.units for one in reached] == [("xa-1",)]
    (deed,) = province.rows(AuditRow, action="cancel-reform")
    assert deed.detail["moves"]["xa-2-c1"] == ["xa-2", "xa-moi"]
    assert carry_out(province, local(DAY)) == 0
    assert not province.rows(AuditRow, action="begin-reform")
    # It is a draft again, and its new unit may come to be after all.
    assert examine(province, merged()).digest == verdict.digest
    apply(province, merged())
    assert set(tree_on(province, DAY).units) == {"tinh", "xa-moi"}


def test_what_has_begun_or_was_built_upon_is_not_taken_back_nor_by_anybody(province):
    row, _ = apply(province, renamed())
    later = DAY + timedelta(days=5)
    ways = (a_way("xa-moi", to=("xa-1",)),)
    upon, _ = apply(province, replace(a_proposal(ways=ways, valid_from=later), born=()))
    for actor in (an_actor(Role.ADMIN, "xa-1"), an_actor(Role.BROADCASTER, "tinh")):
        with pytest.raises(NotAllowedError):
            cancel(province, row, actor=actor)
    for now, code in ((NOON, "reform-built-upon"), (local(DAY), "reform-began")):
        with pytest.raises(ReformRefusedError) as refused:
            cancel(province, row, now=now)
        assert [finding.code for finding in refused.value.findings] == [code]
    cancel(province, upon)
    cancel(province, row)
    assert tree_on(province, later) == tree_on(province, TODAY)


def test_bulletins_that_wait_pass_on_to_those_who_take_over(province):
    due = local(DAY + timedelta(days=3))
    with province.sessions.begin() as db:
        facts = {"unit_id": "tinh", "title": "Tiêm phòng", "bulletin_class": "ordinary"}
        facts |= {"addressed": {"units": ["tinh"]}, "created_at": NOON, "created_by": "a"}
        for name, deadline in (("b-1", due), ("b-2", local(EVE))):
            facts |= {"bulletin_id": name, "request_id": name, "deadline": deadline}
            db.add(BulletinRow(**facts, state="sent", sent_at=NOON))
        db.flush()
        for name in ("b-1", "b-2"):
            db.add(BulletinCopyRow(bulletin_id=name, unit_id="xa-1", answer="declined"))
            db.add(BulletinCopyRow(bulletin_id=name, unit_id="xa-2", answer="waiting"))
    (found,) = apply(province, renamed())[1].effects.letters[:1]
    assert (found.bulletin_id, found.unit_id, found.to) == ("b-1", "xa-2", ("xa-moi",))
    carry_out(province, local(DAY))
    copies = {(row.bulletin_id, row.unit_id): row for row in province.rows(BulletinCopyRow)}
    assert set(copies) == {("b-1", "xa-1"), ("b-1", "xa-moi"), ("b-2", "xa-1"), ("b-2", "xa-2")}
    taken = copies["b-1", "xa-moi"]
    assert (taken.answer, taken.clusters, taken.sounded) == ("waiting", 2, 0)


def told_after(province, unit_id, *contact_ids: str, after_s=60, answer_s=30):
    rule = Rule(answer_s, 40, (Step(after_s, contact_ids),))
    facts = {"unit_id": unit_id, "bulletin_class": "emergency", "rule": rule, "version": ""}
    province.run(escalation_rules.lay_down, **facts, now=NOON, actor=OPERATOR)


def a_contact(province, unit_id):
    new = NewContact(unit_id, f"Người {unit_id}")
    return province.run(contacts.add_contact, new=new, now=NOON, actor=OPERATOR).contact_id


def test_who_is_told_and_when_passes_on_and_nobody_is_left_out(province):
    one, two = a_contact(province, "xa-1"), a_contact(province, "xa-2")
    told_after(province, "xa-1", one)
    told_after(province, "xa-2", two, after_s=90, answer_s=10)
    found = apply(province, merged())[1].effects
    assert {fate.contact_id: fate.to for fate in found.contacts} == {one: "xa-moi", two: "xa-moi"}
    assert [fate.to for fate in found.rules] == [("xa-moi",)] * 2
    for _ in range(2):
        carry_out(province, local(DAY))
    assert {row.unit_id for row in province.rows(ContactRow)} == {"xa-moi"}
    [row] = province.rows(EscalationRuleRow, unit_id="xa-moi")
    rule = escalation_rules.value_of(row)
    assert rule == Rule(10, 40, (Step(60, (one,)), Step(90, (two,))))
    nameable = province.run(contacts.nameable, unit_id="xa-moi", now=local(DAY))
    assert {person.contact_id for person in nameable} == {one, two}


def test_a_unit_that_takes_over_and_has_a_rule_of_its_own_keeps_it(province):
    one, two = a_contact(province, "xa-1"), a_contact(province, "xa-2")
    told_after(province, "xa-1", one)
    told_after(province, "xa-2", two)
    into = a_proposal(ways=(a_way("xa-2", to=("xa-1",)),), born=(), valid_from=DAY)
    [fate] = apply(province, into)[1].effects.rules
    assert (fate.unit_id, fate.to) == ("xa-2", ())
    carry_out(province, local(DAY))
    [row] = province.rows(EscalationRuleRow, unit_id="xa-1")
    assert escalation_rules.value_of(row).steps == (Step(60, (one,)),)
    assert {row.unit_id for row in province.rows(ContactRow)} == {"xa-1"}


def test_a_slot_that_begins_after_the_day_is_shown_as_passing(province):
    late = DAY + timedelta(days=9)
    province.add_slot(unit_id="xa-2", units=("xa-2",), recurrence="once", first_day=late)
    (fate,) = examine(province, renamed()).effects.slots
    assert [(one.unit_id, one.rule.first_day) for one in fate.passed] == [("xa-moi", late)]


def test_hours_of_one_commune_do_not_bind_what_is_made_of_two(province):
    quiet = framing.NewFrame("xa-2", "quiet", time(22), time(5))
    facts = {"now": NOON, "actor": OPERATOR, "keyring": province.keyring}
    province.run(framing.add_frame, new=quiet, **facts)
    (one,) = examine(province, merged()).effects.frames
    assert (one.quiet, one.to) == (True, ())


def test_a_slot_from_above_goes_on_reaching_whom_it_reached(province):
    slot = province.add_slot(unit_id="tinh", units=("xa-1",))
    apply(province, merged())
    for day in (EVE, DAY):
        tree = tree_on(province, day)
        reached = province.run(planning.slots_of, units=tree, unit_id="tinh")
        assert [one.clusters for one in reached] == [{"xa-1-c1", "xa-1-c2"}]
    assert province.rows(SlotRow, slot_id=slot.slot_id)[0].version == 2


def test_nothing_can_be_added_under_a_unit_that_is_to_end(province):
    apply(province, renamed())
    new = units.NewCluster("moi", "Cụm", "Thôn", "xa-2")
    with pytest.raises(ReformRefusedError):
        province.run(units.create_cluster, new=new, now=NOON, actor=OPERATOR)
    under = units.NewUnit("thon", "Thôn", 1, "xa-2")
    with pytest.raises(ReformRefusedError):
        province.run(
            units.create_unit, new=under, now=NOON, actor=OPERATOR, keyring=province.keyring
        )
