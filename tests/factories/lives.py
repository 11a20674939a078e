"""A node whose time passes as quickly as it can be reckoned: a day of faults in a minute.

The agent, its judgement, its store, cache and clock are those of the product, on a real disk. What
would take its time stands in for itself: the link, the downloads and the loudspeaker happen at
instants of one agenda, and waiting for an event moves the clock on to the next of them.
"""

import hashlib
import heapq
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from queue import Empty
from random import Random
from typing import cast

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from paho.mqtt.client import topic_matches_sub

from audio_library.decode import Samples
from edge.agent import Agent, state_paths
from edge.cache import Cache, Want
from edge.clock import Clock
from edge.delay import Delay
from edge.errors import StoreError
from edge.fetch import Fetched, Fetcher
from edge.gpio.amplifier import AmplifierRelay
from edge.gpio.box import Box
from edge.health import Health
from edge.inbox import Inbox
from edge.link import Connected, Delivery, Disconnected, Link
from edge.listening import NoEar
from edge.listening.ear import Ear
from edge.live import LiveDesk
from edge.machine import FakeMachine
from edge.parts import AgentEvent, Parts
from edge.player import Damaged, Ended, Microphone, Sound, Started, Station, check_sound
from edge.schedule import Holdings
from edge.settings import Board, NodeSettings, TalkInput
from edge.store import Store
from edge.talk import TalkDesk
from edge.watchdog import Watchdog
from protocol.ids import NodeId
from protocol.messages import (
    Acknowledge,
    AsRun,
    AssetRef,
    Claim,
    NodeWord,
    Presence,
    Received,
    Signed,
    SignedTime,
    Telemetry,
    decode_node_word,
)
from protocol.signing import SigningKey, audience_node, audience_unit
from protocol.topics import node_config, node_order, unit_order, unit_plan
from tests.factories.claims import CLUSTER, COMMUNE, NODE
from tests.factories.messages import (
    COMMUNE_KEY,
    PROVINCE_KEY,
    ROOT_KEY,
    a_certified,
    a_config,
    a_key,
    a_plan,
    a_play,
    a_stop,
    a_token,
)

LATENCY_S = 0.05
"""How long a word takes from one end to the other."""
STARTS_AGAIN_S = 3.0
"""How long the system takes to start a program that was killed."""
BOOTS_S = 20.0
ASKS_AGAIN_S = 15.0
"""How often an order goes out again that nobody has answered."""
LOOKS_S = 0.5
TURN = 1
"""Where loudspeakers take turns, this node's is the second."""


class KilledError(BaseException):
    """The program ends here, without another word."""


class Agenda:
    """What will happen, in true time; whoever waits for an event lets time pass.

    Attributes:
        now: What the clock of somebody with a good clock says.
        machine: The node's own clocks.
    """

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.machine = FakeMachine(now.timestamp(), ntp_error_s=None)
        self.events: deque[object] = deque()
        self._planned: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = count()

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Let something happen so many seconds from now."""
        at = self.now + timedelta(seconds=seconds)
        heapq.heappush(self._planned, (at, next(self._numbers), act))

    def put(self, event: object) -> None:
        """Tell the agent of something, as any of its parts does."""
        self.events.append(event)

    def judge_by(self, _judge: object) -> None: ...

    def take_dropped(self) -> Counter[str]:
        return Counter()

    def get(self, timeout: float) -> object:
        """Give the next event, or raise ``Empty`` when so much time has passed."""
        # Never less than a moment, or roundings would hold the time up.
        until = self.now + timedelta(seconds=max(timeout, 0.001))
        while not self.events:
            if not self._planned or self._planned[0][0] > until:
                self._pass_to(until)
                raise Empty
            at, _, act = heapq.heappop(self._planned)
            self._pass_to(at)
            act()
        return self.events.popleft()

    def rest(self, seconds: float) -> None:
        """Let time pass without a node."""
        until = self.now + timedelta(seconds=seconds)
        while self._planned and self._planned[0][0] <= until:
            at, _, act = heapq.heappop(self._planned)
            self._pass_to(at)
            act()
        self._pass_to(until)
        self.events.clear()

    def _pass_to(self, at: datetime) -> None:
        if at > self.now:
            self.machine.pass_s((at - self.now).total_seconds())
            self.now = at


class Server:
    """A server and a broker made by hand: both may be away, and what they say may come twice.

    Attributes:
        has_broker, has_server: Whether each is there.
        is_disk_full: Whether the node's disk takes nothing.
        plan_claims: What is in the newest plan.
        plan_at: When the newest plan was given out.
        orders: Announcements that were ordered, with the instants of the order and of the stop.
        records: Every as-run record, by its claim, as often as it came under another id.
        reports: Ids of all reports that came.
        received: When it was first told that an order is with the node.
        doubles: Say everything so often.
        delays_s: Say everything up to so much later, in any order.
    """

    def __init__(self, agenda: Agenda, dice: Random) -> None:
        self.has_broker = self.has_server = True
        self.is_disk_full = False
        self.plan_claims: tuple[Claim, ...] = ()
        self.plan_at = agenda.now
        self.orders: dict[str, tuple[Claim, datetime, datetime | None]] = {}
        self.records: dict[str, list[AsRun]] = {}
        self.reports: set[str] = set()
        self.received: dict[str, datetime] = {}
        self._withdrawn: set[str] = set()
        self.told_version = 0
        self.doubles, self.delays_s = 1, 0.0
        self.node: Node | None = None
        self._agenda, self._dice = agenda, dice
        self._retained: dict[str, bytes] = {}
        self._serial, self.version = count(1), 0
        self._keys = (COMMUNE_KEY,)
        self._facts: dict[str, object] = {}
        self._config_version = 0

    def configure(self, **facts: object) -> None:
        self._facts = facts
        self._config_version += 1
        config = a_config(version=self._config_version, certificates=self._certificates(), **facts)
        token = self._signed(
            config, PROVINCE_KEY, (audience_node(NodeId(NODE)),), lasts=timedelta(days=30)
        )
        self._retained[node_config(NodeId(NODE))] = token
        self._say(node_config(NodeId(NODE)), token)

    def renew_key(self) -> None:
        """Give the commune its next key, which signs all from now on.

        It travels in configuration and plan together with the one before, as it does for months.
        """
        self._keys = (self._keys[-1], a_key(COMMUNE, seed=f"key {next(self._serial)}"))
        self.configure(**self._facts)
        self.plan(self.plan_claims)

    def plan(self, claims: Iterable[Claim]) -> None:
        """Give out a plan of the next fortnight."""
        self.version += 1
        self.plan_claims, self.plan_at = tuple(claims), self._agenda.now
        start = self._agenda.now.replace(hour=0, minute=0, second=0, microsecond=0)
        plan = a_plan(
            start=start - timedelta(days=1),
            end=start + timedelta(days=14),
            version=self.version,
            claims=self.plan_claims,
            certificates=self._certificates(),
            turns={CLUSTER: TURN},
        )
        token = self._signed(plan, lasts=timedelta(days=14))
        self._retained[unit_plan(COMMUNE)] = token
        self._say(unit_plan(COMMUNE), token)

    def announce(self, claim: Claim) -> None:
        """Order an announcement, again and again until the node has it or it is over."""
        self.orders[claim.claim_id] = claim, self._agenda.now, None
        order = a_play(**{name: getattr(claim, name) for name in claim.__struct_fields__})
        self._order(f"play-{claim.claim_id}", order, claim.end)

    def stop(self, claim_id: str) -> None:
        """Order an announcement to end."""
        claim, ordered_at, _ = self.orders[claim_id]
        self.orders[claim_id] = claim, ordered_at, self._agenda.now
        # From now on the stop goes out in its place.
        self._withdrawn.add(f"play-{claim_id}")
        order = a_stop(claim_id=claim_id, unit=COMMUNE, until=claim.end)
        self._order(f"stop-{claim_id}", order, claim.end)

    def say_rubbish(self) -> None:
        self._say(unit_order(COMMUNE), self._dice.randbytes(200))

    def hand_over(self, filters: Iterable[str]) -> None:
        """Say what is retained, as a broker does to whoever subscribes."""
        asked = tuple(filters)
        for topic, token in self._retained.items():
            if any(topic_matches_sub(one, topic) for one in asked):
                self._say(topic, token, retained=True)

    def take(self, payload: bytes) -> None:
        """Take in a word of the node, if anybody is there to take it."""
        self._agenda.after(LATENCY_S, lambda: self._take(payload))

    def _order(self, name: str, order: Signed, until: datetime) -> None:
        token = self._signed(order, lasts=until - self._agenda.now, name=name)

        def again() -> None:
            if name not in self.received.keys() | self._withdrawn and self._agenda.now < until:
                if self.has_server:
                    self._say(unit_order(COMMUNE), token)
                self._agenda.after(ASKS_AGAIN_S, again)

        again()

    def _take(self, payload: bytes) -> None:
        if not self.has_broker:
            return
        word: NodeWord = decode_node_word(payload)
        if isinstance(word, Presence):  # the broker keeps it for whoever comes
            self.told_version = word.plan_versions.get(COMMUNE, 0)
        if not self.has_server:
            return
        if isinstance(word, Presence | Telemetry):
            if word.nonce:
                self._answer(SignedTime(nonce=word.nonce, at=self._agenda.now))
            return
        if word.report_id not in self.reports:
            self.reports.add(word.report_id)
            if isinstance(word, AsRun):
                self.records.setdefault(word.claim_id, []).append(word)
            if isinstance(word, Received):
                self.received.setdefault(word.message_id, self._agenda.now)
        self._answer(Acknowledge(report_ids=(word.report_id,)))

    def _certificates(self) -> tuple[str, ...]:
        then = self._agenda.now - timedelta(days=1)
        return tuple(a_certified(key, issued_at=then) for key in (PROVINCE_KEY, *self._keys))

    def _answer(self, message: Signed) -> None:
        token = self._signed(message, PROVINCE_KEY, (audience_node(NodeId(NODE)),))
        self._say(node_order(NodeId(NODE)), token)

    def _say(self, topic: str, token: bytes, *, retained: bool = False) -> None:
        for _ in range(self.doubles):
            late_s = LATENCY_S + self._dice.uniform(0.0, self.delays_s)
            self._agenda.after(
                late_s, lambda: self._arrive(Delivery(topic, token, retained=retained))
            )

    def _arrive(self, delivery: Delivery) -> None:
        if self.node is not None and self.has_broker:
            self.node.link.arrive(delivery)

    def _signed(
        self,
        message: Signed,
        key: SigningKey | None = None,
        audience: tuple[str, ...] = (audience_unit(COMMUNE),),
        lasts: timedelta = timedelta(hours=1),
        name: str = "",
    ) -> bytes:
        return a_token(
            message,
            key or self._keys[-1],
            audience=audience,
            issued_at=self._agenda.now,
            expires=self._agenda.now + lasts,
            message_id=name or f"m-{next(self._serial)}",
        )


class Wire:
    """The link: connected whenever there is a broker and it was not cut a moment ago."""

    def __init__(self, agenda: Agenda, server: Server) -> None:
        self._agenda, self._server = agenda, server
        self._filters: frozenset[str] = frozenset()
        self._is_connected = self._is_closed = False

    def start(self) -> None:
        self._agenda.after(1.0, self._connect)

    def is_alive(self) -> bool:
        return True

    def cut(self) -> None:
        if self._is_connected and not self._is_closed:
            self._is_connected = False
            self._agenda.put(Disconnected("the broker is gone"))
            self._agenda.after(2.0, self._connect)

    def listen_to(self, filters: Iterable[str]) -> None:
        before, self._filters = self._filters, frozenset(filters)
        if self._is_connected and self._filters - before:
            self._server.hand_over(self._filters - before)

    def publish(self, _topic: str, payload: bytes, *, qos: int, retain: bool = False) -> bool:
        del qos, retain
        if self._is_connected and not self._is_closed:
            self._server.take(payload)
        return self._is_connected

    def arrive(self, delivery: Delivery) -> None:
        if self._is_connected and any(
            topic_matches_sub(one, delivery.topic) for one in self._filters
        ):
            self._agenda.put(delivery)

    def close(self, _last_words: Iterable[tuple[str, bytes]] = ()) -> None:
        self._is_closed, self._is_connected = True, False

    def _connect(self) -> None:
        if self._is_closed or self._is_connected:
            return
        if not self._server.has_broker:
            self._agenda.after(2.0, self._connect)
            return
        self._is_connected = True
        self._agenda.put(Connected("simulated"))
        self._server.hand_over(self._filters)


class Courier:
    """Downloads: a file takes a second, where somebody serves it and there is room for it."""

    bad_digests = 0

    def __init__(
        self, agenda: Agenda, server: Server, cache: Cache, files: dict[str, bytes]
    ) -> None:
        self._agenda, self._server, self._cache, self._files = agenda, server, cache, files
        self._wants: tuple[Want, ...] = ()
        self._is_busy = self._is_closed = False

    def start(self) -> None: ...

    def close(self) -> None:
        self._is_closed = True

    def is_alive(self) -> bool:
        return True

    def troubles(self) -> frozenset[str]:
        return frozenset()

    def want(self, wants: Iterable[Want], _bases: Iterable[str]) -> None:
        self._wants = tuple(wants)
        self._begin()

    def _begin(self) -> None:
        if self._wants and not self._is_busy and not self._is_closed:
            self._is_busy = True
            self._agenda.after(1.0, self._bring)

    def _bring(self) -> None:
        self._is_busy = False
        if self._is_closed or not self._wants:
            return
        if not self._server.has_server or self._server.is_disk_full:
            self._is_busy = True
            self._agenda.after(10.0, self._bring)
            return
        want = next((one for one in self._wants if one.urgent), self._wants[0])
        self._wants = tuple(one for one in self._wants if one is not want)
        self._cache.part(want.digest).write_bytes(self._files[want.digest])
        self._cache.adopt(want.digest)
        self._agenda.put(Fetched(want.digest))
        self._begin()


class Loudspeaker:
    """A player that sounds nothing and writes down, in true time, what would be heard."""

    def __init__(self, agenda: Agenda, clock: Clock, heard: list["Heard"]) -> None:
        self._agenda, self._clock, self._heard = agenda, clock, heard
        self._sounding: Sound | None = None
        self._waiting: Sound | None = None
        self._since = agenda.now
        self._told: set[Path] = set()
        self._good: dict[tuple[str, int], bool] = {}
        self._is_closed = self._looks = False

    def cue(self, sound: Sound) -> None:
        check_sound(sound)
        self._note()
        playing = self._sounding
        if playing and (playing.claim_id, playing.begins) == (sound.claim_id, sound.begins):
            self._sounding, self._waiting = sound, None
        else:
            self._waiting = sound
        # What is to sound already, by a clock that was moved perhaps, sounds at once.
        if not self._looks or sound.begins <= self._clock.now():
            self._look()

    def hush(self) -> None:
        self._note()
        self._sounding = self._waiting = None

    def level_dbfs(self) -> float:
        return -20.0 if self._sounding else -120.0

    def close(self) -> None:
        self._note()
        self._is_closed, self._sounding, self._waiting = True, None, None

    def _look_again(self) -> None:
        self._looks = False
        self._look()

    def _look(self) -> None:
        if self._is_closed:
            return
        self._note()
        now = self._clock.now()
        if self._waiting and self._waiting.begins <= now:
            self._sounding, self._waiting = self._waiting, None
            self._told.clear()
            position_s = (now - self._sounding.begins).total_seconds()
            self._agenda.put(Started(self._sounding.claim_id, now, position_s))
        if self._sounding and now >= self._ends(self._sounding):
            self._agenda.put(Ended(self._sounding.claim_id, self._ends(self._sounding)))
            self._sounding = None
        wanted = [self._waiting.begins] if self._waiting else []
        wanted += [self._ends(self._sounding)] if self._sounding else []
        if wanted and not self._looks:
            next_s = min((at - now).total_seconds() for at in wanted)
            self._looks = True
            self._agenda.after(max(0.001, min(next_s, LOOKS_S)), self._look_again)

    def _ends(self, sound: Sound) -> datetime:
        return sound.begins + timedelta(seconds=sound.length_s)

    def _note(self) -> None:
        """Write down what was heard since the last look."""
        since, self._since = self._since, self._agenda.now
        if self._sounding is None or since >= self._since:
            return
        now_s = (self._clock.now() - self._sounding.begins).total_seconds()
        for piece in self._sounding.pieces:
            is_now = piece.offset_s <= now_s < piece.offset_s + piece.duration_s + LOOKS_S
            if isinstance(piece, Station) or not is_now:
                continue
            if isinstance(piece, Microphone) or self._is_good(piece.path):
                self._write(since)
            elif piece.path not in self._told:
                self._told.add(piece.path)
                self._agenda.put(Damaged(self._sounding.claim_id, piece.path, "does not decode"))
            return

    def _write(self, since: datetime) -> None:
        name = self._sounding.claim_id.partition("/")[2] if self._sounding else ""
        if self._heard and self._heard[-1][0] == name and self._heard[-1][2] >= since:
            self._heard[-1] = (name, self._heard[-1][1], self._agenda.now)
        else:
            self._heard.append((name, since, self._agenda.now))

    def _is_good(self, path: Path) -> bool:
        if not path.exists():
            return False
        key = path.name, path.stat().st_mtime_ns
        if key not in self._good:
            self._good[key] = hashlib.sha256(path.read_bytes()).hexdigest() == path.name
        return self._good[key]


Heard = tuple[str, datetime, datetime]
"""Claim, from, to; in true time."""


class Disk:
    """A store on a disk that may be full for a while."""

    _WRITES = frozenset({"keep", "mark_alive", "forget_tokens", "forget_old", "forget_reports"})

    def __init__(self, store: Store, server: Server) -> None:
        self._store, self._server = store, server

    def __getattr__(self, name: str) -> object:
        if name in self._WRITES and self._server.is_disk_full:
            raise StoreError("disk-full", "no space left on device")
        return getattr(self._store, name)


class Mouth:
    """Somebody at the microphone of the box, who speaks at once."""

    def __init__(
        self, _command: object, heard: Callable[[float, Samples], None], **_how: object
    ) -> None:
        self._heard = heard

    def start(self) -> None:
        self._heard(0.0, np.zeros(960, dtype=np.float32))

    def stop(self) -> None: ...


class Nobody:
    """Nobody ever speaks live."""

    topics: frozenset[str] = frozenset()

    def start(self) -> None: ...

    def close(self) -> None: ...

    def is_alive(self) -> bool:
        return True

    def arm(self, _claims: object) -> bool:
        return False


class Node:
    """One node and its lives.

    Attributes:
        heard: What was heard, in all lives.
        deaths: From when to when nobody was there.
        link: That of the present life.
    """

    def __init__(
        self, agenda: Agenda, server: Server, folder: Path, files: dict[str, bytes]
    ) -> None:
        self.heard: list[Heard] = []
        self.deaths: list[tuple[datetime, datetime]] = []
        self._agenda, self._server, self._files = agenda, server, files
        self._folder, self._lives = folder, count()
        self._state = folder / "life-0"
        self._off_s = 0.0
        server.node = self
        self._begin()

    @property
    def cache(self) -> Cache:
        """What is on its disk now."""
        return self._cache

    @property
    def clock(self) -> Clock:
        """What it knows of the time."""
        return self._clock

    @property
    def is_alive(self) -> bool:
        """Whether somebody is there."""
        return not self._is_dead

    def kill(self, off_s: float = 0.0) -> None:
        """End the program without another word, or with ``off_s`` the power for so long."""
        if self._is_dead:
            return
        self._is_dead, self._off_s = True, off_s
        # What is written after this is written by nobody.
        next_state = self._folder / f"life-{next(self._lives) + 1}"
        shutil.copytree(self._state, next_state)
        self._next_state = next_state
        raise KilledError

    def live(self) -> None:
        """Live on, through every death, until it is told to stop."""
        while True:
            try:
                self._agent.run()
            except KilledError:
                died_at = self._agenda.now
                shutil.rmtree(self._state)
                self._state = self._next_state
                self._cache = Cache(state_paths(self._state)[1])
                if self._off_s:
                    self._agenda.rest(self._off_s + BOOTS_S)
                    self._agenda.machine.wall_s -= self._off_s
                    self._agenda.machine.reboot()
                else:
                    self._agenda.rest(STARTS_AGAIN_S)
                self.deaths.append((died_at, self._agenda.now))
                self._begin()
            else:
                return

    def _begin(self) -> None:
        agenda, state = self._agenda, self._state
        database, audio = state_paths(state)
        self._is_dead = False
        self._cache = Cache(audio)
        self._clock = Clock(agenda.machine, state / "clock.json")
        self.link = Wire(agenda, self._server)
        settings = NodeSettings(
            node=NODE,
            secret="",
            root_key=ROOT_KEY.private.public_key().public_bytes_raw(),
            mqtt=(),
            audio=("http://audio.test",),
            state_dir=state,
            board=Board(),
        )
        parts = Parts(
            events=cast("Inbox[AgentEvent]", agenda),
            store=cast("Store", Disk(Store(database), self._server)),
            cache=self._cache,
            player=Loudspeaker(agenda, self._clock, self.heard),
            amplifier=AmplifierRelay(Board()),
            box=Box(Board(), agenda.put),
            live=cast("LiveDesk", Nobody()),
            talk=TalkDesk(
                TalkInput(16, "alsa"), 0.0, self._clock.ticks_s, ear=cast("type[Ear]", Mouth)
            ),
            link=cast("Link", self.link),
            fetcher=cast("Fetcher", Courier(agenda, self._server, self._cache, self._files)),
            watchdog=Watchdog(""),
            clock=self._clock,
            delay=Delay(self._clock.now_s),
            health=Health(state, agenda.machine.boot_id),
            listening=NoEar(),
        )
        root = Ed25519PublicKey.from_public_bytes(settings.root_key)
        self._agent = Agent(settings, Holdings(NODE, root), parts)


def a_file(number: int, duration_s: float) -> tuple[AssetRef, bytes]:
    """Make a file that says nothing, and its name."""
    body = f"file {number}".encode() * 100
    digest = hashlib.sha256(body).hexdigest()
    return AssetRef(digest=digest, duration_s=duration_s, size_bytes=len(body)), body
