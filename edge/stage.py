"""What counts and what sounds on this node: judged, obeyed and kept, one event after another."""

from dataclasses import replace
from typing import final

import structlog

from edge.keeping import Keeping
from edge.outbox import numbered
from edge.parts import Parts
from edge.playout import Clockwork, Event, Playout, Tell, Tick
from edge.playout import step as judged
from edge.runs import key_of
from edge.schedule import Holdings, held_on_disk
from edge.sounding import Sounding
from edge.store import Turn
from protocol.ids import NodeId, UnitId
from protocol.messages import Alarms, AsRun, Done
from protocol.topics import node_filter, unit_filter

_log = structlog.get_logger()


@final
class Stage:
    """The node's state, and the one way in which it changes; the agent's thread alone.

    Attributes:
        held: What counts.
        playout: What sounds, and what is to.
    """

    def __init__(self, parts: Parts, keeping: Keeping, held: Holdings, playout: Playout) -> None:
        self.held, self.playout = held, playout
        self._clock, self._live, self._link = parts.clock, parts.live, parts.link
        self._talk, self._sounding = parts.talk, Sounding(parts)
        self._keeping = keeping

    def turn(self) -> Turn:
        """Begin a turn that changes nothing of what plays."""
        return Turn(self.playout.runs, self.playout.done, self._clock.now())

    def take(self, event: Event) -> None:
        """Let the playout judge an event, and do what it says."""
        self.take_and_keep(event, self.turn())

    def follow_clock(self, learnt: Clockwork) -> None:
        """Go by what is known of the time now; what was begun at the box goes on as it is."""
        self._talk.move(learnt.by)
        self.held = self.held.moved(learnt.by)
        self.take(replace(learnt, programme=self.held.programme()))

    def take_and_keep(self, event: Event, turn: Turn) -> None:
        """Let the playout judge, obey it, then put on disk what this changed."""
        self.playout, orders = judged(self.playout, event, turn.now)
        # First of all: a full disk must not cost a record.
        told = [numbered(self._sounding.attested(one)) for one in orders if isinstance(one, Tell)]
        self._keeping.note((*turn.reports, *told))
        # Before it is cued: the player looks for who speaks when it is told to play them.
        if self._live.arm(self.playout.listens_to(turn.now)):
            self.listen()
        for order in orders:
            self._sounding.obey(order)
        self.keep(replace(turn, reports=(), runs=self.playout.runs, done=self.playout.done))
        self._let_talk_go()

    def keep(self, turn: Turn) -> None:
        """Put on disk what changed, where the playout has nothing to say to it."""
        self._keeping.keep(turn, self._clock.ticks_s())

    def report(self, *words: Alarms | AsRun | Done) -> None:
        """Tell the server what is no judgement of the playout's."""
        reports = tuple(map(numbered, words))
        self.take_and_keep(Tick(), replace(self.turn(), reports=reports))

    def hold_from_disk(self) -> None:
        """Hold what is kept, each message verified once more under the newest configuration."""
        self.held, bad = held_on_disk(self.held, self._keeping.tokens())
        config = self.held.config
        self._sounding.delay_by(config.delay_s if config else 0.0)
        for kept, error in bad:
            _log.warning("kept_message_refused", kind=kept.kind, reason=error.refusal.value)
        self._keeping.forget([kept for kept, _error in bad])

    def listen(self) -> None:
        """Subscribe to all that concerns this node now."""
        units = self.held.place.chain if self.held.place else ()
        self._link.listen_to(
            [
                node_filter(NodeId(self.held.node)),
                *(unit_filter(UnitId(unit)) for unit in units),
                *self._live.topics,
            ]
        )

    def _let_talk_go(self) -> None:
        """Stop recording once what was spoken has its record."""
        talk = self.held.talk
        if talk is not None and key_of(talk) in self.playout.done:
            self.held = replace(self.held, talk=None)
            self._talk.end()
