"""The player that really sounds: an audio thread between the mixer and an output."""

import contextlib
import os
import queue
import threading
import time
from collections.abc import Callable
from typing import final

import numpy as np

from edge.errors import PlayerClosedError
from edge.player import Damaged, EventSink, Sound, check_sound
from edge.player.decoding import Decoding
from edge.player.levels import Limiter, Meter, to_samples
from edge.player.life import Life, Vigil
from edge.player.mixer import Mixer
from edge.player.output import BUFFER_S, RATE_HZ, Output
from edge.player.reader import ClockLock, Span
from edge.player.reception import Receiver
from edge.player.timeline import Listen, Timeline
from edge.player.tuner import Receive
from edge.player.web import Web

_BLOCK = 20 * RATE_HZ // 1000
_SILENCE = np.zeros(_BLOCK, dtype=np.int16)
# At rest this often: a clock that was set is noticed, a recording grows.
_REST_S = 0.5
# A sound due sooner than this is waited for in short blocks.
_DUE_SOON_S = 0.2
# A reading of clock and delay that took longer had another program in between.
_BRACKET_S = 0.001
# First decode from about where the first sample will be heard.
_FIRST_HEARD_S = BUFFER_S + 0.02
_REAL_TIME_PRIORITY = 20
_JOIN_S = 2.0


@final
class MixerPlayer:
    """Plays on an output that it owns from now on; keeps it open with silence when idle."""

    def __init__(
        self,
        output: Output,
        events: EventSink,
        *,
        clock: Callable[[], float] = time.time,
        ceiling_db: float = 0.0,
        receive: Receive | None = None,
        listen: Listen | None = None,
    ) -> None:
        """Start sounding silence.

        Args:
            output: The device; closed with the player.
            events: Where to tell what happened; written to from the player's threads.
            clock: Wall time in epoch seconds; a step of it is followed within a quarter second.
            ceiling_db: The most gain any sound gets.
            receive: How stations are received; by default, by their addresses.
            listen: How live broadcasts are heard; without it, they are silent.
        """
        self._output = output
        self._events = events
        self._clock = clock
        # Small numbers keep sub-sample precision where epoch seconds would not.
        self._epoch_s = float(int(clock()))
        self._mixer = Mixer(events.put, epoch_s=self._epoch_s, ceiling_db=ceiling_db)
        self._lock = ClockLock()
        self._underruns = 0
        self._receive = receive or Receiver(Web())
        self._listen = listen
        self._limiter = Limiter()
        self._meter = Meter()
        self._commands: queue.SimpleQueue[Timeline | None] = queue.SimpleQueue()
        self._cueing = threading.Lock()
        self._wake = threading.Event()
        self._latest: Timeline | None = None
        self._life = Life(events)
        self._decoding = Decoding(self._life)
        self._thread = threading.Thread(target=self._run, name="player-audio", daemon=True)
        self._thread.start()

    def cue(self, sound: Sound) -> None:
        """Make this the one sound; see ``Player.cue``."""
        check_sound(sound)
        self._refuse_over()
        with self._cueing:
            latest = self._latest
            timeline = Timeline(
                sound,
                lambda path, reason: self._events.put(Damaged(sound.claim_id, path, reason)),
                position=self._expected_position(sound),
                inherits=latest if latest and _same(latest.sound, sound) else None,
                receive=self._receive,
                listen=self._listen,
            )
            self._latest = timeline
            self._decoding.add(timeline)
            self._commands.put(timeline)
            self._wake.set()

    def hush(self) -> None:
        """Fade to silence now and drop everything cued."""
        self._refuse_over()
        with self._cueing:
            self._commands.put(None)
            self._wake.set()

    def level_dbfs(self) -> float:
        """Tell how loud the last half second was; -120.0 is silence."""
        return self._meter.dbfs()

    def close(self) -> None:
        """Stop sounding and release the device; closing twice is harmless."""
        self._life.close()
        self._wake.set()
        self._thread.join(_JOIN_S)
        self._decoding.join(_JOIN_S)
        # A device that hangs would hang its closing too; the process is about to end anyway.
        if not self._thread.is_alive():
            self._output.close()

    def _run(self) -> None:
        with Vigil(self._life):
            _ask_for_real_time()
            self._fill_buffer()
            while self._goes_on():
                self._obey()
                self._sound_or_rest()

    def _goes_on(self) -> bool:
        # Cleared before looking, so that what is asked from here on cuts the next rest short.
        self._wake.clear()
        return not self._life.over.is_set()

    def _fill_buffer(self) -> None:
        """Write silence until the device runs: before that its delay means nothing."""
        for _ in range(int(BUFFER_S * RATE_HZ) // _BLOCK):
            self._output.write(_SILENCE)

    def _obey(self) -> None:
        """Carry out what was asked since the last block, in order."""
        with contextlib.suppress(queue.Empty):
            while True:
                command = self._commands.get_nowait()
                if command is None:
                    self._mixer.hush()
                else:
                    self._mixer.cue(command)

    def _sound_or_rest(self) -> None:
        heard_s = self._next_heard_s()
        now_s = self._clock() - self._epoch_s
        restful_s = min(_REST_S, self._mixer.due_s - _DUE_SOON_S - now_s)
        if restful_s > 0:
            slipped = self._has_slipped(heard_s)
            rested = self._output.rest(self._wake, restful_s)
            self._lock.span(heard_s, rested, slipped=slipped)
            self._meter.rest(rested)
        else:
            slipped = self._has_slipped(heard_s)
            self._sound(self._lock.span(heard_s, _BLOCK, slipped=slipped))

    def _sound(self, span: Span) -> None:
        rendered = self._mixer.render(span)
        block = _SILENCE if rendered is None else to_samples(self._limiter.limit(rendered))
        self._meter.add(block)
        self._output.write(block)

    def _next_heard_s(self) -> float | None:
        """Measure when the next sample written will sound; None if something got in between."""
        before_s = self._clock()
        delay_s = self._output.delay_s()
        after_s = self._clock()
        if not 0 <= after_s - before_s < _BRACKET_S:
            return None
        return (before_s + after_s) / 2 - self._epoch_s + delay_s

    def _has_slipped(self, heard_s: float | None) -> bool:
        """Say whether the device ran dry since the last measurement: then it lost its place."""
        if heard_s is None or self._output.underruns == self._underruns:
            return False
        self._underruns = self._output.underruns
        return True

    def _expected_position(self, sound: Sound) -> int:
        heard_s = self._clock() + _FIRST_HEARD_S - sound.begins.timestamp()
        return int(heard_s * RATE_HZ)

    def _refuse_over(self) -> None:
        if self._life.over.is_set():
            raise PlayerClosedError(self._life.reason)


def _same(one: Sound, other: Sound) -> bool:
    return one.claim_id == other.claim_id and one.begins == other.begins


def _ask_for_real_time() -> None:
    """Let the audio thread go before others; without the right to it, play on as we are."""
    with contextlib.suppress(OSError):
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(_REAL_TIME_PRIORITY))
