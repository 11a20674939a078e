"""Somebody who speaks: keys, claims, frames, and what is heard of them."""

import hashlib
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import av
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.live import FRAME as FRAME_TIME
from protocol.live import Ending, LiveFrames, frames_from, seal
from protocol.messages import BulletinClass, Claim, ClaimKind, Content, LiveSource
from protocol.signing import public_text
from tests.factories.claims import NOON, an_announcement, an_asset
from tests.factories.sounds import RATE_HZ
from tests.factories.waiting import wait_until

FRAME = RATE_HZ // 50


def a_live_key(name: str = "one") -> Ed25519PrivateKey:
    """Make the key of one broadcast; the same name always gives the same key."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def a_live_source(**overrides: object) -> LiveSource:
    boring = {
        "public_key": public_text(a_live_key().public_key()),
        "delay_s": 1.0,
        "max_length_s": 60.0,
    }
    return LiveSource(**{**boring, **overrides})


def a_live_claim(opening_s: float = 3.0, source: LiveSource | None = None, **rest: object) -> Claim:
    """Make an emergency that is spoken live from noon on."""
    opening = an_asset("chuong", duration_s=opening_s) if opening_s else None
    content = Content(opening=opening, live=source or a_live_source())
    boring = {
        "claim_id": "noi-1",
        "kind": ClaimKind.LIVE,
        "bulletin_class": BulletinClass.EMERGENCY,
        "content": content,
        "end": NOON + timedelta(seconds=70),
    }
    return an_announcement(**{**boring, **rest})


def spoken(samples: np.ndarray) -> list[bytes]:
    """Encode samples as mono Opus frames of 20 ms, the last filled up with silence."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE_HZ, "mono", "flt"
    encoder.bit_rate = 64_000
    encoder.options = {"frame_duration": "20", "application": "audio"}
    whole = np.concatenate([samples, np.zeros(-len(samples) % FRAME, dtype=np.float32)])
    packets = []
    for begin in range(0, len(whole), FRAME):
        part = whole[begin : begin + FRAME].astype(np.float32)[None, :]
        frame = av.AudioFrame.from_ndarray(part, format="flt", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, begin, Fraction(1, RATE_HZ)
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


def some_frames(
    sequence: int = 0,
    count: int = 3,
    *,
    broadcast: str = "noi-1",
    captured: datetime = NOON,
    ending: Ending = Ending.GOES_ON,
) -> LiveFrames:
    """Make a message whose frames say their own number."""
    frames = [f"frame {number}".encode() for number in range(sequence, sequence + count)]
    return frames_from(broadcast, captured, sequence, frames, ending)


def sealed(message: LiveFrames, key: Ed25519PrivateKey | None = None) -> bytes:
    return seal(key or a_live_key(), message)


def speak(
    send: Callable[[bytes], None],
    frames: list[bytes],
    captured: datetime,
    *,
    ending: Ending | None = Ending.SPOKEN,
    broadcast: str = "noi-1",
) -> None:
    """Send frames as somebody would who speaks from ``captured`` on: three at a time."""
    for number in range(0, len(frames), 3):
        some = frames[number : number + 3]
        ready_at = captured + (number + len(some)) * FRAME_TIME
        wait_until(lambda at=ready_at: datetime.now(UTC) >= at)
        is_last = number + 3 >= len(frames) and ending is not None
        last = ending if is_last else Ending.GOES_ON
        send(sealed(frames_from(broadcast, captured, number, some, last)))


def packed(media_ms: float, frames: list[bytes]) -> bytes:
    """Write frames as a browser does."""
    parts = (struct.pack("<H", len(frame)) + frame for frame in frames)
    return struct.pack("<Bd", 1, media_ms) + b"".join(parts)
