"""Wiring and the loop: the only module that knows all others. It contains no rule.

The agent's thread alone touches the store, the holdings and the playout. All other threads only
put events on its queue.
"""

import hashlib
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import final

import structlog

from edge.cache import Cache
from edge.clock import Clock
from edge.delay import Delay
from edge.errors import EdgeError, ThreadDiedError
from edge.fetch import Fetched, Fetcher
from edge.gpio.amplifier import AmplifierRelay
from edge.gpio.box import (
    Box,
    ContactMoved,
    PinEvent,
    SilencePressed,
    TalkPressed,
    TalkReleased,
)
from edge.health import Health
from edge.keeping import Keeping
from edge.link import Connected, Delivery, Disconnected, Link, LinkEvent
from edge.listening import Listening
from edge.live import LiveDesk, LiveRefused, LiveWord
from edge.outbox import numbered
from edge.player import (
    Damaged,
    Died,
    Ended,
    Microphone,
    Piece,
    Player,
    PlayerEvent,
    Sound,
    Stalled,
    Started,
    Station,
)
from edge.playout import (
    SILENCE_KEY,
    Amplifier,
    Clockwork,
    Cue,
    Event,
    Hush,
    LiveOver,
    OnDisk,
    Order,
    Playout,
    Spoiled,
    Tell,
    Tick,
)
from edge.playout import step as judged
from edge.refusals import BadMessage, Refusals
from edge.rounds import Rounds
from edge.runs import (
    UNNUMBERED,
    ClaimKey,
    CuedMicrophone,
    CuedPiece,
    CuedRelay,
    CuedSound,
    key_of,
    restored,
)
from edge.schedule import (
    Accepted,
    Acknowledged,
    Doubtful,
    HeldAlready,
    Holdings,
    Repeated,
    Timed,
    Unconcerned,
    Verdict,
    held_on_disk,
    receive,
)
from edge.settings import NodeSettings
from edge.shelf import Shelf
from edge.store import Store, Turn
from edge.talk import TalkDesk
from edge.timekeeping import judged_instead
from edge.upkeep import UpkeepDesk, check_able, restarted
from edge.watchdog import Watchdog
from protocol.errors import Refusal, RefusedError
from protocol.ids import NodeId, UnitId
from protocol.messages import (
    Alarms,
    AsRun,
    ClaimReport,
    Done,
    Presence,
    PresenceState,
    Received,
    Telemetry,
    encode,
)
from protocol.policy import Silence
from protocol.signing import unverified
from protocol.topics import (
    node_filter,
    node_presence,
    node_report,
    node_telemetry,
    unit_filter,
)

_log = structlog.get_logger()

_BIRTH_AGAIN_S = 0.2
"""What came together is told of together; whoever edits a programme that is about to begin waits
to be told that it has arrived."""
_STEP = timedelta(seconds=1)
_MOST_DOUBTFUL = 50
_NOT_UNDERSTOOD = frozenset({Refusal.GARBLED, Refusal.TOO_LARGE, Refusal.UNKNOWN_KIND})
SILENCED = "silenced"
"""The alarm that stands while somebody has silenced the loudspeakers by the key of the box."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Event: the program is to end."""


AgentEvent = LinkEvent | Fetched | PlayerEvent | LiveWord | PinEvent | Stop


@dataclass(frozen=True, slots=True)
class Parts:
    """What the agent wires together.

    Attributes:
        events: The one queue, on which every other part puts what happened.
        clock: What is known of the time.
        delay: The clock that the player sounds by.
        listening: What hears the loudspeaker.
    """

    events: SimpleQueue[AgentEvent]
    store: Store
    cache: Cache
    player: Player
    amplifier: AmplifierRelay
    box: Box
    live: LiveDesk
    talk: TalkDesk
    link: Link
    fetcher: Fetcher
    watchdog: Watchdog
    clock: Clock
    delay: Delay
    health: Health
    listening: Listening
    software: str = ""


@final
class Agent:
    """One node."""

    def __init__(self, settings: NodeSettings, holdings: Holdings, parts: Parts) -> None:
        self._settings = settings
        self._held = holdings
        self._parts = parts
        self._node = NodeId(settings.node)
        self._ticks_s = parts.clock.ticks_s
        self._began_s = self._ticks_s()
        self._keeps_schedule = self._may_schedule()
        self._playout = Playout(
            lead=timedelta(seconds=settings.board.lead_s), keeps_schedule=self._keeps_schedule
        )
        self._doubtful: deque[Delivery] = deque()
        self._refusals = Refusals()
        self._keeping = Keeping(parts.store, self._send_report)
        self._upkeep = UpkeepDesk(parts.box.blink)
        self._shelf = Shelf(settings, parts.cache, parts.fetcher)
        self._plan_trouble = ""
        self._birth_at_s: float | None = None
        self._is_linked = False
        self._told_alarms: tuple[str, ...] | None = None
        self._rounds = Rounds(self._ticks_s())
        self._rounds.every(5.0, self._look_after_threads, first_s=0.0)
        self._rounds.every(1.0, self._mark_alive, first_s=1.0)
        self._rounds.every(1.0, self._ask_time, first_s=1.0)
        self._rounds.every(1.0, self._look_after_talk, first_s=1.0)
        self._rounds.every(1.0, self._test_tone, first_s=20.0)
        self._rounds.every(10.0, self._send_due, first_s=10.0)
        # Nodes started together must not all speak in the same instant.
        phase_s = sum(settings.node.encode()) % 15
        self._rounds.every(15.0, self._send_telemetry, first_s=1.0 + phase_s)
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
                if self._upkeep.is_to_restart(self._playout, self._parts.clock.now()):
                    _log.info("restart_ordered")
                    return True
        finally:
            self._lie_down()
        return False

    # -- beginning and end

    def _wake_up(self) -> None:
        parts, now = self._parts, self._parts.clock.now()
        if parts.store.set_aside is not None:
            _log.error("store_damaged", set_aside=parts.store.set_aside.name)
        self._keeping.try_to(lambda: parts.store.forget_old(now))
        self._hold_from_disk()
        self._playout = replace(
            self._playout,
            runs={key: restored(run, at) for key, (run, at) in parts.store.runs().items()},
            done=parts.store.done(),
        )
        self._take(OnDisk(self._shelf.names()))
        self._take(self._held.programme(at_start=True))
        self._tell_restarted()
        parts.fetcher.start()
        parts.live.start()
        parts.listening.start()
        self._plan_files()
        self._listen()
        parts.link.start()
        parts.watchdog.ready()
        _log.info("node_started", node_id=self._node, plans=len(self._held.plans))

    def _tell_restarted(self) -> None:
        now = self._parts.clock.now()
        found = restarted(self._held.orders, self._playout.done, now)
        told = {order: until for order, (_word, until) in found.items()}
        self._playout = replace(self._playout, done={**self._playout.done, **told})
        self._report(*(word for word, _until in found.values()))

    def _lie_down(self) -> None:
        """Stop everything, what sounds first; the runs stay open on disk and are taken up again."""
        parts = self._parts
        parts.watchdog.stopping()
        leaving = encode(self._presence(PresenceState.LEAVING))
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
            lambda: parts.link.close(((node_presence(self._node), leaving),)),
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
        if self._birth_at_s is not None:
            waits.append(self._birth_at_s - self._ticks_s())
        if self._playout.wake_at is not None:
            waits.append((self._playout.wake_at - self._parts.clock.now()).total_seconds())
        return max(0.0, min(waits))

    def _react(self, event: AgentEvent) -> bool:
        match event:
            case Stop():
                return False
            case Delivery() | Connected() | Disconnected():
                self._take_from_link(event)
            case Fetched():
                self._take_files()
            case LiveOver():
                self._take(event)
            case LiveRefused(delivery, error):
                self._refuse(delivery, error)
            case ContactMoved():
                self._tell_alarms()
            case SilencePressed():
                self._turn_silence()
            case TalkPressed():
                self._begin_talk()
            case TalkReleased():
                self._take_talk_over(self._parts.talk.release(self._parts.clock.now()))
            case _:
                self._take_from_player(event)
        return True

    def _take_from_player(self, event: PlayerEvent) -> None:
        match event:
            case Started() | Ended():
                self._take(event)
                if self._held.talk is not None:
                    # Whoever speaks sees by a lamp that they are heard.
                    self._tell_alarms()
            case Stalled(claim_id, _at, reason):
                _log.warning("relay_stalled", claim_id=claim_id, error=reason.value)
                self._take(event)
            case Damaged():
                self._take_damaged(event)
            case Died(reason):
                raise ThreadDiedError("player", reason)

    def _pass_time(self) -> None:
        now_s = self._ticks_s()
        wake_at = self._playout.wake_at
        if wake_at is not None and wake_at <= self._parts.clock.now():
            self._take(Tick())
        if self._birth_at_s is not None and self._birth_at_s <= now_s:
            self._send_birth()
        for task in self._rounds.take_due(now_s):
            task()

    # -- judging, and doing what was judged

    def _take(self, event: Event) -> None:
        self._take_and_keep(event, self._turn())

    def _take_and_keep(self, event: Event, turn: Turn) -> None:
        """Let the playout judge, obey it, then put on disk what this changed."""
        self._playout, orders = judged(self._playout, event, turn.now)
        # First of all: a full disk must not cost a record.
        told = (numbered(self._attested(order)) for order in orders if isinstance(order, Tell))
        self._keeping.note((*turn.reports, *told))
        # Before it is cued: the player looks for who speaks when it is told to play them.
        if self._parts.live.arm(self._playout.listens_to(turn.now)):
            self._listen()
        for order in orders:
            self._obey(order)
        self._keep(replace(turn, reports=(), runs=self._playout.runs, done=self._playout.done))
        self._let_talk_go()

    def _keep(self, turn: Turn) -> None:
        self._keeping.keep(turn, self._ticks_s())

    def _turn(self) -> Turn:
        """Begin a turn that changes nothing of what plays."""
        return Turn(self._playout.runs, self._playout.done, self._parts.clock.now())

    def _obey(self, order: Order) -> None:
        match order:
            case Cue():
                self._parts.player.cue(self._sound(order))
            case Hush():
                self._parts.player.hush()
            case Amplifier(on):
                self._parts.amplifier.power(on=on, linger_s=self._parts.delay.lasts_s)
            case Tell(word):
                _log.info("told", kind=type(word).__name__, claim_id=word.claim_id)

    def _sound(self, cue: Cue) -> Sound:
        pieces = tuple(self._piece(piece) for piece in cue.pieces)
        return Sound(cue.key, cue.begins, pieces, cue.length_s, cue.gain_db)

    def _piece(self, cued: CuedSound) -> Piece | Station | Microphone:
        match cued:
            case CuedPiece(digest, offset_s, duration_s):
                return Piece(self._parts.cache.path(digest), offset_s, duration_s)
            case CuedRelay(url, offset_s, duration_s):
                return Station(url, offset_s, duration_s)
            case CuedMicrophone(key, offset_s, duration_s):
                return Microphone(key, offset_s, duration_s)

    # -- what came over the wire

    def _take_from_link(self, event: LinkEvent) -> None:
        match event:
            case Delivery():
                self._take_delivery(event)
            case Connected():
                self._take_connected(event)
            case Disconnected(reason):
                self._is_linked = False
                self._parts.talk.note_link(is_up=False)
                _log.warning("link_lost", error=reason)

    def _take_delivery(self, delivery: Delivery) -> None:
        try:
            verdict, issued_at = self._judged(delivery)
            self._check_able(verdict)
        except RefusedError as error:
            self._refuse(delivery, error)
            return
        match verdict:
            case Accepted():
                self._accept(verdict, issued_at)
            case Timed(nonce, at):
                self._take_time(nonce, at)
            case Doubtful():
                self._put_off(delivery)
            case Acknowledged(report_ids):
                self._keeping.acknowledge(report_ids)
            case Repeated(token_id):
                self._take_repeated(delivery, verdict, token_id)
            case HeldAlready():
                self._plan_trouble = ""
                # What the broker keeps comes at every connection, just after the birth.
                if not delivery.retained:
                    self._tell_birth_soon()
            case Unconcerned():
                pass

    def _judged(self, delivery: Delivery) -> tuple[Verdict, datetime | None]:
        """Judge a message by the time, or by its own where the time is not known so well.

        Returns:
            The verdict, and when the message was issued if it was judged by that.

        Raises:
            RefusedError: It is not to be acted on.
        """
        clock, raw = self._parts.clock, delivery.payload
        now, newest = clock.now(), clock.newest_issued
        try:
            return receive(self._held, delivery.topic, raw, now, newest_issued=newest), None
        except RefusedError as error:
            issued_at = judged_instead(raw, error, now, None if newest else clock.bound)
            if issued_at is None:
                raise
        return receive(self._held, delivery.topic, raw, issued_at, newest_issued=newest), issued_at

    def _check_able(self, verdict: Verdict) -> None:
        if isinstance(verdict, Accepted) and verdict.order is not None:
            trouble = self._keeping.trouble
            check_able(verdict.order, self._playout, self._parts.clock.now(), trouble=trouble)

    def _put_off(self, delivery: Delivery) -> None:
        """Keep an order until the time is known; where too many wait, the oldest is refused."""
        self._doubtful.append(delivery)
        if len(self._doubtful) > _MOST_DOUBTFUL:
            oldest = self._doubtful.popleft()
            self._refuse(oldest, RefusedError(Refusal.UNTRUSTED_CLOCK))

    def _accept(self, verdict: Accepted, issued_at: datetime | None) -> None:
        if verdict.order is not None:
            self._parts.clock.take_issued(verdict.order.issued_at)
            # One that holds by the clock may have waited for this node: it does not tell the time.
            if issued_at is not None:
                self._pull_clock(issued_at)
        turn = replace(self._turn(), kept=verdict.kept)
        if verdict.order is not None:
            receipt = Received(
                report_id=UNNUMBERED,
                claim_id=verdict.order.claim_id,
                at=turn.now,
                message_id=verdict.kept.name,
            )
            turn = replace(turn, reports=(numbered(receipt),))
        if verdict.kept.kind == "config":
            self._keep(turn)
            self._hold_from_disk()
            self._listen()
            self._take(self._held.programme())
            self._look_after_talk()
        else:
            self._take_and_keep(verdict.holdings.programme(), turn)
            self._held = verdict.holdings
        if verdict.order is None:
            self._plan_trouble = ""
            self._tell_birth_soon()
        elif (done := self._upkeep.take(verdict.order, turn.now)) is not None:
            self._report(done)
        _log.info("message_accepted", kind=verdict.kept.kind, message_id=verdict.kept.name)
        self._plan_files()

    def _report(self, *words: Alarms | AsRun | Done) -> None:
        reports = tuple(map(numbered, words))
        self._take_and_keep(Tick(), replace(self._turn(), reports=reports))

    def _tell_birth_soon(self) -> None:
        self._birth_at_s = self._birth_at_s or self._ticks_s() + _BIRTH_AGAIN_S

    def _take_repeated(self, delivery: Delivery, verdict: Repeated, token_id: str) -> None:
        """Answer again when the server cannot have heard the answer; else it is a replay."""
        if self._parts.store.awaits_receipt(token_id):
            self._keeping.send_due(self._ticks_s(), all_again=True)
        else:
            self._refuse(delivery, RefusedError(Refusal.REPLAYED, verdict.claim_id))

    def _refuse(self, delivery: Delivery, error: RefusedError) -> None:
        bad = BadMessage(
            delivery.topic, error.refusal, _name_of(delivery.payload), detail=error.detail
        )
        if delivery.topic.endswith("/plan") and error.refusal in _NOT_UNDERSTOOD:
            self._plan_trouble = "plan-refused"
        report = self._refusals.note(bad, self._parts.clock.now())
        if report is not None:
            # With the report alone, so that an enemy's thousand a second do not fill the card.
            _log.warning("message_refused", reason=error.refusal.value, count=report.count)
            self._keep(replace(self._turn(), reports=(numbered(report),)))

    def _hold_from_disk(self) -> None:
        self._held, bad = held_on_disk(self._held, self._keeping.tokens())
        config = self._held.config
        self._parts.delay.lasts_s = config.delay_s if config else 0.0
        for kept, error in bad:
            _log.warning("kept_message_refused", kind=kept.kind, reason=error.refusal.value)
        self._keeping.forget([kept for kept, _error in bad])

    def _listen(self) -> None:
        units = self._held.place.chain if self._held.place else ()
        self._parts.link.listen_to(
            [
                node_filter(self._node),
                *(unit_filter(UnitId(unit)) for unit in units),
                *self._parts.live.topics,
            ]
        )

    # -- the time

    def _may_schedule(self) -> bool:
        return self._settings.schedule_without_clock or self._parts.clock.is_trusted

    def _ask_time(self) -> None:
        """Ask again where a schedule waits for the time: the first question may be lost."""
        clock = self._parts.clock
        if self._is_linked and not clock.is_trusted and clock.wants_answer:
            self._send_telemetry()

    def _take_time(self, nonce: str, at: datetime) -> None:
        if self._parts.clock.take_answer(nonce, at):
            self._follow_clock()

    def _pull_clock(self, issued_at: datetime) -> None:
        before = self._parts.clock.now()
        self._parts.clock.pull(issued_at)
        by = self._parts.clock.now() - before
        if abs(by) >= _STEP:
            self._take_clockwork(by)

    def _watch_clock(self) -> None:
        self._parts.clock.watch()
        self._follow_clock()

    def _follow_clock(self) -> None:
        """Move the clock where it is to be moved, and let those know who go by it."""
        clock = self._parts.clock
        by = clock.step_due(is_silent=self._playout.current is None)
        if by is not None:
            clock.step()
        if by is not None or self._may_schedule() != self._keeps_schedule:
            self._take_clockwork(by or timedelta())

    def _take_clockwork(self, by: timedelta) -> None:
        clock, knew = self._parts.clock, self._keeps_schedule
        self._keeps_schedule = self._may_schedule()
        began = clock.now() - timedelta(seconds=self._ticks_s() - self._began_s)
        self._take(Clockwork(self._keeps_schedule, began, by))
        _log.info(
            "clock_known" if clock.is_trusted else "clock_not_trusted",
            by_s=round(by.total_seconds(), 3),
            source=clock.source.value,
            trusted=clock.is_trusted,
        )
        clock.keep()
        if self._keeps_schedule != knew:
            self._send_telemetry()
        if clock.is_trusted:
            waiting, self._doubtful = self._doubtful, deque()
            for delivery in waiting:
                self._take_delivery(delivery)

    # -- the box

    def _turn_silence(self) -> None:
        """Silence the loudspeakers for a while, or let them sound again."""
        now, key = self._parts.clock.now(), self._settings.board.silence_key
        silence = None
        if key is not None and not self._is_silenced(now):
            silence = Silence(
                SILENCE_KEY,
                self._node,
                now,
                now + timedelta(minutes=key.minutes),
                spares_emergencies=True,
            )
        self._held = replace(self._held, key_silence=silence)
        self._take(self._held.programme())
        self._tell_alarms()

    def _is_silenced(self, now: datetime) -> bool:
        silence = self._held.key_silence
        return silence is not None and silence.covers(now)

    def _begin_talk(self) -> None:
        """Let whoever stands at the box speak, or tell that they may not."""
        clock, held = self._parts.clock, self._held
        began = self._parts.talk.press(held.config, self._playout.on_disk, clock.now())
        if isinstance(began, AsRun):
            _log.warning("talk_refused", reason=began.reason)
            self._report(began)
        elif began is not None:
            _log.warning("talk_began", claim_id=began.claim_id)
            self._held = replace(held, talk=began)
            self._take(self._held.programme())

    def _take_talk_over(self, over: LiveOver | None) -> None:
        if over is not None:
            self._take(over)

    def _look_after_talk(self) -> None:
        """End what is spoken at the box where it gives no sound, or is not allowed any more."""
        if not self._parts.talk.may_go_on(self._held.config):
            self._held = replace(self._held, talk=None)
            self._parts.talk.end()
            self._take(self._held.programme())
        self._take_talk_over(self._parts.talk.look(self._parts.clock.now()))

    def _let_talk_go(self) -> None:
        """Stop recording once what was spoken has its record."""
        talk = self._held.talk
        if talk is not None and key_of(talk) in self._playout.done:
            self._held = replace(self._held, talk=None)
            self._parts.talk.end()

    def _tell_alarms(self) -> None:
        """Report what is amiss, where that has changed, and light the lamps."""
        now = self._parts.clock.now()
        pressed = {SILENCED} if self._is_silenced(now) else set()
        heard, box = self._parts.listening.standing, self._parts.box
        talk = self._parts.talk.standing(self._held.config, is_closed=box.is_talk_key_closed)
        standing = tuple(sorted(box.standing | pressed | heard | talk))
        if standing != self._told_alarms:
            self._told_alarms = standing
            self._report(Alarms(report_id=UNNUMBERED, at=now, standing=standing))
        self._parts.box.show(
            network=self._is_linked, sound=bool(self._playout.on_air), alarm=bool(standing)
        )

    # -- files

    def _take_files(self) -> None:
        self._take(OnDisk(self._shelf.names()))
        self._plan_files()

    def _take_damaged(self, event: Damaged) -> None:
        digest = event.path.name
        good = self._parts.cache.recheck(digest)
        _log.error("audio_damaged", asset=digest[:12], error=event.reason, refetch=not good)
        if good:
            self._take(Spoiled(ClaimKey(event.claim_id), digest))
        else:
            self._take_files()

    def _plan_files(self) -> None:
        clock, playout, config = self._parts.clock, self._playout, self._held.config
        claims = playout.programme.claims.items()
        has_evicted = self._shelf.plan(
            (claim for key, claim in claims if key not in playout.done),
            self._held.pinned(),
            now=clock.now() if clock.is_trusted else None,
            servers=config.audio if config else (),
        )
        if has_evicted:
            self._take(OnDisk(self._shelf.names()))

    # -- what is said

    def _take_connected(self, event: Connected) -> None:
        self._is_linked = True
        self._parts.talk.note_link(is_up=True)
        _log.info("link_up", endpoint=event.endpoint)
        self._send_birth(nonce=self._parts.clock.ask())
        self._keeping.send_due(self._ticks_s(), all_again=True)

    def _send_birth(self, nonce: str = "") -> None:
        self._birth_at_s = None
        birth = encode(self._presence(PresenceState.HERE, nonce))
        self._parts.link.publish(node_presence(self._node), birth, qos=1, retain=True)

    def _presence(self, state: PresenceState, nonce: str = "") -> Presence:
        return Presence(
            node=self._node,
            state=state,
            at=self._parts.clock.now(),
            software=self._parts.software,
            config_version=self._held.config.version if self._held.config else 0,
            plan_versions=self._held.plan_versions,
            on_air=self._playout.on_air,
            nonce=nonce,
        )

    def _send_telemetry(self) -> None:
        counts = dict(self._refusals.counts)
        if self._parts.fetcher.bad_digests:
            counts["bad-digest"] = self._parts.fetcher.bad_digests
        clock, now = self._parts.clock, self._parts.clock.now()
        word = Telemetry(
            at=now,
            on_air=self._playout.on_air,
            level_dbfs=round(self._parts.player.level_dbfs(), 1),
            refused=counts,
            clock_trusted=clock.is_trusted,
            clock_source=clock.source,
            clock_error_s=round(clock.bound.total_seconds(), 3) if clock.bound else None,
            nonce=clock.ask() if clock.wants_answer else "",
            troubles=self._troubles(),
            tone=self._parts.listening.tone,
        )
        word = self._parts.health.measured(word, now if clock.is_trusted else None)
        self._parts.link.publish(node_telemetry(self._node), encode(word), qos=0)

    def _attested(self, order: Tell) -> ClaimReport:
        """Say in a record what was heard of its claim, where somebody listens."""
        word = order.word
        if not isinstance(word, AsRun):
            return word
        return self._parts.listening.attested(word, self._parts.delay.now())

    def _troubles(self) -> tuple[str, ...]:
        told = {self._keeping.trouble, self._plan_trouble} | self._shelf.troubles()
        return tuple(sorted(told - {""}))

    def _send_due(self) -> None:
        self._keeping.send_due(self._ticks_s())

    def _send_report(self, body: bytes) -> bool:
        return self._parts.link.publish(node_report(self._node), body, qos=1)

    # -- care

    def _look_after_threads(self) -> None:
        if not self._parts.link.is_alive():
            raise ThreadDiedError("link", "its loop ended")
        if not self._parts.fetcher.is_alive():
            raise ThreadDiedError("fetch", "its loop ended")
        if not self._parts.live.is_alive():
            raise ThreadDiedError("live", "its loop ended")
        self._parts.watchdog.alive()
        self._watch_clock()
        self._take(Tick())
        self._parts.box.cool(self._parts.health.temperature_c())
        self._tell_alarms()

    def _test_tone(self) -> None:
        if self._parts.clock.is_trusted:
            self._parts.listening.look(self._playout, self._parts.delay.now())

    def _mark_alive(self) -> None:
        if self._playout.runs:
            self._keeping.try_to(lambda: self._parts.store.mark_alive(self._parts.clock.now()))

    def _tidy(self) -> None:
        turn = self._turn()
        self._keeping.try_to(lambda: self._parts.store.forget_old(turn.now))
        self._keeping.keep_again(turn, self._ticks_s())
        self._plan_files()


def state_paths(state_dir: Path) -> tuple[Path, Path]:
    """Tell where the node's database and its audio lie."""
    return state_dir / "node.db", state_dir / "audio"


def _name_of(raw: bytes) -> str:
    """Name a refused message: by its own id where it can be read, else by its digest."""
    try:
        return unverified(raw).jti
    except RefusedError:
        return hashlib.sha256(raw).hexdigest()[:16]
