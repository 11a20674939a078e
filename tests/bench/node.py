"""What one node costs, and how soon it sounds: ``python -m edge`` with a recording output.

A node of its own process joins a real broker, fetches its audio over HTTP, and plays. Processor
time and memory are the process's and those of its children, as the system counts them.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from threading import Event
from time import monotonic

import numpy as np
import psutil

from protocol.messages import AssetRef, Presence, PresenceState, Started
from tests.bench.measuring import p50_ms, p95_ms, report, say
from tests.factories.messages import a_stop
from tests.factories.sounds import RATE_HZ, encode, heard, lag_s, noise
from tests.factories.stations import (
    AudioServer,
    Mosquitto,
    NodeProcess,
    Station,
    a_programme,
    an_urgent,
)
from tests.factories.waiting import wait_until

STARTS = 5
ROUNDS = 10
LISTENED_S = 60.0
IDLE_S = 30.0
LOOK_S = 0.5
ALARM_S = 3.0


class Place:
    """One node, the server made by hand around it, and what its processes took."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Mosquitto(folder)
        self.audio = AudioServer()
        self.station = Station(self.broker.port)
        self.versions = 0
        self.alarms = 0

    def file(self, samples: np.ndarray, suffix: str, codec: str) -> AssetRef:
        path = encode(self.folder / f"a{suffix}", samples, codec=codec)
        return self.audio.add(path.read_bytes(), len(samples) / RATE_HZ)

    def programme(self, asset: AssetRef, start: datetime) -> str:
        """Publish a plan with nothing else in it; the name of what it holds."""
        self.versions += 1
        name = f"tin-{self.versions}"
        self.station.plan(a_programme(asset, start, claim_id=name), version=self.versions)
        return name

    def close(self) -> None:
        self.station.close()
        self.audio.close()
        self.broker.kill()


@contextmanager
def a_place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as folder, ExitStack() as stack:
        place = Place(Path(folder))
        stack.callback(place.close)
        yield place


def main() -> None:
    """Measure, and print one line of JSON last."""
    with a_place() as place:
        speech = noise(LISTENED_S + 30, seed=1)
        opus = place.file(speech, ".opus", "libopus")
        mp3 = place.file(speech, ".mp3", "libmp3lame")
        alarm_sound = noise(ALARM_S, seed=2)
        alarm = place.file(alarm_sound, ".ogg", "libopus")
        place.station.configure(pinned=(opus, mp3, alarm))
        place.programme(opus, datetime.now(UTC) - timedelta(hours=1))
        starts_s = [start_s(place, place.folder / f"start-{number}") for number in range(STARTS)]
        say(f"starts, s: {[round(one, 2) for one in starts_s]}")
        node = NodeProcess(place.folder, place.broker.port, place.audio.base)
        try:
            figures = while_it_runs(place, node, opus, mp3, alarm, alarm_sound)
        finally:
            node.stop()
    say_imports()
    report({**figures, "start_s": round(median(starts_s), 2)})


def start_s(place: Place, folder: Path) -> float:
    """Start a node with nothing on its disk; the time until it holds its plan."""
    folder.mkdir()
    place.station.words.clear()
    began = monotonic()
    node = NodeProcess(folder, place.broker.port, place.audio.base)
    try:
        wait_until(lambda: _holds_a_plan(place.station), within_s=30)
        return monotonic() - began
    finally:
        node.stop()


def _holds_a_plan(station: Station) -> bool:
    return any(word.plan_versions for word in station.heard(Presence, state=PresenceState.HERE))


def while_it_runs(
    place: Place,
    node: NodeProcess,
    opus: AssetRef,
    mp3: AssetRef,
    alarm: AssetRef,
    alarm_sound: np.ndarray,
) -> dict[str, float]:
    """Measure one node that has all it needs on its disk."""
    wait_until(lambda: node.holds(3), within_s=60)
    pause(3)
    idle, memory = cost(node.pid, IDLE_S)
    say(f"idle: {idle} % of a core, {memory} MB")
    playing: list[float] = []
    for asset, kind in ((opus, "Opus"), (mp3, "MP3")):
        name = place.programme(asset, datetime.now(UTC) + timedelta(seconds=3))
        place.station.hears(Started, claim_id=name)
        percent, now_mb = cost(node.pid, LISTENED_S)
        playing.append(percent)
        memory = max(memory, now_mb)
        say(f"{kind}: {percent} % of a core, {now_mb} MB")
    over_s = [round_s(place, node, alarm, alarm_sound) for _ in range(ROUNDS)]
    place.programme(opus, datetime.now(UTC) - timedelta(hours=1))  # over: nothing plays any more
    pause(3)
    idle_s = [round_s(place, node, alarm, alarm_sound) for _ in range(ROUNDS)]
    return {
        "cpu_percent": max(playing),
        "peak_rss_mb": memory,
        "idle_cpu_percent": idle,
        "first_sample_ms": p95_ms(idle_s),
        "first_sample_p50_ms": p50_ms(idle_s),
        "preempt_ms": p95_ms(over_s),
        "preempt_p50_ms": p50_ms(over_s),
    }


def cost(pid: int, seconds: float) -> tuple[float, float]:
    """Watch a process and its children: percent of a core, and the most memory in MB."""
    program = psutil.Process(pid)
    used_s, began, most = _used_s(program), monotonic(), 0
    while monotonic() < began + seconds:
        most = max(most, sum(one.memory_info().rss for one in _family(program)))
        pause(LOOK_S)
    percent = 100 * (_used_s(program) - used_s) / (monotonic() - began)
    return round(percent, 2), round(most / 2**20, 1)


def _family(program: psutil.Process) -> list[psutil.Process]:
    return [program, *program.children(recursive=True)]


def _used_s(program: psutil.Process) -> float:
    times = program.cpu_times()
    gone = times.children_user + times.children_system
    living = [one.cpu_times() for one in program.children(recursive=True)]
    return times.user + times.system + gone + sum(one.user + one.system for one in living)


def round_s(place: Place, node: NodeProcess, alarm: AssetRef, sound: np.ndarray) -> float:
    """Order, find the first sample in the recording, stop; the time between the first two."""
    place.alarms += 1
    ordered = datetime.now(UTC)
    claim = an_urgent(alarm, ordered, claim_id=f"khan-{place.alarms}")
    place.station.play(claim)
    reaches = (ordered + timedelta(seconds=2.0)).timestamp()
    wait_until(lambda: len(heard(node.recording).between(reaches, 0.01)))
    looked_s = 1.0
    lag = lag_s(sound, heard(node.recording).between(ordered + timedelta(seconds=looked_s), 0.3))
    # Where its first samples were not decoded in time, it was joined after its beginning.
    lost_s = place.station.hears(Started, claim_id=claim.claim_id).position_s
    place.station.order(a_stop(claim_id=claim.claim_id, until=claim.end))
    place.station.final(claim.claim_id)
    return looked_s - lag + lost_s


def say_imports() -> None:
    """Tell which modules take longest to load."""
    command = [sys.executable, "-X", "importtime", "-c", "import edge.__main__"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    rows = [line.removeprefix("import time:").split("|") for line in told.splitlines()[1:]]
    slowest = sorted(rows, key=lambda row: -int(row[1]))[:25]
    for _own, microseconds, module in slowest:
        say(f"import {int(microseconds) / 1000:7.1f} ms {module.rstrip()}")


def pause(seconds: float) -> None:
    Event().wait(seconds)


if __name__ == "__main__":
    main()
