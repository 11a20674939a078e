"""How long an urgent announcement takes to reach everybody, and to be heard.

``NODES=866`` chooses how many nodes there are; without it, several numbers one after another.
``ROUNDS=20`` says how often each is measured. The server's programs, Mosquitto and PostgreSQL run
as in service; the nodes are one process more, each with its own connection and its own verification
of every signature. All of that shares the processors of this machine, while real nodes verify side
by side: what one verification costs is told too. The floor is the same order on the same broker, to
nodes that verify nothing and answer with bytes of the same size, which a client counts in memory.
"""

import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import psutil
from sqlalchemy import ColumnElement, select

from audio_library.decode import write_wav
from audio_library.music import melody
from edge.schedule import Accepted, Holdings, receive
from protocol.signing import public_from_text, public_text
from protocol.topics import node_config, unit_order, unit_plan
from server.cli.demo.client import Person
from server.domain.deliveries import FINAL
from server.store.models import BroadcastRow, DeliveryRow, NodeRow, OutboxRow, PlanRow
from tests.bench.first_sample import first_sample_ms
from tests.bench.floor import floor_s
from tests.bench.measuring import report, say
from tests.bench.sites import LOGIN, Site, a_site
from tests.bench.swarms import a_swarm

SIZES = (100, 866, 2000, 5000)
YARDSTICK = 866
ROUNDS = 20
LOOK_S = 0.05
SETTLED_LOOKS = 20
"""So often in a row nothing may be left to tell."""
SETTLED_LOOK_S = 0.1
RECEIVED = DeliveryRow.received_at.is_not(None)
ENDED = DeliveryRow.state.in_(FINAL)


def main() -> None:
    """Measure each size; the figures of the yardstick, or of the last, stand at the top."""
    # So that what was started is ended too when somebody's patience ends first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    wanted = os.environ.get("NODES")  # noqa: TID251 - the benchmark's own argument
    rounds = int(os.environ.get("ROUNDS", ROUNDS))  # noqa: TID251 - the benchmark's own argument
    sizes = (int(wanted),) if wanted else SIZES
    heard = first_sample_ms()
    by_size = {}
    for size in sizes:
        by_size[str(size)] = _measured(size, rounds)
        say(f"{size} nodes: {by_size[str(size)]}")
    chosen = by_size[str(YARDSTICK if YARDSTICK in sizes else sizes[-1])]
    report({**chosen, **heard, "sizes": by_size})


def _measured(size: int, rounds: int) -> dict[str, float]:
    say(f"{size} nodes: a province of so many clusters, and the server's programs")
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-") as folder,
        a_site(Path(folder), size) as site,
    ):
        say(f"{size} nodes: they connect")
        with a_swarm(site, bare=False):
            say(f"{size} nodes: they are told what they lack")
            _wait_settled(site)
            before_s = _gateway_s(site)
            took_s = list(_announced(site, rounds))
            spent_s = _gateway_s(site) - before_s
        verify_ms = _verify_ms(site)
        say(f"{size} nodes: the broker alone")
        bare_s = floor_s(site, rounds)
    p95_s, floor_p95_s = _p(took_s, 95), _p(bare_s, 95)
    return {
        "nodes": size,
        "rounds": len(took_s),
        "p50_s": _p(took_s, 50),
        "p95_s": p95_s,
        "p99_s": _p(took_s, 99),
        "floor_p95_s": floor_p95_s,
        "ratio_to_floor": round(p95_s / floor_p95_s, 2),
        "node_verify_ms": verify_ms,
        # Received and, after the stop, the record: two of each node in a round.
        "gateway_ms_per_report": round(1000 * spent_s / (2 * size * (rounds + 1)), 3),
    }


def _gateway_s(site: Site) -> float:
    """Tell the processor time that the gateway has spent."""
    spent = psutil.Process(site.keeper.pid("gateway")).cpu_times()
    return spent.user + spent.system


def _announced(site: Site, rounds: int) -> Iterator[float]:
    """Announce to the whole province again and again; tell when the last node's word was there."""
    person = Person.log_in(site.settings.address, LOGIN)
    wav = site.settings.state_dir / "notice.wav"
    write_wav(wav, melody(7, 12.0))
    digest = person.upload(wav, unit_id="t1", title="Thông báo", purpose="announcement")["digest"]
    for number in range(rounds + 1):
        answer = person.announce(
            unit_id="t1",
            title=f"Thông báo {number}",
            bulletin_class="emergency",
            severity=3,
            decision_number="1/QĐ-UBND",
            asset_digest=digest,
            units=["t1"],
        )
        accepted = time.perf_counter()
        broadcast = answer["broadcast_id"]
        _wait_told(site, broadcast, RECEIVED, "receipts")
        took_s = time.perf_counter() - accepted
        person.stop(broadcast)
        _wait_told(site, broadcast, ENDED, "records")
        if number:  # the first finds everything cold
            yield took_s
            say(f"  round {number} of {rounds}: {took_s:.3f} s")
        _wait_settled(site)


def _wait_told(site: Site, broadcast: str, word: ColumnElement[bool], what: str) -> None:
    """Wait until every node's word on a broadcast is in the database."""
    lacking = select(DeliveryRow.delivery_id).where(DeliveryRow.broadcast_id == broadcast, ~word)
    # Asked in one question each time: it shares the processors with what is measured.
    engine = site.sessions.kw["bind"].execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as database:
        _wait(site, lambda: database.scalar(lacking.limit(1)) is None, what)


def _wait_settled(site: Site) -> None:
    """Wait until every unit has its plan, every node is here and has it, and nothing is to tell."""
    looks = 0
    while looks < SETTLED_LOOKS:
        _wait(site, lambda: _is_settled(site), "nothing left to tell", SETTLED_LOOK_S)
        Event().wait(SETTLED_LOOK_S)
        looks = looks + 1 if _is_settled(site) else 0


def _is_settled(site: Site) -> bool:
    with site.sessions() as db:
        if db.scalar(select(OutboxRow.outbox_id).where(OutboxRow.published_at.is_(None)).limit(1)):
            return False
        plans = dict(db.execute(select(PlanRow.unit_id, PlanRow.version)).all())
        if len(plans) < 1 + len(site.province.communes):
            return False
        here = db.scalars(select(NodeRow.plan_versions).where(NodeRow.presence == "here")).all()
        held = [versions.get("t1") == plans["t1"] for versions in here]
        return len(held) == len(site.nodes) and all(held)


def _verify_ms(site: Site) -> float:
    """Tell what one node pays to read, verify and accept one order."""
    node, cluster = next(iter(site.nodes.items()))
    commune = next(unit for unit, own in site.province.clusters.items() if cluster in own)
    held = Holdings(node, public_from_text(public_text(site.keyring.root_public)))
    with site.sessions() as db:
        order = db.scalars(select(BroadcastRow).order_by(BroadcastRow.start.desc())).first()
        tokens = dict(_retained(site, commune))
        config = db.get_one(NodeRow, node).config_token
    if order is None or config is None:
        message = "nothing was ordered"
        raise RuntimeError(message)
    now = datetime.now(UTC)
    for topic, raw in (
        (node_config(node), config),
        *((unit_plan(unit), tokens[unit]) for unit in tokens),
    ):
        verdict = receive(held, topic, raw, now)
        if isinstance(verdict, Accepted):
            held = verdict.holdings
    times = []
    for _ in range(300):
        began = time.process_time()
        verdict = receive(held, unit_order("t1"), order.token, now)
        times.append(time.process_time() - began)
        if not isinstance(verdict, Accepted):
            message = f"not accepted: {verdict}"
            raise RuntimeError(message)  # noqa: TRY004 - not about a type
    return round(1000 * statistics.median(times), 3)


def _retained(site: Site, commune: str) -> Iterator[tuple[str, bytes]]:
    with site.sessions() as db:
        for unit in (site.province.unit_id, commune):
            token = db.scalar(select(PlanRow.token).where(PlanRow.unit_id == unit))
            if token is not None:
                yield unit, token


def _wait(site: Site, condition: Callable[[], bool], what: str, look_s: float = LOOK_S) -> None:
    """Wait for something; the longer, the more nodes there are."""
    patience_s = 120.0 + 0.1 * len(site.nodes)
    pause, deadline = Event(), time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            message = f"not within {patience_s:g} s: {what}"
            raise TimeoutError(message)
        pause.wait(look_s)


def _p(times_s: list[float], percent: int) -> float:
    return round(statistics.quantiles(times_s, n=100, method="inclusive")[percent - 1], 3)


if __name__ == "__main__":
    main()
