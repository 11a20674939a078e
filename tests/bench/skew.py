"""How far apart nodes sound: one programme from their disks, by one clock, found by correlation.

Five nodes, each a process with a broker and a server of its own, are listened to through their
recording outputs, where one has a crystal that is 100 ppm fast, and then through a real PulseAudio:
each plays on its own channel of one sink, so that a single recording holds them all. Two nodes are
the first two of them. Where Debian's Snapcast is installed (snapserver, snapclient), two of its
clients play on channels of the same sink meanwhile, and are heard in the same way.
"""

import os
import shutil
import signal
import subprocess
import sys
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
from tests.factories.ports import free_port
from tests.factories.sound_servers import listening, null_sink, sound_server
from tests.factories.sounds import RATE_HZ, encode, heard, lag_s, noise
from tests.factories.stations import (
    AudioServer,
    Mosquitto,
    NodeProcess,
    Station,
    a_programme,
    is_listening,
)
from tests.factories.waiting import wait_until

MINUTES = float(os.environ.get("MINUTES", "1"))  # noqa: TID251 - chosen by whoever measures
NODES = 5
TWO = 2
WINDOW_S = 0.5
EVERY_S = 1.0
SETTLED_S = 5.0
"""What of the beginning is not judged for drift: a node may still be taking its step."""

WITHIN_S = 0.2
QUIET = 0.003
TARGET_MS = 2.0
SINK = "all"
CHANNELS = (
    *("front-left", "front-right", "rear-left", "rear-right", "front-center"),
    # Snapcast's
    *("side-left", "side-right"),
)
MODULES = (
    null_sink(",".join(CHANNELS), sink_name=SINK),
    *(
        f"module-remap-sink sink_name=ch{number} master={SINK} channels=1 channel_map=mono "
        f"master_channel_map={channel} remix=no"
        for number, channel in enumerate(CHANNELS)
    ),
)

Samples = np.ndarray


class Setup:
    """One node with a broker, an audio server and a server made by hand to itself."""

    def __init__(self, folder: Path, programme: bytes, length_s: float, **chosen: object) -> None:
        folder.mkdir()
        with ExitStack() as stack:
            broker = Mosquitto(folder)
            stack.callback(broker.kill)
            audio = AudioServer()
            stack.callback(audio.close)
            self.station = Station(broker.port)
            stack.callback(self.station.close)
            self._asset = audio.add(programme, length_s)
            self.station.configure(pinned=(self._asset,))
            self.node = NodeProcess(folder, broker.port, audio.base, **chosen)
            stack.callback(self.node.kill)
            stack.callback(self.node.stop)
            self.close = stack.pop_all().close

    def wait_until_ready(self) -> None:
        self.station.hears(Presence, state=PresenceState.HERE, config_version=1)
        wait_until(lambda: self.node.holds(1))

    def programme(self, start: datetime) -> None:
        self.station.plan(a_programme(self._asset, start))


def main() -> None:
    """Measure, and print one line of JSON last."""
    # Ended from outside it leaves by the same way, and takes along all that it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    length_s = 60 * MINUTES + SETTLED_S
    sound = noise(length_s)
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as name:
        folder = Path(name)
        programme = encode(folder / "programme.opus", sound).read_bytes()
        tracks = recorded(made(folder / "recorded"), programme, length_s)
        all_ms, two_ms = apart(tracks), apart(tracks[:TWO])
        say(f"two nodes: {spread(two_ms)}")
        figures: dict[str, float] = spread(all_ms)
        figures["drift_ms_per_h"] = drift_ms_per_h(tracks[0], tracks[-1])
        say(f"five nodes: {figures}")
        tracks, others = through_pulse(made(folder / "pulse"), programme, length_s, sound)
        for count in (TWO, NODES):
            figures[f"null_sink_{count}_p95_ms"] = spread(apart(tracks[:count]))["p95_ms"]
        figures["null_sink_p95_ms"] = figures[f"null_sink_{NODES}_p95_ms"]
        if others:
            heard_ms = spread(apart(others))
            say(f"Snapcast: {heard_ms}")
            figures["snapcast_p95_ms"] = heard_ms["p95_ms"]
    report(figures)


def recorded(folder: Path, programme: bytes, length_s: float) -> list[Samples]:
    """Let nodes record themselves, and lay the recordings side by side on the wall clock.

    The last of them has the fast crystal.
    """
    modules = ["edge"] * (NODES - 1) + ["tests.bench.fast_crystal"]
    with ExitStack() as stack:
        setups = []
        for number, module in enumerate(modules):
            setups.append(Setup(folder / str(number), programme, length_s, module=module))
            stack.callback(setups[-1].close)
        begins = together(setups, length_s)
    return [heard(one.node.recording).between(begins, length_s) for one in setups]


def through_pulse(
    folder: Path, programme: bytes, length_s: float, sound: Samples
) -> tuple[list[Samples], list[Samples]]:
    """Let nodes play on one channel each of one sink, and part the recording of it.

    Returns:
        What was heard of the nodes, and of Snapcast where it is installed.
    """
    beside = shutil.which("snapserver") and shutil.which("snapclient")
    with ExitStack() as stack:
        server = stack.enter_context(sound_server(made(folder / "server"), *MODULES))
        setups = []
        for number in range(NODES):
            chosen = {"output": "pulse", "environment": _channel(number, server)}
            setups.append(Setup(folder / str(number), programme, length_s, **chosen))
            stack.callback(setups[-1].close)
        if beside:
            stack.enter_context(snapcast(made(folder / "snapcast"), sound, server))
        file, places = folder / "heard.raw", ",".join(CHANNELS)
        with listening(file, source=f"{SINK}.monitor", channels=places, environment=server):
            together(setups, length_s)
    tracks = parted(file)
    return tracks[:NODES], tracks[NODES:] if beside else []


@contextmanager
def snapcast(folder: Path, sound: Samples, server: Mapping[str, str]) -> Iterator[None]:
    """Let Snapcast's server and two of its clients play the same, on the same sink."""
    fifo, port = folder / "fifo", free_port()
    os.mkfifo(fifo)
    raw, settings = folder / "sound.raw", folder / "snapserver.conf"
    raw.write_bytes((sound * 32_767).astype("<i2").tobytes())
    settings.write_text(
        f"[server]\ndatadir = {folder}\n[http]\nenabled = false\n[tcp]\nenabled = false\n"
        f"[stream]\nbind_to_address = 127.0.0.1\nport = {port}\n"
        f"source = pipe://{fifo}?name=n&mode=read&sampleformat=48000:16:1\n"
    )
    with ExitStack() as stack:
        stack.enter_context(running(["snapserver", "-c", str(settings)], server))
        wait_until(lambda: is_listening(port))
        for number in range(NODES, len(CHANNELS)):
            command = ["snapclient", "-h", "127.0.0.1", "-p", str(port), "-i", str(number)]
            sink = _channel(number, server)
            stack.enter_context(running([*command, "--player", "pulse"], sink))
        stack.enter_context(running(["cp", str(raw), str(fifo)], server))
        yield


def _channel(number: int, server: Mapping[str, str]) -> dict[str, str]:
    """Make the environment of a program that plays on one channel."""
    return {**server, "PULSE_SINK": f"ch{number}"}


def together(setups: Sequence[Setup], length_s: float) -> datetime:
    """Plan the programme on all of them, and wait until it is over; when it began."""
    for one in setups:
        one.wait_until_ready()
    begins = datetime.now(UTC) + timedelta(seconds=4)
    for one in setups:
        one.programme(begins)
    for one in setups:
        one.station.hears(Started)
    over = begins + timedelta(seconds=length_s + 1.5)
    Event().wait((over - datetime.now(UTC)).total_seconds())
    return begins


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


def parted(file: Path) -> list[Samples]:
    """Take a recording of all channels apart."""
    raw = np.fromfile(file, "<i2")
    frames = raw[: len(raw) // len(CHANNELS) * len(CHANNELS)].reshape(-1, len(CHANNELS))
    return [channel.astype(np.float32) / 32_767 for channel in frames.T]


def apart(tracks: Sequence[Samples]) -> list[float]:
    """Tell how far apart each two of them are at each second, in milliseconds."""
    found = []
    for (first, one), (second, other) in combinations(enumerate(tracks), 2):
        for at, ms in lags(one, other):
            if abs(ms) > TARGET_MS:
                say(f"{second} is {ms:.3f} ms behind {first} at {at:.0f} s")
            found.append(abs(ms))
    return found


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
    """Tell how fast the other drifts away from the one: the median slope between two windows."""
    found = [(at, ms) for at, ms in lags(one, other) if at >= SETTLED_S]
    slopes = [(ms - was) / (at - then) for (then, was), (at, ms) in combinations(found, 2)]
    return round(float(np.median(slopes)) * 3600, 3)


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    main()
