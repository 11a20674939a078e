"""The demo's hours: lawful, and nobody who looks at it late finds it silent."""

import pytest

from server.cli.demo import province
from server.cli.demo.hours import CLOSED_MIN, FRAMES
from server.domain.frames import TimeFrame
from server.domain.hours import left_to, trespasses
from server.domain.units import Unit
from server.domain.week import WHOLE, without

TOP = Unit(province.PROVINCE, province.PROVINCE_NAME, 0, None)
COMMUNES = [Unit(one.unit_id, one.name, 1, TOP.unit_id) for one in province.COMMUNES]
LAID_DOWN = [
    TimeFrame(
        one.unit_id,
        one.owner_id,
        one.weekdays,
        one.local_start,
        one.local_end,
        owner_rank=one.owner_rank,
        session_limit_s=one.session_limit_s,
        volume_ceiling_db=one.volume_ceiling_db,
    )
    for one in FRAMES
]


def test_the_province_may_sound_at_any_hour():
    assert left_to(TOP, [one for one in LAID_DOWN if one.unit_id == TOP.unit_id]) == WHOLE


@pytest.mark.parametrize("commune", COMMUNES, ids=lambda one: one.unit_id)
def test_a_commune_never_waits_long_for_hours_open_to_it(commune):
    above = {TOP.unit_id, commune.unit_id}
    left = left_to(commune, [one for one in LAID_DOWN if one.unit_id in above])
    closed = without(WHOLE, left)
    assert closed
    assert max(end - start for start, end in closed) <= CLOSED_MIN * 60


def test_each_frame_lies_inside_what_the_ones_before_it_leave():
    units = {one.unit_id: one for one in (TOP, *COMMUNES)}
    for place, frame in enumerate(LAID_DOWN):
        before = LAID_DOWN[:place]
        own = [one for one in before if one.unit_id == frame.unit_id]
        above = [one for one in before if one.unit_id != frame.unit_id]
        assert trespasses(frame, units[frame.unit_id], above, own) == []
