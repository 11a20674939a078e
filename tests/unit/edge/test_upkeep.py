"""Orders to this one box: what it cannot do now it refuses at once, and the rest it carries out."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.runs import ClaimKey
from edge.schedule import Accepted, Holdings, Order, Repeated, held_on_disk, receive
from edge.upkeep import LAMPS, NO_LAMPS, UpkeepDesk, check_able, restarted
from protocol.errors import Refusal, RefusedError
from protocol.messages import BulletinClass, Claim, Mode, Outcome, Preempted
from protocol.policy import EVER, Policy, Silence
from protocol.signing import audience_node
from tests.factories.claims import (
    COMMUNE,
    NODE,
    NOON,
    PROVINCE,
    a_claim,
    a_content,
    an_announcement,
    an_asset,
    an_interval,
    at,
    claims,
)
from tests.factories.messages import (
    COMMUNE_KEY,
    PROVINCE_KEY,
    ROOT_KEY,
    a_config,
    a_key,
    a_restart,
    a_sound_check,
    a_token,
    an_identify,
)
from tests.factories.playouts import World, after_noon

TOPIC = f"loa/1/node/{NODE}/in/order"
CONFIG_TOPIC = f"loa/1/node/{NODE}/in/config"
A_MINUTE = timedelta(minutes=1)
ORDINARY, PRIORITY, EMERGENCY = BulletinClass
SHORT = a_content(items=(an_asset("thu loa", duration_s=4.0),))


def a_check(**facts: object):
    return a_sound_check(start=after_noon(20), end=after_noon(40), content=SHORT, **facts)


def an_order(message) -> Order:
    return Order(message, NOON, NOON + A_MINUTE, NOON)


def a_world(*programme: Claim, now_s: float = 20.0, **facts: object) -> World:
    """A node whose programme is known, at some seconds after noon."""
    world = World()
    world.hold(*programme, **facts)
    world.have(*programme)
    world.run_to(after_noon(now_s))
    return world


def refusal(message, world, trouble="") -> Refusal | None:
    try:
        check_able(an_order(message), world.state, world.now, trouble=trouble)
    except RefusedError as error:
        return error.refusal
    return None


# -- a test sound


def test_a_check_is_refused_while_anything_sounds_and_taken_in_silence():
    assert refusal(a_check(), a_world()) is None
    assert refusal(a_check(), a_world(a_claim())) is Refusal.BUSY


@pytest.mark.parametrize(
    ("sounding", "expected"),
    [
        (a_claim(), None),
        (a_claim(bulletin_class=PRIORITY), Refusal.BUSY),
        (an_announcement(), Refusal.BUSY),
        (an_announcement(mode=Mode.DRILL), Refusal.BUSY),
    ],
)
def test_a_check_that_may_cut_cuts_what_is_ordinary_alone(sounding, expected):
    assert refusal(a_check(mode=Mode.DRILL), a_world(sounding)) is expected


def test_a_check_is_refused_in_silence_by_order_and_in_quiet_hours_whether_it_may_cut_or_not():
    hush = Silence("im-1", PROVINCE, NOON, EVER, spares_emergencies=True)
    for mode in Mode:
        check = a_check(mode=mode)
        assert refusal(check, a_world(policy=Policy(silences=(hush,)))) is Refusal.HUSHED
        quiet = Policy(quiet=(an_interval(-1, 60),))
        assert refusal(check, a_world(policy=quiet)) is Refusal.QUIET_HOURS


@given(claims, st.sampled_from(Mode))
def test_what_was_taken_wins_against_what_sounds_and_what_was_refused_does_not(programme, mode):
    world = a_world(replace(programme, start=at(-1), end=at(5)))
    check = a_check(mode=mode)
    taken = refusal(check, world) is None
    before = world.state.on_air
    sounding = world.state.programme.claims
    world.hold(*sounding.values(), check.claim)
    world.have(*sounding.values(), check.claim)
    world.run_to(world.now + timedelta(seconds=2))
    assert (world.at(after_noon(21.5)) == check.claim.claim_id) is taken
    if taken and before:
        assert mode is Mode.DRILL


def test_a_programme_that_begins_cuts_a_check_that_sounds():
    check, programme = a_check(), a_claim(claim_id="tin-9", start=after_noon(22))
    world = a_world(check.claim, programme)
    world.run_to(after_noon(30))
    assert world.at(after_noon(21)) == "kt-1"
    assert world.at(after_noon(23)) == "tin-9"
    assert any(isinstance(word, Preempted) and word.by == "tin-9" for word in world.told)


def test_what_a_check_has_cut_returns_and_the_check_has_its_one_record():
    check, programme = a_check(mode=Mode.DRILL), a_claim()
    world = a_world(programme)
    world.hold(programme, check.claim)
    world.have(programme, check.claim)
    world.run_to(after_noon(30))
    assert [world.at(after_noon(s)) for s in (19, 22, 26)] == ["tin-1", "kt-1", "tin-1"]
    assert world.record("kt-1").outcome is Outcome.PLAYED


# -- lamps and restart


@pytest.mark.parametrize(("has_lamps", "how"), [(True, LAMPS), (False, NO_LAMPS)])
def test_who_looks_for_the_box_is_told_whether_it_blinks(has_lamps, how):
    asked = []
    desk = UpkeepDesk(lambda lasts_s: asked.append(lasts_s) or has_lamps)
    done = desk.take(an_order(an_identify()), NOON)
    assert (done.claim_id, done.detail, asked) == ("kt-2", how, [30.0])


def restarts(message, world) -> bool:
    desk = UpkeepDesk(lambda _s: True)
    assert desk.take(an_order(message), world.now) is None
    return desk.is_to_restart(world.state, world.now)


def test_a_restart_waits_until_nothing_sounds_and_nothing_is_about_to():
    assert restarts(a_restart(), a_world())
    assert not restarts(a_restart(), a_world(a_claim()))
    assert not restarts(a_restart(), a_world(a_claim(start=after_noon(30))))
    assert restarts(a_restart(), a_world(a_claim(start=after_noon(90))))
    assert not UpkeepDesk(lambda _s: True).is_to_restart(a_world().state, NOON)


def test_a_restart_at_once_cuts_a_programme_but_no_real_emergency():
    now = a_restart(at_once=True)
    assert restarts(now, a_world(a_claim()))
    assert refusal(now, a_world(a_claim())) is None
    assert refusal(now, a_world(an_announcement())) is Refusal.BUSY
    assert refusal(a_restart(), a_world(an_announcement())) is None


def test_a_restart_that_would_lose_what_is_in_memory_alone_is_refused():
    assert refusal(a_restart(at_once=True), a_world(), "disk-full") is Refusal.UNABLE
    assert refusal(an_identify(), a_world(), "disk-full") is None


def test_a_restart_is_told_of_once_in_the_next_life_of_the_program_and_never_again():
    orders = {"kt-3": an_order(a_restart()), "kt-2": an_order(an_identify())}
    found = restarted(orders, {}, at(2))
    ((key, (word, until)),) = found.items()
    assert (key, word.claim_id, word.at) == (ClaimKey(f"{COMMUNE}/kt-3"), "kt-3", at(2))
    # What says that it was told of outlives what would tell of it.
    assert until >= orders["kt-3"].matters_until
    assert restarted(orders, {key: until}, at(3)) == {}


# -- the token


@pytest.fixture
def held():
    token = a_token(a_config(), PROVINCE_KEY, audience=(audience_node(NODE),))
    empty = Holdings(NODE, ROOT_KEY.private.public_key())
    return receive(empty, CONFIG_TOPIC, token, NOON).holdings


def a_signed(message, key=COMMUNE_KEY, name="kt-1", **facts: object) -> bytes:
    facts = {"audience": (audience_node(NODE),), "expires": NOON + A_MINUTE, **facts}
    return a_token(message, key, message_id=name, **facts)


@pytest.mark.parametrize("message", [a_check(), an_identify(), a_restart()])
def test_an_order_is_taken_once_and_known_again_from_disk(held, message):
    token = a_signed(message)
    taken = receive(held, TOPIC, token, NOON)
    assert isinstance(taken, Accepted)
    assert receive(taken.holdings, TOPIC, token, NOON) == Repeated("kt-1", taken.order.claim_id)
    from_disk, bad = held_on_disk(held, [replace_config(held), taken.kept])
    assert bad == ()
    assert isinstance(receive(from_disk, TOPIC, token, NOON), Repeated)


def replace_config(held):
    token = a_token(a_config(), PROVINCE_KEY, audience=(audience_node(NODE),))
    return receive(Holdings(NODE, held.root), CONFIG_TOPIC, token, NOON).kept


@pytest.mark.parametrize("message", [a_check(), an_identify(), a_restart()])
def test_an_order_that_is_old_forged_or_meant_for_another_box_is_refused(held, message):
    def refused(token, topic=TOPIC, now=NOON):
        with pytest.raises(RefusedError) as caught:
            receive(held, topic, token, now)
        return caught.value.refusal

    elsewhere = {
        "kt-1": lambda: a_sound_check("cum-9", content=SHORT),
        "kt-2": lambda: an_identify("cum-9"),
        "kt-3": lambda: a_restart("cum-9"),
    }
    name = an_order(message).claim_id
    assert refused(a_signed(message), now=at(2)) is Refusal.EXPIRED
    assert refused(a_signed(message, a_key(COMMUNE, "thief"))) is Refusal.UNKNOWN_KEY
    assert refused(a_signed(message, PROVINCE_KEY)) is Refusal.OUT_OF_SCOPE
    assert refused(a_signed(elsewhere[name]())) is Refusal.OUT_OF_SCOPE
    assert refused(a_signed(message, audience=(audience_node("n-9"),))) is Refusal.WRONG_AUDIENCE
    assert refused(a_signed(message), f"loa/1/unit/{COMMUNE}/order") is Refusal.OUT_OF_SCOPE
