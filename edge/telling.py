"""What the server is told of the node itself: that it is there, how it fares, what it refused."""

import hashlib
from collections import Counter
from dataclasses import replace
from typing import final

import structlog

from edge.keeping import Keeping
from edge.link import Delivery
from edge.outbox import numbered
from edge.parts import Parts
from edge.refusals import BadMessage, Refusals
from edge.shelf import Shelf
from edge.stage import Stage
from protocol.errors import RefusedError
from protocol.ids import NodeId
from protocol.messages import Presence, PresenceState, Telemetry, encode
from protocol.signing import unverified
from protocol.topics import node_presence, node_telemetry

_log = structlog.get_logger()

_BIRTH_AGAIN_S = 0.2
"""What came together is told of together; whoever edits a programme that is about to begin waits
to be told that it has arrived."""


@final
class Telling:
    """Says that the node is there, how it fares, and what it refused.

    Attributes:
        is_linked: Whether there is a broker to tell it to.
        birth_due_s: When the next birth is to go out, in monotonic seconds; None: none is.
    """

    def __init__(self, parts: Parts, stage: Stage, keeping: Keeping, shelf: Shelf) -> None:
        self._parts, self._stage = parts, stage
        self._keeping, self._shelf = keeping, shelf
        self._node = NodeId(stage.held.node)
        self._refusals = Refusals()
        self._dropped = 0
        self._is_flooded = False
        self.is_linked = False
        self.birth_due_s: float | None = None

    # -- that it is there

    def note_link(self, *, is_up: bool) -> None:
        """Note that a broker was reached, and say who is there, or that it was lost."""
        self.is_linked = is_up
        if is_up:
            self._send_birth(nonce=self._parts.clock.ask())

    def note_held(self, *, is_to_tell: bool = True) -> None:
        """Note that the newest plan or configuration is held, and say so soon if that is asked."""
        self._refusals.plan_trouble = ""
        if is_to_tell:
            self._tell_held_soon()

    def pass_time(self, now_s: float) -> None:
        """Say what is held once it is time to."""
        if self.birth_due_s is not None and self.birth_due_s <= now_s:
            self._send_birth()

    def last_words(self) -> tuple[str, bytes]:
        """Say that the node leaves: on which topic, and how."""
        return node_presence(self._node), encode(self._presence(PresenceState.LEAVING))

    def _tell_held_soon(self) -> None:
        self.birth_due_s = self.birth_due_s or self._parts.clock.ticks_s() + _BIRTH_AGAIN_S

    def _send_birth(self, nonce: str = "") -> None:
        self.birth_due_s = None
        birth = encode(self._presence(PresenceState.HERE, nonce))
        self._parts.link.publish(node_presence(self._node), birth, qos=1, retain=True)

    def _presence(self, state: PresenceState, nonce: str = "") -> Presence:
        held = self._stage.held
        return Presence(
            node=self._node,
            state=state,
            at=self._parts.clock.now(),
            software=self._parts.software,
            config_version=held.config.version if held.config else 0,
            plan_versions=held.plan_versions,
            on_air=self._stage.playout.on_air,
            nonce=nonce,
            equipment=self._parts.equipment,
        )

    # -- how it fares

    def ask_time(self) -> None:
        """Ask again where a schedule waits for the time: the first question may be lost."""
        clock = self._parts.clock
        if self.is_linked and not clock.is_trusted and clock.wants_answer:
            self.send_telemetry()

    def send_telemetry(self) -> None:
        """Say how the node fares."""
        clock, now = self._parts.clock, self._parts.clock.now()
        word = Telemetry(
            at=now,
            on_air=self._stage.playout.on_air,
            level_dbfs=round(self._parts.player.level_dbfs(), 1),
            refused=self._refused(),
            clock_trusted=clock.is_trusted,
            clock_source=clock.source,
            clock_error_s=round(clock.bound.total_seconds(), 3) if clock.bound else None,
            nonce=clock.ask() if clock.wants_answer else "",
            troubles=self._troubles(),
            tone=self._parts.listening.tone,
        )
        word = self._parts.health.measured(word, now if clock.is_trusted else None)
        self._parts.link.publish(node_telemetry(self._node), encode(word), qos=0)

    def _refused(self) -> dict[str, int]:
        others = {"bad-digest": self._parts.fetcher.bad_digests, "flooded": self._dropped}
        return self._refusals.counts | {name: count for name, count in others.items() if count}

    def _troubles(self) -> tuple[str, ...]:
        flooded = "flooded" if self._is_flooded else ""
        told = {self._keeping.trouble, self._refusals.plan_trouble, flooded}
        told |= self._shelf.troubles()
        return tuple(sorted(told - {""}))

    # -- what it refused

    def note_dropped(self, dropped: Counter[str]) -> None:
        """Note what was dropped since the last time, for there was too much of it."""
        self._is_flooded = bool(dropped)
        if dropped:
            self._dropped += dropped.total()
            _log.warning("messages_dropped", count=dropped.total(), topics=dict(dropped))
            # A plan may have been among them: who hears which are held sends what is missing.
            self._tell_held_soon()

    def refuse(self, delivery: Delivery, error: RefusedError) -> None:
        """Count a message that is not acted on, and report it if it is time to."""
        bad = BadMessage(
            delivery.topic, error.refusal, _name_of(delivery.payload), detail=error.detail
        )
        report = self._refusals.note(bad, self._parts.clock.now())
        if report is not None:
            # With the report alone, so that an enemy's thousand a second do not fill the card.
            _log.warning("message_refused", reason=error.refusal.value, count=report.count)
            self._stage.keep(replace(self._stage.turn(), reports=(numbered(report),)))


def _name_of(raw: bytes) -> str:
    """Name a refused message: by its own id where it can be read, else by its digest."""
    try:
        return unverified(raw).jti
    except RefusedError:
        return hashlib.sha256(raw).hexdigest()[:16]
