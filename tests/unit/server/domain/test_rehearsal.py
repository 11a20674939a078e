from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import BulletinClass, Ceiling, Content, Relay, StartMode, WhenCut
from protocol.policy import Policy
from server.domain.rehearsal import PAUSE_S, What, rehearsed
from tests.factories.claims import (
    NO_RULES,
    NOON,
    a_claim,
    a_content,
    an_announcement,
    an_asset,
    at,
    several_claims,
)

LONG = an_asset("long", duration_s=600.0)
SHORT = an_asset("short", duration_s=60.0)


def of(claims, since, until, *, policy=NO_RULES, ceiling_db=0.0, skip=False):
    return rehearsed(
        claims,
        policy=policy,
        ceiling_db=ceiling_db,
        since=since,
        until=until,
        skip_silence=skip,
    )


def test_a_programme_joined_in_its_middle_is_heard_from_its_middle():
    found = of([a_claim(content=Content(items=(LONG,)))], at(4), at(6))
    (cut,) = found.cuts
    assert (cut.from_s, cut.length_s, cut.at_s) == (240.0, 120.0, 0.0)


@pytest.mark.parametrize(("when_cut", "goes_on_at_s"), [("rejoin", 180.0), ("resume", 120.0)])
def test_what_was_cut_rejoins_by_the_clock_or_goes_on_where_it_was(when_cut, goes_on_at_s):
    programme = a_claim(content=Content(items=(LONG,)), when_cut=WhenCut(when_cut))
    urgent = an_announcement(start=at(2), end=at(3), content=Content(items=(SHORT,)))
    found = of([programme, urgent], NOON, at(5))
    assert [cut.digest for cut in found.cuts] == [LONG.digest, SHORT.digest, LONG.digest]
    assert found.cuts[-1].from_s == goes_on_at_s
    assert found.cuts[-1].at_s == 180.0


def test_opening_repeats_and_gaps_lie_where_the_nodes_lay_them():
    chime = an_asset("chime", duration_s=5.0)
    content = Content(items=(SHORT,), opening=chime, repeat=2, gap_s=10.0)
    found = of([a_claim(content=content)], NOON, at(3))
    assert [(cut.digest, cut.at_s) for cut in found.cuts] == [
        (chime.digest, 0.0),
        (SHORT.digest, 5.0),
        (SHORT.digest, 75.0),
    ]


def test_silence_is_kept_by_the_clock_or_left_out():
    claims = [
        a_claim(end=at(1), content=Content(items=(SHORT,))),
        a_claim(claim_id="tin-2", start=at(30), end=at(31), content=Content(items=(SHORT,))),
    ]
    assert of(claims, NOON, at(31)).cuts[1].at_s == 1800.0
    skipped = of(claims, NOON, at(31), skip=True)
    assert skipped.cuts[1].at_s == 60.0 + PAUSE_S
    assert skipped.length_s == 120.0 + PAUSE_S
    assert skipped.scenes[1].end - skipped.scenes[1].start == timedelta(minutes=29)


def test_a_relay_is_named_and_cannot_be_heard():
    relay = a_claim(content=Content(relay=Relay(url="https://radio.vn/live")))
    found = of([relay], NOON, at(5), skip=True)
    assert [(scene.what, scene.length_s) for scene in found.scenes] == [(What.RELAY, PAUSE_S)]
    assert found.scenes[0].claim == relay
    assert found.cuts == ()


def test_volume_goes_by_the_claim_the_hours_and_the_cluster():
    hushed = Policy(ceilings=(Ceiling(start=at(-60), end=at(60), volume_ceiling_db=-9.0),))
    (cut,) = of([a_claim(gain_db=-3.0)], NOON, at(1), policy=hushed).cuts
    assert cut.gain_db == -9.0
    (cut,) = of([a_claim(gain_db=-3.0)], NOON, at(1), ceiling_db=-20.0).cuts
    assert cut.gain_db == -20.0


@given(several_claims, st.integers(-30, 20), st.integers(1, 40), st.booleans())
def test_scenes_follow_one_another_and_no_cut_lies_over_another(claims, first, minutes, skip):
    since, until = at(first), at(first + minutes)
    found = of(claims, since, until, skip=skip)
    assert found.scenes[0].start == since
    assert found.scenes[-1].end == until
    for before, after in zip(found.scenes, found.scenes[1:], strict=False):
        assert before.end == after.start
        assert after.at_s == pytest.approx(before.at_s + before.length_s)
    for before, after in zip(found.cuts, found.cuts[1:], strict=False):
        assert before.at_s + before.length_s <= after.at_s + 1e-6
    if not skip:
        assert found.length_s == pytest.approx((until - since).total_seconds())


def test_content_that_is_over_before_its_claim_leaves_silence():
    found = of([a_claim(content=a_content(items=(SHORT,)))], NOON, at(10))
    assert [scene.what for scene in found.scenes] == [What.SOUND, What.SILENCE]


def test_what_waits_for_the_file_that_sounds_is_heard_from_its_own_beginning():
    first = a_claim(content=Content(items=(LONG,)))
    second = a_claim(
        claim_id="tin-2",
        bulletin_class=BulletinClass.PRIORITY,
        start=at(5),
        end=at(20),
        content=Content(items=(an_asset("second", duration_s=120.0),)),
        start_mode=StartMode.WAIT,
        wait_s=120.0,
    )
    found = of([first, second], at(6), at(12))
    assert [(cut.from_s, cut.at_s) for cut in found.cuts] == [
        (360.0, 0.0),
        (0.0, 60.0),
        (540.0, 180.0),
    ]
