"""What people do at the box and what it shows them: its keys, its lamps, and what is amiss."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import final

import structlog

from edge.parts import Parts
from edge.playout import SILENCE_KEY, LiveOver
from edge.runs import UNNUMBERED
from edge.settings import SilenceKey
from edge.stage import Stage
from edge.telling import Telling
from protocol.messages import Alarms, AsRun
from protocol.policy import Silence

_log = structlog.get_logger()

SILENCED = "silenced"
"""The alarm that stands while somebody has silenced the loudspeakers by the key of the box."""


def pressed(
    before: Silence | None, key: SilenceKey | None, node: str, now: datetime
) -> Silence | None:
    """Tell what silence stands once the silence key was pressed; None: there is none any more.

    Args:
        before: The silence that the key ordered last.
        key: How it is set up; without it nothing is silenced.
        node: Whose key it is.
        now: When it was pressed.
    """
    if key is None or (before is not None and before.covers(now)):
        return None
    until = now + timedelta(minutes=key.minutes)
    return Silence(SILENCE_KEY, node, now, until, spares_emergencies=True)


@final
class Panel:
    """The keys, lamps and contacts of one box."""

    def __init__(
        self, parts: Parts, stage: Stage, telling: Telling, silence_key: SilenceKey | None
    ) -> None:
        self._box, self._talk, self._listening = parts.box, parts.talk, parts.listening
        self._clock, self._stage, self._telling = parts.clock, stage, telling
        self._silence_key = silence_key
        self._told: tuple[str, ...] | None = None

    def turn_silence(self) -> None:
        """Silence the loudspeakers for a while, or let them sound again."""
        held, now = self._stage.held, self._clock.now()
        silence = pressed(held.key_silence, self._silence_key, held.node, now)
        self._stage.held = replace(held, key_silence=silence)
        self._stage.take(self._stage.held.programme())
        self.look()

    def begin_talk(self) -> None:
        """Let whoever stands at the box speak, or tell that they may not."""
        held, on_disk = self._stage.held, self._stage.playout.on_disk
        began = self._talk.press(held.config, on_disk, self._clock.now())
        if isinstance(began, AsRun):
            _log.warning("talk_refused", reason=began.reason)
            self._stage.report(began)
        elif began is not None:
            _log.warning("talk_began", claim_id=began.claim_id)
            self._stage.held = replace(held, talk=began)
            self._stage.take(self._stage.held.programme())

    def end_talk(self) -> None:
        """End what is spoken: the key was let go."""
        self._take_over(self._talk.release(self._clock.now()))

    def look_after_talk(self) -> None:
        """End what is spoken at the box where it gives no sound, or is not allowed any more."""
        if not self._talk.may_go_on(self._stage.held.config):
            self._stage.held = replace(self._stage.held, talk=None)
            self._talk.end()
            self._stage.take(self._stage.held.programme())
        self._take_over(self._talk.look(self._clock.now()))

    def look_after_lamps(self) -> None:
        """Let whoever speaks see by a lamp at once that they are heard."""
        if self._stage.held.talk is not None:
            self.look()

    def look(self) -> None:
        """Report what is amiss, where that has changed, and light the lamps."""
        now, held = self._clock.now(), self._stage.held
        silence = held.key_silence
        silenced = {SILENCED} if silence is not None and silence.covers(now) else set()
        talk = self._talk.standing(held.config, is_closed=self._box.is_talk_key_closed)
        amiss = self._box.standing | silenced | self._listening.standing | talk
        standing = tuple(sorted(amiss))
        if standing != self._told:
            self._told = standing
            self._stage.report(Alarms(report_id=UNNUMBERED, at=now, standing=standing))
        self._box.show(
            network=self._telling.is_linked,
            sound=bool(self._stage.playout.on_air),
            alarm=bool(standing),
        )

    def _take_over(self, over: LiveOver | None) -> None:
        if over is not None:
            self._stage.take(over)
