"""What sounds when: one voice at a time, cross-faded at exact instants. No thread, no device."""

import math
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import final

from edge.errors import Stall
from edge.player import Ended, PlayerEvent, Stalled, Started
from edge.player.levels import Ramp, gain_of
from edge.player.output import RATE_HZ
from edge.player.reader import Audio, Span
from edge.player.timeline import Timeline
from edge.player.voice import CURVE, Voice

# A sound that does not decode in this time takes the loudspeakers anyway: the clock is the clock.
_PATIENCE_S = 1.0
# A first sample further in than this needs a fade; the sound's own beginning does not.
_JOINED_WITHIN = RATE_HZ // 1000


@final
class Mixer:
    """Render the one sound that is cued, and the last moments of what it replaced.

    All instants are seconds since ``epoch_s``, so that they keep sub-sample precision.
    """

    def __init__(
        self, report: Callable[[PlayerEvent], None], *, epoch_s: float, ceiling_db: float = 0.0
    ) -> None:
        self._report = report
        self._epoch_s = epoch_s
        self._ceiling_db = ceiling_db
        self._sounding: Voice | None = None
        self._waiting: Voice | None = None
        self._successor: Timeline | None = None
        self._fading: deque[Voice] = deque()
        self._patient_until_s = math.inf

    @property
    def due_s(self) -> float:
        """First instant at which there is something to render; infinite when nothing is cued."""
        if self._sounding or self._fading:
            return -math.inf
        return self._waiting.begins_s if self._waiting else math.inf

    def cue(self, timeline: Timeline) -> None:
        """Make this the one sound from its begin on, or exchange the pieces of what sounds."""
        self._forget_waiting()
        self._patient_until_s = math.inf
        sound = timeline.sound
        current = self._sounding
        if current is not None and _same(current.timeline, timeline):
            self._successor = timeline
            return
        gain = gain_of(min(sound.gain_db, self._ceiling_db))
        self._waiting = Voice(timeline, self._epoch_s, gain)

    def hush(self) -> None:
        """Fade out what sounds and forget what waits."""
        self._forget_waiting()
        self._fade_out()

    def render(self, span: Span) -> Audio | None:
        """Give the next block; None is silence."""
        hold = self._switch(span)
        self._exchange(span)
        self._tell_of_station(span)
        block: Audio | None = None
        for voice in (*self._fading, self._sounding):
            if voice is not None:
                sound = voice.render(span, hold=hold)
                block = sound if block is None else block + sound
        self._drop_finished(span)
        return block

    def _switch(self, span: Span) -> int:
        """Let the waiting sound take over if its begin lies in this block; say at which sample."""
        new = self._waiting
        if new is None:
            return 0
        lead = math.ceil((new.begins_s - span.begins_s) * RATE_HZ / span.pace)
        hold = max(0, lead)
        at_s = span.begins_s + hold * span.pace / RATE_HZ
        if new.ends_s <= at_s:
            self._pass_over(new)
            return 0
        if hold >= span.count:
            new.timeline.position = math.floor(new.position(span.begins_s))
            return 0
        if not self._ready_or_late(new, at_s, span.count - hold):
            return 0
        self._waiting = None
        within = new.position(at_s) > _JOINED_WITHIN
        if self._retire(at_s) or within:
            new.ramp = Ramp(0.0, new.gain)
        self._sounding = new
        self._tell(new, at_s, new.stall(at_s, span.count - hold))
        return hold

    def _tell_of_station(self, span: Span) -> None:
        """Tell when a station falls silent by itself, and when it is heard again."""
        voice = self._sounding
        if voice is None or voice.begins_s > span.begins_s:
            return
        stall = voice.stall(span.begins_s, span.count)
        if voice.told == (stall is not None):
            self._tell(voice, span.begins_s, stall)

    def _tell(self, voice: Voice, at_s: float, stall: Stall | None) -> None:
        claim_id, at = voice.timeline.sound.claim_id, self._wall(at_s)
        voice.told = stall is None
        if stall is None:
            self._report(Started(claim_id, at, at_s - voice.begins_s))
        else:
            self._report(Stalled(claim_id, at, stall))

    def _ready_or_late(self, voice: Voice, at_s: float, count: int) -> bool:
        if voice.ready(at_s, count):
            return True
        if math.isinf(self._patient_until_s):
            self._patient_until_s = at_s + _PATIENCE_S
        return at_s >= self._patient_until_s

    def _retire(self, at_s: float) -> bool:
        """Give the loudspeakers up; tell whether something was really cut."""
        old = self._sounding
        if old is not None and old.ends_s <= at_s + 1 / RATE_HZ:
            self._end(old)
            return False
        self._fade_out()
        return bool(self._fading)

    def _exchange(self, span: Span) -> None:
        """Take up new pieces of what sounds as soon as that leaves no hole."""
        voice, successor = self._sounding, self._successor
        if voice is None or successor is None:
            return
        first = math.floor(voice.position(span.begins_s))
        successor.position = first
        if math.isinf(self._patient_until_s):
            self._patient_until_s = span.begins_s + _PATIENCE_S
        ready = successor.ready(first, span.count + CURVE)
        if ready or span.begins_s >= self._patient_until_s:
            voice.timeline.close()
            voice.timeline, self._successor = successor, None
            voice.gain = gain_of(min(successor.sound.gain_db, self._ceiling_db))
            voice.ramp.aim(voice.gain)

    def _drop_finished(self, span: Span) -> None:
        while self._fading and self._fading[0].ramp.silent:
            self._fading.popleft().timeline.close()
        if self._sounding is not None and self._sounding.ends_s <= span.ends_s:
            self._end(self._sounding)

    def _end(self, voice: Voice) -> None:
        self._sounding = None
        self._drop_successor()
        voice.timeline.close()
        self._report(Ended(voice.timeline.sound.claim_id, self._wall(voice.ends_s)))

    def _pass_over(self, voice: Voice) -> None:
        """A sound whose time is over before it began still takes the loudspeakers from others."""
        self._waiting = None
        voice.timeline.close()
        self._fade_out()
        self._report(Ended(voice.timeline.sound.claim_id, self._wall(voice.ends_s)))

    def _fade_out(self) -> None:
        self._drop_successor()
        if self._sounding is not None:
            self._sounding.ramp.aim(0.0)
            self._fading.append(self._sounding)
            self._sounding = None

    def _forget_waiting(self) -> None:
        self._drop_successor()
        if self._waiting is not None:
            self._waiting.timeline.close()
            self._waiting = None

    def _drop_successor(self) -> None:
        if self._successor is not None:
            self._successor.close()
            self._successor = None

    def _wall(self, at_s: float) -> datetime:
        return datetime.fromtimestamp(self._epoch_s + at_s, UTC)


def _same(one: Timeline, other: Timeline) -> bool:
    return (one.sound.claim_id, one.sound.begins) == (other.sound.claim_id, other.sound.begins)
