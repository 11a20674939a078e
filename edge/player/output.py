"""The port of a sound device, and the choice of one by name.

Implemented by ``AlsaOutput``, ``PulseOutput``, ``RecordingOutput`` and ``SimulatedOutput``.
"""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.errors import OutputError

RATE_HZ = 48_000
# Twelve nodes on two busy cores ran a 60 ms buffer dry several times a minute, and not this one.
BUFFER_S = 0.1

Samples = NDArray[np.int16]

# What a device that cannot sleep is fed at rest: long, to wake the processor seldom, yet short
# enough that a sound cued meanwhile is heard within 120 ms.
REST_BLOCK: Samples = np.zeros(RATE_HZ * 40 // 1000, dtype=np.int16)


_FILL_S = 0.06
_MORE_S = 0.02
_REST_MARGIN_S = 0.04


class Fill:
    """How much of a device's buffer is filled: little, for what is urgent to be heard soon.

    Once it has run dry it is filled further: a machine that was too busy once will be again.
    """

    def __init__(self) -> None:
        self._seconds = _FILL_S

    def ran_dry(self) -> None:
        """Keep more in the buffer from now on."""
        self._seconds = min(BUFFER_S, self._seconds + _MORE_S)

    def seconds_for(self, count: int) -> float:
        """Tell up to where the buffer is filled by a block of so many samples."""
        return min(BUFFER_S, max(self._seconds, count / RATE_HZ + _REST_MARGIN_S))


class Output(Protocol):
    """A device that takes 48 kHz mono samples and sounds them, one after another."""

    @property
    def underruns(self) -> int:
        """Count how often the device had nothing to sound, where it tells."""

    def write(self, block: Samples) -> None:
        """Queue a block, blocking until the device's buffer has room for it.

        Raises:
            OutputError: The device is gone, or was closed.
        """

    def delay_s(self) -> float:
        """Tell in how many seconds the next sample written would sound.

        Raises:
            OutputError: The device is gone, or was closed.
        """

    def rest(self, wake: Event, at_most_s: float) -> int:
        """Sound silence until woken, and tell how many samples of it were queued.

        A device may look at ``wake`` only now and then, but never later than its buffer is long.

        Raises:
            OutputError: The device is gone, or was closed.
        """

    def close(self) -> None:
        """Release the device, dropping what has not sounded; closing twice is harmless."""


def open_output(name: str, *, clock: Callable[[], float] = time.time) -> Output:
    """Open the device that a node's settings name.

    Args:
        name: ``alsa``, ``alsa:DEVICE``, ``pulse``, ``record:/dir/file.wav`` or ``simulated``.
        clock: Wall time in epoch seconds, for the outputs that keep it.

    Raises:
        OutputError: No such kind of output, or the device cannot be opened.
    """
    # Imported on demand: a board without PulseAudio must not need its library.
    kind, _, rest = name.partition(":")
    match kind:
        case "alsa":
            from edge.player.alsa import AlsaOutput  # noqa: PLC0415 - loads a system library

            return AlsaOutput(rest or "default")
        case "pulse" if not rest:
            from edge.player.pulse import PulseOutput  # noqa: PLC0415 - loads a system library

            return PulseOutput()
        case "record" if rest:
            from edge.player.recording import RecordingOutput  # noqa: PLC0415 - imports this module

            return RecordingOutput(Path(rest), clock=clock)
        case "simulated" if not rest:
            from edge.player.simulated import SimulatedOutput  # noqa: PLC0415 - imports this module

            return SimulatedOutput()
        case _:
            raise OutputError(name, "is not alsa, alsa:DEVICE, pulse, record:FILE or simulated")
