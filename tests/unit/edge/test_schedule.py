"""What a node takes in, and what it refuses."""

from dataclasses import replace
from datetime import timedelta

import pytest

from edge.schedule import (
    Accepted,
    Acknowledged,
    Doubtful,
    HeldAlready,
    Holdings,
    Kept,
    Repeated,
    Timed,
    Unconcerned,
    held_on_disk,
    receive,
)
from protocol.errors import Refusal, RefusedError
from protocol.messages import (
    Acknowledge,
    BulletinClass,
    Interval,
    Rules,
    SignedTime,
    Targets,
    UnitPlace,
)
from protocol.signing import audience_node, audience_unit
from tests.factories.claims import (
    CLUSTER,
    COMMUNE,
    NODE,
    NOON,
    PROVINCE,
    VILLAGE,
    a_claim,
    an_announcement,
    an_interval,
    at,
)
from tests.factories.messages import (
    A_NONCE,
    COMMUNE_KEY,
    PROVINCE_KEY,
    ROOT_KEY,
    a_certified,
    a_config,
    a_key,
    a_plan,
    a_play,
    a_stop,
    a_token,
)

CONFIG_TOPIC = f"loa/1/node/{NODE}/in/config"
NODE_ORDER_TOPIC = f"loa/1/node/{NODE}/in/order"
PLAN_TOPIC = f"loa/1/unit/{COMMUNE}/plan"
ORDER_TOPIC = f"loa/1/unit/{COMMUNE}/order"
A_DAY = timedelta(days=1)

EMPTY = Holdings(NODE, ROOT_KEY.private.public_key())


def config_token(key=PROVINCE_KEY, **overrides: object):
    return a_token(a_config(**overrides), key, audience=(audience_node(NODE),))


def plan_token(key=COMMUNE_KEY, expires=None, **overrides: object):
    plan = a_plan(**overrides)
    return a_token(plan, key, audience=(audience_unit(plan.unit),), expires=expires)


def taken(held, topic, token, now=NOON):
    """What is held after an accepted message."""
    verdict = receive(held, topic, token, now)
    assert isinstance(verdict, Accepted), verdict
    return verdict.holdings


def refused(held, topic, token, now=NOON):
    """Why a message is refused."""
    with pytest.raises(RefusedError) as caught:
        receive(held, topic, token, now)
    return caught.value.refusal


@pytest.fixture
def held():
    return taken(EMPTY, CONFIG_TOPIC, config_token())


def test_without_a_configuration_all_else_is_refused():
    assert refused(EMPTY, PLAN_TOPIC, plan_token()) is Refusal.NO_CONFIG
    assert refused(EMPTY, ORDER_TOPIC, a_token()) is Refusal.NO_CONFIG


def test_a_configuration_is_verified_by_the_certificates_it_carries(held):
    assert held.place.cluster == CLUSTER
    assert held.place.chain == (PROVINCE, COMMUNE)


def test_the_root_key_itself_may_configure():
    assert taken(EMPTY, CONFIG_TOPIC, config_token(ROOT_KEY)).config.version == 1


def test_a_key_that_may_not_configure_is_refused():
    assert refused(EMPTY, CONFIG_TOPIC, config_token(COMMUNE_KEY)) is Refusal.OUT_OF_SCOPE


def test_certificates_of_another_root_make_a_configuration_forged():
    other = a_certified(PROVINCE_KEY, root=a_key("root", "another root"))
    token = config_token(certificates=(other,))
    assert refused(EMPTY, CONFIG_TOPIC, token) is Refusal.FORGED


def test_a_configuration_of_another_node_is_refused(held):
    token = a_token(a_config(node="nut-2"), PROVINCE_KEY, audience=(audience_node(NODE),))
    assert refused(held, CONFIG_TOPIC, token) is Refusal.OUT_OF_SCOPE


def test_a_revoked_key_cannot_clear_its_own_name(held):
    revoking = config_token(ROOT_KEY, version=2, revoked_keys=(PROVINCE_KEY.key_id,))
    held = taken(held, CONFIG_TOPIC, revoking)
    assert refused(held, CONFIG_TOPIC, config_token(version=3)) is Refusal.REVOKED_KEY


def test_a_configuration_that_revokes_its_own_signer_is_refused():
    token = config_token(revoked_keys=(PROVINCE_KEY.key_id,))
    assert refused(EMPTY, CONFIG_TOPIC, token) is Refusal.REVOKED_KEY


def test_only_a_newer_version_counts(held):
    held = taken(held, PLAN_TOPIC, plan_token(version=7))
    assert isinstance(receive(held, PLAN_TOPIC, plan_token(version=7), NOON), HeldAlready)
    assert refused(held, PLAN_TOPIC, plan_token(version=6)) is Refusal.STALE_VERSION
    held = taken(held, PLAN_TOPIC, plan_token(version=8))
    assert held.plan_versions == {COMMUNE: 8}


def test_a_plan_brings_the_certificate_of_a_new_key(held):
    renewed = a_key(COMMUNE, "renewed key of the commune")
    assert refused(held, PLAN_TOPIC, plan_token(renewed)) is Refusal.UNKNOWN_KEY
    token = plan_token(renewed, certificates=(a_certified(renewed),))
    held = taken(held, PLAN_TOPIC, token)
    order = a_token(a_play(), renewed)
    assert taken(held, ORDER_TOPIC, order).orders.keys() == {"lenh-1"}


def test_a_plan_is_taken_only_on_the_topic_of_its_unit(held):
    topic = f"loa/1/unit/{PROVINCE}/plan"
    assert refused(held, topic, plan_token()) is Refusal.OUT_OF_SCOPE
    assert refused(held, ORDER_TOPIC, plan_token()) is Refusal.OUT_OF_SCOPE


def test_a_topic_that_is_none_of_ours_is_refused(held):
    assert refused(held, "loa/2/unit/xa-1/plan", plan_token()) is Refusal.UNKNOWN_KIND


def test_what_is_no_token_is_garbled(held):
    assert refused(held, PLAN_TOPIC, b"") is Refusal.GARBLED
    assert refused(held, ORDER_TOPIC, b"\xff\x00 not a token") is Refusal.GARBLED


def test_an_order_that_came_already_is_repeated(held):
    held = taken(held, ORDER_TOPIC, a_token())
    assert receive(held, NODE_ORDER_TOPIC, a_token(), NOON) == Repeated("lenh-1", "khan-1")


def test_an_expired_order_is_refused(held):
    assert refused(held, ORDER_TOPIC, a_token(), at(11)) is Refusal.EXPIRED


def test_an_order_for_other_clusters_is_no_concern_of_ours(held):
    token = a_token(a_play(targets=Targets(units=(COMMUNE,), exclude=(CLUSTER,))))
    assert isinstance(receive(held, ORDER_TOPIC, token, NOON), Unconcerned)


def test_an_order_by_a_unit_that_is_not_above_is_refused(held):
    village = a_key(VILLAGE)
    config = config_token(version=2, certificates=(a_certified(PROVINCE_KEY), a_certified(village)))
    held = taken(held, CONFIG_TOPIC, config)
    token = a_token(
        a_play(unit=VILLAGE, targets=Targets(clusters=(CLUSTER,))),
        village,
        audience=(audience_node(NODE),),
    )
    assert refused(held, NODE_ORDER_TOPIC, token) is Refusal.OUT_OF_SCOPE


def test_a_play_that_is_quiet_hours_through_and_through_is_refused(held):
    rules = Rules(quiet=(an_interval(-10, 5), an_interval(5, 30)))
    held = taken(held, PLAN_TOPIC, plan_token(rules=rules))
    ordinary = a_token(a_play(bulletin_class=BulletinClass.PRIORITY))
    assert refused(held, ORDER_TOPIC, ordinary) is Refusal.QUIET_HOURS
    assert receive(held, ORDER_TOPIC, a_token(a_play()), NOON).order.claim_id == "khan-1"


def test_a_play_that_may_begin_after_quiet_hours_is_taken(held):
    rules = Rules(quiet=(Interval(start=at(-10), end=at(9)),))
    held = taken(held, PLAN_TOPIC, plan_token(rules=rules))
    ordinary = a_token(a_play(bulletin_class=BulletinClass.PRIORITY))
    assert taken(held, ORDER_TOPIC, ordinary).programme().claims.keys() == {f"{COMMUNE}/khan-1"}


def test_an_acknowledgement_counts_only_on_the_nodes_own_topic(held):
    token = a_token(Acknowledge(report_ids=("a",)), PROVINCE_KEY, audience=(audience_node(NODE),))
    assert receive(held, NODE_ORDER_TOPIC, token, NOON) == Acknowledged(("a",))
    assert refused(held, ORDER_TOPIC, token) is Refusal.OUT_OF_SCOPE


def test_plans_and_orders_make_up_the_programme(held):
    held = taken(held, PLAN_TOPIC, plan_token(claims=(a_claim(),)))
    held = taken(held, ORDER_TOPIC, a_token())
    held = taken(held, ORDER_TOPIC, a_token(a_stop(), message_id="lenh-2"))
    programme = held.programme()
    assert programme.claims.keys() == {f"{COMMUNE}/tin-1", f"{COMMUNE}/khan-1"}
    assert set(programme.policy.stops) == {(COMMUNE, "khan-1")}


def test_the_programme_is_heard_as_late_as_the_configuration_says(held):
    late = replace(held, config=a_config(delay_s=0.25))
    assert (held.programme().delay, late.programme().delay) == (
        timedelta(),
        timedelta(seconds=0.25),
    )


def test_a_stop_of_another_unit_stops_nothing_of_ours(held):
    held = taken(held, ORDER_TOPIC, a_token())
    stop = a_token(
        a_stop(unit=PROVINCE),
        PROVINCE_KEY,
        audience=(audience_unit(PROVINCE),),
        message_id="lenh-2",
    )
    held = taken(held, f"loa/1/unit/{PROVINCE}/order", stop)
    assert set(held.programme().policy.stops) == {(PROVINCE, "khan-1")}


def test_the_later_word_about_a_claim_counts_whichever_way_it_came(held):
    newer = an_announcement(issued_at=at(1), title="newer")
    play_first = taken(taken(held, ORDER_TOPIC, a_token()), PLAN_TOPIC, plan_token(claims=(newer,)))
    plan_first = taken(taken(held, PLAN_TOPIC, plan_token(claims=(newer,))), ORDER_TOPIC, a_token())
    assert play_first.programme() == plan_first.programme()
    assert play_first.programme().claims[f"{COMMUNE}/khan-1"].title == "newer"


def kept_of(*arrivals: tuple[str, bytes]):
    held, kept = EMPTY, []
    for topic, token in arrivals:
        verdict = receive(held, topic, token, NOON)
        held = verdict.holdings
        kept.append(verdict.kept)
    return held, kept


def test_what_is_on_disk_holds_after_its_tokens_have_expired():
    held, kept = kept_of(
        (CONFIG_TOPIC, config_token()),
        (PLAN_TOPIC, plan_token(claims=(a_claim(),), expires=at(10))),
        (ORDER_TOPIC, a_token()),
    )
    again, bad = held_on_disk(EMPTY, reversed(kept))
    assert (again.config, again.plans, again.orders) == (held.config, held.plans, held.orders)
    assert bad == ()
    assert all(each.forget_at > NOON + A_DAY for each in kept)


def test_what_was_changed_on_disk_is_refused():
    _held, kept = kept_of((CONFIG_TOPIC, config_token()), (PLAN_TOPIC, plan_token()))
    plan = kept[1]
    head, body, signature = plan.raw.split(b".")
    forged = Kept(
        plan.kind,
        plan.name,
        b".".join((head, body, signature[:-4] + b"AAAA")),
        plan.accepted_at,
        plan.forget_at,
    )
    held, ((bad, why),) = held_on_disk(EMPTY, (kept[0], forged))
    assert held.plans == {}
    assert (bad, why.refusal) == (forged, Refusal.FORGED)


def test_a_key_revoked_by_a_new_configuration_takes_its_plans_with_it():
    _held, kept = kept_of((CONFIG_TOPIC, config_token()), (PLAN_TOPIC, plan_token()))
    revoking = receive(
        EMPTY, CONFIG_TOPIC, config_token(version=2, revoked_keys=(COMMUNE_KEY.key_id,)), NOON
    ).kept
    held, ((bad, why),) = held_on_disk(EMPTY, (revoking, kept[1]))
    assert held.plans == {}
    assert (bad.name, why.refusal) == (COMMUNE, Refusal.REVOKED_KEY)


def test_a_cluster_that_moved_lets_go_of_its_former_commune():
    _held, kept = kept_of((CONFIG_TOPIC, config_token()), (PLAN_TOPIC, plan_token()))
    chain = (UnitPlace(unit=PROVINCE, level=0), UnitPlace(unit="xa-2", level=1))
    moved = receive(EMPTY, CONFIG_TOPIC, config_token(version=2, chain=chain), NOON).kept
    held, ((bad, _why),) = held_on_disk(EMPTY, (moved, kept[1]))
    assert (held.plans, bad.name) == ({}, COMMUNE)


def test_signed_time_is_taken_from_whoever_configures_and_from_nobody_else(held):
    answer = SignedTime(nonce=A_NONCE, at=NOON)
    audience = (audience_node(NODE),)
    token = a_token(answer, PROVINCE_KEY, audience=audience)
    assert receive(held, NODE_ORDER_TOPIC, token, NOON) == Timed(A_NONCE, NOON)
    forged = a_token(answer, COMMUNE_KEY, audience=audience)
    with pytest.raises(RefusedError) as refused:
        receive(held, NODE_ORDER_TOPIC, forged, NOON)
    assert refused.value.refusal is Refusal.OUT_OF_SCOPE
    with pytest.raises(RefusedError) as refused:
        receive(held, ORDER_TOPIC, token, NOON)
    assert refused.value.refusal is Refusal.OUT_OF_SCOPE


def test_without_a_clock_an_order_issued_before_the_newest_one_known_is_doubtful(held):
    token = a_token(a_play(start=NOON, end=at(1)))
    verdict = receive(held, ORDER_TOPIC, token, NOON, newest_issued=at(1))
    assert isinstance(verdict, Doubtful)
    assert verdict.order.claim_id == "khan-1"
    assert isinstance(receive(held, ORDER_TOPIC, token, NOON, newest_issued=NOON), Accepted)


def test_without_a_clock_an_order_that_is_held_is_known_again_however_old(held):
    token = a_token(a_play(start=NOON, end=at(1)))
    held = receive(held, ORDER_TOPIC, token, NOON).holdings
    verdict = receive(held, ORDER_TOPIC, token, NOON, newest_issued=at(1))
    assert verdict == Repeated("lenh-1", "khan-1")


def test_a_plan_with_a_million_claims_is_refused_unread(held):
    raw = plan_token(version=2)
    huge = raw[:-1] + b"x" * (200 * 1_000_000)
    with pytest.raises(RefusedError) as refused:
        receive(held, PLAN_TOPIC, huge, NOON)
    assert refused.value.refusal is Refusal.TOO_LARGE


def test_the_most_claims_that_fit_a_plan_are_taken_in(held):
    claims = tuple(a_claim(claim_id=f"tin-{number}") for number in range(1500))
    verdict = receive(held, PLAN_TOPIC, plan_token(version=2, claims=claims), NOON)
    assert len(verdict.holdings.programme().claims) == 1500
