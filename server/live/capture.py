"""What a browser sends of a microphone, read with distrust."""

import math
import struct
from dataclasses import dataclass

import msgspec

from protocol.live import MOST_FRAME_BYTES, MOST_FRAMES
from server.live.errors import GarbledMicrophoneError

MAX_BYTES = 32 * 1024
"""Longest message; half a second of WebM fits in."""

_FRAMES = 1
_WEBM = 2
_HEAD = struct.Struct("<Bd")
_LENGTH = struct.Struct("<H")
# By the first five bits of an Opus packet (RFC 6716, 3.1): how long one frame of it lasts, in ms.
_LENGTHS_MS = (*(10, 20, 40, 60) * 3, *(10, 20) * 2, *(2.5, 5, 10, 20) * 4)
_FRAME_MS = 20


class Said(msgspec.Struct, frozen=True):
    """What else is said in text."""

    say: str


@dataclass(frozen=True, slots=True)
class Captured:
    """Some Opus frames that follow one another.

    Attributes:
        media_s: When the first was captured, by the clock of the browser.
    """

    media_s: float
    frames: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class WebmPart:
    """Some bytes of a WebM stream."""

    body: bytes


def read_ticket(text: str | bytes) -> str:
    """Read the first message.

    Raises:
        GarbledMicrophoneError: It is no ticket.
    """
    try:
        return msgspec.json.decode(text, type=dict[str, str])["ticket"]
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError) as error:
        raise GarbledMicrophoneError("no ticket") from error


def read_said(text: str) -> str:
    """Read a message in text: ``start`` or ``stop``.

    Raises:
        GarbledMicrophoneError: It is neither.
    """
    try:
        said = msgspec.json.decode(text, type=Said).say
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise GarbledMicrophoneError("no words") from error
    if said not in {"start", "stop"}:
        raise GarbledMicrophoneError("unknown words")
    return said


def read_sound(raw: bytes) -> Captured | WebmPart:
    """Read a message of sound.

    Raises:
        GarbledMicrophoneError: It is none, or holds what is no mono Opus frame of 20 ms.
    """
    if raw[:1] == bytes((_WEBM,)):
        return WebmPart(raw[1:])
    try:
        kind, media_ms = _HEAD.unpack_from(raw)
        frames = tuple(_frames(raw))
    except struct.error as error:
        raise GarbledMicrophoneError("torn") from error
    if kind != _FRAMES or not math.isfinite(media_ms) or not 0 < len(frames) <= MOST_FRAMES:
        raise GarbledMicrophoneError("no frames")
    return Captured(media_ms / 1000, frames)


def write_sound(captured: Captured) -> bytes:
    """Write frames down as a browser does."""
    parts = (_LENGTH.pack(len(frame)) + frame for frame in captured.frames)
    return _HEAD.pack(_FRAMES, captured.media_s * 1000) + b"".join(parts)


def is_frame(packet: bytes) -> bool:
    """Say whether a packet is one mono Opus frame of 20 ms."""
    if not 0 < len(packet) <= MOST_FRAME_BYTES:
        return False
    config, is_stereo, more = packet[0] >> 3, packet[0] & 4, packet[0] & 3
    return _LENGTHS_MS[config] == _FRAME_MS and not is_stereo and not more


def _frames(raw: bytes) -> list[bytes]:
    frames, at = [], _HEAD.size
    while at < len(raw):
        (length,) = _LENGTH.unpack_from(raw, at)
        frame = raw[at + _LENGTH.size : at + _LENGTH.size + length]
        if len(frame) != length or not is_frame(frame):
            raise GarbledMicrophoneError("no Opus frame of 20 ms")
        frames.append(frame)
        at += _LENGTH.size + length
    return frames
