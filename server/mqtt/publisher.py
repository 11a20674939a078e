"""The link to the broker of the program that takes microphones: says frames, hears nothing."""

import socket
from typing import Any, final

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from server.mqtt.access import LIVE_USER

_V5 = 5
_KEEPALIVE_S = 20
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 2


@final
class LivePublisher:
    """One client, for the life of the process; any thread may say something."""

    def __init__(self, *, host: str, port: int, version: int, password: str) -> None:
        self._address = host, port
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=LIVE_USER,
            protocol=MQTTProtocolVersion.MQTTv5 if version == _V5 else MQTTProtocolVersion.MQTTv311,
        )
        self._client.username_pw_set(LIVE_USER, password)
        # Fractions of a second are taken, though the client's annotation says otherwise.
        self._client.reconnect_delay_set(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)  # type: ignore[arg-type] # above
        self._client.on_socket_open = _send_at_once

    def open(self) -> None:
        """Begin to connect, and to connect again for ever."""
        self._client.connect_async(*self._address, _KEEPALIVE_S)
        self._client.loop_start()

    def is_connected(self) -> bool:
        """Say whether frames would get to the broker now."""
        return self._client.is_connected()

    def is_alive(self) -> bool:
        """Say whether the client's own thread runs; it may well be between two connections."""
        thread = self._client._thread  # noqa: SLF001 - the client shows its thread nowhere else
        return thread is not None and thread.is_alive()

    def say(self, topic: str, payload: bytes) -> bool:
        """Send once, at most; False when there is no connection: frames are never sent later."""
        if not self._client.is_connected():
            return False
        return self._client.publish(topic, payload, 0).rc is MQTTErrorCode.MQTT_ERR_SUCCESS

    def close(self) -> None:
        """Say goodbye and end the client's thread."""
        self._client.disconnect()
        self._client.loop_stop()


def _send_at_once(_client: Client, _userdata: object, sock: Any) -> None:  # noqa: ANN401 - or TLS
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
