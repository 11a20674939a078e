"""How long an urgent announcement takes to reach everybody, and to be heard.

``NODES=866`` chooses how many nodes there are; without it, several numbers one after another. The
server's programs, Mosquitto and PostgreSQL run as in service; the nodes are one process more, each
with its own connection and its own verification of every signature. All of that shares the
processors of this machine, while real nodes verify side by side: what one verification costs is
told too. The floor is the same order on the same broker, to nodes that verify nothing and answer
with bytes of the same size, which a client counts in memory.
"""

import json
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy import ColumnElement, func, insert, select

from audio_library.decode import write_wav
from audio_library.music import melody
from edge.schedule import Accepted, Holdings, receive
from protocol.signing import public_from_text, public_text
from protocol.topics import NODE_WORDS, node_config, unit_order, unit_plan
from server.cli.demo.client import Person
from server.cli.demo.province import Login
from server.cli.programs import free_port, server_programs
from server.cli.supervisor import Supervisor
from server.domain.authority import Actor, Role
from server.domain.deliveries import FINAL
from server.services import accounts
from server.services.commissioning import hashed_secret
from server.services.configuring import publish_configs
from server.services.keyring import GATEWAY, Keyring, create_secrets, secret_text
from server.services.passwords import hashed_password
from server.settings import Settings
from server.store.engine import Sessions, open_engine, open_sessions
from server.store.models import BroadcastRow, DeliveryRow, NodeRow, OutboxRow, PlanRow
from tests.bench.first_sample import first_sample_ms
from tests.bench.measuring import report, say
from tests.factories.countries import BigProvince, Size, enter_country
from tests.factories.database import running_postgres

SIZES = (100, 866, 2000, 5000)
YARDSTICK = 866
ROUNDS = 20
SECRET = "mot-mat-khau-cho-moi-nut"  # noqa: S105 - of an installation that lives for minutes
OPERATOR = Actor.operator("loa")
LOGIN = Login("phat-thanh", "mat-khau-dai-cho-do", "Phát thanh", Role.BROADCASTER, "t1")
PATIENCE_S = 60.0
LOOK_S = 0.004
RECEIVED = DeliveryRow.received_at.is_not(None)
ENDED = DeliveryRow.state.in_(FINAL)


@dataclass(frozen=True)
class Site:
    """A running installation."""

    settings: Settings
    sessions: Sessions
    keyring: Keyring
    province: BigProvince
    keeper: Supervisor

    @property
    def nodes(self) -> dict[str, str]:
        return {f"n-{cluster}": cluster for cluster in self.province.all_clusters}


def main() -> None:
    """Measure each size; the figures of the yardstick, or of the last, stand at the top."""
    wanted = os.environ.get("NODES")  # noqa: TID251 - the benchmark's own argument
    sizes = (int(wanted),) if wanted else SIZES
    by_size = {}
    for size in sizes:
        by_size[str(size)] = _measured(size)
        say(f"{size} nodes: {by_size[str(size)]}")
    chosen = by_size[str(YARDSTICK if YARDSTICK in sizes else sizes[-1])]
    report({**chosen, **first_sample_ms(), "sizes": by_size})


def _measured(size: int) -> dict[str, float]:
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-") as folder,
        a_site(Path(folder), size) as site,
    ):
        with _swarm(site, bare=False):
            _wait(lambda: _settled(site), "all nodes are told of")
            took_s = _announced(site)
        verify_ms = _verify_ms(site)
        with _swarm(site, bare=True):
            floor_s = _floor(site)
    p95_s, floor_p95_s = _p(took_s, 95), _p(floor_s, 95)
    return {
        "nodes": size,
        "rounds": len(took_s),
        "p50_s": _p(took_s, 50),
        "p95_s": p95_s,
        "p99_s": _p(took_s, 99),
        "floor_p95_s": floor_p95_s,
        "ratio_to_floor": round(p95_s / floor_p95_s, 2),
        "node_verify_ms": verify_ms,
    }


@contextmanager
def a_site(folder: Path, clusters: int) -> Iterator[Site]:
    """Run an installation with one province of so many clusters, and no node yet."""
    with running_postgres(durable=True) as postgres, Supervisor(folder / "log") as keeper:
        settings = Settings(
            state_dir=folder,
            database_url=postgres.url(postgres.create()),
            port=free_port(19080),
            mqtt_port=free_port(19083),
            public_url="",
        )
        create_secrets(settings.secrets_dir)
        keyring = Keyring.open(settings.secrets_dir)
        engine = open_engine(settings.database)
        sessions = open_sessions(engine)
        with sessions.begin() as db:
            (province,) = enter_country(db, Size(clusters=clusters, slots=100), keyring=keyring)
        site = Site(settings, sessions, keyring, province, keeper)
        _commission(site)
        for program in server_programs(settings, "mosquitto"):
            keeper.start(program)
        keeper.wait_ready(Event(), PATIENCE_S)
        yield site
        engine.dispose()


def _commission(site: Site) -> None:
    """Enter all nodes at once: one after another would read the whole province for each."""
    now = datetime.now(UTC)
    hashed = hashed_secret(SECRET)
    with site.sessions.begin() as db:
        db.execute(
            insert(NodeRow),
            [
                {
                    "node_id": node,
                    "cluster_id": cluster,
                    "secret_hash": hashed,
                    "commissioned_at": now,
                    "plan_versions": {},
                    "telemetry": {},
                }
                for node, cluster in site.nodes.items()
            ],
        )
        publish_configs(db, site.nodes, now=now, keyring=site.keyring)
        accounts.create_user(
            db,
            username=LOGIN.username,
            password_hash=hashed_password(LOGIN.password),
            full_name=LOGIN.full_name,
            grants=[(LOGIN.role.value, LOGIN.unit_id)],
            now=now,
            actor=OPERATOR,
        )


@contextmanager
def _swarm(site: Site, *, bare: bool) -> Iterator[None]:
    """Run all nodes in a process of their own."""
    chain_of = {
        cluster: (site.province.unit_id, commune)
        for commune, own in site.province.clusters.items()
        for cluster in own
    }
    file = site.settings.state_dir / "swarm.json"
    said = {
        "host": site.settings.mqtt_host,
        "port": site.settings.mqtt_port,
        "secret": SECRET,
        "root_key": public_text(site.keyring.root_public),
        "bare": bare,
        "plans": 2,
        "nodes": {node: chain_of[cluster] for node, cluster in site.nodes.items()},
    }
    file.write_text(json.dumps(said))
    swarm = subprocess.Popen(
        (sys.executable, "-m", "tests.bench.swarm", str(file)), stdout=subprocess.PIPE, text=True
    )
    try:
        if swarm.stdout is None or swarm.stdout.readline().strip() != "ready":
            message = "the nodes did not become ready"
            raise RuntimeError(message)
        yield
    finally:
        swarm.kill()
        swarm.wait()


def _settled(site: Site) -> bool:
    """Say whether the server knows all nodes as here, and has nothing left to tell."""
    with site.sessions() as db:
        here = db.scalar(select(func.count()).where(NodeRow.presence == "here"))
        waiting = db.scalar(select(func.count()).where(OutboxRow.published_at.is_(None)))
    return here == len(site.nodes) and waiting == 0


def _announced(site: Site) -> list[float]:
    """Announce to the whole province again and again; tell when the last node's word was there."""
    person = Person.log_in(site.settings.address, LOGIN)
    wav = site.settings.state_dir / "notice.wav"
    write_wav(wav, melody(7, 12.0))
    digest = person.upload(wav, unit_id="t1", title="Thông báo", purpose="announcement")["digest"]
    took_s = []
    for number in range(ROUNDS + 1):
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
        _wait(lambda broadcast=broadcast: not _lacking(site, broadcast, RECEIVED), "receipts")
        took_s.append(time.perf_counter() - accepted)
        person.stop(broadcast)
        _wait(lambda broadcast=broadcast: not _lacking(site, broadcast, ENDED), "records")
    return took_s[1:]  # the first finds everything cold


def _lacking(site: Site, broadcast: str, word: ColumnElement[bool]) -> bool:
    """Say whether some node's word on a broadcast is not in the database yet."""
    with site.sessions() as db:
        lacking = select(DeliveryRow.delivery_id).where(
            DeliveryRow.broadcast_id == broadcast, ~word
        )
        return db.scalar(lacking.limit(1)) is not None


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
        began = time.perf_counter()
        verdict = receive(held, unit_order("t1"), order.token, now)
        times.append(time.perf_counter() - began)
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


def _floor(site: Site) -> list[float]:
    """Publish the same order on the same broker, and count the answers in memory."""
    with site.sessions() as db:
        raw = db.scalar(select(BroadcastRow.token).order_by(BroadcastRow.start.desc()).limit(1))
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    client = Client(
        CallbackAPIVersion.VERSION2, client_id="counter", protocol=MQTTProtocolVersion.MQTTv5
    )
    client.username_pw_set(GATEWAY, secret_text(site.settings.secrets_dir, GATEWAY))
    client.on_message = lambda _c, _u, message: (
        answers.put(message.topic) if message.topic.endswith("/report") else None
    )
    granted = Event()
    client.on_subscribe = lambda *_: granted.set()
    client.connect(site.settings.mqtt_host, site.settings.mqtt_port)
    client.loop_start()
    client.subscribe(NODE_WORDS, 1)
    granted.wait(10)
    took_s = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        client.publish(unit_order("t1"), raw, 1)
        for _answer in range(len(site.nodes)):
            answers.get(timeout=PATIENCE_S)
        took_s.append(time.perf_counter() - began)
    client.disconnect()
    client.loop_stop()
    return took_s[1:]


def _wait(condition: Callable[[], bool], what: str) -> None:
    pause, deadline = Event(), time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            message = f"not within {PATIENCE_S:g} s: {what}"
            raise TimeoutError(message)
        pause.wait(LOOK_S)


def _p(times_s: list[float], percent: int) -> float:
    return round(statistics.quantiles(times_s, n=100, method="inclusive")[percent - 1], 3)


if __name__ == "__main__":
    main()
