"""Somebody who speaks live: Opus frames over the microphone's socket, as a studio's program."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Self, final

import av
import msgspec
import numpy as np
from websockets.sync.client import ClientConnection, connect

from audio_library.decode import Samples
from protocol.live import FRAME_S
from server.cli.demo.directing import PerformanceError
from server.cli.demo.matching import RATE_HZ
from server.live.capture import Captured, write_sound
from server.live.opus import FRAME_SAMPLES, new_encoder

TOGETHER = 3
"""Frames to a message, as browsers send them."""

_ANSWER_S = 10.0
_SENT_EVERY = timedelta(seconds=TOGETHER * FRAME_S)


@dataclass(frozen=True, slots=True)
class Speech:
    """Words as they are sent, and as whoever decodes them hears them."""

    frames: Sequence[bytes]
    heard: Samples


def spoken(samples: Samples) -> Speech:
    """Encode words; the last frame is filled up with silence."""
    encoder, decoder = new_encoder(), _new_decoder()
    whole = np.concatenate([samples, np.zeros(-len(samples) % FRAME_SAMPLES, dtype=np.float32)])
    pcm = np.clip(whole * 32_767, -32_768, 32_767).astype("<i2")
    frames: list[bytes] = []
    for at in range(0, len(pcm), FRAME_SAMPLES):
        frame = av.AudioFrame.from_ndarray(
            pcm[None, at : at + FRAME_SAMPLES], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, at, Fraction(1, RATE_HZ)
        frames += map(bytes, encoder.encode(frame))
    sounds = [part.to_ndarray()[0] for one in frames for part in decoder.decode(av.Packet(one))]
    return Speech(frames, np.concatenate(sounds).astype(np.float32))


@final
class Microphone:
    """A connection over which somebody speaks; it says nothing but silence until they do."""

    def __init__(self, ticket: Mapping[str, Any], wait_until: Callable[[datetime], None]) -> None:
        """Show a ticket.

        Args:
            ticket: As the API gave it.
            wait_until: Waits for an instant.

        Raises:
            PerformanceError: It was refused.
        """
        self._connection: ClientConnection = connect(ticket["microphone"], compression=None)
        self._wait_until = wait_until
        self._sent_until = datetime.now(UTC)
        self._silence = spoken(np.zeros(TOGETHER * FRAME_SAMPLES, dtype=np.float32)).frames
        self._say({"ticket": ticket["ticket"]})
        self._expect("ready")

    def __enter__(self) -> Self:
        """Hold the connection."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Let it go."""
        self._connection.close()

    def go_on_air(self) -> str:
        """Begin; the broadcast that comes of it.

        Raises:
            PerformanceError: It was refused.
        """
        self._say({"say": "start"})
        return str(self._expect("on-air")["broadcast"])

    def speak(self, speech: Speech, begin: datetime) -> None:
        """Speak from an instant on, as fast as one speaks, and end.

        Raises:
            PerformanceError: It broke off.
        """
        self._sent_until = datetime.now(UTC)
        while self._sent_until + _SENT_EVERY <= begin:
            self._send(self._silence)
        self._sent_until = begin
        for first in range(0, len(speech.frames), TOGETHER):
            self._send(speech.frames[first : first + TOGETHER])
        self._say({"say": "stop"})
        if (reason := self._expect("over")["reason"]) != "spoken":
            raise PerformanceError(f"what was spoken live ended as {reason}")

    def _send(self, frames: Sequence[bytes]) -> None:
        """Send frames when the last of them is over: nobody captures what is still to come."""
        since = self._sent_until
        self._sent_until = since + len(frames) * timedelta(seconds=FRAME_S)
        self._wait_until(self._sent_until)
        self._connection.send(write_sound(Captured(since.timestamp(), tuple(frames))))

    def _say(self, said: Mapping[str, str]) -> None:
        self._connection.send(msgspec.json.encode(said).decode())

    def _expect(self, state: str) -> dict[str, Any]:
        told = msgspec.json.decode(self._connection.recv(timeout=_ANSWER_S), type=dict[str, Any])
        if told.get("state") != state:
            raise PerformanceError(f"the microphone is not {state}: {told}")
        return told


def _new_decoder() -> av.AudioCodecContext:
    decoder = av.CodecContext.create("opus", "r")
    assert isinstance(decoder, av.AudioCodecContext)  # noqa: S101 - what an audio codec gives
    decoder.sample_rate, decoder.layout = RATE_HZ, "mono"
    return decoder
