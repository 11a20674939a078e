"""The talk key: whoever stands at the box speaks, where the configuration allows it.

The rule who may speak is here; who is heard is for ``protocol.precedence``, as with all else.
"""

import secrets
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import final

from edge.listening.ear import Ear, recorder
from edge.player.near import NearSpeech
from edge.player.output import RATE_HZ
from edge.playout import LiveOver
from edge.runs import CUE_LEAD, UNNUMBERED, key_of, moved_claim
from edge.settings import TalkInput
from protocol.content import opening_s
from protocol.ids import TALK_PREFIX
from protocol.messages import (
    AsRun,
    BulletinClass,
    Claim,
    ClaimKind,
    Config,
    Content,
    LiveSource,
    Outcome,
    TalkKey,
    Targets,
)

NOT_ARMED, NETWORK_HERE, TOO_OFTEN = "talk-not-armed", "talk-network-here", "talk-too-often"
NO_MICROPHONE = "live-no-microphone"
STUCK, MUTE = "talk-key-stuck", "talk-microphone-lost"

REFUSALS_EVERY_S = 60.0
MOST_PRESSES, PRESSES_PER_S = 10, 60.0
"""A contact that chatters must not fill the record."""

SOUND_WITHIN_S = 3.0
LAST_WORDS = timedelta(milliseconds=300)
"""What is spoken is heard so much later; the key is let go with the last word."""

_STUCK_S = 300.0
_PIECE = RATE_HZ // 50
# No frames come for it: of this key nobody has the other half.
_NOBODY = "A" * 43


def refusal(allowed: TalkKey | None, away_s: float) -> str:
    """Say why the talk key may not be used now; empty: it may.

    Args:
        allowed: What the configuration says of it.
        away_s: How long no broker has been reached; 0: one is.
    """
    if allowed is None:
        return NOT_ARMED
    return NETWORK_HERE if away_s < allowed.away_s else ""


def spoken(
    config: Config, allowed: TalkKey, name: str, at: datetime, *, has_opening: bool
) -> Claim:
    """Make the claim of what is spoken at the box from ``at`` on.

    Args:
        config: Of the node.
        allowed: What it says of the talk key.
        name: What the claim is called.
        at: When it is to be heard.
        has_opening: Whether the opening is on disk.
    """
    lowest = config.chain[-1]
    source = LiveSource(public_key=_NOBODY, delay_s=0.1, max_length_s=allowed.most_s)
    content = Content(live=source, opening=allowed.opening if has_opening else None)
    return Claim(
        claim_id=name,
        unit=lowest.unit,
        level=lowest.level,
        # Of those that need the network gone alone: else somebody could order an emergency.
        bulletin_class=BulletinClass.EMERGENCY if allowed.away_s else BulletinClass.PRIORITY,
        kind=ClaimKind.LOCAL,
        issued_at=at,
        start=at,
        end=at + timedelta(seconds=opening_s(content) + allowed.most_s),
        content=content,
        targets=Targets(clusters=(config.cluster,)),
    )


def _recorder(source: str) -> tuple[str, ...]:
    return recorder(source, RATE_HZ, is_quick=True)


@final
class TalkDesk:
    """The talk key of one box, its microphone, and what it may do.

    All but ``speech`` belongs to the agent's thread.

    Args:
        setup: How key and microphone are wired; None: there are none.
        lead_s: Time the amplifier needs before it passes sound.
        ticks_s: Seconds on a clock that nobody sets.
        command: Names the program that records from a source.
        ear: Makes what keeps that program running.
    """

    def __init__(
        self,
        setup: TalkInput | None,
        lead_s: float,
        ticks_s: Callable[[], float],
        command: Callable[[str], Sequence[str]] = _recorder,
        ear: Callable[..., Ear] = Ear,
    ) -> None:
        self._command, self._make_ear = command, ear
        self._setup, self._ticks_s = setup, ticks_s
        self._lead = max(timedelta(seconds=lead_s), CUE_LEAD)
        self._away_since_s: float | None = ticks_s()
        self._closed_since_s: float | None = None
        self._refused_s = -REFUSALS_EVERY_S
        self._presses: deque[float] = deque(maxlen=MOST_PRESSES)
        self._began_s = 0.0
        self._claim: Claim | None = None
        self._heard: tuple[str, NearSpeech] | None = None
        self._ear: Ear | None = None
        self._is_mute = False

    @property
    def away_s(self) -> float:
        """How long no broker has been reached."""
        return 0.0 if self._away_since_s is None else self._ticks_s() - self._away_since_s

    def note_link(self, *, is_up: bool) -> None:
        """Note that a broker was reached, or was lost."""
        if is_up:
            self._away_since_s = None
        elif self._away_since_s is None:
            self._away_since_s = self._ticks_s()

    def press(
        self, config: Config | None, on_disk: frozenset[str], now: datetime
    ) -> Claim | AsRun | None:
        """Begin to speak, or give the record of why not; None: that was told just now.

        Args:
            config: Of the node; without one it knows of no cluster, and tells nothing.
            on_disk: Digests of the files that are there.
            now: The time.
        """
        self.end()
        if self._setup is None or config is None:
            return None
        name = f"{TALK_PREFIX}{secrets.token_hex(8)}"
        allowed = config.talk_key
        reason = refusal(allowed, self.away_s) or self._too_often()
        if allowed is None or reason:
            return self._refused(config, name, reason, now)
        has_opening = allowed.opening is not None and allowed.opening.digest in on_disk
        self._claim = spoken(config, allowed, name, now + self._lead, has_opening=has_opening)
        self._open(self._setup, key_of(self._claim))
        return self._claim

    def release(self, now: datetime) -> LiveOver | None:
        """End what is spoken, after its last word."""
        return self._over(now + LAST_WORDS, "")

    def look(self, now: datetime) -> LiveOver | None:
        """End what is spoken where the microphone gives nothing."""
        if self._claim is None or self._heard is None:
            return None
        if self._heard[1].has_come:
            self._is_mute = False
        elif self._ticks_s() - self._began_s > SOUND_WITHIN_S:
            self._is_mute = True
            return self._over(now, NO_MICROPHONE)
        return None

    def may_go_on(self, config: Config | None) -> bool:
        """Say whether what is spoken is still allowed; a network that comes back ends nothing."""
        if self._claim is None:
            return True
        if config is None or config.talk_key is None:
            return False
        return self._claim.targets.clusters == (config.cluster,)

    def move(self, by: timedelta) -> None:
        """Go on by a clock that was moved."""
        if self._claim is not None:
            self._claim = moved_claim(self._claim, by)

    def end(self) -> None:
        """Stop recording; ending twice is harmless."""
        self._claim = self._heard = None
        if self._ear is not None:
            self._ear.stop()
            self._ear = None

    def standing(self, config: Config | None, *, is_closed: bool) -> frozenset[str]:
        """Tell the alarms that the key and its microphone give now."""
        now_s = self._ticks_s()
        if not is_closed:
            self._closed_since_s = None
        elif self._closed_since_s is None:
            self._closed_since_s = now_s
        allowed = config.talk_key if config else None
        longest_s = allowed.most_s if allowed else _STUCK_S
        since_s = self._closed_since_s
        told = {MUTE} if self._is_mute else set()
        if since_s is not None and now_s - since_s > longest_s:
            told.add(STUCK)
        return frozenset(told)

    def speech(self, name: str) -> NearSpeech | None:
        """Find what is spoken, by the name of its claim; for the player's threads."""
        heard = self._heard
        return heard[1] if heard is not None and heard[0] == name else None

    def _open(self, setup: TalkInput, name: str) -> None:
        near = NearSpeech(setup.gain_db)
        self._heard, self._began_s = (name, near), self._ticks_s()
        self._ear = self._make_ear(
            self._command(setup.input),
            lambda _at_s, sound: near.take(sound),
            rate_hz=RATE_HZ,
            piece=_PIECE,
            nice=0,
        )
        self._ear.start()

    def _over(self, at: datetime, cause: str) -> LiveOver | None:
        claim, self._claim = self._claim, None
        if claim is None:
            return None
        # Let go before it could be heard.
        cause = cause or ("released" if at <= claim.start else "")
        return LiveOver(key_of(claim), at, cause, None)

    def _too_often(self) -> str:
        now_s = self._ticks_s()
        if len(self._presses) == MOST_PRESSES and now_s - self._presses[0] < PRESSES_PER_S:
            return TOO_OFTEN
        self._presses.append(now_s)
        return ""

    def _refused(self, config: Config, name: str, reason: str, now: datetime) -> AsRun | None:
        if self._ticks_s() - self._refused_s < REFUSALS_EVERY_S:
            return None
        self._refused_s = self._ticks_s()
        return AsRun(
            report_id=UNNUMBERED,
            claim_id=name,
            cluster=config.cluster,
            at=now,
            outcome=Outcome.MISSED,
            reason=reason,
        )
