"""Owns the MQTT client: connects, subscribes, and moves bytes; knows nothing of what they mean.

A thread of ours runs the client's loop. Its callbacks only put what came on a queue.
"""

import random
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, final

import structlog
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.certificates import Certificates
from edge.settings import Endpoint
from protocol.signing import MAX_TOKEN_BYTES

_log = structlog.get_logger()

_KEEPALIVE_S = 20
_MOST_BYTES = MAX_TOKEN_BYTES + 1024
_SESSION_EXPIRY_S = 3600
_CONNECT_S = 5.0
_WAIT_S = (0.5, 5.0)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it came."""

    topic: str
    payload: bytes
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker took us in; what it knew of us may be gone."""

    endpoint: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The broker is gone, or refused us."""

    reason: str


LinkEvent = Delivery | Connected | Disconnected


@dataclass(frozen=True, slots=True)
class Identity:
    """Who connects, and what the broker says when we fall silent."""

    node: str
    secret: str
    will_topic: str
    will: bytes


@final
class Link:
    """The one connection of this node, tried at each endpoint in turn."""

    def __init__(
        self,
        identity: Identity,
        endpoints: tuple[Endpoint, ...],
        events: Callable[[LinkEvent], None],
        certificates: Certificates | None = None,
    ) -> None:
        self._identity = identity
        # Shuffled, so that the nodes of a dead broker spread over the others.
        self._endpoints = random.sample(endpoints, len(endpoints))
        self._events = events
        self._certificates = certificates or Certificates()
        self._filters: frozenset[str] = frozenset()
        self._client: Client | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="link", daemon=True)

    def start(self) -> None:
        """Start connecting."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Say whether the thread is at work; it may be connected or trying."""
        return self._thread.is_alive()

    def listen_to(self, filters: Iterable[str]) -> None:
        """Subscribe to these filters, and to no others, now and at every connection."""
        before, self._filters = self._filters, frozenset(filters)
        client = self._client
        if client is not None and client.is_connected():
            _subscribe(client, self._filters - before)
            if gone := before - self._filters:
                client.unsubscribe(sorted(gone))

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> bool:
        """Hand a message over; False when there is no connection, and nothing is queued then."""
        client = self._client
        if client is None or not client.is_connected():
            return False
        return client.publish(topic, payload, qos, retain).rc is MQTTErrorCode.MQTT_ERR_SUCCESS

    def close(self, last_words: Iterable[tuple[str, bytes]] = ()) -> None:
        """Say the last words, retained, and leave; the will is not sent then."""
        self._stopping.set()
        client = self._client
        if client is not None:
            if client.is_connected():
                _say_last(client, last_words)
            client.disconnect()
        if self._thread.is_alive():
            self._thread.join(3.0)

    def _work(self) -> None:
        turn = 0
        while not self._stopping.is_set():
            endpoint = self._endpoints[turn % len(self._endpoints)]
            turn += 1
            reason = self._stay_connected(endpoint)
            self._client = None
            if self._stopping.is_set():
                return
            self._events(Disconnected(reason))
            # Jitter: all nodes of a province lose a broker in the same instant.
            self._stopping.wait(random.uniform(*_WAIT_S))  # noqa: S311 - spreads load only

    def _stay_connected(self, endpoint: Endpoint) -> str:
        """Run one connection to its end, and say why it ended."""
        try:
            client = self._new_client(endpoint)
            if endpoint.mqtt5:
                properties = Properties(PacketTypes.CONNECT)
                properties.SessionExpiryInterval = _SESSION_EXPIRY_S
                # What could only be refused is not even to come: it would have to fit into memory.
                properties.MaximumPacketSize = _MOST_BYTES
                client.connect(
                    endpoint.host,
                    endpoint.port,
                    _KEEPALIVE_S,
                    clean_start=False,
                    properties=properties,
                )
            else:
                client.connect(endpoint.host, endpoint.port, _KEEPALIVE_S)
            self._client = client
            # Closing looks for a client after it has set this: one of the two sees the other.
            return "closing" if self._stopping.is_set() else client.loop_forever().name
        except (OSError, ValueError) as error:
            # Names that do not resolve, refused connections, broken TLS; ValueError: bad packet.
            return f"{type(error).__name__}: {error}"

    def _new_client(self, endpoint: Endpoint) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._identity.node,
            protocol=MQTTProtocolVersion.MQTTv5 if endpoint.mqtt5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            # Orders are re-sent by the server until answered: 3.1.1 sessions would never expire.
            clean_session=None if endpoint.mqtt5 else True,
        )
        client.connect_timeout = _CONNECT_S
        client.username_pw_set(self._identity.node, self._identity.secret)
        client.will_set(self._identity.will_topic, self._identity.will, qos=1, retain=True)
        if endpoint.tls:
            client.tls_set_context(self._certificates.judging())
        client.on_socket_open = _hurry
        client.on_connect = self._connected
        client.on_message = self._received
        return client

    def _connected(
        self,
        client: Client,
        _userdata: Any,  # noqa: ANN401 - the client's signature
        _flags: Any,  # noqa: ANN401 - the client's signature
        reason: Any,  # noqa: ANN401 - the client's signature
        _properties: Any,  # noqa: ANN401 - the client's signature
    ) -> None:
        if reason.is_failure:
            _log.warning("broker_refused", error=str(reason))
            client.disconnect()
            return
        _subscribe(client, self._filters)
        self._events(Connected(client.host))

    def _received(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:  # noqa: ANN401 - the client's signature
        self._events(Delivery(message.topic, bytes(message.payload), retained=message.retain))


def _say_last(client: Client, last_words: Iterable[tuple[str, bytes]]) -> None:
    for topic, payload in last_words:
        message = client.publish(topic, payload, 1, retain=True)
        if message.rc is MQTTErrorCode.MQTT_ERR_SUCCESS:
            message.wait_for_publish(1.0)


def _subscribe(client: Client, filters: Iterable[str]) -> None:
    if wanted := [(each, 1) for each in sorted(filters)]:
        client.subscribe(wanted)


def _hurry(_client: Client, _userdata: Any, sock: Any) -> None:  # noqa: ANN401 - the client's signature
    # Without this a report waits up to 40 ms for the acknowledgement of the packet before it.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
