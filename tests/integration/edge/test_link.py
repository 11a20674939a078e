"""The link against a real broker that comes and goes."""

import queue

import pytest

from edge.link import Connected, Delivery, Disconnected, Identity, Link
from edge.settings import Endpoint
from protocol.messages import Presence, PresenceState, encode
from protocol.topics import node_presence
from tests.factories.claims import NODE
from tests.factories.ports import free_port
from tests.factories.stations import SECRET
from tests.factories.waiting import PATIENCE_S, wait_until

PRESENCE = node_presence(NODE)


def words(state):
    return encode(Presence(node=NODE, state=state))


@pytest.fixture
def events():
    return queue.SimpleQueue()


@pytest.fixture
def make(broker, events):
    links = []

    def made(*endpoints: Endpoint):
        identity = Identity(NODE, SECRET, PRESENCE, words(PresenceState.LOST))
        link = Link(identity, endpoints or (to(broker.port),), events.put)
        links.append(link)
        return link

    yield made
    for link in links:
        link.close()


def to(port, *, mqtt5=True):
    return Endpoint("127.0.0.1", port, tls=False, mqtt5=mqtt5)


def next_of(events, kind, within_s=PATIENCE_S):
    while not isinstance(event := events.get(timeout=within_s), kind):
        pass
    return event


@pytest.mark.parametrize("mqtt5", [True, False])
def test_what_is_published_to_a_filter_arrives_and_what_is_said_is_heard(
    broker, station, make, events, mqtt5
):
    link = make(to(broker.port, mqtt5=mqtt5))
    link.listen_to(["loa/1/unit/xa-1/+"])
    link.start()
    next_of(events, Connected)
    wait_until(lambda: link.publish(PRESENCE, words(PresenceState.HERE), qos=1, retain=True))
    station.hears(Presence, state=PresenceState.HERE)
    station.publish("loa/1/unit/xa-1/order", b"an order")
    assert next_of(events, Delivery) == Delivery("loa/1/unit/xa-1/order", b"an order")


def test_a_filter_added_later_counts_at_once_and_a_dropped_one_no_more(station, make, events):
    link = make()
    link.listen_to(["loa/1/unit/xa-1/+"])
    link.start()
    next_of(events, Connected)
    station.publish("loa/1/unit/xa-2/plan", b"two", retained=True)
    link.listen_to(["loa/1/unit/xa-2/+"])
    assert next_of(events, Delivery).payload == b"two"

    def is_dropped():
        station.publish("loa/1/unit/xa-1/plan", b"one")
        station.publish("loa/1/unit/xa-2/plan", b"three")
        first = heard = next_of(events, Delivery).payload
        while heard != b"three":
            heard = next_of(events, Delivery).payload
        return first == b"three"

    wait_until(is_dropped)  # the broker is told of the dropped one a moment later


def test_it_comes_back_by_itself_with_its_filters(broker, make, events):
    link = make()
    link.listen_to(["loa/1/unit/xa-1/+"])
    link.start()
    next_of(events, Connected)
    broker.kill()
    next_of(events, Disconnected)
    assert not link.publish(PRESENCE, b"", qos=1)
    broker.start()
    next_of(events, Connected)
    wait_until(lambda: link.publish("loa/1/unit/xa-1/order", b"echo", qos=1))
    assert next_of(events, Delivery).payload == b"echo"


def test_the_next_endpoint_is_tried_when_one_is_dead(broker, make, events):
    link = make(to(free_port()), to(broker.port))
    link.start()
    next_of(events, Connected)
    assert link.is_alive()


def test_leaving_is_said_and_the_will_is_not(station, make, events):
    link = make()
    link.start()
    next_of(events, Connected)
    link.close([(PRESENCE, words(PresenceState.LEAVING))])
    station.hears(Presence, state=PresenceState.LEAVING)
    assert not station.heard(Presence, state=PresenceState.LOST)
    assert not link.is_alive()
