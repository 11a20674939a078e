"""What the gateway pays to take in what the nodes of a province say, and how much of it at most.

``NODES=866`` nodes say that an order was received, tell of its end, and measure themselves. The
deliveries are handed to an inbox as the broker's client would, on SQLite and on PostgreSQL, and the
acknowledgements to nobody. ``..._ms`` is this process's own time for one report or measurement;
``per_s`` waits for the database as well.
"""

import os
import queue
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, func, insert, select

from edge.outbox import numbered
from edge.runs import UNNUMBERED
from protocol.ids import NodeId
from protocol.messages import AsRun, Outcome, Received, Telemetry, encode
from protocol.topics import node_report, node_telemetry
from server.domain.deliveries import FINAL
from server.mqtt.gateway import Delivery
from server.mqtt.inbox import Inbox, next_batch
from server.services import broadcasting
from server.services.broadcast_requests import NewBroadcast
from server.services.commissioning import hashed_secret
from server.services.keyring import Keyring, create_secrets
from server.store.engine import Sessions, open_sessions
from server.store.models import AssetRow, DeliveryRow, NodeRow
from tests.bench.measuring import ENGINES, database, report, say
from tests.bench.sites import OPERATOR, SECRET
from tests.factories.countries import Size, enter_country
from tests.factories.links import FakeLink

NODES = 866
ROUNDS = 9
RECEIVED = DeliveryRow.received_at.is_not(None)
ENDED = DeliveryRow.state.in_(FINAL)


@dataclass(frozen=True)
class Place:
    """An inbox, and the nodes that speak to it, with the cluster of each."""

    sessions: Sessions
    keyring: Keyring
    inbox: Inbox
    link: FakeLink
    nodes: dict[str, str]
    asset_digest: str

    def announce(self, number: int) -> str:
        new = NewBroadcast(
            request_id=f"r-{number}",
            unit_id="t1",
            title=f"Thông báo {number}",
            bulletin_class="emergency",
            asset_digest=self.asset_digest,
            decision_number="1/QĐ-UBND",
            units=("t1",),
        )
        with self.sessions.begin() as db:
            made = broadcasting.announce(
                db, new, now=datetime.now(UTC), actor=OPERATOR, keyring=self.keyring
            )
            return made.broadcast_id

    def demand_all(self, broadcast: str, word: ColumnElement[bool]) -> None:
        """Go on only where every node's word is in the database, and each was acknowledged."""
        lacking = select(func.count()).where(DeliveryRow.broadcast_id == broadcast, ~word)
        with self.sessions.begin() as db:
            assert db.scalar(lacking) == 0

    def received(self, broadcast: str) -> Iterator[Delivery]:
        for node in self.nodes:
            word = Received(
                report_id=UNNUMBERED,
                claim_id=broadcast,
                at=datetime.now(UTC),
                message_id=f"play-{broadcast}",
            )
            yield Delivery(node_report(NodeId(node)), numbered(word).body, retained=False)

    def ended(self, broadcast: str) -> Iterator[Delivery]:
        for node, cluster in self.nodes.items():
            word = AsRun(
                report_id=UNNUMBERED,
                claim_id=broadcast,
                cluster=cluster,
                at=datetime.now(UTC),
                outcome=Outcome.STOPPED,
                reason="stopped",
            )
            yield Delivery(node_report(NodeId(node)), numbered(word).body, retained=False)

    def measured(self) -> Iterator[Delivery]:
        for node in self.nodes:
            body = encode(Telemetry(at=datetime.now(UTC), refused={}, temperature_c=41.5))
            yield Delivery(node_telemetry(NodeId(node)), body, retained=False)

    def take(self, said: Iterator[Delivery]) -> tuple[float, float]:
        """Take in; the processor time of this process and the time by the clock, in seconds."""
        waiting: queue.Queue[Delivery] = queue.Queue()
        for one in said:
            waiting.put(one)
        worked, began = time.process_time(), time.perf_counter()
        while not waiting.empty():
            self.inbox.take(next_batch(waiting, 0))
        self.inbox.acknowledge()
        return time.process_time() - worked, time.perf_counter() - began


def main() -> None:
    """Measure on both engines; the figures of PostgreSQL stand at the top."""
    size = int(os.environ.get("NODES", NODES))  # noqa: TID251 - the benchmark's own argument
    rounds = int(os.environ.get("ROUNDS", ROUNDS))  # noqa: TID251 - the benchmark's own argument
    by_engine = {}
    for engine in ENGINES:
        by_engine[engine] = measured(engine, size, rounds)
        say(f"{engine}: {by_engine[engine]}")
    report({**by_engine["postgresql"], "sqlite": by_engine["sqlite"]})


def measured(kind: str, size: int, rounds: int) -> dict[str, float]:
    """Let all of them speak ``rounds`` times; medians."""
    times: dict[str, list[tuple[float, float]]] = {"received": [], "as_run": [], "telemetry": []}
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as folder, database(kind) as engine:
        place = _a_place(Path(folder), open_sessions(engine), size)
        place.take(place.measured())  # the first finds everything cold
        for number in range(rounds):
            broadcast = place.announce(number)
            times["received"].append(place.take(place.received(broadcast)))
            place.demand_all(broadcast, RECEIVED)
            times["as_run"].append(place.take(place.ended(broadcast)))
            place.demand_all(broadcast, ENDED)
            times["telemetry"].append(place.take(place.measured()))
        assert len(place.link.published) >= 2 * size * rounds
    figures = {"nodes": size, "rounds": rounds}
    for word, taken in times.items():
        worked = statistics.median(worked for worked, _ in taken)
        took = statistics.median(took for _, took in taken)
        figures[f"{word}_ms"] = round(1000 * worked / size, 3)
        figures[f"{word}_per_s"] = round(size / took)
    return figures


def _a_place(folder: Path, sessions: Sessions, size: int) -> Place:
    create_secrets(folder)
    keyring, link = Keyring.open(folder), FakeLink()
    with sessions.begin() as db:
        (province,) = enter_country(db, Size(clusters=size, slots=1), keyring=keyring)
        nodes = {f"n-{cluster}": cluster for cluster in province.all_clusters}
        hashed, now = hashed_secret(SECRET), datetime.now(UTC)
        rows = [
            {
                "node_id": node,
                "cluster_id": cluster,
                "secret_hash": hashed,
                "commissioned_at": now,
                "plan_versions": {},
                "telemetry": {},
            }
            for node, cluster in nodes.items()
        ]
        db.execute(insert(NodeRow), rows)
        digest = db.scalars(select(AssetRow.digest).limit(1)).one()
    inbox = Inbox(link, sessions, keyring=keyring, clock=lambda: datetime.now(UTC))
    return Place(sessions, keyring, inbox, link, nodes, digest)


if __name__ == "__main__":
    main()
