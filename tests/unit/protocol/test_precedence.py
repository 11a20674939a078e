"""Who wins the loudspeakers. Each rule has examples in which the wrong rule answers otherwise."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import BulletinClass, Claim, ClaimKind, Mode, Severity
from protocol.policy import Policy, Silence
from protocol.precedence import key, winner
from tests.factories.claims import (
    COMMUNE,
    NO_RULES,
    NOON,
    PROVINCE,
    a_claim,
    a_frame,
    an_announcement,
    an_interval,
    at,
    claims,
    instants,
    policies,
    several_claims,
)

ORDINARY, PRIORITY, EMERGENCY = BulletinClass


def heard(*some: Claim, policy=NO_RULES, now=NOON):
    """Name the claim that wins, whatever the order in which they are handed over."""
    forwards, backwards = winner(some, now, policy), winner(some[::-1], now, policy)
    assert forwards == backwards
    return forwards.claim_id if forwards else None


def ranked(**ranks: int):
    return Policy(ranks={name.replace("_", "-"): rank for name, rank in ranks.items()})


@given(several_claims, policies, instants, st.randoms())
def test_every_node_decides_alike_whatever_the_order_of_arrival(some, policy, now, random):
    shuffled = list(some)
    random.shuffle(shuffled)
    assert winner(shuffled, now, policy) == winner(some, now, policy)


@given(several_claims, policies, instants)
def test_no_two_claims_are_equal_before_the_rule(some, policy, now):
    keys = [key(claim, now, policy) for claim in some]
    assert len(set(keys)) == len(keys)


@given(several_claims, policies, instants)
def test_a_claim_delivered_twice_changes_nothing(some, policy, now):
    assert winner([*some, *some], now, policy) == winner(some, now, policy)


@given(several_claims, policies, instants)
def test_the_winner_covers_the_instant_and_is_permitted(some, policy, now):
    chosen = winner(some, now, policy)
    able = [claim for claim in some if claim.covers(now) and policy.permits(claim, now)]
    assert (chosen in able) if able else chosen is None


@given(several_claims, policies, instants)
def test_circular_39_2020_tt_btttt_an_emergency_sounds_at_once_over_everything(some, policy, now):
    emergency = an_announcement(claim_id="chay-rung", start=at(-30), end=at(31))
    # Only a hush that somebody has ordered for emergencies too keeps it silent.
    spared = tuple(silence for silence in policy.silences if silence.spares_emergencies)
    chosen = winner([*some, emergency], now, replace(policy, silences=spared))
    assert chosen.bulletin_class is EMERGENCY
    assert chosen.mode is Mode.REAL


@given(several_claims, policies, instants)
def test_a_real_claim_of_a_higher_class_is_never_displaced_by_a_lower_one(some, policy, now):
    real = [claim for claim in some if claim.mode is Mode.REAL]
    chosen = winner(real, now, policy)
    order = [EMERGENCY, PRIORITY, ORDINARY]
    rivals = [c for c in real if c.covers(now) and policy.permits(c, now)]
    assert all(order.index(chosen.bulletin_class) <= order.index(c.bulletin_class) for c in rivals)


def test_circular_39_2020_tt_btttt_a_priority_bulletin_goes_before_the_ordinary_programme():
    # By level, frame or start alone, the ordinary programme of the province would win.
    programme = a_claim(claim_id="a-tinh", unit=PROVINCE, level=0, start=at(-5))
    bulletin = a_claim(claim_id="z-xa", bulletin_class=PRIORITY)
    policy = Policy(frames=(a_frame(PROVINCE, -30, 30),))
    assert heard(programme, bulletin, policy=policy) == "z-xa"


def test_circular_39_2020_tt_btttt_the_commune_decides_the_order_of_clashing_priority_items():
    ours = a_claim(claim_id="z-xa", bulletin_class=PRIORITY, start=at(-1))
    theirs = a_claim(
        claim_id="a-tinh",
        unit=PROVINCE,
        level=0,
        bulletin_class=PRIORITY,
        kind=ClaimKind.ANNOUNCEMENT,
        start=at(-5),
    )
    assert heard(ours, theirs) == "a-tinh"
    assert heard(ours, theirs, policy=ranked(z_xa=1)) == "z-xa"
    assert heard(ours, theirs, policy=ranked(z_xa=2, a_tinh=1)) == "a-tinh"
    assert heard(ours, theirs, policy=ranked(z_xa=1, a_tinh=2)) == "z-xa"


def test_circular_39_2020_tt_btttt_the_commune_cannot_rank_anything_above_an_emergency():
    bulletin = a_claim(claim_id="a-xa", bulletin_class=PRIORITY)
    emergency = an_announcement(severity=Severity.UNKNOWN)
    assert heard(bulletin, emergency, policy=ranked(a_xa=-99)) == "khan-1"


def test_a_rank_says_nothing_among_ordinary_claims():
    first, second = a_claim(claim_id="a"), a_claim(claim_id="b")
    assert heard(first, second, policy=ranked(b=1)) == "a"


def test_a_priority_announcement_goes_before_a_scheduled_priority_item_of_a_higher_unit():
    scheduled = a_claim(
        claim_id="a-tinh", unit=PROVINCE, level=0, bulletin_class=PRIORITY, start=at(-5)
    )
    for kind in (ClaimKind.ANNOUNCEMENT, ClaimKind.LIVE):
        said = a_claim(claim_id="z-xa", bulletin_class=PRIORITY, kind=kind)
        assert heard(scheduled, said) == "z-xa"


def test_among_priority_claims_the_higher_unit_then_the_earlier_start_then_the_name_decide():
    low = a_claim(claim_id="a", level=1, bulletin_class=PRIORITY, start=at(-9))
    high = a_claim(claim_id="z", unit=PROVINCE, level=0, bulletin_class=PRIORITY)
    assert heard(low, high) == "z"
    late = a_claim(claim_id="b", level=1, bulletin_class=PRIORITY, start=at(-8))
    assert heard(low, late) == "a"
    early = a_claim(claim_id="z", level=1, bulletin_class=PRIORITY, start=at(-10))
    assert heard(low, early) == "z"


@given(several_claims, policies, instants, st.sampled_from((PRIORITY, EMERGENCY)))
def test_who_speaks_at_the_box_goes_before_all_but_the_emergencies_of_the_network(
    some, policy, now, bulletin_class
):
    talk = an_announcement(
        claim_id="nt-1",
        bulletin_class=bulletin_class,
        severity=Severity.EXTREME,
        kind=ClaimKind.LOCAL,
        issued_at=at(59),
        start=at(-30),
        end=at(31),
    )
    emergencies = [claim for claim in some if key(claim, now, policy)[0] == 0]
    without = winner(emergencies, now, policy)
    allowed = talk if policy.permits(talk, now) else winner(some, now, policy)
    assert winner([*some, talk], now, policy) == (without or allowed)


def test_a_hush_silences_who_speaks_at_the_box_also_where_it_spares_emergencies():
    talk = an_announcement(claim_id="nt-1", kind=ClaimKind.LOCAL)
    spares = Silence("im-1", COMMUNE, at(-5), spares_emergencies=True)
    assert heard(talk, policy=Policy(silences=(spares,))) is None


def test_quiet_hours_hold_for_who_speaks_at_the_box_unless_nobody_else_could_warn():
    quiet = Policy(quiet=(an_interval(-5, 5),))
    for bulletin_class, name in ((PRIORITY, None), (EMERGENCY, "nt-1")):
        talk = an_announcement(claim_id="nt-1", kind=ClaimKind.LOCAL, bulletin_class=bulletin_class)
        assert heard(talk, policy=quiet) == name


def test_the_graver_emergency_wins_even_when_it_is_the_older_and_from_below():
    newer = an_announcement(claim_id="a", unit=PROVINCE, level=0, issued_at=at(-1))
    graver = an_announcement(claim_id="z", severity=Severity.EXTREME, issued_at=at(-20))
    assert heard(newer, graver) == "z"


def test_of_equally_grave_emergencies_the_later_issued_wins_whatever_it_is_called():
    old = an_announcement(claim_id="a", issued_at=at(-2))
    new = an_announcement(claim_id="z", issued_at=at(-1))
    assert heard(old, new) == "z"


def test_an_emergency_that_was_displaced_returns_when_the_graver_one_has_ended():
    fire = an_announcement(claim_id="chay")
    flood = an_announcement(claim_id="lu", severity=Severity.EXTREME, end=at(5))
    assert heard(fire, flood, now=at(4.99)) == "lu"
    assert heard(fire, flood, now=at(5)) == "chay"


def test_the_owner_of_the_time_frame_goes_before_a_higher_unit_and_only_within_it():
    ours = a_claim(claim_id="z-xa", end=at(30))
    theirs = a_claim(claim_id="a-tinh", unit=PROVINCE, level=0, end=at(30))
    policy = Policy(frames=(a_frame(COMMUNE, 0, 15),))
    assert heard(ours, theirs, policy=policy, now=at(14.99)) == "z-xa"
    assert heard(ours, theirs, policy=policy, now=at(15)) == "a-tinh"


def test_outside_every_frame_the_higher_unit_then_the_earlier_start_then_the_name_decide():
    low = a_claim(claim_id="b", start=at(-9))
    assert heard(low, a_claim(claim_id="z", unit=PROVINCE, level=0)) == "z"
    assert heard(low, a_claim(claim_id="z", start=at(-10))) == "z"
    assert heard(low, a_claim(claim_id="a", start=at(-9))) == "a"


def test_two_units_that_use_one_name_are_still_told_apart():
    one = an_announcement(claim_id="khan-1", unit="xa-1", title="one")
    two = an_announcement(claim_id="khan-1", unit="xa-2", title="two")
    assert winner((one, two), NOON, NO_RULES) == winner((two, one), NOON, NO_RULES)


@given(several_claims, policies, instants)
def test_a_drill_never_displaces_a_real_claim_of_priority_or_above(some, policy, now):
    chosen = winner(some, now, policy)
    if chosen is not None and chosen.mode is Mode.DRILL:
        assert not any(
            claim.mode is Mode.REAL
            and claim.bulletin_class is not ORDINARY
            and claim.covers(now)
            and policy.permits(claim, now)
            for claim in some
        )


@pytest.mark.parametrize("rehearsed", BulletinClass)
def test_a_drill_counts_as_priority_after_every_real_one_whatever_it_rehearses(rehearsed):
    drill = an_announcement(
        claim_id="a-tap",
        unit=PROVINCE,
        level=0,
        mode=Mode.DRILL,
        bulletin_class=rehearsed,
        severity=Severity.EXTREME,
        start=at(-9),
    )
    real = a_claim(claim_id="z-that", bulletin_class=PRIORITY)
    assert heard(drill, real, policy=ranked(a_tap=-1)) == "z-that"
    assert heard(drill, a_claim(claim_id="a")) == "a-tap"


@given(st.lists(claims, max_size=6), policies, instants)
def test_quiet_hours_are_broken_by_nothing_but_a_real_emergency(some, policy, now):
    chosen = winner(some, now, policy)
    if chosen is not None and any(stretch.covers(now) for stretch in policy.quiet):
        assert chosen.bulletin_class is EMERGENCY
        assert chosen.mode is Mode.REAL


def test_a_rehearsed_emergency_keeps_quiet_hours_and_a_real_one_does_not():
    policy = Policy(quiet=(an_interval(-5, 5),))
    drill = an_announcement(mode=Mode.DRILL)
    assert heard(drill, policy=policy) is None
    assert heard(an_announcement(), policy=policy) == "khan-1"


def test_a_lesser_claim_that_is_permitted_is_heard_where_a_higher_one_is_not():
    drill = an_announcement(mode=Mode.DRILL, severity=Severity.EXTREME)
    emergency = an_announcement(claim_id="z", severity=Severity.UNKNOWN)
    assert heard(drill, emergency, policy=Policy(quiet=(an_interval(-5, 5),))) == "z"


def test_a_claim_sounds_from_its_start_and_no_longer_at_its_end():
    claim = a_claim()
    assert heard(claim, now=at(-0.001)) is None
    assert heard(claim, now=NOON) == "tin-1"
    assert heard(claim, now=at(9.999)) == "tin-1"
    assert heard(claim, now=at(10)) is None
