"""Brings together what is sent and what is heard, and remembers how loud this place usually is."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import final

import msgspec
import numpy as np
import structlog
from msgspec.structs import replace

from edge.disk import remember, remembered
from edge.listening.ear import Ear, recorder
from edge.listening.frames import FRAMES_PER_S, RATE_HZ, Sound, decibels, frame_powers, hum
from edge.listening.judging import MOST_LATE_S, Judgement, frames_around, judge
from edge.listening.tap import TappedOutput
from edge.listening.track import Track
from edge.listening.unordered import Unordered
from edge.settings import ListeningInput
from protocol.messages import AsRun, Segment, SoundProof, SoundVerdict

_log = structlog.get_logger()

MICROPHONE_LOST, UNORDERED = "microphone-lost", "unordered-sound"
_ALARMS = frozenset({SoundVerdict.SILENT_HORN, SoundVerdict.TOO_QUIET, SoundVerdict.BUZZING})

_LAST_S = 300
_BEFORE_S = 2
_KEPT_S = _LAST_S + 60
_LOST_S = 30.0
_LEARNED = 5
_ECHOES_S = 2.0
_SENT_POWER = 1e-7
"""What is sent more softly than -70 dB may not be heard."""


class _Memory(msgspec.Struct, kw_only=True):
    """What stands on disk.

    Attributes:
        gains_db: How much was heard of what was sent, the first few times.
        alarm: What was amiss when last told; empty: nothing.
    """

    gains_db: list[float] = msgspec.field(default_factory=list)
    alarm: str = ""


@final
class Listener:
    """One node's ear.

    Args:
        setup: What it listens with.
        output: Where what is sent can be learned.
        path: Where it remembers what is usual here.
    """

    def __init__(
        self,
        setup: ListeningInput,
        output: TappedOutput,
        path: Path,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._setup, self._output, self._path = setup, output, path
        self._monotonic = monotonic
        self._memory = remembered(path, _Memory) or _Memory()
        self._lock = threading.Lock()
        self._sent, self._heard = Track(_KEPT_S, 0.0), Track(_KEPT_S, math.nan)
        self._hums: deque[tuple[float, float, float]] = deque(maxlen=_KEPT_S)
        self._second: list[Sound] = []
        self._unordered = Unordered(setup.unordered_db)
        self._heard_at_s = monotonic()
        self._ear = Ear(recorder(setup.input), self.hear, monotonic)

    def start(self) -> None:
        """Begin to listen."""
        self._ear.start()

    def close(self) -> None:
        """Stop listening."""
        self._ear.close()

    @property
    def standing(self) -> frozenset[str]:
        """The alarms that what was heard gives now."""
        with self._lock:
            told = {self._memory.alarm} - {""}
            if self._unordered.stands:
                told.add(UNORDERED)
            if self._monotonic() - self._heard_at_s > _LOST_S:
                told.add(MICROPHONE_LOST)
        return frozenset(told)

    def hear(self, at_s: float, sound: Sound) -> None:
        """Take a piece of sound that began at an instant of the monotonic clock."""
        with self._lock:
            self._heard_at_s = self._monotonic()
            self._heard.put(at_s, frame_powers(sound))
            self._second.append(sound)
            if sum(map(len, self._second)) >= RATE_HZ:
                second = np.concatenate(self._second)
                self._second.clear()
                self._take_second(at_s + len(sound) / RATE_HZ, second)

    def attested(self, record: AsRun, now: datetime) -> AsRun:
        """Put into a record what was heard of the longest stretch of its claim."""
        if not record.segments:
            return record
        longest = max(record.segments, key=lambda one: one.end - one.start)
        judged = self._judged(longest, now)
        if judged is None:
            return record
        self._learn(judged)
        proof = SoundProof(
            verdict=judged.verdict,
            sent_dbfs=round(judged.sent_db, 1),
            level_dbfs=round(judged.level_db, 1),
            correlation=round(judged.correlation, 3),
            delay_s=None if judged.delay_s is None else round(judged.delay_s, 3),
        )
        _log.info("sound_judged", claim_id=record.claim_id, verdict=judged.verdict.value)
        return replace(record, proof=proof)

    def _judged(self, segment: Segment, now: datetime) -> Judgement | None:
        now_s = self._monotonic()
        end_s = now_s + (segment.end - now).total_seconds()
        begin_s = now_s + (segment.start - now).total_seconds() - _BEFORE_S
        first = math.floor(max(begin_s, end_s - _LAST_S) * FRAMES_PER_S)
        end = math.ceil(end_s * FRAMES_PER_S)
        with self._lock:
            self._take_sent()
            sent = self._sent.take(first, end)
            heard = self._heard.take(*frames_around(first, end))
            hums = [told for at_s, *told in self._hums if begin_s + _BEFORE_S < at_s <= end_s]
            return judge(sent, heard, [(share, level) for share, level in hums], self._usual_db)

    @property
    def _usual_db(self) -> float | None:
        if self._setup.gain_db is not None:
            return self._setup.gain_db
        gains = self._memory.gains_db
        return float(np.median(gains)) if len(gains) >= _LEARNED else None

    def _learn(self, judged: Judgement) -> None:
        """Remember what is usual here, and what is amiss."""
        if judged.verdict is SoundVerdict.UNCLEAR:
            return
        with self._lock:
            before = self._memory
            alarm = judged.verdict.value if judged.verdict in _ALARMS else ""
            gains = before.gains_db
            if judged.verdict is SoundVerdict.HEARD and judged.gain_db is not None:
                gains = [*gains, round(judged.gain_db, 1)][:_LEARNED]
            self._memory = _Memory(gains_db=gains, alarm=alarm)
            has_changed = self._memory != before
        if has_changed:
            remember(self._path, self._memory)

    def _take_second(self, end_s: float, second: Sound) -> None:
        self._take_sent()
        self._hums.append((end_s, *hum(second)))
        first = math.floor((end_s - 1 - MOST_LATE_S - _ECHOES_S) * FRAMES_PER_S)
        sent = self._sent.take(first, math.ceil(end_s * FRAMES_PER_S))
        level_db = decibels(float(frame_powers(second).mean()))
        self._unordered.take(level_db, ordered=bool((sent > _SENT_POWER).any()))

    def _take_sent(self) -> None:
        for at_s, frames in self._output.take():
            self._sent.put(at_s, frames)
