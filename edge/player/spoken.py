"""Somebody who speaks, as sound: frames are decoded when they are read, and holes faded over.

What is late at that instant is missing for good. The audio thread decodes: 0.05 ms a frame.
"""

import math
from datetime import timedelta
from typing import Protocol, final

import av
import numpy as np

from edge.player import Microphone
from edge.player.jitter import JitterBuffer
from edge.player.output import RATE_HZ
from edge.player.reader import Audio
from protocol.live import FRAME_S

TONE = timedelta(seconds=0.8)
"""Length of what closes a broadcast: two soft notes, the lower one last."""

_FRAME = round(FRAME_S * RATE_HZ)
_FADE = RATE_HZ // 200
# A reader may look back by a fade and a curve; 0.5 s.
_KEPT = 25
# Further ahead than this nothing is decoded on the way: the reader was elsewhere meanwhile.
_FAR = 50
_NOTES_HZ = (659.26, 523.25)
_TONE_PEAK = 0.16


class Speaking(Protocol):
    """What somebody says, by the instants at which it is heard."""

    def add_to(self, block: Audio, begins_us: float) -> None:
        """Add what is heard from an instant on, in microseconds since 1970."""


@final
class Speech:
    """What is heard of one live broadcast, by samples since its frame numbered 0."""

    def __init__(self, buffer: JitterBuffer) -> None:
        self.buffer = buffer
        self._tone_us: int | None = None
        self._decoder = _new_decoder()
        self._sounds: dict[int, Audio] = {}
        self._next: int | None = None
        self._last: Audio | None = None

    def close_at(self, at_us: int) -> None:
        """Let the closing tone begin at an instant."""
        self._tone_us = at_us

    def add_to(self, block: Audio, begins_us: float) -> None:
        """Add what is heard from an instant on, in microseconds since 1970."""
        zero_us = self.buffer.zero_us
        if zero_us is not None:
            self._add_speech(block, round((begins_us - zero_us) * RATE_HZ / 1e6))
        if self._tone_us is not None:
            _add(block, round((self._tone_us - begins_us) * RATE_HZ / 1e6), _TONE)

    def _add_speech(self, block: Audio, first: int) -> None:
        numbers = range(max(0, first // _FRAME), math.ceil((first + len(block)) / _FRAME))
        for number in numbers:
            self._decode_to(number)
            sound = self._sounds.get(number)
            if sound is not None:
                _add(block, number * _FRAME - first, sound)

    def _decode_to(self, number: int) -> None:
        if self._next is None or number >= self._next + _FAR:
            self._decoder, self._last = _new_decoder(), None
            self._next = number
        while self._next <= number:
            self._sounds[self._next] = self._decoded(self._next)
            self._sounds.pop(self._next - _KEPT, None)
            self._next += 1

    def _decoded(self, number: int) -> Audio:
        frame = self.buffer.frame(number)
        sound = None if frame is None else self._sound_of(frame)
        before, self._last = self._last, sound
        if sound is None:
            return _SILENCE if before is None else _faded_out(before)
        return _faded_in(sound) if before is None else sound

    def _sound_of(self, frame: bytes) -> Audio | None:
        try:
            parts = [part.to_ndarray()[0] for part in self._decoder.decode(av.Packet(frame))]
        except av.FFmpegError:
            # Signed by the server, and yet no sound: the next one may be.
            self._decoder = _new_decoder()
            return None
        whole = np.concatenate([*parts, _SILENCE])[:_FRAME]
        clean: Audio = np.nan_to_num(np.clip(whole, -1.0, 1.0)).astype(np.float32, copy=False)
        return clean


@final
class Spoken:
    """A live broadcast as a track of a sound; nothing is ever waited for."""

    failed = False

    def __init__(self, piece: Microphone, begins_s: float, speech: Speaking | None) -> None:
        """Lay it out.

        Args:
            piece: Its place in the sound.
            begins_s: Wall instant of the sound's own zero.
            speech: What is heard; None when the broadcast is not known here.
        """
        self.piece = piece
        self.start = round(piece.offset_s * RATE_HZ)
        self.length = round(piece.duration_s * RATE_HZ)
        self._begins_us = begins_s * 1e6
        self._speech = speech

    @property
    def end(self) -> int:
        """First position of the sound after it."""
        return self.start + self.length

    def ready(self, _first: int, _last: int) -> bool:
        """Tell that there is nothing to wait for."""
        return True

    def add_to(self, block: Audio, first: int) -> None:
        """Add what is heard to a block beginning at a position of the sound."""
        begin, end = max(first, self.start), min(first + len(block), self.end)
        if self._speech is not None and begin < end:
            part = block[begin - first : end - first]
            self._speech.add_to(part, self._begins_us + begin / RATE_HZ * 1e6)

    def margin(self, _position: int) -> int | None:
        """Say that no thread needs to decode ahead."""
        return None

    def spent(self, position: int) -> bool:
        """Tell whether a reader has passed it for good."""
        return position >= self.end

    def advance(self, _position: int) -> None:
        """Do nothing: there is nothing ahead."""

    def release(self) -> None:
        """Do nothing: the broadcast is let go by whoever armed it."""


def _new_decoder() -> av.AudioCodecContext:
    decoder = av.CodecContext.create("opus", "r")
    assert isinstance(decoder, av.AudioCodecContext)  # noqa: S101 - what an audio codec gives
    decoder.sample_rate = RATE_HZ
    decoder.layout = "mono"
    return decoder


def _add(block: Audio, at: int, sound: Audio) -> None:
    """Add a sound that begins at a sample of a block, perhaps before or behind it."""
    begin, end = max(0, at), min(len(block), at + len(sound))
    if begin < end:
        block[begin:end] += sound[begin - at : end - at]


def _faded_out(before: Audio) -> Audio:
    """Let a sound that breaks off ring out: its own end backwards goes on without a step."""
    sound = _SILENCE.copy()
    sound[:_FADE] = before[::-1][:_FADE] * _FALL
    return sound


def _faded_in(sound: Audio) -> Audio:
    risen = sound.copy()
    risen[:_FADE] *= _FALL[::-1]
    return risen


def _tone() -> Audio:
    each = round(TONE.total_seconds() * RATE_HZ / len(_NOTES_HZ))
    at_s = np.arange(each) / RATE_HZ
    swell = np.minimum(1.0, at_s / 0.02) * np.exp(-at_s / 0.12)
    swell *= np.minimum(1.0, (at_s[-1] - at_s) / 0.02)
    notes = [np.sin(2 * np.pi * pitch * at_s) * swell for pitch in _NOTES_HZ]
    tone: Audio = (_TONE_PEAK * np.concatenate(notes)).astype(np.float32)
    return tone


_SILENCE = np.zeros(_FRAME, dtype=np.float32)
_FALL = np.linspace(1.0, 0.0, _FADE, dtype=np.float32)
_TONE = _tone()
