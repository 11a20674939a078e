"""Many nodes in one process that hear a live broadcast: they count what comes, and verify it.

``python -m tests.bench.listeners FILE``: the file says who they are and where the broker is. All
of them get the same bytes: each message is verified once, and counted at the others only where it
is the same to the byte. Real nodes verify side by side, each on a processor of its own.
"""

import json
import resource
import selectors
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from protocol.errors import RefusedError
from protocol.ids import BroadcastId
from protocol.live import FRAME_S, LiveFrames, unseal
from protocol.signing import public_from_text
from protocol.topics import ROOT, live

ALL_LIVE = f"{ROOT}/live/+"
KEEPALIVE_S = 300
READ_BYTES = 65_536
PATIENCE_S = 60.0
_PUBLISH = 0x30


@dataclass
class Listener:
    """One connection, and what came over it.

    Attributes:
        arrived: When each message came, by topic and bytes.
    """

    client: Client
    rest: bytes = b""
    arrived: list[tuple[bytes, bytes, float]] = field(default_factory=list)

    def read(self) -> None:
        """Take what has come apart: paho would need a processor of its own for so many."""
        taken = self.socket.recv(READ_BYTES)
        if not taken:
            message = "the broker has ended a connection"
            raise ConnectionError(message)
        now_s, self.rest = time.time(), self.rest + taken
        while (packet := _first_packet(self.rest)) is not None:
            kind, body, length = packet
            self.rest = self.rest[length:]
            if kind == _PUBLISH:
                topic_bytes = int.from_bytes(body[:2])
                topic, payload = body[2 : 2 + topic_bytes], body[2 + topic_bytes :]
                self.arrived.append((topic, payload, now_s))

    @property
    def socket(self) -> socket.socket:
        connected = self.client.socket()
        assert isinstance(connected, socket.socket), "not connected"
        return connected


def main() -> None:
    """Connect all, say ``ready``; on a line with broadcast and key, tell what came of it."""
    said = json.loads(Path(sys.argv[1]).read_text())
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    listeners = [_connected(node, said) for node in said["nodes"]]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ, None)
        for listener in listeners:
            selector.register(listener.socket, selectors.EVENT_READ, listener)
        while True:
            for key, _ in selector.select():
                if key.data is None:
                    broadcast, public = sys.stdin.readline().split()
                    sys.stdout.write(f"{json.dumps(_heard(listeners, broadcast, public))}\n")
                    return
                key.data.read()


def _connected(node: str, said: dict) -> Listener:
    """Connect and subscribe with paho; from then on nothing but frames comes."""
    client = Client(
        CallbackAPIVersion.VERSION2, client_id=node, protocol=MQTTProtocolVersion.MQTTv311
    )
    granted: list[int] = []
    client.username_pw_set(node, said["secret"])
    client.on_connect = lambda *_: client.subscribe(ALL_LIVE, 0)
    client.on_subscribe = lambda *_: granted.append(1)
    client.connect(said["host"], said["port"], KEEPALIVE_S)
    deadline = time.monotonic() + PATIENCE_S
    while not granted:
        if time.monotonic() > deadline:
            message = f"the broker does not take {node}"
            raise TimeoutError(message)
        client.loop(timeout=0.05)
    return Listener(client)


def _first_packet(raw: bytes) -> tuple[int, bytes, int] | None:
    """Give kind, body and whole length of the first packet, once it is there whole."""
    length, shift = 0, 0
    for at in range(1, min(len(raw), 5)):
        length |= (raw[at] & 0x7F) << shift
        shift += 7
        if raw[at] < 0x80:
            whole = at + 1 + length
            return (raw[0] & 0xF0, raw[at + 1 : whole], whole) if len(raw) >= whole else None
    return None


def _heard(listeners: list[Listener], broadcast: str, public: str) -> dict[str, object]:
    """Verify all that came; tell how much of it each one got, and how long it was on its way."""
    key, wanted = public_from_text(public), live(BroadcastId(broadcast)).encode()
    known: dict[bytes, LiveFrames] = {}
    refused: Counter[str] = Counter()
    counts, ways_s = [], []
    for listener in listeners:
        count = 0
        for topic, payload, arrived_s in listener.arrived:
            if topic != wanted:
                continue
            if payload not in known:
                try:
                    known[payload] = unseal(key, payload, broadcast=broadcast)
                except RefusedError as error:
                    refused[error.refusal] += 1
                    continue
            message = known[payload]
            if message.frames:
                count += len(message.frames)
                spoken_s = message.captured_us / 1e6 + len(message.frames) * FRAME_S
                ways_s.append(arrived_s - spoken_s)
        counts.append(count)
    ways_s.sort()
    return {
        "frames": sum(len(message.frames) for message in known.values()),
        "least_frames": min(counts),
        "refused": refused.total(),
        "way_p50_ms": round(1000 * ways_s[len(ways_s) // 2], 1),
        "way_p95_ms": round(1000 * ways_s[len(ways_s) * 95 // 100], 1),
    }


if __name__ == "__main__":
    main()
