"""A PulseAudio or PipeWire server through its simple library: for desktops and test rigs."""

import ctypes
import threading
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_size_t, c_uint8, c_uint32, c_uint64
from ctypes import c_void_p as pointer
from typing import ClassVar, final

import numpy as np

from edge.errors import OutputError
from edge.player.output import BUFFER_S, RATE_HZ, REST_BLOCK, Samples

# Values of pa_stream_direction_t and pa_sample_format_t in the PulseAudio headers.
_PLAYBACK = 1
_S16LE = 3
_UNSET = 0xFFFF_FFFF
_LIBRARY = "libpulse-simple.so.0"
_BYTES_PER_SAMPLE = 2


class _SampleSpec(Structure):
    _fields_: ClassVar = [("format", c_int), ("rate", c_uint32), ("channels", c_uint8)]


class _BufferAttributes(Structure):
    _fields_: ClassVar = [
        ("maxlength", c_uint32),
        ("tlength", c_uint32),
        ("prebuf", c_uint32),
        ("minreq", c_uint32),
        ("fragsize", c_uint32),
    ]


@final
class PulseOutput:
    """Play on the default sink of a sound server."""

    def __init__(self) -> None:
        self._pulse = _library()
        # Close must not free the connection under a writer.
        self._lock = threading.Lock()
        error = c_int(0)
        buffer_bytes = int(BUFFER_S * RATE_HZ) * _BYTES_PER_SAMPLE
        self._connection: int | None = self._pulse.pa_simple_new(
            None,
            b"loalang",
            _PLAYBACK,
            None,
            b"loudspeaker",
            byref(_SampleSpec(_S16LE, RATE_HZ, 1)),
            None,
            byref(_BufferAttributes(_UNSET, buffer_bytes, _UNSET, buffer_bytes // 6, _UNSET)),
            byref(error),
        )
        if not self._connection:
            raise self._failure(error.value)

    @property
    def underruns(self) -> int:
        """Stay at zero: the simple interface does not tell."""
        return 0

    def write(self, block: Samples) -> None:
        """Queue a block, blocking while the server's buffer is full."""
        frames = np.ascontiguousarray(block.astype("<i2"))
        error = c_int(0)
        with self._lock:
            connection = self._open_connection()
            if self._pulse.pa_simple_write(
                connection, frames.ctypes.data, frames.nbytes, byref(error)
            ):
                raise self._failure(error.value)

    def delay_s(self) -> float:
        """Tell in how many seconds the next sample written would sound."""
        error = c_int(0)
        with self._lock:
            latency_us = self._pulse.pa_simple_get_latency(self._open_connection(), byref(error))
        if error.value:
            raise self._failure(error.value)
        return int(latency_us) / 1e6

    def rest(self, wake: threading.Event, at_most_s: float) -> int:  # noqa: ARG002 - the port's
        """Feed the device one block of silence: it must never run dry."""
        if wake.is_set():
            return 0
        self.write(REST_BLOCK)
        return len(REST_BLOCK)

    def close(self) -> None:
        """Leave the server, dropping what is queued."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection:
                self._pulse.pa_simple_free(connection)

    def _open_connection(self) -> int:
        if not self._connection:
            raise OutputError("pulse", "is closed")
        return self._connection

    def _failure(self, code: int) -> OutputError:
        return OutputError("pulse", self._pulse.pa_strerror(code).decode(errors="replace"))


def _library() -> ctypes.CDLL:
    try:
        pulse = ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise OutputError("pulse", str(error)) from error
    pulse.pa_simple_new.argtypes = [
        c_char_p,
        c_char_p,
        c_int,
        c_char_p,
        c_char_p,
        POINTER(_SampleSpec),
        pointer,
        POINTER(_BufferAttributes),
        POINTER(c_int),
    ]
    pulse.pa_simple_new.restype = pointer
    pulse.pa_simple_write.argtypes = [pointer, pointer, c_size_t, POINTER(c_int)]
    pulse.pa_simple_get_latency.argtypes = [pointer, POINTER(c_int)]
    pulse.pa_simple_get_latency.restype = c_uint64
    pulse.pa_simple_free.argtypes = [pointer]
    pulse.pa_simple_free.restype = None
    pulse.pa_strerror.argtypes = [c_int]
    pulse.pa_strerror.restype = c_char_p
    return pulse
