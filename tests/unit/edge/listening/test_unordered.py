"""Sound that nobody ordered is told; what comes and goes in a village is not."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.listening.unordered import Unordered

LOUD, SOFT = -20.0, -60.0


def after(*seconds: tuple[float | None, bool], loud_db: float | None = -35.0) -> list[bool]:
    """Say after each second whether the alarm stands."""
    watch, stood = Unordered(loud_db), []
    for level_db, ordered in seconds:
        watch.take(level_db, ordered=ordered)
        stood.append(watch.stands)
    return stood


@pytest.mark.parametrize(
    ("seconds", "stands"),
    [
        ([(LOUD, False)] * 7, False),
        ([(LOUD, False)] * 8, True),
        ([(LOUD, True)] * 60, False),
        ([(LOUD, False), (LOUD, False), (SOFT, False)] * 20, False),
        ([(LOUD, False)] * 4 + [(SOFT, False)] * 2 + [(LOUD, False)] * 4, True),
        ([(-36.0, False)] * 60, False),
        ([(None, False)] * 60, False),
        ([(LOUD, False)] * 8 + [(SOFT, False)] * 14, True),
        ([(LOUD, False)] * 8 + [(SOFT, False)] * 15, False),
        ([(LOUD, False)] * 8 + [(-38.0, False)] * 60, True),
        ([(LOUD, False)] * 8 + [(LOUD, True)] * 15, False),
    ],
)
def test_the_alarm_rises_with_lasting_sound_and_falls_with_lasting_calm(seconds, stands):
    assert after(*seconds)[-1] is stands


def test_where_the_level_of_the_horn_is_not_known_nothing_is_told():
    assert not any(after(*[(0.0, False)] * 60, loud_db=None))


@given(st.lists(st.tuples(st.floats(-120, 0), st.booleans()), max_size=120))
def test_the_alarm_never_flutters(seconds):
    stood = after(*seconds)
    turns = [place for place, (one, other) in enumerate(pairwise(stood)) if one != other]
    falls = [place for place in turns if stood[place]]
    rises = [place for place in turns if not stood[place]]
    assert all(fall - rise >= 15 - 8 for rise in rises for fall in falls if fall > rise)
    assert len(turns) <= 1 + len(seconds) / 8
