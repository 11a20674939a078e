"""Who does not answer is named by the rule of the unit that announces, and told when it answers."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from protocol.messages import Received, Started
from server.domain.authority import Actor, Role
from server.domain.errors import EscalationRefusedError, NotAllowedError, StaleError
from server.domain.escalation import DEFAULTS, Rule
from server.services import escalating, escalation_rules, hushing, monitoring, units
from server.services.hushing import NewHush
from server.store.models import AuditRow, EscalationRuleRow, EventRow, HushRow, UnansweredRow
from tests.factories.claims import NOON
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, PROVINCE, an_actor

RULE = Rule(answer_s=20, start_s=40)


def after(some_s: float):
    return NOON + timedelta(seconds=some_s)


def lay_down(province, unit_id=PROVINCE, rule=RULE, *, version="", actor: Actor = OPERATOR):
    facts = {"unit_id": unit_id, "bulletin_class": "emergency", "rule": rule}
    province.run(escalation_rules.lay_down, **facts, version=version, now=NOON, actor=actor)
    return escalation_rules.version_of(rule)


def withdraw(province, version, unit_id=PROVINCE):
    facts = {"unit_id": unit_id, "bulletin_class": "emergency", "version": version}
    province.run(escalation_rules.withdraw, **facts, now=NOON, actor=OPERATOR)


def held(province, unit_id="xa-1"):
    places = province.run(units.tree, today=TODAY)
    found = province.run(escalation_rules.held_at, unit_id=unit_id, units=places)
    return {one.bulletin_class: one for one in found}


def look(province, some_s):
    return province.run(escalating.name_unanswered, now=after(some_s), site="")


def named(province):
    return {
        row.cluster_id: (row.why, row.answered_at is not None)
        for row in province.rows(UnansweredRow)
    }


def status(province, row, some_s):
    found = province.run(monitoring.status, broadcast_id=row.broadcast_id, now=after(some_s))
    return {one.cluster_id: one for one in found.deliveries}


def received(row, cluster, some_s):
    return Received(report_id=f"p-{cluster}", claim_id=row.broadcast_id, at=after(some_s))


def started(row, cluster, some_s):
    return Started(report_id=f"s-{cluster}", claim_id=row.broadcast_id, at=after(some_s))


def test_without_any_rule_the_default_of_the_class_names_who_does_not_answer(province):
    province.commission("xa-1-c1")
    row = province.announce()
    assert look(province, 9) == 0
    province.hear("n-xa-1-c1", started(row, "xa-1-c1", 9), now=after(9))
    assert look(province, 10) == 1
    assert named(province) == {"xa-1-c2": ("no-answer", False)}
    assert [event.ref for event in province.rows(EventRow) if event.at == after(10)] == [
        row.broadcast_id
    ]
    assert look(province, 11) == 0


def test_the_rule_of_the_nearest_unit_above_holds(province):
    lay_down(province)
    lay_down(province, "xa-1", Rule(30, 60))
    rules = {unit: held(province, unit)["emergency"] for unit in (PROVINCE, "xa-1", "xa-2")}
    assert {unit: one.rule.answer_s for unit, one in rules.items()} == {
        PROVINCE: 20,
        "xa-1": 30,
        "xa-2": 20,
    }
    assert rules["xa-2"].unit_id == PROVINCE
    assert held(province)["ordinary"].rule == DEFAULTS["ordinary"]
    province.announce()
    assert look(province, 29) == 0
    assert look(province, 30) == 1


def test_who_answers_late_is_told_as_such_and_named_again_if_it_does_not_sound(province):
    province.commission("xa-1-c1")
    row = province.announce(units=(), clusters=("xa-1-c1",))
    look(province, 10)
    province.hear("n-xa-1-c1", received(row, "xa-1-c1", 12), now=after(12))
    assert look(province, 12) == 1
    assert named(province) == {"xa-1-c1": ("no-answer", True)}
    assert status(province, row, 12)["xa-1-c1"].answered_late_at == after(12)
    assert look(province, 20) == 1
    assert named(province) == {"xa-1-c1": ("not-sounding", False)}
    province.hear("n-xa-1-c1", started(row, "xa-1-c1", 21), now=after(21))
    assert look(province, 21) == 1
    assert named(province) == {"xa-1-c1": ("not-sounding", True)}
    assert look(province, 22) == 0


@pytest.mark.parametrize("graver", [True, False])
def test_who_waits_behind_what_goes_first_is_not_named_and_who_should_have_cut_it_is(
    province, graver
):
    province.commission("xa-1-c1")
    first = province.announce(units=(), clusters=("xa-1-c1",), severity=2)
    province.hear("n-xa-1-c1", started(first, "xa-1-c1", 1), now=after(1))
    row = province.announce(
        units=(), clusters=("xa-1-c1",), severity=3 if graver else 1, now=after(2)
    )
    province.hear("n-xa-1-c1", received(row, "xa-1-c1", 3), now=after(3))
    look(province, 20)
    assert named(province) == ({"xa-1-c1": ("not-sounding", False)} if graver else {})
    there = status(province, row, 20)["xa-1-c1"]
    assert there.silence == ("not-sounding" if graver else "")
    assert (there.ahead is None) is graver
    # What was stopped holds nobody up any more.
    province.stop(first, now=after(21))
    assert status(province, row, 22)["xa-1-c1"].silence == "not-sounding"


def test_who_is_silent_by_order_is_not_named_until_the_silence_is_lifted(province):
    province.commission("xa-1-c1")
    row = province.announce(units=(), clusters=("xa-1-c1",))
    new = NewHush("xa-1", reason="Tài khoản bị lộ")
    facts = {"new": new, "actor": OPERATOR, "keyring": province.keyring}
    hush = province.run(hushing.hush, **facts, now=after(1))
    province.hear("n-xa-1-c1", received(row, "xa-1-c1", 3), now=after(3))
    assert look(province, 60) == 0
    assert named(province) == {}
    assert status(province, row, 60)["xa-1-c1"].silence == ""
    with province.sessions.begin() as db:
        db.get_one(HushRow, hush.hush_id).ended_at = after(61)
    assert look(province, 62) == 1
    assert named(province) == {"xa-1-c1": ("not-sounding", False)}


def test_a_page_names_by_the_rule_even_while_nobody_has_noted_it_yet(province):
    row = province.announce()
    assert status(province, row, 9)["xa-1-c1"].silence == ""
    assert status(province, row, 10)["xa-1-c1"].silence == "no-answer"


def test_what_is_stopped_or_over_names_nobody_new_and_keeps_who_was_named(province):
    one, other = province.announce(), province.announce()
    province.stop(other, now=after(5))
    look(province, 10)
    assert {row.broadcast_id for row in province.rows(UnansweredRow)} == {one.broadcast_id}
    over_s = (one.end - NOON).total_seconds()
    assert look(province, over_s) == 0
    assert status(province, one, over_s)["xa-1-c1"].silence == "no-answer"
    assert status(province, other, over_s)["xa-1-c1"].silence == ""


def test_a_rule_is_laid_down_by_who_may_and_on_record_with_what_it_was(province):
    for actor in (an_actor(Role.VIEWER), an_actor(Role.COMMUNE_OFFICER, "xa-2")):
        with pytest.raises(NotAllowedError):
            lay_down(province, "xa-1", actor=actor)
    version = lay_down(province, "xa-1", actor=an_actor())
    lay_down(province, "xa-1", Rule(30, 60), version=version)
    details = [row.detail for row in province.rows(AuditRow, action="lay-down-escalation")]
    assert [(one["before"], one["after"]["answer_s"]) for one in details] == [
        (None, 20),
        ({"answer_s": 20, "start_s": 40, "steps": []}, 30),
    ]


def test_what_somebody_else_has_changed_meanwhile_is_not_overwritten(province):
    version = lay_down(province)
    for stale in ("", "elsewhere"):
        with pytest.raises(StaleError):
            lay_down(province, rule=Rule(30, 60), version=stale)
        with pytest.raises(StaleError):
            withdraw(province, stale)
    withdraw(province, version)
    assert province.rows(EscalationRuleRow) == []
    withdraw(province, "")
    assert len(province.rows(AuditRow, action="withdraw-escalation")) == 1


def test_of_two_who_lay_down_at_once_the_second_is_told(on_postgres):
    def attempt(answer_s):
        try:
            return bool(lay_down(on_postgres, rule=Rule(answer_s, 60)))
        except StaleError:
            return False

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, (20, 30))) == [False, True]


def test_a_rule_out_of_bounds_or_of_no_class_is_refused(province):
    with pytest.raises(EscalationRefusedError) as refused:
        lay_down(province, rule=Rule(0, 4000))
    assert [found.fields["field"] for found in refused.value.findings] == ["answer_s", "start_s"]
    with pytest.raises(EscalationRefusedError):
        province.run(
            escalation_rules.lay_down,
            unit_id=PROVINCE,
            bulletin_class="grave",
            rule=RULE,
            version="",
            now=NOON,
            actor=OPERATOR,
        )
