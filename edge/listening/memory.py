"""What a node remembers of its loudspeaker: how loud it usually is, and what is amiss."""

from pathlib import Path
from typing import final

import msgspec
import numpy as np

from edge.disk import remember, remembered
from edge.listening.judging import Judgement
from protocol.messages import SoundVerdict, ToneHeard

_ALARMS = frozenset({SoundVerdict.SILENT_HORN, SoundVerdict.TOO_QUIET, SoundVerdict.BUZZING})
_LEARNED = 5


class _Kept(msgspec.Struct, kw_only=True, frozen=True):
    """What stands on disk.

    Attributes:
        gains_db: How much was heard of what was sent, the first few times.
        alarm: What was amiss when last told; empty: nothing.
        tone: What became of the newest test tone.
    """

    gains_db: tuple[float, ...] = ()
    alarm: str = ""
    tone: ToneHeard | None = None


@final
class Memory:
    """Changed by the agent's thread alone; read by any.

    Args:
        path: Where it lies on disk.
        gain_db: What is usual here, if somebody has said so.
    """

    def __init__(self, path: Path, gain_db: float | None) -> None:
        self._path, self._gain_db = path, gain_db
        self._kept = remembered(path, _Kept) or _Kept()

    @property
    def usual_gain_db(self) -> float | None:
        """How much is usually heard of what is sent; None: that is not known yet."""
        if self._gain_db is not None:
            return self._gain_db
        gains_db = self._kept.gains_db
        return float(np.median(gains_db)) if len(gains_db) >= _LEARNED else None

    @property
    def alarm(self) -> str:
        """What is amiss; empty: nothing."""
        return self._kept.alarm

    @property
    def tone(self) -> ToneHeard | None:
        """What became of the newest test tone."""
        return self._kept.tone

    def take(self, judged: Judgement) -> None:
        """Remember what was made of a claim; what may have been covered changes nothing."""
        if judged.verdict is SoundVerdict.UNCLEAR:
            return
        gains_db = self._kept.gains_db
        if judged.verdict is SoundVerdict.HEARD and judged.gain_db is not None:
            gains_db = (*gains_db, round(judged.gain_db, 1))[:_LEARNED]
        alarm = judged.verdict.value if judged.verdict in _ALARMS else ""
        self._keep(_Kept(gains_db=gains_db, alarm=alarm, tone=self.tone))

    def take_tone(self, tone: ToneHeard) -> None:
        """Remember what became of a test tone; heard, it says that the horn is not silent."""
        alarm, silent = self.alarm, SoundVerdict.SILENT_HORN
        if tone.verdict is silent:
            alarm = silent.value
        elif tone.verdict is SoundVerdict.HEARD and alarm == silent.value:
            alarm = ""
        self._keep(_Kept(gains_db=self._kept.gains_db, alarm=alarm, tone=tone))

    def _keep(self, kept: _Kept) -> None:
        if kept != self._kept:
            self._kept = kept
            remember(self._path, kept)
