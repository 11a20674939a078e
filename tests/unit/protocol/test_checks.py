"""Whoever tries the loudspeakers neither cuts nor holds up what people are to hear."""

import msgspec
import pytest
from hypothesis import given
from msgspec.structs import replace

from protocol.airtime import airtimes
from protocol.messages import (
    BulletinClass,
    ClaimKind,
    Mode,
    Relay,
    SoundCheck,
    StartMode,
    Targets,
    encode,
)
from protocol.precedence import key, winner
from tests.factories.claims import (
    COMMUNE,
    NO_RULES,
    NOON,
    a_claim,
    a_content,
    an_announcement,
    an_asset,
    at,
    instants,
    policies,
    several_claims,
)
from tests.factories.messages import a_sound_check

ORDINARY, PRIORITY, EMERGENCY = BulletinClass
CHECK = a_sound_check(start=at(-1), end=at(20)).claim
CUTTING = replace(CHECK, mode=Mode.DRILL)


@given(several_claims, policies, instants)
def test_a_check_is_never_heard_where_anything_else_would_be(some, policy, now):
    some = [claim for claim in some if claim.kind is not ClaimKind.CHECK]
    without = winner(some, now, policy)
    heard = winner([*some, CHECK], now, policy)
    assert heard == without or (without is None and heard == CHECK)


@given(several_claims, policies, instants)
def test_a_check_that_may_cut_cuts_nothing_real_of_priority_or_above(some, policy, now):
    without = winner(some, now, policy)
    if winner([*some, CUTTING], now, policy) == CUTTING and without is not None:
        is_real = without.mode is Mode.REAL
        assert not (is_real and without.bulletin_class is not ORDINARY)


def test_a_check_that_may_cut_cuts_an_ordinary_programme_that_the_other_kind_gives_way_to():
    programme = a_claim()
    assert key(CUTTING, NOON, NO_RULES) < key(programme, NOON, NO_RULES)
    assert key(programme, NOON, NO_RULES) < key(CHECK, NOON, NO_RULES)


@pytest.mark.parametrize("check", [CHECK, CUTTING])
@pytest.mark.parametrize("mode", StartMode)
def test_what_waits_for_the_end_of_a_file_does_not_wait_for_a_check(check, mode):
    programme = a_claim(start_mode=mode, bulletin_class=PRIORITY, wait_s=600.0)
    times = airtimes([check, programme], NO_RULES)
    assert times[1].start == programme.start


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": ClaimKind.ANNOUNCEMENT},
        {"bulletin_class": EMERGENCY},
        {"unit": "xa-2"},
        {"targets": Targets(units=(COMMUNE,))},
        {"targets": Targets(clusters=("cum-1", "cum-2"))},
        {"content": a_content(items=(), relay=Relay(url="http://dai.example"))},
    ],
)
def test_an_order_to_try_the_loudspeakers_can_say_nothing_more_than_that(changed):
    raw = encode(a_sound_check())
    wrong = msgspec.json.decode(raw)
    wrong["claim"] = msgspec.json.decode(encode(replace(CHECK, **changed)))
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(wrong), type=SoundCheck)
    assert msgspec.json.decode(raw, type=SoundCheck) == a_sound_check()


def test_an_emergency_is_heard_over_a_check():
    siren = an_announcement(content=a_content(items=(an_asset("siren"),)))
    assert winner([CUTTING, CHECK, siren], NOON, NO_RULES) == siren
