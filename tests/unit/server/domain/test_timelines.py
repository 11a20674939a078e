"""From slots and frames to what a cluster sounds, held against an oracle that asks each minute."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.factories.cases import Case, a_case
from tests.factories.oracles import MINUTE

cases = st.integers(0, 2**32).map(lambda seed: a_case(Random(seed)))  # noqa: S311 - a case, no secret


@given(cases)
def test_at_every_minute_a_cluster_sounds_what_the_law_says(case: Case):
    assert case.heard(case.minutes) == [case.expected(at) for at in case.minutes]


@given(cases)
def test_a_timeline_is_of_its_window_and_changes_at_whole_minutes(case: Case):
    spans = case.spans()
    assert (spans[0].start, spans[-1].end) == case.window
    assert all((span.start - case.window[0]) % MINUTE == 0 * MINUTE for span in spans)


@given(cases)
def test_to_compile_twice_changes_nothing(case: Case):
    assert case.spans() == case.spans()
