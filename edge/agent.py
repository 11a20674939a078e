"""Wiring and the loop: the only module that knows all others. It contains no rule.

The agent's thread alone touches the store, the holdings and the playout. All other threads only
put events on its queue.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from queue import Empty
from typing import final

import structlog

from edge.clockwork import ClockDesk
from edge.errors import EdgeError, ThreadDiedError
from edge.fetch import Fetched
from edge.gpio.box import ContactMoved, SilencePressed, TalkPressed, TalkReleased
from edge.intake import Intake, worth
from edge.keeping import Keeping
from edge.link import Connected, Delivery, Disconnected, LinkEvent
from edge.live import LiveRefused
from edge.panel import Panel
from edge.parts import AgentEvent, Parts, Stop
from edge.player import Damaged, Died, Ended, PlayerEvent, Stalled, Started
from edge.playout import LiveOver, Playout, Tick
from edge.rounds import Rounds
from edge.runs import restored
from edge.schedule import Accepted, Holdings
from edge.settings import NodeSettings
from edge.shelf import Shelf
from edge.stage import Stage
from edge.telling import Telling
from edge.upkeep import UpkeepDesk, restarted
from protocol.ids import NodeId
from protocol.topics import node_report

_log = structlog.get_logger()


@final
class Agent:
    """One node."""

    def __init__(self, settings: NodeSettings, holdings: Holdings, parts: Parts) -> None:
        self._parts = parts
        self._node = NodeId(settings.node)
        self._ticks_s = parts.clock.ticks_s
        clock_desk = ClockDesk(parts.clock, may_guess=settings.schedule_without_clock)
        playout = Playout(
            lead=timedelta(seconds=settings.board.lead_s), keeps_schedule=clock_desk.keeps_schedule
        )
        self._keeping = Keeping(parts.store, self._send_report)
        self._stage = Stage(parts, self._keeping, holdings, playout)
        self._shelf = Shelf(settings, parts, self._stage)
        self._telling = Telling(parts, self._stage, self._keeping, self._shelf)
        self._panel = Panel(parts, self._stage, self._telling, settings.board.silence_key)
        self._upkeep = UpkeepDesk(parts.box.blink)
        self._intake = Intake(
            self._stage,
            self._telling,
            keeping=self._keeping,
            clock=parts.clock,
            clock_desk=clock_desk,
            accepted=self._go_on,
        )
        clock, stage = parts.clock, self._stage
        parts.events.judge_by(lambda delivery: worth(stage.held, delivery, clock))
        self._rounds = Rounds(self._ticks_s())
        self._rounds.every(5.0, self._look_after_threads, first_s=0.0)
        self._rounds.every(1.0, self._mark_alive, first_s=1.0)
        self._rounds.every(1.0, self._telling.ask_time, first_s=1.0)
        self._rounds.every(1.0, self._panel.look_after_talk, first_s=1.0)
        self._rounds.every(1.0, self._test_tone, first_s=20.0)
        self._rounds.every(10.0, self._send_due, first_s=10.0)
        # Nodes started together must not all speak in the same instant.
        phase_s = sum(settings.node.encode()) % 15
        self._rounds.every(15.0, self._telling.send_telemetry, first_s=1.0 + phase_s)
        self._rounds.every(60.0, self._tell_dropped, first_s=60.0)
        self._rounds.every(60.0, self._keeping.come_back, first_s=60.0)
        self._rounds.every(600.0, self._tidy, first_s=600.0)
        self._rounds.every(600.0, parts.clock.keep, first_s=60.0)
        self._rounds.every(600.0, parts.health.keep, first_s=70.0)

    def run(self) -> bool:
        """Play and report until told to stop.

        Returns:
            Whether an order asks for the program to be started again.

        Raises:
            ThreadDiedError: A thread has ended by itself, and the program must end too.
        """
        self._wake_up()
        try:
            while self._live_on():
                if self._upkeep.is_to_restart(self._stage.playout, self._parts.clock.now()):
                    _log.info("restart_ordered")
                    return True
        finally:
            self._lie_down()
        return False

    # -- beginning and end

    def _wake_up(self) -> None:
        parts, stage, now = self._parts, self._stage, self._parts.clock.now()
        if parts.store.set_aside is not None:
            _log.error("store_damaged", set_aside=parts.store.set_aside.name)
        self._forget_old(now)
        stage.hold_from_disk()
        stage.playout = replace(
            stage.playout,
            runs={key: restored(run, at) for key, (run, at) in parts.store.runs().items()},
            done=parts.store.done(),
        )
        self._shelf.look()
        stage.take(stage.held.programme(at_start=True))
        self._tell_restarted()
        parts.fetcher.start()
        parts.live.start()
        parts.listening.start()
        self._shelf.plan()
        stage.listen()
        parts.link.start()
        parts.watchdog.ready()
        _log.info("node_started", node_id=self._node, plans=len(stage.held.plans))

    def _tell_restarted(self) -> None:
        stage = self._stage
        found = restarted(stage.held.orders, stage.playout.done, self._parts.clock.now())
        told = {order: until for order, (_word, until) in found.items()}
        stage.playout = replace(stage.playout, done={**stage.playout.done, **told})
        stage.report(*(word for word, _until in found.values()))

    def _lie_down(self) -> None:
        """Stop everything, what sounds first; the runs stay open on disk and are taken up again."""
        parts = self._parts
        parts.watchdog.stopping()
        last_words = self._telling.last_words()
        for close in (
            parts.player.close,
            parts.amplifier.close,
            parts.box.close,
            parts.live.close,
            parts.talk.end,
            parts.listening.close,
            self._mark_alive,
            parts.clock.keep,
            parts.health.keep,
            lambda: parts.link.close((last_words,)),
            parts.fetcher.close,
            parts.store.close,
        ):
            try:
                close()
            except (EdgeError, OSError, RuntimeError) as error:
                _log.error("stop_incomplete", error=str(error))
        _log.info("node_stopped", node_id=self._node)

    # -- the loop

    def _live_on(self) -> bool:
        """Take one event, or what time brings; False when it is time to end.

        Raises:
            ThreadDiedError: A thread has ended by itself.
        """
        try:
            event: AgentEvent | None = self._parts.events.get(timeout=self._patience_s())
        except Empty:
            event = None
        try:
            if event is not None and not self._react(event):
                return False
            self._pass_time()
        except ThreadDiedError:
            raise
        except Exception:  # noqa: BLE001 - the loop of one agent event: logs, counts, goes on
            # The loop goes on: one bad event must not silence the node. Counted by its log line.
            _log.exception("event_failed", kind=type(event).__name__)
        return True

    def _patience_s(self) -> float:
        waits = [self._rounds.next_s() - self._ticks_s()]
        if self._telling.birth_due_s is not None:
            waits.append(self._telling.birth_due_s - self._ticks_s())
        wake_at = self._stage.playout.wake_at
        if wake_at is not None:
            waits.append((wake_at - self._parts.clock.now()).total_seconds())
        return max(0.0, min(waits))

    def _react(self, event: AgentEvent) -> bool:
        match event:
            case Stop():
                return False
            case Delivery() | Connected() | Disconnected():
                self._take_from_link(event)
            case Fetched():
                self._shelf.take_fetched()
            case LiveOver():
                self._stage.take(event)
            case LiveRefused(delivery, error):
                self._telling.refuse(delivery, error)
            case ContactMoved():
                self._panel.look()
            case SilencePressed():
                self._panel.turn_silence()
            case TalkPressed():
                self._panel.begin_talk()
            case TalkReleased():
                self._panel.end_talk()
            case _:
                self._take_from_player(event)
        return True

    def _take_from_link(self, event: LinkEvent) -> None:
        match event:
            case Delivery():
                self._intake.take(event)
            case Connected(endpoint):
                self._parts.talk.note_link(is_up=True)
                _log.info("link_up", endpoint=endpoint)
                self._telling.note_link(is_up=True)
                self._keeping.send_due(self._ticks_s(), all_again=True)
            case Disconnected(reason):
                self._parts.talk.note_link(is_up=False)
                self._telling.note_link(is_up=False)
                _log.warning("link_lost", error=reason)

    def _take_from_player(self, event: PlayerEvent) -> None:
        match event:
            case Started() | Ended():
                self._stage.take(event)
                self._panel.look_after_lamps()
            case Stalled(claim_id, _at, reason):
                _log.warning("relay_stalled", claim_id=claim_id, error=reason.value)
                self._stage.take(event)
            case Damaged():
                self._shelf.take_damaged(event)
            case Died(reason):
                raise ThreadDiedError("player", reason)

    def _pass_time(self) -> None:
        now_s = self._ticks_s()
        wake_at = self._stage.playout.wake_at
        if wake_at is not None and wake_at <= self._parts.clock.now():
            self._stage.take(Tick())
        self._telling.pass_time(now_s)
        for task in self._rounds.take_due(now_s):
            task()

    def _go_on(self, accepted: Accepted, now: datetime) -> None:
        """Do what follows from a message that is held now."""
        if accepted.kept.kind == "config":
            self._panel.look_after_talk()
        if accepted.order is not None:
            done = self._upkeep.take(accepted.order, now)
            if done is not None:
                self._stage.report(done)
        self._shelf.plan()

    def _send_report(self, body: bytes) -> bool:
        return self._parts.link.publish(node_report(self._node), body, qos=1)

    # -- care

    def _look_after_threads(self) -> None:
        parts = self._parts
        for name, part in (("link", parts.link), ("fetch", parts.fetcher), ("live", parts.live)):
            if not part.is_alive():
                raise ThreadDiedError(name, "its loop ended")
        parts.watchdog.alive()
        self._intake.watch_clock()
        self._stage.take(Tick())
        parts.box.cool(parts.health.temperature_c())
        self._panel.look()

    def _test_tone(self) -> None:
        if self._parts.clock.is_trusted:
            self._parts.listening.look(self._stage.playout, self._parts.delay.now())

    def _mark_alive(self) -> None:
        if self._stage.playout.runs:
            self._keeping.try_to(lambda: self._parts.store.mark_alive(self._parts.clock.now()))

    def _send_due(self) -> None:
        self._keeping.send_due(self._ticks_s())

    def _tell_dropped(self) -> None:
        self._telling.note_dropped(self._parts.events.take_dropped())

    def _tidy(self) -> None:
        turn = self._stage.turn()
        self._forget_old(turn.now)
        self._keeping.keep_again(turn, self._ticks_s())
        self._shelf.plan()

    def _forget_old(self, now: datetime) -> None:
        # By a clock that is ahead a stop would be forgotten, and what was stopped would sound.
        if self._parts.clock.is_trusted:
            self._keeping.try_to(lambda: self._parts.store.forget_old(now))


def state_paths(state_dir: Path) -> tuple[Path, Path]:
    """Tell where the node's database and its audio lie."""
    return state_dir / "node.db", state_dir / "audio"
