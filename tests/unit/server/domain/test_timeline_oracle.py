"""A hundred thousand random days of a cluster, each held against the oracle at every turn.

A few are asked at every minute, every day (``test_timelines``).
"""

from random import Random

import pytest

from tests.factories.cases import a_case

CASES = 100_000
AT_ONCE = 10_000


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("first_seed", range(0, CASES, AT_ONCE))
def test_at_every_turn_a_cluster_sounds_what_the_law_says(first_seed: int):
    contested = 0
    for seed in range(first_seed, first_seed + AT_ONCE):
        case = a_case(Random(seed))  # noqa: S311 - a case, no secret
        turns = case.turns()
        assert case.heard(turns) == [case.expected(at) for at in turns], seed
        contested += any(
            sum(programme.began(at) is not None for programme in case.programmes) > 1
            for at in turns
        )
    # Days on which nobody wants what another has would prove little.
    assert contested > AT_ONCE / 4
