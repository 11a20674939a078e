"""One broadcast on air: frames are stamped, signed, said to the nodes and written down."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol import topics
from protocol.ids import BroadcastId
from protocol.live import FRAME_S, MOST_FRAMES, Ending, frames_from, seal
from server.live.capture import Captured
from server.live.recording import Recorder
from server.live.stamping import Stamper
from server.services.microphones import OnAir

_HELD_EVERY_S = 0.3
# The last word is no order that would be repeated: so it is said more than once.
_LAST_WORDS = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Labels:
    """Frames in which a drill says what it is; none for the real thing."""

    before: tuple[bytes, ...] = ()
    after: tuple[bytes, ...] = ()


@final
class Speaking:
    """Passes on what one microphone captures, from when it may be heard until it ends."""

    def __init__(
        self,
        on_air: OnAir,
        key: Ed25519PrivateKey,
        stamper: Stamper,
        recorder: Recorder,
        say: Callable[[str, bytes], bool],
        labels: Labels = Labels(),
    ) -> None:
        """Go on air.

        Args:
            on_air: What the nodes were told.
            key: Signs all that they are to hear.
            stamper: Knows how the clock of the microphone stands.
            recorder: Writes down what is said.
            say: Gives a message to the broker.
            labels: What a drill says of itself.
        """
        self._on_air = on_air
        self.broadcast_id = on_air.broadcast_id
        self._key = key
        self._stamper = stamper
        self._recorder = recorder
        self._say = say
        self._labels = labels
        self._labelled = 0
        self._is_unrecorded = False
        self._held_s = 0.0
        self._topic = topics.live(BroadcastId(on_air.broadcast_id))

    @property
    def ends_at(self) -> datetime:
        """When somebody has spoken for as long as they may."""
        return self._on_air.speak_at + self._on_air.max_length

    def take(self, captured: Captured, arrived: datetime) -> None:
        """Pass frames on; what was captured before it may be heard is left out."""
        frames = captured.frames
        captured_s = self._stamper.captured_s(arrived.timestamp(), captured.media_s, len(frames))
        if captured_s < self._on_air.speak_at.timestamp():
            return
        # Nobody's voice comes before the label, however early their clock may seem.
        self.say_label(self._on_air.speak_at)
        if arrived.timestamp() < captured_s + self._on_air.delay.total_seconds():
            self._pass_on(captured_s, frames)
        else:
            # Of a phone that stood still: too late for every loudspeaker, but it was said.
            self._keep(captured_s, frames)

    def hold_on(self, now: datetime) -> None:
        """Tell the nodes that nothing was captured until now, and that it goes on."""
        first_s, now_s = self._stamper.first_captured_s, now.timestamp()
        if first_s is None or now_s - self._held_s < _HELD_EVERY_S:
            return
        self._held_s = now_s
        number = max(self._stamper.next_number, int((now_s - first_s) / FRAME_S))
        self._send(number, (), Ending.GOES_ON)

    def say_label(self, now: datetime) -> None:
        """Say what it is, as far as that is due by now; a node that is not there yet misses it."""
        begins_s = self._on_air.begins_at.timestamp()
        due = int((now.timestamp() - begins_s) / FRAME_S)
        some = self._labels.before[self._labelled : max(due, self._labelled)]
        at_s = begins_s + self._labelled * FRAME_S
        self._labelled += len(some)
        self._say_all(at_s, some)

    def end(self, ending: Ending, now: datetime) -> None:
        """Tell the nodes that there is no more; a drill spoken whole says once more what it was.

        Whatever breaks off is to be closed within two seconds: the label would be heard for longer.
        """
        if self._labelled and ending is Ending.SPOKEN:
            after_s = max(now.timestamp(), self._stamper.next_captured_s or 0.0)
            self._say_all(after_s, self._labels.after)
        for _ in range(_LAST_WORDS):
            self._send(self._stamper.next_number, (), ending)

    def _say_all(self, captured_s: float, frames: tuple[bytes, ...]) -> None:
        for first in range(0, len(frames), MOST_FRAMES):
            some = frames[first : first + MOST_FRAMES]
            self._pass_on(captured_s + first * FRAME_S, some)

    def _pass_on(self, captured_s: float, frames: tuple[bytes, ...]) -> None:
        number = self._keep(captured_s, frames)
        if number is not None:
            self._send(number, frames, Ending.GOES_ON)

    def _keep(self, captured_s: float, frames: tuple[bytes, ...]) -> int | None:
        number = self._stamper.number(captured_s, len(frames))
        if number is not None:
            self._record(number, frames)
        return number

    def _record(self, number: int, frames: tuple[bytes, ...]) -> None:
        try:
            self._recorder.add(number, frames)
        except OSError as error:
            # A full disk must not silence whoever warns of a flood.
            if not self._is_unrecorded:
                log.error("recording_failed", broadcast_id=self.broadcast_id, error=str(error))  # noqa: TRY400 - the reason says it all
            self._is_unrecorded = True

    def _send(self, number: int, frames: tuple[bytes, ...], ending: Ending) -> None:
        first_s = self._stamper.first_captured_s
        first = self._on_air.speak_at if first_s is None else _EPOCH + timedelta(seconds=first_s)
        message = frames_from(self._on_air.broadcast_id, first, number, frames, ending)
        self._say(self._topic, seal(self._key, message))
