"""Who has to assent: the rule, line by line, and what holds whatever it says."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.assent import (
    ASKED_FOR,
    Line,
    Missing,
    Needs,
    Radius,
    Sender,
    default_lines,
    is_asked,
    missing,
    needs,
    wrong_lines,
)
from server.domain.waiting import State, decision_findings, state_at
from tests.factories.claims import NOON

PROVINCE, COMMUNE = 0, 2
LEVELS = {PROVINCE, COMMUNE}
NOBODY_ELSE = Sender(has_factor=False, is_fresh=False, has_others=False)

hours = st.integers(0, 23)
counts = st.integers(0, 300)
lines = st.builds(
    Line,
    level=st.sampled_from(sorted(LEVELS)),
    start_hour=hours,
    end_hour=hours,
    over_clusters=counts,
    persons=st.integers(1, 2),
    factor=st.booleans(),
)
radii = st.builds(
    Radius,
    bulletin_class=st.sampled_from(["ordinary", "priority", "emergency"]),
    level=st.sampled_from(sorted(LEVELS)),
    clusters=st.integers(1, 300),
    local_hour=hours,
)
senders = st.builds(Sender, st.booleans(), st.booleans(), st.booleans(), st.booleans())


def a_sender(*facts: str):
    return Sender(
        "has_factor" in facts,
        "is_fresh" in facts,
        "has_others" in facts,
        "prefers_other" in facts,
    )


def a_radius(level=COMMUNE, clusters=7, hour=12, bulletin_class="emergency"):
    return Radius(bulletin_class, level, clusters, hour)


@pytest.mark.parametrize(
    ("radius", "persons", "factor"),
    [
        (a_radius(clusters=2, hour=2), 1, False),  # the own village, at night
        (a_radius(clusters=7, hour=12), 1, False),  # the whole commune, by day
        (a_radius(clusters=7, hour=21), 1, False),
        (a_radius(clusters=7, hour=22), 1, True),  # and at night
        (a_radius(clusters=7, hour=4), 1, True),
        (a_radius(clusters=7, hour=4, bulletin_class="priority"), 1, False),
        (a_radius(clusters=7, hour=5), 1, False),
        (a_radius(PROVINCE, 20), 1, False),  # two neighbouring communes
        (a_radius(PROVINCE, 21), 2, True),
        (a_radius(PROVINCE, 866, hour=3), 2, True),
        (a_radius(PROVINCE, 866, bulletin_class="priority"), 2, False),
    ],
)
def test_until_a_province_says_otherwise_a_commune_takes_one_person(radius, persons, factor):
    assert needs(default_lines(LEVELS), radius) == Needs(persons, factor)


def test_where_there_are_communes_alone_nothing_stands_above_them():
    assert default_lines({COMMUNE}) == (Line(COMMUNE, 22, 5, 5, 1, factor=True),)
    assert default_lines(()) == ()


@pytest.mark.parametrize(
    ("start", "end", "holds_at"),
    [(8, 12, {8, 9, 10, 11}), (22, 2, {22, 23, 0, 1}), (5, 5, set(range(24)))],
)
def test_hours_are_half_open_and_may_pass_midnight(start, end, holds_at):
    line = Line(COMMUNE, start, end, 0, 2)
    found = {hour for hour in range(24) if needs([line], a_radius(hour=hour)).persons == 2}
    assert found == holds_at


@given(st.lists(lines, max_size=5), lines, radii)
def test_another_line_never_asks_for_less(some, one_more, radius):
    before, after = needs(some, radius), needs([*some, one_more], radius)
    assert after.persons >= before.persons
    assert after.factor >= before.factor


@given(st.lists(lines, max_size=5), radii, counts)
def test_reaching_more_clusters_never_asks_for_less(some, radius, more):
    wider = Radius(radius.bulletin_class, radius.level, radius.clusters + more, radius.local_hour)
    assert needs(some, wider).persons >= needs(some, radius).persons


@given(st.lists(lines, max_size=5), radii)
def test_only_an_emergency_asks_for_a_second_factor(some, radius):
    assert radius.bulletin_class == "emergency" or not needs(some, radius).factor


@given(st.builds(Needs, st.integers(1, 2), st.booleans()))
def test_nobody_is_locked_out_who_has_neither_factor_nor_anybody_else(asked):
    assert missing(asked, NOBODY_ELSE) is None


@given(st.builds(Needs, st.integers(1, 2), st.booleans()), senders)
def test_a_second_person_is_asked_for_only_where_there_is_one(asked, sender):
    if missing(asked, sender) is Missing.PERSON:
        assert sender.has_others
    if missing(asked, sender) is Missing.FACTOR:
        assert sender.has_factor or sender.has_others


@pytest.mark.parametrize(
    ("asked", "sender", "lacks"),
    [
        (Needs(1, factor=False), a_sender("has_others"), None),
        (Needs(2), a_sender("has_factor", "is_fresh", "has_others"), Missing.PERSON),
        (Needs(1, factor=True), a_sender("has_factor", "has_others"), Missing.FACTOR),
        (Needs(1, factor=True), a_sender("has_factor", "is_fresh", "has_others"), None),
        (
            Needs(1, factor=True),
            a_sender("has_factor", "has_others", "prefers_other"),
            Missing.PERSON,
        ),
        (Needs(1, factor=True), a_sender("has_others", "prefers_other"), Missing.PERSON),
        (Needs(1, factor=True), a_sender("has_factor", "prefers_other"), Missing.FACTOR),
        (Needs(2, factor=True), a_sender("has_factor", "has_others"), Missing.FACTOR),
        (Needs(2, factor=True), a_sender("has_factor", "is_fresh", "has_others"), Missing.PERSON),
    ],
)
def test_somebody_else_stands_in_for_a_factor(asked, sender, lacks):
    assert missing(asked, sender) is lacks


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (Line(1, 0, 0, 0, 2), "bad-level"),
        (Line(COMMUNE, 24, 0, 0, 2), "bad-hours"),
        (Line(COMMUNE, 0, -1, 0, 2), "bad-hours"),
        (Line(COMMUNE, 0, 0, -1, 2), "bad-cluster-count"),
        (Line(COMMUNE, 0, 0, 0, 3), "bad-persons"),
        (Line(COMMUNE, 0, 0, 0, 0), "bad-persons"),
    ],
)
def test_what_no_rule_can_mean_is_refused(line, code):
    assert [found.code for found in wrong_lines([line], LEVELS)] == [code]
    assert wrong_lines(default_lines(LEVELS), LEVELS) == []


def test_a_rule_has_a_limit():
    many = [Line(COMMUNE, 0, 0, 0, 2)] * 21
    assert [found.code for found in wrong_lines(many, LEVELS)] == ["too-many-lines"]


def test_a_wish_waits_for_a_quarter_of_an_hour_and_not_an_instant_longer():
    assert not is_asked(None, NOON)
    assert is_asked(NOON, NOON)
    assert not is_asked(NOON, NOON + ASKED_FOR)
    assert not is_asked(NOON, NOON - timedelta(seconds=1))  # a clock that was set back


def test_what_is_over_has_lapsed_whether_anybody_noted_it_or_not():
    assert state_at("waiting", NOON, NOON - timedelta(seconds=1)) is State.WAITING
    assert state_at("waiting", NOON, NOON) is State.LAPSED
    assert state_at("confirmed", NOON, NOON) is State.CONFIRMED


def test_nobody_is_their_own_second_person():
    def codes(state, actor):
        found = decision_findings(state, asked_by="xa", actor=actor)
        return [one.code for one in found]

    assert codes(State.WAITING, "xa") == ["own-confirmation"]
    assert codes(State.WAITING, "tinh") == []
    assert codes(State.LAPSED, "tinh") == ["waiting-lapsed"]
