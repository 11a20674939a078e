"""Brokers and servers behind TLS, reached by a box whose clock may be months wrong."""

import queue
from datetime import timedelta

import pytest

from edge.cache import Cache, Want
from edge.certificates import Certificates
from edge.fetch import Fetched, Fetcher
from edge.link import Connected, Disconnected, Identity, Link
from edge.settings import Endpoint
from protocol.topics import node_presence
from tests.factories.claims import NODE
from tests.factories.stations import SECRET, AudioServer, Mosquitto
from tests.factories.tls import Authority
from tests.factories.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.filterwarnings(
    # The MQTT client leaves a socket whose handshake failed to the collector.
    "ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"
)

OURS, NEXT_MONTH, LAST_YEAR = "ours", timedelta(days=30), timedelta(days=-365)

CASES = [
    pytest.param({}, OURS, True, True, id="all is well"),
    pytest.param({"since": NEXT_MONTH}, OURS, True, False, id="not valid yet"),
    pytest.param({"since": LAST_YEAR}, OURS, True, False, id="over"),
    pytest.param({"since": NEXT_MONTH}, OURS, False, True, id="not yet, by a clock of months ago"),
    pytest.param({"since": LAST_YEAR}, OURS, False, True, id="over, by a clock of next year"),
    pytest.param({}, "others", False, False, id="somebody else vouches, whatever the day"),
    pytest.param({"address": "127.0.0.2"}, OURS, False, False, id="another's, whatever the day"),
]


@pytest.fixture
def judge(tmp_path):
    """Make a server's files, and what a node judges them by."""

    def made(vouched, trusted, *, knows_day):
        served = Authority(tmp_path, OURS).vouch(**vouched)
        ca = Authority(tmp_path, trusted).file if trusted != OURS else tmp_path / f"{OURS}.pem"
        return served, Certificates(ca, lambda: knows_day)

    return made


@pytest.mark.parametrize(("vouched", "trusted", "knows_day", "is_reached"), CASES)
def test_a_broker_is_reached_when_somebody_trusted_vouches_for_it(
    tmp_path, judge, vouched, trusted, knows_day, is_reached
):
    served, certificates = judge(vouched, trusted, knows_day=knows_day)
    broker, events = Mosquitto(tmp_path, served), queue.SimpleQueue()
    there = (Endpoint("127.0.0.1", broker.port, tls=True, mqtt5=True),)
    link = Link(Identity(NODE, SECRET, node_presence(NODE), b""), there, events.put, certificates)
    try:
        link.start()
        first = events.get(timeout=PATIENCE_S)
    finally:
        link.close()
        broker.kill()
    assert isinstance(first, Connected if is_reached else Disconnected)
    assert is_reached or "CERTIFICATE_VERIFY_FAILED" in first.reason


@pytest.mark.slow
@pytest.mark.parametrize(("vouched", "trusted", "knows_day", "is_reached"), CASES)
def test_a_file_comes_from_a_server_that_somebody_trusted_vouches_for(
    tmp_path, judge, vouched, trusted, knows_day, is_reached
):
    served, certificates = judge(vouched, trusted, knows_day=knows_day)
    audio, arrived = AudioServer(served), queue.SimpleQueue()
    fetcher = Fetcher(Cache(tmp_path / "audio"), NODE, SECRET, arrived.put, certificates)
    ref = audio.add(b"some sound")
    try:
        fetcher.start()
        fetcher.want([Want(ref.digest, ref.size_bytes, urgent=True)], [audio.base])
        if is_reached:
            assert arrived.get(timeout=PATIENCE_S) == Fetched(ref.digest)
        else:
            wait_until(lambda: fetcher.troubles() == {"audio-unreachable"})
            assert audio.requests == []
    finally:
        fetcher.close()
        audio.close()


def test_a_clock_that_was_put_right_counts_from_then_on(tmp_path, judge):
    served, _ = judge({"since": LAST_YEAR}, OURS, knows_day=True)
    days = iter([False, True])
    certificates = Certificates(tmp_path / f"{OURS}.pem", lambda: next(days))
    broker, events = Mosquitto(tmp_path, served), queue.SimpleQueue()
    there = (Endpoint("127.0.0.1", broker.port, tls=True, mqtt5=True),)
    link = Link(Identity(NODE, SECRET, node_presence(NODE), b""), there, events.put, certificates)
    try:
        link.start()
        assert isinstance(events.get(timeout=PATIENCE_S), Connected)
        broker.kill()
        assert isinstance(events.get(timeout=PATIENCE_S), Disconnected)
        broker.start()
        wait_until(lambda: "CERTIFICATE_VERIFY_FAILED" in events.get(timeout=PATIENCE_S).reason)
    finally:
        link.close()
        broker.kill()


def test_a_file_of_certificates_that_is_not_there_is_said_and_tried_again(tmp_path, judge):
    served, _ = judge({}, OURS, knows_day=True)
    broker, events = Mosquitto(tmp_path, served), queue.SimpleQueue()
    there = (Endpoint("127.0.0.1", broker.port, tls=True, mqtt5=True),)
    certificates = Certificates(tmp_path / "later.pem")
    link = Link(Identity(NODE, SECRET, node_presence(NODE), b""), there, events.put, certificates)
    try:
        link.start()
        assert "FileNotFoundError" in events.get(timeout=PATIENCE_S).reason
        (tmp_path / f"{OURS}.pem").rename(tmp_path / "later.pem")
        while not isinstance(events.get(timeout=PATIENCE_S), Connected):
            pass
    finally:
        link.close()
        broker.kill()
