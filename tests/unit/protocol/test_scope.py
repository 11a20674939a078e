"""What each key may say: a unit speaks for itself, to its own subtree, in its own classes."""

import pytest

from protocol.errors import Refusal, RefusedError
from protocol.messages import BulletinClass, ClaimKind, Targets
from protocol.signing import audience_node, audience_unit, check_scope, verify
from tests.factories.claims import (
    CLUSTER,
    COMMUNE,
    HERE,
    NODE,
    NOON,
    PROVINCE,
    VILLAGE,
    a_claim,
    an_announcement,
)
from tests.factories.messages import (
    COMMUNE_KEY,
    PROVINCE_KEY,
    ROOT_KEY,
    a_certificate,
    a_certified,
    a_config,
    a_key,
    a_plan,
    a_play,
    a_stop,
    a_token,
    a_trust,
    an_acknowledge,
    audiences,
)

NEIGHBOUR_KEY = a_key("xa-2")
ALL = a_trust(a_certified(PROVINCE_KEY), a_certified(COMMUNE_KEY), a_certified(NEIGHBOUR_KEY))
TO_ME = (audience_node(NODE), audience_unit(COMMUNE))


def judged(message, key=COMMUNE_KEY, believed=ALL, chain=HERE.chain):
    raw = a_token(message, key, audience=TO_ME)
    verified = verify(raw, believed, audiences=audiences(), now=NOON)
    check_scope(verified, chain)
    return verified


def refusal(message, key=COMMUNE_KEY, believed=ALL, chain=HERE.chain):
    with pytest.raises(RefusedError) as caught:
        judged(message, key, believed, chain)
    return caught.value.refusal


def limited(*classes: BulletinClass):
    return a_trust(a_certified(COMMUNE_KEY, classes=classes))


def test_nobody_may_send_what_only_the_talk_key_of_a_box_may_say():
    assert refusal(a_play(kind=ClaimKind.LOCAL)) is Refusal.OUT_OF_SCOPE
    assert refusal(a_plan(claims=(a_claim(kind=ClaimKind.LOCAL),))) is Refusal.OUT_OF_SCOPE


def test_a_class_that_the_key_may_not_order_is_refused():
    ordinary = limited(BulletinClass.ORDINARY)
    assert judged(a_play(bulletin_class=BulletinClass.ORDINARY), believed=ordinary)
    for bulletin_class in (BulletinClass.PRIORITY, BulletinClass.EMERGENCY):
        order = a_play(bulletin_class=bulletin_class)
        assert refusal(order, believed=ordinary) is Refusal.CLASS_NOT_ALLOWED


def test_a_higher_class_is_no_leave_for_a_lower_one():
    only = limited(BulletinClass.EMERGENCY)
    order = a_play(bulletin_class=BulletinClass.ORDINARY)
    assert refusal(order, believed=only) is Refusal.CLASS_NOT_ALLOWED


def test_one_claim_of_a_class_not_allowed_spoils_the_whole_plan():
    plan = a_plan(claims=(a_claim(), an_announcement()))
    assert judged(plan)
    assert refusal(plan, believed=limited(BulletinClass.ORDINARY)) is Refusal.CLASS_NOT_ALLOWED


@pytest.mark.parametrize("level", [0, 2])
def test_a_unit_that_lies_about_its_level_is_refused(level):
    assert refusal(a_play(level=level)) is Refusal.OUT_OF_SCOPE
    assert refusal(a_plan(claims=(a_claim(level=level),))) is Refusal.OUT_OF_SCOPE


def test_an_order_in_the_name_of_another_unit_is_refused():
    assert refusal(a_play(unit=PROVINCE, level=1)) is Refusal.OUT_OF_SCOPE
    assert refusal(a_play(), PROVINCE_KEY) is Refusal.OUT_OF_SCOPE


def test_a_plan_of_another_unit_is_refused():
    assert refusal(a_plan(unit=PROVINCE)) is Refusal.OUT_OF_SCOPE
    assert refusal(a_plan(), PROVINCE_KEY) is Refusal.OUT_OF_SCOPE


def test_a_claim_of_another_unit_inside_ones_own_plan_is_refused():
    assert refusal(a_plan(claims=(a_claim(unit="xa-2"),))) is Refusal.OUT_OF_SCOPE


def test_a_stop_in_the_name_of_another_unit_is_refused():
    assert judged(a_stop())
    assert refusal(a_stop(unit=PROVINCE)) is Refusal.OUT_OF_SCOPE
    assert refusal(a_stop(), PROVINCE_KEY) is Refusal.OUT_OF_SCOPE


def test_a_token_whose_issuer_is_not_the_signer_is_refused():
    liar = a_key(PROVINCE, seed=COMMUNE)
    assert liar.key_id == COMMUNE_KEY.key_id
    assert refusal(a_play(), liar) is Refusal.OUT_OF_SCOPE


def test_a_target_above_the_issuer_is_refused():
    above = a_play(targets=Targets(units=(COMMUNE, PROVINCE)))
    assert refusal(above) is Refusal.OUT_OF_SCOPE
    plan = a_plan(claims=(a_claim(targets=Targets(units=(PROVINCE,))),))
    assert refusal(plan) is Refusal.OUT_OF_SCOPE


def test_targets_at_and_below_the_issuer_are_its_own_affair():
    for targets in (
        Targets(units=(COMMUNE,)),
        Targets(units=(VILLAGE,)),
        Targets(clusters=(CLUSTER,)),
    ):
        assert judged(a_play(targets=targets), chain=(PROVINCE, COMMUNE, VILLAGE))


def test_the_unit_above_may_order_in_a_commune():
    order = a_play(unit=PROVINCE, level=0, targets=Targets(units=(COMMUNE,)))
    assert judged(order, PROVINCE_KEY).certificate == a_certificate(PROVINCE_KEY)


def test_a_neighbour_is_refused_even_when_it_addresses_this_node():
    order = a_play(unit="xa-2", targets=Targets(units=(COMMUNE,), clusters=(CLUSTER,)))
    assert refusal(order, NEIGHBOUR_KEY) is Refusal.OUT_OF_SCOPE
    assert refusal(a_plan(unit="xa-2"), NEIGHBOUR_KEY) is Refusal.OUT_OF_SCOPE
    assert refusal(a_stop(unit="xa-2"), NEIGHBOUR_KEY) is Refusal.OUT_OF_SCOPE


def test_a_certificate_of_another_unit_does_not_lend_its_scope():
    # The root vouches for this key as the neighbour's: it cannot speak as the commune.
    believed = a_trust(a_certified(COMMUNE_KEY, unit="xa-2"))
    assert refusal(a_play(), believed=believed) is Refusal.OUT_OF_SCOPE


def test_a_unit_that_the_cluster_has_left_is_refused():
    assert judged(a_play(), chain=(PROVINCE, COMMUNE))
    assert refusal(a_play(), chain=(PROVINCE, "xa-9")) is Refusal.OUT_OF_SCOPE


def test_only_the_root_and_keys_certified_for_it_configure_and_acknowledge():
    for message in (a_config(), an_acknowledge()):
        assert judged(message, ROOT_KEY)
        assert judged(message, PROVINCE_KEY)
        assert refusal(message, COMMUNE_KEY) is Refusal.OUT_OF_SCOPE


def test_the_root_key_makes_no_sound_and_stops_none():
    for message in (a_play(unit="root"), a_plan(unit="root"), a_stop(unit="root"), a_play()):
        assert refusal(message, ROOT_KEY) is Refusal.OUT_OF_SCOPE


def test_a_certificate_is_no_order():
    for key in (COMMUNE_KEY, ROOT_KEY, PROVINCE_KEY):
        assert refusal(a_certificate(), key) is Refusal.OUT_OF_SCOPE
