"""The server's link to the broker: owns the client; bytes in, bytes out.

The client's callbacks only put things on queues; threads of ours do everything else.
"""

import queue
import socket
from dataclasses import dataclass
from typing import Any

import structlog
from paho.mqtt.client import (
    Client,
    ConnectFlags,
    DisconnectFlags,
    MQTTMessage,
)
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from protocol.topics import NODE_WORDS
from server.mqtt.access import GATEWAY_USER
from server.mqtt.errors import PublishRefusedError

QOS = 1
KEEPALIVE_S = 20
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 2
SESSION_EXPIRY_S = 86_400
MAX_WAITING_DELIVERIES = 100_000
"""More are dropped: nodes send their reports again until they are acknowledged."""

_V5 = 5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came from the broker."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Connected:
    """The link is up; ``state_kept`` says whether the broker remembers us."""

    state_kept: bool


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The link is down; the client goes on trying."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The broker has, or refuses, the message that was given this number."""

    message_number: int
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Woken:
    """Somebody has committed something."""


Signal = Connected | Disconnected | Confirmed | Woken
"""What the outbox waits for."""


class Gateway:
    """One client, for the life of the process.

    ``deliveries`` holds what came in; ``signals`` what became of the link and of our messages.
    """

    def __init__(self, *, host: str, port: int, version: int, password: str) -> None:
        self.deliveries: queue.Queue[Delivery] = queue.Queue(MAX_WAITING_DELIVERIES)
        self.signals: queue.SimpleQueue[Signal] = queue.SimpleQueue()
        self.dropped = 0
        self._host, self._port = host, port
        self._is_v5 = version == _V5
        self._client = self._made(password)

    def open(self) -> None:
        """Begin to connect, and to connect again for ever."""
        if self._is_v5:
            expiry = Properties(PacketTypes.CONNECT)
            expiry.SessionExpiryInterval = SESSION_EXPIRY_S
            self._client.connect_async(
                self._host, self._port, KEEPALIVE_S, clean_start=False, properties=expiry
            )
        else:
            self._client.connect_async(self._host, self._port, KEEPALIVE_S)
        self._client.loop_start()

    def is_alive(self) -> bool:
        """Say whether the client's own thread runs; it may well be between two connections."""
        thread = self._client._thread  # noqa: SLF001 - the client shows its thread nowhere else
        return thread is not None and thread.is_alive()

    def publish(
        self, topic: str, payload: bytes, *, retained: bool, expiry_s: int | None = None
    ) -> int:
        """Give a message to the client; a ``Confirmed`` with the number returned will follow.

        Raises:
            PublishRefusedError: The client would not take it.
        """
        properties = None
        if self._is_v5 and expiry_s is not None:
            properties = Properties(PacketTypes.PUBLISH)
            properties.MessageExpiryInterval = max(1, expiry_s)
        info = self._client.publish(topic, payload, QOS, retained, properties)
        # Without a connection the client keeps the message and sends it at the next one.
        if info.rc not in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_NO_CONN):
            raise PublishRefusedError(topic, MQTTErrorCode(info.rc).name)
        return info.mid

    def close(self) -> None:
        """Say goodbye and end the client's thread."""
        self._client.disconnect()
        self._client.loop_stop()
        # The client closes its last sockets when it is forgotten, so it must not hold us.
        self._client.on_connect = self._client.on_disconnect = None
        self._client.on_message = self._client.on_publish = None

    def _made(self, password: str) -> Client:
        version = MQTTProtocolVersion.MQTTv5 if self._is_v5 else MQTTProtocolVersion.MQTTv311
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=GATEWAY_USER,
            # Kept sessions of 3.1.1 never expire; the server sends again what such a broker loses.
            clean_session=None if self._is_v5 else True,
            protocol=version,
        )
        client.username_pw_set(GATEWAY_USER, password)
        # Fractions of a second are taken, though the client's annotation says otherwise.
        client.reconnect_delay_set(FIRST_PAUSE_S, LONGEST_PAUSE_S)  # type: ignore[arg-type] # above
        client.on_socket_open = _send_at_once
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    def _on_connect(
        self,
        client: Client,
        _userdata: object,
        flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            log.error("broker_refused_gateway", reason=str(reason))
            return
        if self._is_v5:
            # What is retained only where the subscription is new: not at every reconnect.
            options = SubscribeOptions(
                qos=QOS, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
            )
            client.subscribe(NODE_WORDS, options=options)
        else:
            client.subscribe(NODE_WORDS, QOS)
        self.signals.put(Connected(state_kept=flags.session_present))

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        log.info("broker_disconnected", reason=str(reason))
        self.signals.put(Disconnected())

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        try:
            self.deliveries.put_nowait(
                Delivery(message.topic, bytes(message.payload), retained=message.retain)
            )
        except queue.Full:
            self.dropped += 1
        except UnicodeDecodeError:
            # A topic that is no text: the client decodes it only when it is asked for.
            self.dropped += 1

    def _on_publish(
        self,
        _client: Client,
        _userdata: object,
        message_number: int,
        reason: ReasonCode,
        _properties: Properties,
    ) -> None:
        refusal = str(reason) if reason.is_failure else ""
        self.signals.put(Confirmed(message_number, refusal))


def _send_at_once(_client: Client, _userdata: object, sock: Any) -> None:  # noqa: ANN401 - or TLS
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
