"""A sound card through the system's ALSA library, without any compiled binding.

``libasound.so.2`` is part of Raspberry Pi OS, and reports its delay to the sample.
"""

import ctypes
import threading
from ctypes import byref, c_char_p, c_int, c_long, c_uint, c_ulong, c_void_p
from typing import final

import numpy as np

from edge.errors import OutputError
from edge.player.output import BUFFER_S, RATE_HZ, REST_BLOCK, Fill, Samples

# Values of snd_pcm_stream_t, snd_pcm_format_t, snd_pcm_access_t and snd_pcm_state_t in the ALSA
# headers.
_PLAYBACK = 0
_S16_LE = 2
_INTERLEAVED = 3
_RUNNING = 3
_RESAMPLE_IN_SOFTWARE = 1
_LIBRARY = "libasound.so.2"


@final
class AlsaOutput:
    """Play on one ALSA device; a card that has no mono gets the same on two channels."""

    def __init__(self, device: str = "default") -> None:
        self._device = device
        self._alsa = _library(device)
        self._handle = c_void_p()
        # Close must not free the handle under a writer.
        self._lock = threading.Lock()
        self._closed = False
        self._underruns = 0
        self._fill = Fill()
        self._leaving = threading.Event()
        self._check(self._alsa.snd_pcm_open(byref(self._handle), device.encode(), _PLAYBACK, 0))
        self._channels = self._configure()

    @property
    def underruns(self) -> int:
        """Count how often the card ran dry."""
        return self._underruns

    def write(self, block: Samples) -> None:
        """Queue a block, recovering from an underrun on the way."""
        frames = np.ascontiguousarray(np.repeat(block, self._channels).astype("<i2"))
        left = len(block)
        self._wait_for_room(left)
        while left:
            offset = (len(block) - left) * self._channels * frames.itemsize
            with self._lock:
                self._refuse_closed()
                wrote = int(
                    self._alsa.snd_pcm_writei(
                        self._handle, c_void_p(frames.ctypes.data + offset), left
                    )
                )
                if wrote < 0:
                    self._recover(wrote)
            left -= max(0, wrote)

    def delay_s(self) -> float:
        """Tell in how many seconds the next sample written would sound."""
        frames = c_long(0)
        with self._lock:
            self._refuse_closed()
            failure = int(self._alsa.snd_pcm_delay(self._handle, byref(frames)))
            if failure:
                # An underrun: nothing is queued, and the next block sounds at once.
                self._recover(failure)
                return 0.0
        return max(0.0, frames.value / RATE_HZ)

    def rest(self, wake: threading.Event, at_most_s: float) -> int:  # noqa: ARG002 - the port's
        """Feed the device one block of silence: it must never run dry."""
        if wake.is_set():
            return 0
        self.write(REST_BLOCK)
        return len(REST_BLOCK)

    def close(self) -> None:
        """Drop what is queued and give the card back."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._leaving.set()
                self._alsa.snd_pcm_drop(self._handle)
                self._alsa.snd_pcm_close(self._handle)

    def _wait_for_room(self, count: int) -> None:
        """Wait until the buffer holds no more than it is to be filled with.

        A card that does not run yet starts when its buffer is full, and is not waited for.
        """
        with self._lock:
            self._refuse_closed()
            runs = int(self._alsa.snd_pcm_state(self._handle)) == _RUNNING
        excess_s = self.delay_s() + count / RATE_HZ - self._fill.seconds_for(count) if runs else 0.0
        if excess_s > 0:
            self._leaving.wait(excess_s)

    def _configure(self) -> int:
        """Set rate, format and buffer; say how many channels the card insists on."""
        failure = 0
        for channels in (1, 2):
            failure = self._alsa.snd_pcm_set_params(
                self._handle,
                _S16_LE,
                _INTERLEAVED,
                channels,
                RATE_HZ,
                _RESAMPLE_IN_SOFTWARE,
                int(BUFFER_S * 1e6),
            )
            if failure == 0:
                return channels
        self._alsa.snd_pcm_close(self._handle)
        self._check(failure)
        raise OutputError(self._device, "takes neither one channel nor two")

    def _recover(self, failure: int) -> None:
        """Get over an underrun; whatever else failed is told."""
        self._check(self._alsa.snd_pcm_recover(self._handle, failure, 1))
        self._underruns += 1
        self._fill.ran_dry()

    def _check(self, result: int) -> None:
        if result < 0:
            reason = self._alsa.snd_strerror(result).decode(errors="replace")
            raise OutputError(f"alsa:{self._device}", reason)

    def _refuse_closed(self) -> None:
        if self._closed:
            raise OutputError(f"alsa:{self._device}", "is closed")


def _library(device: str) -> ctypes.CDLL:
    try:
        alsa = ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise OutputError(f"alsa:{device}", str(error)) from error
    alsa.snd_pcm_open.argtypes = [c_void_p, c_char_p, c_int, c_int]
    alsa.snd_pcm_set_params.argtypes = [c_void_p, c_int, c_int, c_uint, c_uint, c_int, c_uint]
    alsa.snd_pcm_writei.argtypes = [c_void_p, c_void_p, c_ulong]
    alsa.snd_pcm_writei.restype = c_long
    alsa.snd_pcm_delay.argtypes = [c_void_p, c_void_p]
    alsa.snd_pcm_state.argtypes = [c_void_p]
    alsa.snd_pcm_recover.argtypes = [c_void_p, c_int, c_int]
    alsa.snd_pcm_drop.argtypes = [c_void_p]
    alsa.snd_pcm_close.argtypes = [c_void_p]
    alsa.snd_strerror.argtypes = [c_int]
    alsa.snd_strerror.restype = c_char_p
    return alsa
