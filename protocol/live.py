"""What travels while somebody speaks: stamped Opus frames, signed with the broadcast's own key.

Binary, for it comes some seventeen times a second over data plans: the 64 bytes of the Ed25519
signature, then the body in MessagePack. The order that arms the broadcast names the public key;
the private one never leaves the program that holds the microphone's connection.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from protocol.errors import Refusal, RefusedError
from protocol.messages import Id
from protocol.version import PROTOCOL_VERSION

FRAME_S = 0.02
"""Length of one frame: mono Opus, decoded at 48 kHz."""

FRAME = timedelta(seconds=FRAME_S)

MOST_FRAMES = 10
MOST_FRAME_BYTES = 400
MAX_LIVE_BYTES = 4_300
"""Longest message; ten of the longest frames fit in."""

_SIGNATURE_BYTES = 64
# A signature made for one thing must never be good for another.
_PURPOSE = f"loa/{PROTOCOL_VERSION}/live\n".encode()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Frame = Annotated[bytes, msgspec.Meta(min_length=1, max_length=MOST_FRAME_BYTES)]


class Ending(IntEnum):
    """Whether a broadcast goes on after a message, and if not, why."""

    GOES_ON = 0
    SPOKEN = 1
    BROKEN_OFF = 2


class LiveFrames(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """Some frames that follow one another.

    Attributes:
        broadcast: Which broadcast they belong to.
        sequence: Number of the first of them; each 20 ms since the first capture has a number,
            whether it was captured or not.
        captured_us: When the first of them was captured, in the server's time: microseconds since
            1970. Two messages of one broadcast differ in it as they do in their numbers.
        frames: Opus packets of 20 ms, mono.
        ending: Whether these are the last.
    """

    broadcast: Id
    sequence: Annotated[int, msgspec.Meta(ge=0, le=2**31)]
    captured_us: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
    frames: Annotated[tuple[Frame, ...], msgspec.Meta(max_length=MOST_FRAMES)]
    ending: Ending = Ending.GOES_ON

    @property
    def first_captured_us(self) -> int:
        """When the frame numbered 0 was captured, or would have been."""
        return self.captured_us - self.sequence * (FRAME // _MICROSECOND)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(LiveFrames)


def microseconds(at: datetime) -> int:
    """Count the microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def instant(us: int) -> datetime:
    """Tell the instant so many microseconds after 1970 began."""
    return _EPOCH + us * _MICROSECOND


def seal(key: Ed25519PrivateKey, message: LiveFrames) -> bytes:
    """Write a message down and sign it; the same message always gives the same bytes."""
    body = _encoder.encode(message)
    return key.sign(_PURPOSE + body) + body


def unseal(key: Ed25519PublicKey, raw: bytes, *, broadcast: str) -> LiveFrames:
    """Read a message of one broadcast.

    Raises:
        RefusedError: Too large, forged, garbled, or out of another broadcast.
    """
    if len(raw) > MAX_LIVE_BYTES:
        raise RefusedError(Refusal.TOO_LARGE, f"{len(raw)} bytes")
    signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    try:
        key.verify(signature, _PURPOSE + body)
    except InvalidSignature as error:
        raise RefusedError(Refusal.FORGED, broadcast) from error
    try:
        message = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(Refusal.GARBLED, str(error)) from error
    if message.broadcast != broadcast:
        raise RefusedError(Refusal.OUT_OF_SCOPE, f"of {message.broadcast}")
    return message


def frames_from(
    broadcast: str,
    first_captured: datetime,
    sequence: int,
    frames: Sequence[bytes],
    ending: Ending = Ending.GOES_ON,
) -> LiveFrames:
    """Make a message of frames that follow one another, the first of them numbered ``sequence``."""
    return LiveFrames(
        broadcast=broadcast,
        sequence=sequence,
        captured_us=microseconds(first_captured + sequence * FRAME),
        frames=tuple(frames),
        ending=ending,
    )
