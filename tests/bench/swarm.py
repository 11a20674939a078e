"""Many nodes in one process, each with a connection of its own: they judge what they are told with
a node's own code, and answer as a node does, but play nothing.

``python -m tests.bench.swarm FILE``: the file says who they are and where the broker is. With
``bare`` they verify nothing and answer every order with bytes of the same size.
"""

import json
import resource
import selectors
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
LOOK_S = 1.0
TELEMETRY_ROUNDS = 15
"""A node tells of itself every fifteenth second, as real ones do."""


@dataclass
class Swarm:
    """What they share.

    Attributes:
        bare: Whether they verify nothing.
        plans: How many plans a node waits for before it is ready.
    """

    host: str
    port: int
    secret: str
    root: Ed25519PublicKey
    bare: bool
    plans: int
    ready: int = 0


@dataclass
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
        self.client.on_connect = lambda *_: self._begin()
        self.client.on_subscribe = lambda *_: self._listen()
        self.client.on_message = lambda _c, _u, message: self._take(message.topic, message.payload)

    def connect(self) -> None:
        self.client.connect(self.swarm.host, self.swarm.port, KEEPALIVE_S)

    def _begin(self) -> None:
        filters = [node_filter(self.node), *map(unit_filter, self.units)]
        self.client.subscribe([(name, 1) for name in filters])
        self._tell_presence()

    def _listen(self) -> None:
        # One that verifies waits for its plans as well.
        self.swarm.ready += self.swarm.bare

    def _tell_presence(self) -> None:
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
                elif not self.is_ready and len(holdings.plans) >= self.swarm.plans:
                    self.is_ready = True
                    self.swarm.ready += 1
                    self._tell_presence()
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
        for node in nodes:
            node.connect()
            _settle(node)
            selector.register(node.client.socket(), selectors.EVENT_READ, node)
        _serve(selector, swarm, nodes)


def _settle(node: SimNode) -> None:
    """Let the connection come about before the next one begins."""
    deadline = time.monotonic() + 10
    while not node.client.is_connected():
        if time.monotonic() > deadline:
            message = f"the broker does not take {node.node}"
            raise TimeoutError(message)
        node.client.loop(timeout=0.05)


def _serve(selector: selectors.BaseSelector, swarm: Swarm, nodes: list[SimNode]) -> None:
    told, looked, rounds = False, time.monotonic(), 0
    while True:
        for key, _ in selector.select(LOOK_S):
            client: Client = key.data.client
            client.loop_read()
            _send_all(client)
        if not told and swarm.ready == len(nodes):
            told = True
            sys.stdout.write("ready\n")
            sys.stdout.flush()
        if time.monotonic() - looked > LOOK_S:
            looked, rounds = time.monotonic(), rounds + 1
            for number, node in enumerate(_alive(nodes)):
                node.client.loop_misc()
                if number % TELEMETRY_ROUNDS == rounds % TELEMETRY_ROUNDS and not swarm.bare:
                    node.tell_telemetry()


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
