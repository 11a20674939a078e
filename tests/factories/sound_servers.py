"""A real PulseAudio whose sinks have no loudspeakers."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from tests.factories.waiting import wait_until


@contextmanager
def sound_server(home: Path, *modules: str) -> Iterator[dict[str, str]]:
    """Run a server with these modules; what a client's environment needs to find it."""
    socket = home / "native"
    command = [
        shutil.which("pulseaudio"),
        *("-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes"),
        # As a desktop's: else whatever runs beside it is heard as holes.
        *("--realtime=yes", "--high-priority=yes"),
        *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={socket}"),
        *(word for module in modules for word in ("-L", module)),
    ]
    environment = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "LC_ALL": "C"}
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_until(socket.exists)
        yield {"PULSE_SERVER": f"unix:{socket}", "HOME": str(home)}
    finally:
        server.terminate()
        server.wait(10)


def null_sink(channels: str, **more: object) -> str:
    """Name the module of a sink with these channels; what is played there can be listened to."""
    # Without norewinds the monitor slips by 5 ms blocks (PulseAudio 16.1).
    count = channels.count(",") + 1
    facts = {"norewinds": 1, "rate": 48000, "channels": count, "channel_map": channels, **more}
    return " ".join(("module-null-sink", *(f"{name}={value}" for name, value in facts.items())))


@contextmanager
def listening(
    file: Path,
    *,
    source: str = "@DEFAULT_MONITOR@",
    channels: str = "mono",
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Path]:
    """Record what a server's sink is given into a raw file of 16-bit samples at 48 kHz.

    The channels are named: a number alone would mean places that the server chooses, and it would
    mix what lies elsewhere into them.
    """
    form = ("--raw", "--format=s16le", "--rate=48000", "--latency-msec=20")
    places = (f"--channels={channels.count(',') + 1}", f"--channel-map={channels}")
    command = ["parec", *form, *places, f"--device={source}"]
    with file.open("wb") as raw:
        ears = subprocess.Popen(command, stdout=raw, env={**os.environ, **environment})  # noqa: TID251 - handed on
        try:
            wait_until(lambda: file.stat().st_size > 0)
            yield file
        finally:
            ears.terminate()
            ears.wait(5)
