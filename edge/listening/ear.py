"""A microphone, or a wire from the amplifier's output: a child that records, and its thread.

It disturbs nothing: it waits for the child, with a lower rank than all that makes sound.
"""

import contextlib
import os
import select
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import final

import numpy as np
import structlog

from edge.errors import BadSettingError
from edge.listening.frames import FRAME, RATE_HZ, Sound

_log = structlog.get_logger()

PIECE = 10 * FRAME
"""What is handed over at once: 0.2 s."""

_BYTES = 2
_FULL_SCALE = np.float32(32_768)
_SILENT_S = 10.0
_MOST_PAUSE_S = 60.0
_STEADY_S = 60.0
_LATENCIES = 50
_NICE = 10
_JOIN_S = 2.0
_FORM = {
    "alsa": ("arecord", "-q", "-t", "raw", "-f", "S16_LE", "-c", "1"),
    "pulse": ("parec", "--raw", "--format=s16le", "--channels=1"),
}
_PATIENT = {"alsa": "--buffer-time=500000", "pulse": "--latency-msec=100"}
_QUICK = {"alsa": "--buffer-time=120000", "pulse": "--latency-msec=40"}


def recorder(source: str, rate_hz: int = RATE_HZ, *, is_quick: bool = False) -> tuple[str, ...]:
    """Name the program that records from a source, with its words.

    Args:
        source: ``alsa``, ``alsa:DEVICE``, ``pulse`` or ``pulse:SOURCE``.
        rate_hz: Samples in a second.
        is_quick: Whether somebody waits for what is recorded.

    Raises:
        BadSettingError: There is no such kind of source.
    """
    kind, _, device = source.partition(":")
    if kind not in _FORM:
        raise BadSettingError("input", f"{source} is not alsa or pulse, with a device")
    named: tuple[str, ...] = ()
    if device:
        named = ("-D", device) if kind == "alsa" else (f"--device={device}",)
    rate = ("-r", str(rate_hz)) if kind == "alsa" else (f"--rate={rate_hz}",)
    held = _QUICK[kind] if is_quick else _PATIENT[kind]
    return (*_FORM[kind], held, *rate, *named)


@final
class Ear:
    """Keeps a recorder running, and hands over what it hears.

    Args:
        command: Writes 16-bit samples to its standard output for as long as it runs.
        heard: Takes, in the ear's own thread, a piece of sound and when on the monotonic clock it
            began.
        rate_hz: Samples in a second.
        piece: How many are handed over at once.
        nice: How much all else goes before it.
    """

    def __init__(
        self,
        command: Sequence[str],
        heard: Callable[[float, Sound], None],
        monotonic: Callable[[], float] = time.monotonic,
        *,
        rate_hz: int = RATE_HZ,
        piece: int = PIECE,
        nice: int = _NICE,
    ) -> None:
        self._rate_hz, self._piece, self._nice = rate_hz, piece, nice
        self._command = tuple(command)
        self._heard = heard
        self._monotonic = monotonic
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ear", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Let it stop by itself, within half a second."""
        self._closing.set()

    def close(self) -> None:
        """Stop listening; closing twice is harmless."""
        self.stop()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            # On Linux this is of the thread alone; its children have it from here.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), self._nice)
        pause_s = 1.0
        while not self._closing.is_set():
            began_s = self._monotonic()
            reason = self._listen()
            if self._closing.is_set():
                return
            _log.warning("recorder_ended", program=self._command[0], error=reason)
            if self._monotonic() - began_s > _STEADY_S:
                pause_s = 1.0
            self._closing.wait(pause_s)
            pause_s = min(_MOST_PAUSE_S, 2 * pause_s)

    def _listen(self) -> str:
        """Listen until the recorder ends or falls silent, and tell why."""
        try:
            child = subprocess.Popen(  # noqa: S603 - named by the board profile, no shell
                self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            return str(error)
        try:
            return self._pass_on(child)
        finally:
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()

    def _pass_on(self, child: subprocess.Popen[bytes]) -> str:
        if child.stdout is None:
            raise AssertionError("the child was given a pipe")
        pipe, raw, count = child.stdout.fileno(), bytearray(), 0
        piece, rate_hz = self._piece, self._rate_hz
        # The shortest way that any of the last pieces took: what came later was held up.
        began: deque[float] = deque(maxlen=_LATENCIES)
        waited_s = 0.0
        while not self._closing.is_set():
            if not select.select([pipe], [], [], 0.5)[0]:
                waited_s += 0.5
                if waited_s >= _SILENT_S:
                    return "it is alive and records nothing"
                continue
            waited_s = 0.0
            more = os.read(pipe, piece * _BYTES)
            if not more:
                return f"it ended with {child.wait()}"
            raw += more
            while len(raw) >= piece * _BYTES:
                count += piece
                began.append(self._monotonic() - count / rate_hz)
                samples = np.frombuffer(bytes(raw[: piece * _BYTES]), "<i2")
                sound = samples.astype(np.float32) / _FULL_SCALE
                del raw[: piece * _BYTES]
                self._heard(min(began) + (count - piece) / rate_hz, sound)
        return ""
