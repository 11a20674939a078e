"""Hours, frames, volume and ranks, merged from the top unit down."""

from protocol.messages import Ceiling, Mode, Rules
from protocol.policy import Policy, merge
from tests.factories.claims import (
    COMMUNE,
    NOON,
    PROVINCE,
    a_claim,
    a_frame,
    an_announcement,
    an_interval,
    at,
)
from tests.factories.messages import a_plan


def test_quiet_hours_of_every_unit_above_hold():
    province = a_plan(unit=PROVINCE, rules=Rules(quiet=(an_interval(0, 10),)))
    commune = a_plan(rules=Rules(quiet=(an_interval(20, 30),)))
    policy = merge((province, commune), COMMUNE)
    assert not policy.permits(a_claim(), at(5))
    assert policy.permits(a_claim(), at(15))
    assert not policy.permits(a_claim(), at(25))


def test_quiet_hours_begin_at_their_start_and_are_over_at_their_end():
    policy = Policy(quiet=(an_interval(0, 10),))
    assert policy.permits(a_claim(), at(-0.001))
    assert not policy.permits(a_claim(), NOON)
    assert policy.permits(a_claim(), at(10))


def test_the_lowest_volume_ceiling_holds_wherever_it_was_set():
    loud, soft = Rules(volume_ceiling_db=-1.0), Rules(volume_ceiling_db=-9.0)
    for above, below in ((loud, soft), (soft, loud)):
        merged = merge((a_plan(unit=PROVINCE, rules=above), a_plan(rules=below)), COMMUNE)
        assert merged.volume_ceiling_db == -9.0


def test_the_lowest_ceiling_that_a_play_touches_holds_for_all_but_emergencies():
    rules = Rules(
        volume_ceiling_db=-1.0, ceilings=(a_ceiling(-6.0, 0, 10), a_ceiling(-9.0, 10, 20))
    )
    policy = merge((a_plan(unit=PROVINCE, rules=rules), a_plan()), COMMUNE)
    assert policy.loudest_db(a_claim(), at(-10), NOON) == -1.0
    assert policy.loudest_db(a_claim(), at(-10), at(1)) == -6.0
    assert policy.loudest_db(a_claim(), at(0), at(10)) == -6.0
    assert policy.loudest_db(a_claim(), at(9), at(11)) == -9.0
    assert policy.loudest_db(a_claim(), at(20), at(30)) == -1.0
    assert policy.loudest_db(an_announcement(), NOON, at(10)) == -1.0
    drill = an_announcement(mode=Mode.DRILL)
    assert policy.loudest_db(drill, NOON, at(10)) == -6.0


def a_ceiling(level_db: float, start_min: float, end_min: float) -> Ceiling:
    return Ceiling(start=at(start_min), end=at(end_min), volume_ceiling_db=level_db)


def test_a_frame_that_the_upper_unit_gave_away_cannot_be_taken_back_below():
    province = a_plan(unit=PROVINCE, rules=Rules(frames=(a_frame(PROVINCE, 0, 30),)))
    commune = a_plan(rules=Rules(frames=(a_frame(COMMUNE, 15, 45),)))
    policy = merge((province, commune), COMMUNE)
    assert policy.owner(at(-1)) is None
    assert policy.owner(at(20)) == PROVINCE
    assert policy.owner(at(30)) == COMMUNE
    assert policy.owner(at(45)) is None


def test_circular_39_2020_tt_btttt_the_ranks_are_the_communes_alone():
    province = a_plan(unit=PROVINCE, ranks={"tin-1": 1, "tin-2": 2})
    commune = a_plan(ranks={"tin-2": 1})
    assert dict(merge((province, commune), COMMUNE).ranks) == {"tin-2": 1}


def test_circular_39_2020_tt_btttt_nobody_ranks_for_a_commune_whose_plan_is_not_there():
    province = a_plan(unit=PROVINCE, ranks={"tin-1": 1})
    assert dict(merge((province,), COMMUNE).ranks) == {}
    assert dict(merge((province,), None).ranks) == {}


def test_without_plans_nothing_is_laid_down():
    policy = merge((), COMMUNE)
    assert policy == Policy()
    assert policy.owner(NOON) is None
    assert policy.permits(a_claim(), NOON)
