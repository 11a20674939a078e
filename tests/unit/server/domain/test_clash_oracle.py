"""A hundred thousand pairs of slots, judged by the rules and by laying everything out.

A few hundred others are judged every day beside the rules (``test_clashes``).
"""

from random import Random

import pytest

from server.domain.clashes import clashes
from tests.factories.clash_oracle import a_case, days_met

CASES = 100_000
PARTS = 10


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_clashes_are_what_laying_everything_out_shows(part: int):
    met = 0
    for seed in range(part * CASES // PARTS, (part + 1) * CASES // PARTS):
        case = a_case(Random(seed))  # noqa: S311 - no secret: the same cases every time
        first, last = case.window
        found = clashes(case.new, [case.other], case.now)
        told = {day for clash in found for day in clash.days if first <= day <= last}
        expected = days_met(case)
        assert told == expected, f"seed {seed}: {case}"
        met += bool(expected)
    assert met > CASES // PARTS // 100  # or the cases would be of no use
