"""Whether what judges sound can be believed."""

import pytest

from tests.factories.sounds import RATE_HZ, lag_s, noise

SONG = noise(1.0)


@pytest.mark.parametrize("samples", [0, 1, 4_800, 30_000])
def test_a_stretch_is_found_where_it_lies_in_its_source(samples):
    stretch = SONG[samples : samples + 10_000]
    assert lag_s(SONG, stretch) * RATE_HZ == pytest.approx(samples, abs=0.1)


@pytest.mark.parametrize("samples", [1, 11, 4_800])
def test_a_stretch_that_begins_before_its_source_is_found_there(samples):
    assert lag_s(SONG[samples:], SONG[:24_000]) * RATE_HZ == pytest.approx(-samples, abs=0.1)
