"""The live broadcasts that this node listens to: their frames verified, and their end noticed.

A thread of its own: what comes seventeen times a second must not wait behind the disk.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.link import Delivery
from edge.player.jitter import LOST, JitterBuffer, Over
from edge.player.spoken import TONE, Speech
from edge.playout import LiveOver
from edge.runs import ClaimKey
from protocol.content import opening_s
from protocol.errors import ProtocolError, RefusedError
from protocol.ids import BroadcastId
from protocol.live import instant, microseconds, unseal
from protocol.messages import Claim, LiveSource
from protocol.signing import public_from_text
from protocol.topics import Kind, live, parse

_LOOK_S = 0.1
_REST_S = 1.0
# Thirty seconds of one broadcast; more is a flood.
_MOST_WAITING = 500
# What is decided now sounds when the device's buffer has been heard.
_TONE_LEAD_US = 150_000
_REFUSALS_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class LiveRefused:
    """Something on the topic of a live broadcast is not to be heard; told once a second."""

    delivery: Delivery
    error: RefusedError


LiveWord = LiveOver | LiveRefused


@dataclass(slots=True)
class _Armed:
    """One live broadcast that is listened to.

    Attributes:
        over: That and when it has ended, once this is known.
        tone_us: When its closing tone begins, then.
        is_told: Whether the end was told.
    """

    key: ClaimKey
    broadcast: BroadcastId
    topic: str
    source: LiveSource
    public: Ed25519PublicKey
    speech: Speech
    over: Over | None = None
    tone_us: int = 0
    is_told: bool = False
    refused_s: float = -_REFUSALS_EVERY_S


@final
class LiveDesk:
    """Takes frames in for the player, as long as their broadcasts are armed."""

    def __init__(
        self, tell: Callable[[LiveWord], None], *, clock: Callable[[], float] = time.time
    ) -> None:
        """Listen to nothing yet.

        Args:
            tell: Takes what happened; called from the desk's thread.
            clock: Wall time in epoch seconds, as the player's.
        """
        self._tell = tell
        self._clock = clock
        self._deliveries: queue.Queue[Delivery] = queue.Queue(_MOST_WAITING)
        # Replaced as a whole: the player's threads look into it too.
        self._armed: Mapping[ClaimKey, _Armed] = {}
        self._wanted: frozenset[ClaimKey] = frozenset()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Say whether the thread is at work."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Listen no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2 * _REST_S)

    @property
    def topics(self) -> frozenset[str]:
        """What is to be subscribed to."""
        return frozenset(armed.topic for armed in self._armed.values())

    def arm(self, claims: Mapping[ClaimKey, Claim]) -> bool:
        """Listen to these broadcasts and to no others; say whether that is a change."""
        before = self._armed
        if self._wanted == claims.keys():
            return False
        self._wanted = frozenset(claims)
        now_us = self._now_us()
        made = ((key, before.get(key) or _armed(key, claims[key], now_us)) for key in claims)
        self._armed = {key: armed for key, armed in made if armed is not None}
        return True

    def takes(self, delivery: Delivery) -> bool:
        """Take a message if it is one of frames; what is too much is dropped."""
        if not _is_live(delivery.topic):
            return False
        # The frames that a flood costs are counted where they are missed.
        with contextlib.suppress(queue.Full):
            self._deliveries.put_nowait(delivery)
        return True

    def speech(self, name: str) -> Speech | None:
        """Find what is heard of a broadcast, by the name under which it is armed."""
        armed = self._armed.get(ClaimKey(name))
        return armed.speech if armed else None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                delivery = self._deliveries.get(timeout=_LOOK_S if self._armed else _REST_S)
            except queue.Empty:
                pass
            else:
                self._take(delivery)
            for armed in self._armed.values():
                self._close_what_is_over(armed)

    def _take(self, delivery: Delivery) -> None:
        for armed in self._concerned(delivery):
            try:
                message = unseal(armed.public, delivery.payload, broadcast=armed.broadcast)
                armed.speech.buffer.take(message, self._now_us())
            except RefusedError as error:
                self._refuse(armed, delivery, error)

    def _concerned(self, delivery: Delivery) -> Iterable[_Armed]:
        for armed in self._armed.values():
            # What comes when it was given up would be heard through its closing tone.
            if armed.topic == delivery.topic and (armed.over is None or armed.over.cause != LOST):
                yield armed

    def _refuse(self, armed: _Armed, delivery: Delivery, error: RefusedError) -> None:
        now_s = time.monotonic()
        if now_s - armed.refused_s >= _REFUSALS_EVERY_S:
            armed.refused_s = now_s
            self._tell(LiveRefused(delivery, error))

    def _close_what_is_over(self, armed: _Armed) -> None:
        now_us = self._now_us()
        if armed.over is None:
            armed.over = armed.speech.buffer.over(now_us)
            if armed.over is not None:
                armed.tone_us = max(armed.over.at_us, now_us + _TONE_LEAD_US)
                armed.speech.close_at(armed.tone_us)
        # Only then have all frames been heard, or missed.
        if armed.over is not None and not armed.is_told and now_us >= armed.tone_us:
            armed.is_told = True
            ends = instant(armed.tone_us) + TONE
            self._tell(LiveOver(armed.key, ends, armed.over.cause, armed.speech.buffer.tally))

    def _now_us(self) -> int:
        return round(self._clock() * 1e6)


def _armed(key: ClaimKey, claim: Claim, now_us: int) -> _Armed | None:
    """Make ready for a broadcast; None for one that says no usable key or name."""
    source = claim.content.live
    try:
        broadcast = BroadcastId(claim.claim_id)
        topic = live(broadcast)
        public = public_from_text(source.public_key) if source else None
    except (ProtocolError, ValueError):
        return None
    if source is None or public is None:
        return None
    speech_at = claim.start + timedelta(seconds=opening_s(claim.content))
    buffer = JitterBuffer(
        timedelta(seconds=source.delay_s),
        expected_us=max(now_us, microseconds(speech_at)),
    )
    return _Armed(key, broadcast, topic, source, public, Speech(buffer))


def _is_live(topic: str) -> bool:
    try:
        return parse(topic).kind is Kind.LIVE
    except ProtocolError:
        return False
