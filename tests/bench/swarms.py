"""Run a swarm of nodes for an installation, in processes of their own."""

import json
import queue
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

from protocol.signing import public_text
from tests.bench.measuring import say
from tests.bench.sites import SECRET, Site

READY = "ready"
PROCESSES = 2
"""Real nodes compute side by side; here they may on as many processors as there are."""


@contextmanager
def a_swarm(site: Site, *, bare: bool) -> Iterator[None]:
    """Run all nodes until the end of the block; it begins when each holds what it needs.

    Raises:
        RuntimeError: They do not become ready, or not in time.
    """
    chain_of = {
        cluster: (site.province.unit_id, commune)
        for commune, own in site.province.clusters.items()
        for cluster in own
    }
    said = {
        "host": site.settings.mqtt_host,
        "port": site.settings.mqtt_port,
        "secret": SECRET,
        "root_key": public_text(site.keyring.root_public),
        "bare": bare,
        "plans": 2,
    }
    nodes = [(node, chain_of[cluster]) for node, cluster in site.nodes.items()]
    with ExitStack() as ending:
        swarms = []
        for number in range(PROCESSES):
            file = site.settings.state_dir / f"swarm-{number}.json"
            file.write_text(json.dumps({**said, "nodes": dict(nodes[number::PROCESSES])}))
            swarms.append(ending.enter_context(_a_process(file)))
        for swarm in swarms:
            _await_ready(swarm, 300.0 + 0.2 * len(nodes))
        yield


@contextmanager
def _a_process(file: Path) -> Iterator[subprocess.Popen[str]]:
    swarm = subprocess.Popen(
        (sys.executable, "-m", "tests.bench.swarm", str(file)), stdout=subprocess.PIPE, text=True
    )
    try:
        yield swarm
    finally:
        swarm.kill()
        swarm.wait()


def _await_ready(swarm: subprocess.Popen[str], within_s: float) -> None:
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    Thread(target=_read, args=(swarm, lines), daemon=True).start()
    line = ""
    while line != READY:
        try:
            line = lines.get(timeout=within_s)
        except queue.Empty:
            line = ""
        if not line:
            message = f"the nodes did not become ready within {within_s:g} s"
            raise RuntimeError(message)
        say(f"  nodes: {line}")


def _read(swarm: subprocess.Popen[str], lines: "queue.SimpleQueue[str]") -> None:
    for line in swarm.stdout or ():
        lines.put(line.strip())
    lines.put("")
