"""When a cluster counts as not answering."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import BulletinClass, Outcome
from server.domain.deliveries import State
from server.domain.escalation import (
    DEFAULTS,
    LIMITS_S,
    Rule,
    Silence,
    Word,
    is_settled,
    silence,
    silences,
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
rules = st.builds(Rule, answer_s=st.integers(*LIMITS_S), start_s=st.integers(*LIMITS_S))
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
