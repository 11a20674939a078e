"""What the broker alone takes: the same order fanned out, and the answers counted in memory."""

import queue
import time
from threading import Event

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy import select

from protocol.topics import NODE_WORDS, unit_order
from server.cli.programs import server_programs
from server.cli.supervisor import Supervisor
from server.mqtt.access import GATEWAY_USER
from server.services.keyring import GATEWAY, secret_text
from server.store.models import BroadcastRow
from tests.bench.sites import STARTING_S, Site
from tests.bench.swarms import a_swarm

PATIENCE_S = 60.0


def floor_s(site: Site, rounds: int) -> list[float]:
    """Stop the server's programs and publish its last order again and again.

    Nobody else may be at the broker under the gateway's name, which is the only one that may count.
    """
    with site.sessions() as db:
        raw = db.scalar(select(BroadcastRow.token).order_by(BroadcastRow.start.desc()).limit(1))
    site.keeper.close()
    with Supervisor(site.settings.state_dir / "log") as keeper:
        for program in server_programs(site.settings, "mosquitto"):
            if program.name == "broker":
                keeper.start(program)
        keeper.wait_ready(Event(), STARTING_S)
        with a_swarm(site, bare=True):
            return _counted(site, raw or b"", rounds)


def _counted(site: Site, raw: bytes, rounds: int) -> list[float]:
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    granted = Event()
    client = Client(
        CallbackAPIVersion.VERSION2, client_id=GATEWAY_USER, protocol=MQTTProtocolVersion.MQTTv5
    )
    client.username_pw_set(GATEWAY_USER, secret_text(site.settings.secrets_dir, GATEWAY))
    client.on_message = lambda _c, _u, message: (
        answers.put(message.topic) if message.topic.endswith("/report") else None
    )
    client.on_subscribe = lambda *_: granted.set()
    client.connect(site.settings.mqtt_host, site.settings.mqtt_port)
    client.loop_start()
    try:
        client.subscribe(NODE_WORDS, 1)
        if not granted.wait(PATIENCE_S):
            message = "the broker does not let anybody count"
            raise TimeoutError(message)
        took_s = []
        for _ in range(rounds + 1):
            began = time.perf_counter()
            client.publish(unit_order("t1"), raw, 1)
            for _answer in range(len(site.nodes)):
                answers.get(timeout=PATIENCE_S)
            took_s.append(time.perf_counter() - began)
    finally:
        client.disconnect()
        client.loop_stop()
    return took_s[1:]
