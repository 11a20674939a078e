"""Real brokers on free ports, and clients that speak to them."""

import queue
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from server.mqtt.broker import BrokerKind, broker_command, run, write_access
from server.settings import Settings
from tests.factories.installations import Installation
from tests.factories.waiting import PATIENCE_S, wait_until


def listens(settings: Settings) -> bool:
    try:
        with socket.create_connection((settings.mqtt_host, settings.mqtt_port), timeout=0.3):
            return True
    except OSError:
        return False


@contextmanager
def running_broker(settings: Settings, kind: BrokerKind) -> Iterator[None]:
    """Run the broker as ``loa broker`` does, files followed."""
    stop = Event()
    thread = Thread(target=run, args=(settings, stop, kind.value))
    thread.start()
    try:
        wait_until(lambda: listens(settings))
        yield
    finally:
        stop.set()
        thread.join()


class KillableBroker:
    """The broker's own process, to be killed and started again."""

    def __init__(self, place: Installation, kind: BrokerKind) -> None:
        self._settings, self._kind = place.settings, kind
        with place.sessions.begin() as db:
            write_access(place.settings, db)
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(broker_command(self._settings, self._kind))
        wait_until(lambda: listens(self._settings))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass
class Peer:
    """A client at the broker, as plain as they come."""

    settings: Settings
    user: str
    password: str
    client_id: str = ""
    will: tuple[str, bytes] | None = None
    keepalive_s: int = 30
    heard: queue.Queue[tuple[str, bytes, bool]] = field(default_factory=queue.Queue)
    refused: str = ""
    put_out: Event = field(default_factory=Event)

    def __enter__(self) -> Self:
        self.connect()
        assert not self.refused, self.refused
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self) -> None:
        is_v5 = self.settings.mqtt_version == 5
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.client_id or self.user,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
        )
        self._client.reconnect_delay_set(0.1, 1)
        self._client.username_pw_set(self.user, self.password)
        if self.will is not None:
            self._client.will_set(self.will[0], self.will[1], qos=1, retain=True)
        answered, self._granted, self._confirmed = Event(), Event(), set()

        def connected(_c, _u, _f, reason, _p):
            self.refused = str(reason) if reason.is_failure else ""
            answered.set()

        self.put_out.clear()
        self._client.on_connect = connected
        self._client.on_disconnect = lambda *_: self.put_out.set()
        self._client.on_subscribe = lambda *_: self._granted.set()
        self._client.on_publish = lambda _c, _u, mid, _r, _p: self._confirmed.add(mid)
        self._client.on_message = lambda _c, _u, message: self.heard.put(
            (message.topic, message.payload, message.retain)
        )
        self._client.connect(self.settings.mqtt_host, self.settings.mqtt_port, self.keepalive_s)
        self._client.loop_start()
        assert answered.wait(PATIENCE_S), "the broker did not answer"

    def subscribe(self, topic: str) -> None:
        self._granted.clear()
        self._client.subscribe(topic, 1)
        assert self._granted.wait(PATIENCE_S), "not subscribed"

    def publish(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        number = self._client.publish(topic, payload, 1, retained).mid
        wait_until(lambda: number in self._confirmed)

    def hears(self, within_s: float = PATIENCE_S) -> tuple[str, bytes, bool]:
        return self.heard.get(timeout=within_s)

    def hears_payloads(self, wanted: set[bytes], within_s: float = PATIENCE_S) -> list[bytes]:
        """Collect until all that is wanted has come."""
        got: list[bytes] = []
        deadline = time.monotonic() + within_s
        while not wanted <= set(got):
            got.append(self.heard.get(timeout=max(0.01, deadline - time.monotonic()))[1])
        return got

    def cut(self) -> None:
        """Lose the connection without a goodbye."""
        sock = self._client.socket()
        assert sock is not None
        self._client.reconnect_delay_set(60, 60)
        sock.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        """Keep the connection and say nothing more, like a machine without power."""
        self._client.loop_stop()

    def close(self) -> None:
        client = self._client
        client.disconnect()
        client.loop_stop()
        # The client closes its last two sockets when it is forgotten: nothing may hold it.
        client.on_connect = client.on_disconnect = client.on_subscribe = None
        client.on_publish = client.on_message = None
        del self._client
