"""Who may do what with a bulletin when, and what a commune's answer comes to."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from server.domain.bulletins import (
    FINAL,
    LATE_WORDS,
    Act,
    Answer,
    Copy,
    State,
    acted,
    allowed,
    concluded,
    standing,
)
from server.domain.errors import BulletinRefusedError, StaleError
from tests.factories.bulletins import AUTHOR, OTHER, a_copy, a_life
from tests.factories.claims import NOON

HOUR = timedelta(hours=1)
PEOPLE = (AUTHOR, OTHER, "lan@tinh")
DEEDS = (Act.EDIT, Act.SUBMIT, Act.APPROVE, Act.RETURN, Act.SEND, Act.WITHDRAW)


class Clicks(RuleBasedStateMachine):
    """Any number of people click on anything, in any order, some of them on old pages."""

    def __init__(self):
        super().__init__()
        self.life = a_life()
        self.wrote = {AUTHOR}
        self.approved = None

    @rule(act=st.sampled_from(DEEDS), who=st.sampled_from(PEOPLE), behind=st.integers(0, 1))
    def click(self, act, who, behind):
        before = self.life
        try:
            self.life = acted(before, act, who, version=before.version - behind)
        except (BulletinRefusedError, StaleError):
            return
        assert not behind, "an old page changes nothing"
        if act is Act.APPROVE:
            assert who not in self.wrote, "nobody approves what they have written at"
            self.approved = (before.version, who)
        if act is Act.EDIT:
            self.wrote.add(who)
        if before.state in FINAL:
            assert self.life == before, "what has ended stays ended"
        if act is Act.SEND and before.state is not State.SENT:
            assert self.approved is not None, "nothing is approved by default"
            version, approver = self.approved
            assert version == self.life.version, "what was edited needs approval anew"
            assert approver not in self.wrote
        if act is Act.RETURN and before.state is not State.DRAFT:
            self.approved = None

    @precondition(lambda self: self.life.state is State.SENT)
    @rule(state=st.sampled_from([State.PLAYED, State.DECLINED, State.EXPIRED]))
    def conclude(self, state):
        self.life = a_life(state, self.life.version, " ".join(self.life.authors))

    @invariant()
    def versions_only_grow_and_authors_stay(self):
        assert self.life.version >= 1
        assert self.wrote == self.life.authors

    @invariant()
    def what_is_offered_is_what_would_be_done(self):
        for who in PEOPLE:
            for act in DEEDS:
                try:
                    after = acted(self.life, act, who, version=self.life.version)
                except BulletinRefusedError:
                    assert act not in allowed(self.life, who)
                else:
                    assert (after != self.life) is (act in allowed(self.life, who))


TestClicks = Clicks.TestCase


def refusals(life, act, who, *, version) -> list[str]:
    with pytest.raises(BulletinRefusedError) as refused:
        acted(life, act, who, version=version)
    return [finding.code for finding in refused.value.findings]


def test_the_author_is_told_that_somebody_else_has_to_approve():
    assert refusals(a_life(State.SUBMITTED), Act.APPROVE, AUTHOR, version=1) == ["own-bulletin"]
    assert acted(a_life(State.SUBMITTED), Act.APPROVE, OTHER, version=1).state is State.APPROVED


def test_whoever_has_edited_it_once_is_an_author_for_good():
    edited = acted(a_life(State.APPROVED), Act.EDIT, OTHER, version=1)
    assert (edited.state, edited.version) == (State.DRAFT, 2)
    submitted = acted(edited, Act.SUBMIT, AUTHOR, version=2)
    assert refusals(submitted, Act.APPROVE, OTHER, version=2) == ["own-bulletin"]


def test_an_approval_of_words_that_have_changed_since_is_refused():
    edited = acted(a_life(State.SUBMITTED), Act.EDIT, AUTHOR, version=1)
    with pytest.raises(StaleError):
        acted(acted(edited, Act.SUBMIT, AUTHOR, version=2), Act.APPROVE, OTHER, version=1)


def test_what_is_done_twice_is_done_once():
    for act, state in ((Act.SUBMIT, State.SUBMITTED), (Act.SEND, State.SENT)):
        life = a_life(state)
        assert acted(life, act, AUTHOR, version=1) is life


def test_until_the_deadline_a_commune_may_answer_and_from_then_on_it_has_not_answered():
    """Circular 39/2020/TT-BTTTT: an ordinary bulletin is the commune's choice."""
    waiting = a_copy()
    just_before = NOON - timedelta(microseconds=1)
    assert standing(waiting, just_before, NOON) is Answer.WAITING
    assert standing(waiting, NOON, NOON) is Answer.UNANSWERED
    assert standing(waiting, NOON, None) is Answer.WAITING


def test_a_slot_that_was_withdrawn_before_it_was_heard_is_no_answer():
    pulled = a_copy(Answer.TAKEN, until=NOON + HOUR, pulled=True)
    assert standing(pulled, NOON, NOON + HOUR) is Answer.WAITING
    assert standing(pulled, NOON + HOUR, NOON + HOUR) is Answer.UNANSWERED
    heard = a_copy(Answer.TAKEN, until=NOON + HOUR, pulled=True, sounded=1)
    assert standing(heard, NOON, NOON + HOUR) is Answer.PLAYED
    placed = a_copy(Answer.PLACED, until=NOON + HOUR, pulled=True)
    assert standing(placed, NOON, None) is Answer.WITHDRAWN


def test_what_was_heard_late_is_played_after_all():
    missed = a_copy(Answer.TAKEN, until=NOON)
    assert standing(missed, NOON, None) is Answer.MISSED
    assert standing(a_copy(Answer.TAKEN, until=NOON, sounded=2), NOON, None) is Answer.PLAYED


def test_a_bulletin_is_open_as_long_as_anything_is_to_come_anywhere():
    played = a_copy(Answer.TAKEN, until=NOON, sounded=3)
    tomorrow = a_copy(Answer.TAKEN, until=NOON + 24 * HOUR, sounded=1)
    assert concluded([played, a_copy()], NOON, NOON + HOUR) is None
    assert concluded([played, tomorrow], NOON, NOON) is None
    assert concluded([played, a_copy()], NOON, NOON) is State.PLAYED
    assert concluded([a_copy(Answer.DECLINED)] * 2, NOON, NOON) is State.DECLINED
    assert concluded([a_copy(), a_copy(Answer.DECLINED)], NOON, NOON) is State.EXPIRED


def test_silence_is_believed_only_after_a_day_for_nodes_without_a_network_tell_late():
    silent = [a_copy(Answer.PLACED, until=NOON)]
    assert concluded(silent, NOON + LATE_WORDS - HOUR, None) is None
    assert concluded(silent, NOON + LATE_WORDS, None) is State.EXPIRED


copies = st.builds(
    Copy,
    answer=st.sampled_from(
        [Answer.WAITING, Answer.TAKEN, Answer.DECLINED, Answer.PLACED, Answer.ANNOUNCED]
    ),
    until=st.integers(-50, 50).map(lambda hours: NOON + hours * HOUR),
    sounded=st.integers(0, 2),
    pulled=st.booleans(),
)


@given(st.lists(copies, min_size=1, max_size=4), st.integers(-50, 50), st.integers(0, 300))
def test_what_has_ended_stays_ended_however_long_one_waits(some, due_h, later_h):
    deadline = NOON + due_h * HOUR
    first = concluded(some, NOON, deadline)
    if first is not None:
        assert concluded(some, NOON + later_h * HOUR, deadline) is first
    assert concluded(some, NOON + timedelta(days=10), deadline) in FINAL
