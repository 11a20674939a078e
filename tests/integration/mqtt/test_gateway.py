"""The gateway with a real broker and a real database."""

import queue
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from sqlalchemy import select

from protocol.ids import NodeId, UnitId
from protocol.messages import Acknowledge, Received, encode
from protocol.signing import unverified
from protocol.topics import ROOT, node_order, node_report, unit_order, unit_plan
from server.mqtt import runner
from server.mqtt.broker import BrokerKind
from server.services import outbox
from server.store.models import OutboxRow, RefusalRow, ReportRow
from tests.factories.brokers import KillableBroker, Peer
from tests.factories.installations import COMMUNE, Installation, an_installation
from tests.factories.ports import free_port
from tests.factories.waiting import PATIENCE_S, wait_until

NODE = NodeId("nut-1")
UNIT = UnitId(COMMUNE)


# Every day what a province runs on; what a demo runs on, and the mixture, among the slow.
@pytest.fixture(
    params=[
        pytest.param((BrokerKind.MOSQUITTO, "postgresql"), id="mosquitto-postgresql"),
        pytest.param((BrokerKind.AMQTT, "sqlite"), id="amqtt-sqlite", marks=pytest.mark.slow),
        pytest.param(
            (BrokerKind.MOSQUITTO, "sqlite"), id="mosquitto-sqlite", marks=pytest.mark.slow
        ),
    ]
)
def both(request) -> tuple[BrokerKind, str]:
    """Tell which broker and which database are used."""
    return request.param


@pytest.fixture
def kind(both) -> BrokerKind:
    return both[0]


@pytest.fixture
def place(both, tmp_path, request) -> Iterator[Installation]:
    kind, engine = both
    with ExitStack() as stack:
        url = ""
        if engine == "postgresql":
            server = request.getfixturevalue("postgres")
            name = server.create()
            stack.callback(server.drop, name)
            url = server.url(name)
        yield stack.enter_context(
            an_installation(
                tmp_path,
                database_url=url,
                mqtt_port=free_port(),
                mqtt_version=kind.mqtt_version,
            )
        )


@pytest.fixture
def secret(place) -> str:
    return place.commission(NODE, "cum-1").secret


@pytest.fixture(autouse=True)
def broker(place, secret, kind) -> Iterator[KillableBroker]:
    assert secret  # the broker knows the node from its start
    started = KillableBroker(place, kind)
    yield started
    started.kill()


@contextmanager
def running_gateway(place: Installation) -> Iterator[None]:
    """Run the gateway; it is connected when what was in the outbox has gone."""
    stop = Event()
    thread = Thread(target=runner.run, args=(place.settings, stop))
    thread.start()
    try:
        wait_until(lambda: waiting(place) == 0)
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def post(place: Installation, topic: str, payload: bytes, *, retained: bool = False, life_s=60):
    now = datetime.now(UTC)
    expires = None if retained else now + timedelta(seconds=life_s)
    with place.sessions.begin() as db:
        outbox.post(
            db, topic=topic, payload=payload, retained=retained, expires_at=expires, now=now
        )


def waiting(place: Installation) -> int:
    with place.reads.begin() as db:
        return len(outbox.waiting(db, now=datetime.now(UTC)))


def count(place: Installation, row: type) -> int:
    with place.reads.begin() as db:
        return len(db.scalars(select(row)).all())


def a_receipt(number: int) -> Received:
    return Received(
        report_id=f"r-{number}", message_id="m-1", claim_id="khan-1", at=datetime.now(UTC)
    )


def test_a_row_is_published_once_and_marked_when_confirmed(place, secret):
    with running_gateway(place), Peer(place.settings, NODE, secret) as node:
        node.subscribe(f"{ROOT}/unit/{UNIT}/+")
        post(place, unit_order(UNIT), b"order")
        assert node.hears() == (unit_order(UNIT), b"order", False)
        wait_until(lambda: waiting(place) == 0)
        with pytest.raises(queue.Empty):
            node.hears(1.0)


def test_what_waited_while_the_broker_was_dead_arrives_when_it_is_back(place, secret, broker):
    with running_gateway(place):
        broker.kill()
        wanted = {f"order-{number}".encode() for number in range(20)}
        for payload in sorted(wanted):
            post(place, unit_order(UNIT), payload)
        post(place, unit_plan(UNIT), b"plan", retained=True)
        assert waiting(place) == 21
        broker.start()
        with Peer(place.settings, NODE, secret) as node:
            node.subscribe(f"{ROOT}/unit/{UNIT}/+")
            # Orders that went out before this node was there come to it by the server's re-send;
            # what is retained it gets at once.
            wait_until(lambda: waiting(place) == 0)
            assert b"plan" in node.hears_payloads({b"plan"})


def test_what_was_retained_is_there_again_after_the_broker_was_killed(place, secret, broker):
    with running_gateway(place):
        post(place, unit_plan(UNIT), b"plan", retained=True)
        wait_until(lambda: waiting(place) == 0)
        broker.kill()
        broker.start()
        with Peer(place.settings, NODE, secret) as node:
            node.subscribe(f"{ROOT}/node/{NODE}/in/+")
            assert node.hears()[0].endswith("/in/config")


def test_reports_are_taken_in_once_and_acknowledged_each_time(place, secret):
    with running_gateway(place), Peer(place.settings, NODE, secret) as node:
        node.subscribe(node_order(NODE))
        for _ in range(2):
            node.publish(node_report(NODE), encode(a_receipt(1)))
            answer = unverified(node.hears()[1]).msg
            assert answer == Acknowledge(report_ids=("r-1",))
        assert count(place, ReportRow) == 1


def test_an_unknown_kind_is_put_on_record_and_the_next_word_is_heard(place, secret):
    with running_gateway(place), Peer(place.settings, NODE, secret) as node:
        node.subscribe(node_order(NODE))
        node.publish(node_report(NODE), b'{"kind":"song"}')
        node.publish(node_report(NODE), b"\xff\xfe")
        node.publish(node_report(NODE), encode(a_receipt(2)))
        assert unverified(node.hears()[1]).msg == Acknowledge(report_ids=("r-2",))
        with place.reads.begin() as db:
            reasons = set(db.scalars(select(RefusalRow.reason)))
        assert reasons == {"unknown-kind", "garbled"}


def test_a_backlog_larger_than_the_window_goes_out_in_order(place, secret):
    payloads = [f"{number:04d}".encode() for number in range(500)]
    now = datetime.now(UTC)
    with place.sessions.begin() as db:
        for payload in payloads:
            outbox.post(
                db,
                topic=unit_order(UNIT),
                payload=payload,
                retained=False,
                expires_at=now + timedelta(minutes=1),
                now=now,
            )
    with Peer(place.settings, NODE, secret) as node:
        node.subscribe(f"{ROOT}/unit/{UNIT}/+")
        with running_gateway(place):
            got = node.hears_payloads(set(payloads))
            wait_until(lambda: waiting(place) == 0)
    assert got == payloads


def test_an_order_that_came_too_late_is_not_published(place, secret):
    post(place, unit_order(UNIT), b"late", life_s=-1)
    with Peer(place.settings, NODE, secret) as node:
        node.subscribe(f"{ROOT}/unit/{UNIT}/+")
        with running_gateway(place):
            post(place, unit_order(UNIT), b"in time")
            assert node.hears()[1] == b"in time"
    assert count(place, OutboxRow) == 3
