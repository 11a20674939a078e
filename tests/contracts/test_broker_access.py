"""What every broker that we run must grant and refuse."""

import queue
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache

import pytest

from protocol.ids import BroadcastId, NodeId, UnitId
from protocol.topics import (
    NODE_WORDS,
    ROOT,
    live,
    node_config,
    node_order,
    node_presence,
    node_report,
    unit_filter,
    unit_order,
    unit_plan,
)
from server.mqtt.access import GATEWAY_USER, LIVE_USER
from server.mqtt.broker import BrokerKind
from server.services.keyring import GATEWAY, LIVE, secret_text
from tests.factories.brokers import Peer, running_broker
from tests.factories.installations import COMMUNE, Installation, an_installation
from tests.factories.ports import free_port
from tests.factories.waiting import PATIENCE_S, wait_until

ONE, OTHER = NODES = NodeId("nut-1"), NodeId("nut-2")
UNIT = UnitId(COMMUNE)
QUIET_S = 0.3
"""Long enough for what is delivered at all: all brokers here deliver within milliseconds."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A running broker, and two nodes that it lets in."""

    place: Installation
    secrets: dict[str, str]


@pytest.fixture(scope="module")
def brokers(tmp_path_factory) -> Iterator[Callable[[BrokerKind], Ready]]:
    """Start each broker once, when it is first asked for."""
    with ExitStack() as stack:

        @cache
        def started(kind: BrokerKind) -> Ready:
            place = stack.enter_context(
                an_installation(
                    tmp_path_factory.mktemp(kind.value),
                    clusters=4,
                    mqtt_port=free_port(),
                    mqtt_version=kind.mqtt_version,
                )
            )
            secrets = {node: place.commission(node, f"cum-{node[-1]}").secret for node in NODES}
            stack.enter_context(running_broker(place.settings, kind))
            return Ready(place, secrets)

        yield started


@pytest.fixture(params=list(BrokerKind))
def ready(request, brokers) -> Ready:
    return brokers(request.param)


@pytest.fixture
def place(ready) -> Installation:
    return ready.place


@pytest.fixture
def secrets(ready) -> dict[str, str]:
    return ready.secrets


def _lets_in(place: Installation, user: str, password: str) -> bool:
    peer = Peer(place.settings, user, password)
    peer.connect()
    peer.close()
    return not peer.refused


def _gateway(place: Installation) -> Peer:
    password = secret_text(place.settings.secrets_dir, GATEWAY)
    return Peer(place.settings, GATEWAY_USER, password)


def _hears_nothing(peer: Peer) -> bool:
    try:
        peer.hears(QUIET_S)
    except queue.Empty:
        return True
    return False


def test_a_node_hears_its_own_orders_and_those_of_units(place, secrets):
    with Peer(place.settings, ONE, secrets[ONE]) as node, _gateway(place) as gateway:
        node.subscribe(f"{ROOT}/node/{ONE}/in/+")
        node.subscribe(unit_filter(UNIT))
        for topic in (node_order(ONE), unit_order(UNIT)):
            gateway.publish(topic, b"order")
            assert node.hears() == (topic, b"order", False)


def test_a_node_does_not_hear_what_is_said_to_another(place, secrets):
    with Peer(place.settings, ONE, secrets[ONE]) as node, _gateway(place) as gateway:
        for wanted in (f"{ROOT}/node/{OTHER}/in/+", f"{ROOT}/node/+/in/+", "#"):
            node.subscribe(wanted)
        gateway.publish(node_order(OTHER), b"secret")
        gateway.publish(node_config(OTHER), b"secret", retained=True)
        assert _hears_nothing(node)


def test_what_is_retained_for_another_node_stays_hidden(place, secrets):
    with _gateway(place) as gateway, Peer(place.settings, OTHER, secrets[OTHER]) as other:
        gateway.publish(node_config(OTHER), b"secret", retained=True)
        other.subscribe(node_config(OTHER))
        assert other.hears()[1] == b"secret"
        with Peer(place.settings, ONE, secrets[ONE]) as node:
            node.subscribe(f"{ROOT}/node/+/in/+")
            assert _hears_nothing(node)


def test_a_node_speaks_for_itself_alone(place, secrets):
    with Peer(place.settings, ONE, secrets[ONE]) as node, _gateway(place) as gateway:
        gateway.subscribe(NODE_WORDS)
        _drain(gateway)
        node.publish(node_report(OTHER), b"lie")
        node.publish(node_presence(OTHER), b"lie")
        node.publish(node_report(ONE), b"truth")
        assert gateway.hears() == (node_report(ONE), b"truth", False)
        assert _hears_nothing(gateway)


def test_who_takes_microphones_says_frames_and_nothing_else(place, secrets):
    password = secret_text(place.settings.secrets_dir, LIVE)
    speaker = Peer(place.settings, LIVE_USER, password)
    with speaker, Peer(place.settings, ONE, secrets[ONE]) as node:
        node.subscribe(live(BroadcastId("noi-1")))
        node.subscribe(unit_filter(UNIT))
        speaker.publish(unit_order(UNIT), b"an order")
        speaker.publish(unit_plan(UNIT), b"a plan")
        speaker.publish(live(BroadcastId("noi-1")), b"frames")
        assert node.hears() == (live(BroadcastId("noi-1")), b"frames", False)
        assert _hears_nothing(node)


def test_a_node_says_no_frames(place, secrets):
    with (
        Peer(place.settings, ONE, secrets[ONE]) as node,
        Peer(place.settings, OTHER, secrets[OTHER]) as other,
    ):
        other.subscribe(live(BroadcastId("noi-1")))
        node.publish(live(BroadcastId("noi-1")), b"frames")
        assert _hears_nothing(other)


def test_a_node_gives_no_plans_and_no_orders(place, secrets):
    with (
        Peer(place.settings, ONE, secrets[ONE]) as node,
        Peer(place.settings, OTHER, secrets[OTHER]) as other,
        _gateway(place) as gateway,
    ):
        other.subscribe(unit_filter(UNIT))
        gateway.subscribe(f"{ROOT}/#")
        _drain(gateway)
        for topic in (unit_plan(UNIT), unit_order(UNIT), node_order(ONE), node_config(ONE)):
            node.publish(topic, b"forged")
        assert _hears_nothing(gateway)
        assert _hears_nothing(other)


def _drain(peer: Peer) -> None:
    while not _hears_nothing(peer):
        pass


@pytest.mark.parametrize(
    ("user", "password"), [(ONE, "wrong"), ("nobody", "x"), (GATEWAY_USER, "wrong"), ("", "")]
)
def test_whoever_has_no_password_is_refused(place, user, password):
    peer = Peer(place.settings, user, password, client_id="stranger")
    peer.connect()
    peer.close()
    assert peer.refused


def test_a_refused_stranger_does_not_put_out_the_node_whose_name_it_uses(place, secrets):
    with Peer(place.settings, ONE, secrets[ONE]) as node, _gateway(place) as gateway:
        node.subscribe(node_order(ONE))
        stranger = Peer(place.settings, ONE, "wrong", client_id=ONE)
        stranger.connect()
        stranger.close()
        gateway.publish(node_order(ONE), b"order")
        assert node.hears()[1] == b"order"


def test_a_node_does_not_put_out_another_by_using_its_client_id(place, secrets):
    with Peer(place.settings, ONE, secrets[ONE]) as node, _gateway(place) as gateway:
        node.subscribe(node_order(ONE))
        with Peer(place.settings, OTHER, secrets[OTHER], client_id=ONE):
            gateway.publish(node_order(ONE), b"order")
            assert node.hears()[1] == b"order"


def test_a_node_that_is_replaced_is_put_out_and_its_successor_let_in(place):
    former = place.commission("nut-3", "cum-3")
    wait_until(lambda: _lets_in(place, "nut-3", former.secret))
    with Peer(place.settings, "nut-3", former.secret) as node, _gateway(place) as gateway:
        node.subscribe(unit_filter(UNIT))
        successor = place.commission("nut-4", "cum-3")
        wait_until(lambda: _lets_in(place, "nut-4", successor.secret))
        assert node.put_out.wait(PATIENCE_S)
        assert not _lets_in(place, "nut-3", former.secret)
        gateway.publish(unit_order(UNIT), b"order")
        assert _hears_nothing(node)


def test_the_will_of_a_node_that_is_cut_off_is_published_and_retained(place, secrets):
    lost = (node_presence(ONE), b"lost")
    with _gateway(place) as gateway:
        gateway.subscribe(node_presence(ONE))
        _drain(gateway)
        node = Peer(place.settings, ONE, secrets[ONE], will=lost)
        node.connect()
        node.cut()
        assert gateway.hears()[:2] == lost
        node.close()
    with _gateway(place) as later:
        later.subscribe(node_presence(ONE))
        assert later.hears() == (*lost, True)


@pytest.mark.slow
def test_a_node_that_falls_silent_is_given_up(place, secrets):
    lost = (node_presence(OTHER), b"silent")
    with _gateway(place) as gateway:
        gateway.subscribe(node_presence(OTHER))
        _drain(gateway)
        node = Peer(place.settings, OTHER, secrets[OTHER], will=lost, keepalive_s=1)
        node.connect()
        node.freeze()
        assert gateway.hears(15)[:2] == lost
        node.close()
