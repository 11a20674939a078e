"""How far apart nodes sound: one programme from their disks, by one clock, found by correlation.

Two and five nodes, each a process with a broker and a server of its own, are listened to through
their recording outputs, where one of five has a crystal that is 100 ppm fast, and through a real
PulseAudio: each plays on its own channel of one sink, so that a single recording holds them all.
Where Debian's Snapcast is installed, its clients are heard in the same way.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from threading import Event

import numpy as np

from protocol.messages import Presence, PresenceState, Started
from tests.bench.measuring import report, say
from tests.factories.sound_servers import listening, null_sink, sound_server
from tests.factories.sounds import RATE_HZ, encode, heard, lag_s, noise
from tests.factories.stations import (
    AudioServer,
    Mosquitto,
    NodeProcess,
    Station,
    a_programme,
    free_port,
)
from tests.factories.waiting import wait_until

MINUTES = float(os.environ.get("MINUTES", "1"))  # noqa: TID251 - chosen by whoever measures
MOST = 5
WINDOW_S = 0.5
EVERY_S = 1.0
SETTLED_S = 5.0
"""What of the beginning is not judged for drift: a node may still be taking its step."""

WITHIN_S = 0.2
QUIET = 0.003
SINK = "all"
CHANNELS = ("front-left", "front-right", "rear-left", "rear-right", "front-center")
MODULES = (
    null_sink(",".join(CHANNELS), sink_name=SINK),
    *(
        f"module-remap-sink sink_name=node{number} master={SINK} channels=1 channel_map=mono "
        f"master_channel_map={channel} remix=no"
        for number, channel in enumerate(CHANNELS)
    ),
)

Samples = np.ndarray


class Setup:
    """One node with a broker, an audio server and a server made by hand to itself."""

    def __init__(self, folder: Path, programme: bytes, length_s: float, **chosen: object) -> None:
        folder.mkdir()
        self._broker = Mosquitto(folder)
        self._audio = AudioServer()
        self.station = Station(self._broker.port)
        self._asset = self._audio.add(programme, length_s)
        self.station.configure(pinned=(self._asset,))
        self.node = NodeProcess(folder, self._broker.port, self._audio.base, **chosen)
        self.station.hears(Presence, state=PresenceState.HERE, config_version=1)
        wait_until(lambda: self.node.holds(1))

    def programme(self, start: datetime) -> None:
        self.station.plan(a_programme(self._asset, start))

    def close(self) -> None:
        self.node.stop()
        self.station.close()
        self._audio.close()
        self._broker.kill()


def main() -> None:
    """Measure, and print one line of JSON last."""
    length_s = 60 * MINUTES + 10
    sound = noise(length_s)
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        programme = encode(folder / "programme.opus", sound).read_bytes()
        figures: dict[str, object] = {}
        apart_ms: list[float] = []
        for count in (2, MOST):
            tracks = recorded(folder / f"recorded-{count}", programme, length_s, count)
            apart_ms += apart(tracks)
        figures |= spread(apart_ms)
        figures["drift_ms_per_h"] = drift_ms_per_h(tracks[0], tracks[-1])
        server = stack.enter_context(sound_server(made(folder / "pulse"), *MODULES))
        worst_ms = []
        for count in (2, MOST):
            tracks = through_pulse(folder / f"pulse-{count}", programme, length_s, count, server)
            worst_ms.append(spread(apart(tracks))["p95_ms"])
            figures[f"null_sink_{count}_p95_ms"] = worst_ms[-1]
        figures["null_sink_p95_ms"] = max(worst_ms)
        if shutil.which("snapserver") and shutil.which("snapclient"):
            tracks = through_snapcast(folder / "snapcast", sound, server)
            figures["snapcast_p95_ms"] = spread(apart(tracks))["p95_ms"]
    report(figures)


def recorded(folder: Path, programme: bytes, length_s: float, count: int) -> list[Samples]:
    """Let nodes record themselves, and lay the recordings side by side on the wall clock.

    The last of more than two has the fast crystal.
    """
    folder.mkdir()
    with ExitStack() as stack:
        setups = []
        for number in range(count):
            fast = count > 2 and number == count - 1
            module = "tests.bench.fast_crystal" if fast else "edge"
            setups.append(Setup(folder / str(number), programme, length_s, module=module))
            stack.callback(setups[-1].close)
        begins = together(setups, length_s)
    found = [heard(one.node.recording) for one in setups]
    return [one.between(begins, length_s) for one in found]


def through_pulse(
    folder: Path, programme: bytes, length_s: float, count: int, server: Mapping[str, str]
) -> list[Samples]:
    """Let nodes play on one channel each of one sink, and part the recording of it."""
    folder.mkdir()
    with ExitStack() as stack:
        setups = []
        for number in range(count):
            environment = {**server, "PULSE_SINK": f"node{number}"}
            chosen = {"output": "pulse", "environment": environment}
            setups.append(Setup(folder / str(number), programme, length_s, **chosen))
            stack.callback(setups[-1].close)
        with all_channels(folder / "heard.raw", server) as file:
            together(setups, length_s)
        return parted(file, count)


def through_snapcast(folder: Path, sound: Samples, server: Mapping[str, str]) -> list[Samples]:
    """Let Snapcast's server and two of its clients play the same, on the same sink."""
    folder.mkdir()
    fifo, port = folder / "fifo", free_port()
    os.mkfifo(fifo)
    settings = folder / "snapserver.conf"
    settings.write_text(
        f"[server]\ndatadir = {folder}\n[http]\nenabled = false\n[tcp]\nenabled = false\n"
        f"[stream]\nbind_to_address = 127.0.0.1\nport = {port}\n"
        f"source = pipe://{fifo}?name=n&mode=read&sampleformat=48000:16:1\n"
    )
    with ExitStack() as stack:
        stack.enter_context(running(["snapserver", "-c", str(settings)], server))
        for number in range(2):
            command = ["snapclient", "-h", "127.0.0.1", "-p", str(port), "-i", str(number + 1)]
            sink = {**server, "PULSE_SINK": f"node{number}"}
            stack.enter_context(running([*command, "--player", "pulse"], sink))
        file = stack.enter_context(all_channels(folder / "heard.raw", server))
        with fifo.open("wb") as pipe:
            pipe.write((sound * 32_767).astype("<i2").tobytes())
        Event().wait(SETTLED_S)
        return parted(file, 2)


def together(setups: Sequence[Setup], length_s: float) -> datetime:
    """Plan the programme on all of them, and wait until it is over; when it began."""
    begins = datetime.now(UTC) + timedelta(seconds=4)
    for one in setups:
        one.programme(begins)
    for one in setups:
        one.station.hears(Started)
    over = begins + timedelta(seconds=length_s + 1.5)
    Event().wait((over - datetime.now(UTC)).total_seconds())
    return begins


@contextmanager
def all_channels(file: Path, server: Mapping[str, str]) -> Iterator[Path]:
    """Listen to the sink that all play on."""
    count = len(CHANNELS)
    with listening(file, source=f"{SINK}.monitor", channels=count, environment=server) as raw:
        yield raw


@contextmanager
def running(command: list[str], environment: Mapping[str, str]) -> Iterator[None]:
    """Run another's program until the end of the block."""
    program = subprocess.Popen(
        command,
        env={**os.environ, **environment},  # noqa: TID251 - handed on
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        program.terminate()
        program.wait(10)


def parted(file: Path, count: int) -> list[Samples]:
    """Take a recording of all channels apart."""
    raw = np.fromfile(file, "<i2")
    frames = raw[: len(raw) // len(CHANNELS) * len(CHANNELS)].reshape(-1, len(CHANNELS))
    return [frames[:, number].astype(np.float32) / 32_767 for number in range(count)]


def apart(tracks: Sequence[Samples]) -> list[float]:
    """Tell how far apart each two of them are at each second, in milliseconds."""
    return [abs(ms) for one, other in combinations(tracks, 2) for _at, ms in lags(one, other)]


def lags(one: Samples, other: Samples) -> list[tuple[float, float]]:
    """Tell at which second the other is how many milliseconds behind the one."""
    found = []
    for first in range(0, len(one) - round(WINDOW_S * RATE_HZ), round(EVERY_S * RATE_HZ)):
        window = one[first : first + round(WINDOW_S * RATE_HZ)]
        reach = max(0, first - round(WITHIN_S * RATE_HZ))
        around = other[reach : first + len(window) + round(WITHIN_S * RATE_HZ)]
        if np.sqrt(np.mean(window**2)) > QUIET and np.sqrt(np.mean(around**2)) > QUIET:
            at = lag_s(around, window)
            found.append((first / RATE_HZ, 1000 * (at + (reach - first) / RATE_HZ)))
    return found


def spread(apart_ms: Sequence[float]) -> dict[str, float]:
    """Tell the median, what nineteen of twenty stay below, and the most."""
    say(f"{len(apart_ms)} windows, {np.round(np.percentile(apart_ms, (50, 95, 100)), 3)} ms")
    return {
        "p50_ms": round(float(np.percentile(apart_ms, 50)), 3),
        "p95_ms": round(float(np.percentile(apart_ms, 95)), 3),
        "max_ms": round(float(np.max(apart_ms)), 3),
    }


def drift_ms_per_h(one: Samples, other: Samples) -> float:
    """Tell how fast the other drifts away from the one, by a line through all windows."""
    found = [(at, ms) for at, ms in lags(one, other) if at >= SETTLED_S]
    seconds, milliseconds = np.array(found).T
    return round(float(np.polyfit(seconds, milliseconds, 1)[0]) * 3600, 3)


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
