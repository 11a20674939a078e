"""When a cluster counts as not answering."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import BulletinClass, Outcome
from server.domain.deliveries import State
from server.domain.escalation import (
    ALL_ANSWER_S,
    DEFAULTS,
    LIMITS_S,
    Rule,
    Silence,
    Step,
    Word,
    due,
    is_settled,
    silence,
    silences,
    together,
    whom,
    wrong_rule,
)
from tests.factories.claims import NOON

RULE = Rule(answer_s=10, start_s=15)
STATES = [state.value for state in (*State, *Outcome)]
START = NOON + timedelta(seconds=0.3)

words = st.builds(
    Word,
    cluster_id=st.sampled_from([f"c-{number}" for number in range(6)]),
    state=st.sampled_from(STATES),
    has_received=st.booleans(),
    has_started=st.booleans(),
)
steps = st.lists(
    st.builds(
        Step,
        after_s=st.integers(*LIMITS_S),
        contacts=st.lists(st.sampled_from("abcd"), min_size=1, unique=True).map(tuple),
    ),
    max_size=4,
    unique_by=lambda step: step.after_s,
).map(tuple)
rules = st.builds(
    Rule, answer_s=st.integers(*LIMITS_S), start_s=st.integers(*LIMITS_S), steps=steps
)
seconds = st.floats(0, 4000)


def after(some_s: float):
    return NOON + timedelta(seconds=some_s)


def judged(word: Word, some_s: float, rule: Rule = RULE):
    return silence(word, rule, sent_at=NOON, start=START, now=after(some_s))


def a_word(state: str = "sent", *, received: bool = False, started: bool = False):
    return Word("c-1", state, has_received=received, has_started=started)


def test_who_says_nothing_is_named_from_the_tenth_second_on():
    assert judged(a_word(), 9.99) is None
    assert judged(a_word(), 10) is Silence.NO_ANSWER


def test_who_has_the_order_and_does_not_sound_is_named_fifteen_seconds_after_the_sounding_time():
    word = a_word("received", received=True)
    assert judged(word, 15.2) is None
    assert judged(word, 15.3) is Silence.NOT_SOUNDING


def test_who_refuses_or_fails_has_answered_but_the_village_hears_nothing():
    for state in ("refused", "failed", "missed"):
        assert judged(a_word(state), 10) is None
        assert judged(a_word(state), 20) is Silence.NOT_SOUNDING


def test_who_gave_way_to_something_graver_or_was_stopped_is_not_called():
    for state in ("preempted", "stopped", "cut", "played"):
        assert judged(a_word(state, received=True), 3000) is None


def test_a_short_time_to_sound_holds_for_who_says_nothing_too():
    assert judged(a_word(), 5, Rule(answer_s=60, start_s=4)) is Silence.NO_ANSWER


def test_an_emergency_is_named_soonest_where_nobody_has_laid_anything_down():
    assert set(DEFAULTS) == {each.value for each in BulletinClass}
    limits = [DEFAULTS[name].answer_s for name in ("emergency", "priority", "ordinary")]
    assert limits == [10, 30, 60]
    assert not any(map(wrong_rule, DEFAULTS.values()))


@given(rules, words, seconds, seconds)
def test_who_is_named_stays_named_until_it_says_something_else(rule, word, one_s, other_s):
    earlier, later = sorted((one_s, other_s))
    if judged(word, earlier, rule) is not None:
        assert judged(word, later, rule) is not None


@given(rules, words, seconds)
def test_nobody_is_named_before_both_times_allow_it(rule, word, some_s):
    if some_s < min(rule.answer_s, rule.start_s):
        assert judged(word, some_s, rule) is None


@given(rules, words, seconds)
def test_in_the_end_everybody_sounds_or_is_named(rule, word, some_s):
    named = judged(word, LIMITS_S[1] + 1 + some_s, rule) is not None
    assert named is not is_settled(word)


@given(rules, st.lists(words, unique_by=lambda word: word.cluster_id), seconds, st.randoms())
def test_the_order_in_which_clusters_stand_changes_nothing(rule, some, at_s, random):
    shuffled = list(some)
    random.shuffle(shuffled)
    facts = {"sent_at": NOON, "start": START, "now": after(at_s)}
    assert silences(some, rule, **facts) == silences(shuffled, rule, **facts)


@given(st.integers(-5, 5000), st.integers(-5, 5000))
def test_every_time_out_of_bounds_is_told_at_its_own_field(answer_s, start_s):
    low_s, high_s = LIMITS_S
    told = {found.fields["field"] for found in wrong_rule(Rule(answer_s, start_s))}
    assert ("answer_s" in told) is not (low_s <= answer_s <= high_s)
    assert ("start_s" in told) is not (low_s <= start_s <= high_s)


def judge(rule, some, taken, at_s):
    return due(rule, some, taken, sent_at=NOON, start=START, now=after(at_s))


TWO_STEPS = Rule(10, 15, (Step(10, ("a", "b")), Step(60, ("b", "c"))))


def test_a_step_is_due_from_its_time_on_while_anybody_is_silent():
    assert judge(TWO_STEPS, [a_word()], (), 9).steps == ()
    assert judge(TWO_STEPS, [a_word()], (), 10).steps == (TWO_STEPS.steps[0],)
    assert judge(TWO_STEPS, [a_word(started=True)], (), 3000).steps == ()


def test_whom_two_steps_name_at_once_is_told_by_the_later_alone():
    told = whom(judge(TWO_STEPS, [a_word()], (), 61).steps)
    assert {person: step.after_s for person, step in told.items()} == {"a": 10, "b": 60, "c": 60}


def test_the_end_is_told_only_when_everybody_sounds_and_only_to_who_was_told_otherwise():
    has_it, sounds = a_word("received", received=True), a_word("started", started=True)
    assert not judge(TWO_STEPS, [sounds], (), 70).all_answer
    assert not judge(TWO_STEPS, [has_it], {10}, 12).all_answer
    assert judge(TWO_STEPS, [sounds], {10}, 12).all_answer
    assert not judge(TWO_STEPS, [sounds], {10, ALL_ANSWER_S}, 12).all_answer


@given(rules, st.lists(st.tuples(seconds, st.lists(words, max_size=6)), max_size=12))
def test_whatever_happens_each_step_and_the_end_are_taken_once_and_in_time(rule, looks):
    taken: list[int] = []
    for at_s, some in sorted(looks, key=lambda look: look[0]):
        found = judge(rule, some, taken, at_s)
        for step in found.steps:
            assert at_s >= step.after_s
            assert found.silent
        assert not (found.steps and found.all_answer)
        taken += [step.after_s for step in found.steps]
        taken += [ALL_ANSWER_S] * found.all_answer
    assert len(taken) == len(set(taken))
    if ALL_ANSWER_S in taken:
        assert taken[-1] == ALL_ANSWER_S
        assert len(taken) > 1


@given(rules, st.lists(seconds, min_size=1))
def test_while_somebody_stays_silent_every_step_is_taken_however_often_one_looks(rule, looks):
    taken: set[int] = set()
    for at_s in [*sorted(looks), 5000]:
        taken |= {step.after_s for step in judge(rule, [a_word()], taken, at_s).steps}
    assert taken == {step.after_s for step in rule.steps}


def test_what_is_wrong_with_a_step_is_told_at_that_step():
    rule = Rule(10, 15, (Step(10, ("a",)), Step(0, ("a",)), Step(10, ())))
    told = [(found.code, found.fields["field"]) for found in wrong_rule(rule)]
    assert told == [
        ("step-twice", "steps"),
        ("bad-step-time", "step_2"),
        ("bad-step-contacts", "step_3"),
    ]
    many = Rule(10, 15, tuple(Step(after_s, ("a",)) for after_s in range(10, 15)))
    assert [found.code for found in wrong_rule(many)] == ["too-many-steps"]


def first_told(rule: Rule) -> dict[str, int]:
    """When each person is told at the earliest."""
    told: dict[str, int] = {}
    for step in rule.steps:
        for contact in step.contacts:
            told[contact] = min(step.after_s, told.get(contact, step.after_s))
    return told


@given(st.lists(rules, min_size=1, max_size=4))
def test_of_rules_that_come_together_nobody_is_left_out_or_told_later(some):
    one = together(some)
    assert wrong_rule(one) == []
    told = first_told(one)
    for rule in some:
        assert one.answer_s <= rule.answer_s
        assert one.start_s <= rule.start_s
        assert all(told[contact] <= after_s for contact, after_s in first_told(rule).items())
    assert together([one]) == one
