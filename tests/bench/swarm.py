"""Many nodes in one process, each with a connection of its own: they judge what they are told with
a node's own code, and answer as a node does, but play nothing.

``python -m tests.bench.swarm FILE``: the file says who they are and where the broker is. With
``bare`` they verify nothing and answer every order with bytes of the same size.
"""

import gc
import json
import resource
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge.outbox import numbered
from edge.runs import UNNUMBERED
from edge.schedule import Accepted, Holdings, receive
from protocol.errors import RefusedError
from protocol.ids import NodeId, UnitId
from protocol.messages import (
    AsRun,
    Outcome,
    Play,
    Presence,
    PresenceState,
    Received,
    Stop,
    Telemetry,
    encode,
)
from protocol.signing import public_from_text
from protocol.topics import (
    node_filter,
    node_presence,
    node_report,
    node_telemetry,
    unit_filter,
)

KEEPALIVE_S = 300
CONNECTING_S = 30.0
ON_THEIR_WAY = 50
"""So many may have called and not been let in; the broker's queue of callers is not much longer."""

BIRTH_AGAIN_S = 0.2
SOON_S = 0.05
TELL_ROUNDS = 10
LOOK_S = 1.0
TELEMETRY_ROUNDS = 15
"""A node tells of itself every fifteenth second, as real ones do."""


@dataclass
class Swarm:
    """What they share.

    Attributes:
        bare: Whether they verify nothing.
        plans: How many plans a node waits for before it is ready.
        births: When which node tells anew what it holds: some time after it was told something.
    """

    host: str
    port: int
    secret: str
    root: Ed25519PublicKey
    bare: bool
    plans: int
    ready: int = 0
    connected: int = 0
    births: "dict[SimNode, float]" = field(default_factory=dict)

    def born_by(self, now_s: float) -> "list[SimNode]":
        """Take the nodes whose birth is due to be told anew."""
        due = [node for node, at_s in self.births.items() if at_s <= now_s]
        for node in due:
            del self.births[node]
        return due


@dataclass(eq=False)
class SimNode:
    """One node: its client, and what it holds."""

    swarm: Swarm
    node: NodeId
    units: tuple[UnitId, ...]
    held: Holdings = field(init=False)
    client: Client = field(init=False)
    is_ready: bool = False

    def __post_init__(self) -> None:
        self.held = Holdings(self.node, self.swarm.root)
        self.client = Client(
            CallbackAPIVersion.VERSION2, client_id=self.node, protocol=MQTTProtocolVersion.MQTTv5
        )
        self.client.username_pw_set(self.node, self.swarm.secret)
        self.client.on_socket_open = _send_at_once
        self.client.on_connect = lambda *_: self._begin()
        self.client.on_subscribe = lambda *_: self._listen()
        self.client.on_message = lambda _c, _u, message: self._take(message.topic, message.payload)

    def _begin(self) -> None:
        self.swarm.connected += 1
        filters = [node_filter(self.node), *map(unit_filter, self.units)]
        self.client.subscribe([(name, 1) for name in filters])
        self.tell_presence()

    def _listen(self) -> None:
        # One that verifies waits for its plans as well.
        self.swarm.ready += self.swarm.bare

    def tell_presence(self) -> None:
        versions = self.held.plan_versions
        birth = Presence(
            node=self.node,
            state=PresenceState.HERE,
            at=datetime.now(UTC),
            software="swarm",
            config_version=self.held.config.version if self.held.config else 0,
            plan_versions=versions,
        )
        self.client.publish(node_presence(self.node), encode(birth), 1, retain=True)

    def tell_telemetry(self) -> None:
        word = Telemetry(at=datetime.now(UTC), refused={})
        self.client.publish(node_telemetry(self.node), encode(word), 0)

    def _take(self, topic: str, payload: bytes) -> None:
        if self.swarm.bare:
            if topic.endswith("/order"):
                self.client.publish(node_report(self.node), payload[:200], 1)
            return
        try:
            verdict = receive(self.held, topic, payload, datetime.now(UTC))
        except RefusedError as error:
            sys.stderr.write(f"{self.node} refuses {topic}: {error}\n")
            return
        match verdict:
            case Accepted(holdings, kept, order):
                self.held = holdings
                if order is not None:
                    self._answer(order.message, kept.name)
                    return
                self.swarm.births.setdefault(self, time.monotonic() + BIRTH_AGAIN_S)
                if not self.is_ready and len(holdings.plans) >= self.swarm.plans:
                    self.is_ready = True
                    self.swarm.ready += 1
            case _:  # an acknowledgement, or a copy of what is held: nothing of it is kept here
                pass

    def _answer(self, order: Play | Stop, token_id: str) -> None:
        now = datetime.now(UTC)
        if isinstance(order, Play):
            self._report(
                Received(
                    report_id=UNNUMBERED,
                    claim_id=order.claim.claim_id,
                    at=now,
                    message_id=token_id,
                )
            )
            return
        self._report(
            AsRun(
                report_id=UNNUMBERED,
                claim_id=order.claim_id,
                cluster=self.held.config.cluster if self.held.config else "",
                at=now,
                outcome=Outcome.STOPPED,
                reason="stopped",
                segments=(),
            )
        )
        # A real node forgets a day later; these live through more orders than a node in a year.
        self.held = replace(self.held, orders={})

    def _report(self, word: Received | AsRun) -> None:
        self.client.publish(node_report(self.node), numbered(word).body, 1)


def main() -> None:
    """Connect them all, say ``ready`` when each holds what it needs, and answer until killed."""
    said = json.loads(Path(sys.argv[1]).read_text())
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    swarm = Swarm(
        said["host"],
        said["port"],
        said["secret"],
        public_from_text(said["root_key"]),
        bare=said["bare"],
        plans=said["plans"],
    )
    nodes = [
        SimNode(swarm, NodeId(node), tuple(map(UnitId, units)))
        for node, units in said["nodes"].items()
    ]
    with selectors.DefaultSelector() as selector:
        _connect_all(selector, nodes)
        _tell(f"{len(nodes)} connected")
        _serve(selector, swarm, nodes)


def _connect_all(selector: selectors.BaseSelector, nodes: list[SimNode]) -> None:
    """Connect one after another, and serve those that are; few at once are on their way.

    Not by paho's own loop: its select() knows no more than 1,024 files.
    """
    for number, node in enumerate(nodes, 1):
        node.client.connect(node.swarm.host, node.swarm.port, KEEPALIVE_S)
        selector.register(node.client.socket(), selectors.EVENT_READ, node)
        deadline = time.monotonic() + CONNECTING_S
        _read_all(selector, 0)
        while number - node.swarm.connected > ON_THEIR_WAY:
            if time.monotonic() > deadline:
                message = f"the broker does not take {node.node}"
                raise TimeoutError(message)
            _read_all(selector, 0.05)
        if number % 500 == 0:
            _tell(f"{number} have called")


def _serve(selector: selectors.BaseSelector, swarm: Swarm, nodes: list[SimNode]) -> None:
    told, looked, rounds = False, time.monotonic(), 0
    while True:
        _read_all(selector, SOON_S)
        now_s = time.monotonic()
        for node in swarm.born_by(now_s):
            node.tell_presence()
        if not told and swarm.ready == len(nodes):
            told = True
            # Each real node has a small heap of its own; nobody looks through all of them at once.
            gc.collect()
            gc.freeze()
            _tell("ready")
        if now_s - looked > LOOK_S:
            looked, rounds = now_s, rounds + 1
            if not told and rounds % TELL_ROUNDS == 0:
                _tell(f"{swarm.ready} of {len(nodes)} hold what they need")
            for number, node in enumerate(_alive(nodes)):
                node.client.loop_misc()
                if number % TELEMETRY_ROUNDS == rounds % TELEMETRY_ROUNDS and not swarm.bare:
                    node.tell_telemetry()


def _read_all(selector: selectors.BaseSelector, wait_s: float) -> None:
    for key, _ in selector.select(wait_s):
        client: Client = key.data.client
        client.loop_read()
        _send_all(client)


def _send_at_once(_client: Client, _userdata: object, sock: socket.socket) -> None:
    """Do as real nodes do: an answer right behind another would wait for 40 ms."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _send_all(client: Client) -> None:
    while client.want_write():
        client.loop_write()


def _alive(nodes: list[SimNode]) -> Iterator[SimNode]:
    for node in nodes:
        if node.client.socket() is None:
            message = f"{node.node} has lost its connection"
            raise ConnectionError(message)
        yield node


if __name__ == "__main__":
    main()
