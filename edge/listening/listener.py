"""Brings together what is sent and what is heard."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import final

import numpy as np
import structlog
from msgspec.structs import replace

from edge.listening.chirp import search, tone_verdict
from edge.listening.ear import Ear, recorder
from edge.listening.frames import (
    FRAMES_PER_S,
    RATE_HZ,
    SILENCE_DB,
    Sound,
    decibels,
    frame_powers,
    hum,
)
from edge.listening.judging import MOST_EARLY_S, MOST_LATE_S, Judgement, frames_around, judge
from edge.listening.memory import Memory
from edge.listening.tap import TappedOutput
from edge.listening.tone import HEARD_FOR_S, Loudspeaker, ToneTest
from edge.listening.track import Track
from edge.listening.unordered import Unordered
from edge.playout import Playout
from edge.settings import ListeningInput
from protocol.messages import AsRun, Segment, SoundProof, SoundVerdict, ToneHeard

_log = structlog.get_logger()

MICROPHONE_LOST, UNORDERED = "microphone-lost", "unordered-sound"

_LAST_S = 300
_BEFORE_S = 2
_KEPT_S = _LAST_S + 60
_LOST_S = 30.0
_ECHOES_S = 2.0
_SENT_POWER = 1e-7
"""What is sent more softly than -70 dB may not be heard."""

_LATELY = 50
_MOST_LACKING = 0.1


@final
class Listener:
    """One node's ear.

    Args:
        setup: What it listens with.
        output: Where what is sent can be learned.
        loudspeaker: What sounds the test tone.
        path: Where it remembers what is usual here.
    """

    def __init__(
        self,
        setup: ListeningInput,
        output: TappedOutput,
        loudspeaker: Loudspeaker,
        path: Path,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._setup, self._output = setup, output
        self._monotonic = monotonic
        self._memory = Memory(path, setup.gain_db)
        self._test = ToneTest(setup, loudspeaker, path.with_name("test-tone.wav"), self.hear_tone)
        self._lock = threading.Lock()
        self._sent, self._heard = Track(_KEPT_S, 0.0), Track(_KEPT_S, math.nan)
        self._hums: deque[tuple[float, tuple[float, float]]] = deque(maxlen=_KEPT_S)
        self._second: list[Sound] = []
        self._lately: deque[tuple[float, Sound]] = deque(maxlen=_LATELY)
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
        told = {self._memory.alarm} - {""}
        with self._lock:
            if self._unordered.stands:
                told.add(UNORDERED)
            if self._monotonic() - self._heard_at_s > _LOST_S:
                told.add(MICROPHONE_LOST)
        return frozenset(told)

    @property
    def tone(self) -> ToneHeard | None:
        """What became of the newest test tone."""
        return self._memory.tone

    def look(self, playout: Playout, now: datetime) -> None:
        """Play the test tone, or look for it, when it is time."""
        self._test.look(playout, None if self.tone is None else self.tone.at, now)

    def hear(self, at_s: float, sound: Sound) -> None:
        """Take a piece of sound that began at an instant of the monotonic clock."""
        with self._lock:
            self._heard_at_s = self._monotonic()
            self._heard.put(at_s, frame_powers(sound))
            self._lately.append((at_s, sound))
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
        self._memory.take(judged)
        proof = SoundProof(
            verdict=judged.verdict,
            sent_dbfs=round(judged.sent_db, 1),
            level_dbfs=round(judged.level_db, 1),
            correlation=round(judged.correlation, 3),
            delay_s=None if judged.delay_s is None else round(judged.delay_s, 3),
        )
        _log.info("sound_judged", claim_id=record.claim_id, verdict=judged.verdict.value)
        return replace(record, proof=proof)

    def hear_tone(self, began: datetime, now: datetime) -> None:
        """Look for the test tone that began some seconds ago."""
        began_s = self._monotonic() - (now - began).total_seconds()
        heard = self._between(began_s - MOST_EARLY_S, began_s + HEARD_FOR_S)
        verdict, level_db, delay_s = SoundVerdict.UNCLEAR, SILENCE_DB, None
        if heard is not None:
            found = search(heard)
            verdict = tone_verdict(found, self._setup.tone_db, self._memory.usual_gain_db)
            is_heard = verdict is SoundVerdict.HEARD
            level_db = found.level_db if is_heard else found.noise_db
            delay_s = round(found.at_s - MOST_EARLY_S, 3) if is_heard else None
        self._memory.take_tone(
            ToneHeard(at=began, verdict=verdict, level_dbfs=round(level_db, 1), delay_s=delay_s)
        )
        _log.info("test_tone_judged", verdict=verdict.value)

    def _judged(self, segment: Segment, now: datetime) -> Judgement | None:
        now_s = self._monotonic()
        end_s = now_s + (segment.end - now).total_seconds()
        begin_s = now_s + (segment.start - now).total_seconds()
        first = math.floor(max(begin_s - _BEFORE_S, end_s - _LAST_S) * FRAMES_PER_S)
        end = math.ceil(end_s * FRAMES_PER_S)
        with self._lock:
            self._take_sent()
            sent = self._sent.take(first, end)
            heard = self._heard.take(*frames_around(first, end))
            hums = [told for at_s, told in self._hums if begin_s < at_s <= end_s]
        return judge(sent, heard, hums, self._memory.usual_gain_db)

    def _between(self, begin_s: float, end_s: float) -> Sound | None:
        """Give all that was heard from one instant to another; None: too much of it is lacking."""
        sound = np.zeros(round((end_s - begin_s) * RATE_HZ), np.float32)
        lacking = len(sound)
        with self._lock:
            lately = tuple(self._lately)
        for at_s, piece in lately:
            first = round((at_s - begin_s) * RATE_HZ)
            part = piece[max(0, -first) : max(0, len(sound) - first)]
            if len(part):
                sound[max(0, first) : max(0, first) + len(part)] = part
                lacking -= len(part)
        return sound if lacking < _MOST_LACKING * len(sound) else None

    def _take_second(self, end_s: float, second: Sound) -> None:
        self._take_sent()
        self._hums.append((end_s, hum(second)))
        first = math.floor((end_s - 1 - MOST_LATE_S - _ECHOES_S) * FRAMES_PER_S)
        sent = self._sent.take(first, math.ceil(end_s * FRAMES_PER_S))
        level_db = decibels(float(frame_powers(second).mean()))
        self._unordered.take(level_db, ordered=bool((sent > _SENT_POWER).any()))

    def _take_sent(self) -> None:
        for at_s, frames in self._output.take():
            self._sent.put(at_s, frames)
