"""One microphone's connection: who is it, may they, on air, and off again whatever happens."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.exceptions import ConnectionClosed
from websockets.sync.connection import Connection

from audio_library.store import Store
from protocol.live import Ending
from server.domain.errors import NotAllowedError, RefusedRequestError, ServerError
from server.live.capture import Captured, read_said, read_sound, read_ticket
from server.live.errors import GarbledMicrophoneError
from server.live.labels import label_frames
from server.live.pulse import Pulse
from server.live.recording import Recorder
from server.live.speaking import Labels, Speaking
from server.live.stamping import Stamper
from server.live.webm import WebmReader
from server.mqtt.errors import BrokerAwayError
from server.mqtt.publisher import LivePublisher
from server.services import broadcasting, microphones
from server.services.keyring import Keyring
from server.services.microphones import OnAir, Ticket
from server.settings import Settings
from server.store.engine import Sessions

HELLO_S = 5.0
"""So long a connection may say nothing before it says who it is."""

_LOOK_S = 0.1
_LOOK_FOR_STOP = timedelta(seconds=0.5)
_READY_FOR = microphones.TICKET_LIFE

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Studio:
    """What every microphone needs."""

    settings: Settings
    reads: Sessions
    writes: Sessions
    keyring: Keyring
    pages_secret: str
    publisher: LivePublisher
    stopping: Event
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A broadcast is over.

    Attributes:
        reason: As ``services.microphones.end`` knows it.
    """

    broadcast_id: str
    reason: str


def serve(connection: Connection, studio: Studio) -> Spoken | None:
    """Serve one microphone to its end; None when it never went on air."""
    try:
        ticket = _ticket(connection, studio)
        with closing(WebmReader()) as webm:
            return _Microphone(connection, studio, ticket, webm).run()
    except (ServerError, TimeoutError) as error:
        log.info("microphone_refused", error=str(error))
        _tell(connection, {"state": "refused", "codes": _codes(error)})
    except ConnectionClosed:
        log.info("microphone_left")
    return None


def _ticket(connection: Connection, studio: Studio) -> Ticket:
    text = read_ticket(connection.recv(timeout=HELLO_S))
    now = studio.clock()
    ticket = microphones.read_ticket(text, secret=studio.pages_secret, now=now)
    # Looked at again when somebody begins; but who may not is told before they have spoken.
    with studio.reads.begin() as db:
        actor = microphones.speaker(db, ticket.username)
        broadcasting.check(db, ticket.new, now=now, actor=actor, proof=ticket.proof)
    return ticket


def _codes(error: Exception) -> list[str]:
    match error:
        case RefusedRequestError(findings=findings):
            return [finding.code for finding in findings]
        case NotAllowedError():
            return ["not-allowed"]
        case BrokerAwayError():
            return ["broker-away"]
        case _:
            return ["no-microphone"]


class _Microphone:
    """A connection that has shown its ticket."""

    def __init__(
        self,
        connection: Connection,
        studio: Studio,
        ticket: Ticket,
        webm: WebmReader,
    ) -> None:
        self._connection = connection
        self._studio = studio
        self._ticket = ticket
        self._stamper = Stamper()
        self._webm = webm
        self._pong: Event | None = None

    def run(self) -> Spoken | None:
        _tell(self._connection, {"state": "ready"})
        if not self._wait_for_start():
            return None
        key = Ed25519PrivateKey.generate()
        on_air, labels = self._go_on_air(key)
        recorder = Recorder(self._studio.settings.recording_dir, on_air.broadcast_id)
        with recorder:
            say = self._studio.publisher.say
            broadcast = Speaking(on_air, key, self._stamper, recorder, say, labels)
            reason = "broken-off"
            try:
                self._tell_on_air(on_air)
                reason = self._pass_on(broadcast, on_air.broadcast_id)
            except ConnectionClosed:
                pass
            except GarbledMicrophoneError as error:
                log.warning("microphone_garbled", error=error.reason)
            finally:
                whole = reason in {"spoken", "too-long"}
                ending = Ending.SPOKEN if whole else Ending.BROKEN_OFF
                broadcast.end(ending, self._studio.clock())
                self._note_end(on_air, reason, ending)
        _tell(self._connection, {"state": "over", "reason": reason})
        return Spoken(on_air.broadcast_id, reason)

    def _wait_for_start(self) -> bool:
        """Learn how the clocks stand until somebody begins; False when nobody does."""
        patient_until = self._studio.clock() + _READY_FOR
        while not self._studio.stopping.is_set() and self._studio.clock() < patient_until:
            message = self._received()
            if isinstance(message, str):
                return read_said(message) == "start"
            if message is not None:
                now_s = self._studio.clock().timestamp()
                for captured in self._captured(message):
                    count = len(captured.frames)
                    self._stamper.captured_s(now_s, captured.media_s, count)
        return False

    def _go_on_air(self, key: Ed25519PrivateKey) -> tuple[OnAir, Labels]:
        studio, settings = self._studio, self._studio.settings
        if not studio.publisher.is_connected():
            raise BrokerAwayError
        with studio.writes.begin() as db:
            actor = microphones.speaker(db, self._ticket.username)
            on_air = microphones.go_on_air(
                db,
                self._ticket,
                public_key=key.public_key(),
                delay=timedelta(seconds=settings.live_delay_s),
                now=studio.clock(),
                actor=actor,
                keyring=studio.keyring,
                lead=timedelta(seconds=settings.lead_s),
            )
            # Within the transaction: a drill that cannot say so is never ordered.
            return on_air, self._labels(on_air)

    def _labels(self, on_air: OnAir) -> Labels:
        if on_air.labels is None:
            return Labels()
        store = Store(self._studio.settings.asset_dir)
        return Labels(*(label_frames(store, label.digest) for label in on_air.labels))

    def _tell_on_air(self, on_air: OnAir) -> None:
        speak_in = on_air.speak_at - self._studio.clock()
        log.info("microphone_on_air", broadcast_id=on_air.broadcast_id)
        said = {
            "state": "on-air",
            "broadcast": on_air.broadcast_id,
            "speak_in_s": max(0.0, speak_in.total_seconds()),
            "max_length_s": on_air.max_length.total_seconds(),
        }
        self._connection.send(msgspec.json.encode(said).decode())

    def _pass_on(self, broadcast: Speaking, broadcast_id: str) -> str:
        """Pass on what comes, and tell why that ended."""
        looked_at = self._studio.clock()
        pulse = Pulse(looked_at)
        while not self._studio.stopping.is_set():
            message = self._received()
            now = self._studio.clock()
            broadcast.say_label(now)
            if isinstance(message, str):
                if read_said(message) == "stop":
                    return "spoken"
            elif message is not None:
                pulse.heard(now)
                for captured in self._captured(message):
                    broadcast.take(captured, now)
            if pulse.is_lost(now):
                return "broken-off"
            if now >= broadcast.ends_at:
                return "too-long"
            self._bridge(broadcast, pulse, now)
            if now - looked_at >= _LOOK_FOR_STOP:
                looked_at = now
                if self._is_stopped(broadcast_id):
                    return "stopped"
        return "server-ended"

    def _bridge(self, broadcast: Speaking, pulse: Pulse, now: datetime) -> None:
        """While nothing comes, tell the nodes that it goes on, and ask whether anybody is there.

        Browsers answer for a page that hangs.
        """
        if pulse.is_quiet(now):
            broadcast.hold_on(now)
        if self._pong is not None and self._pong.is_set():
            pulse.answered(now)
            self._pong = None
        if self._pong is None and pulse.is_due(now):
            pulse.asked(now)
            self._pong = self._connection.ping()

    def _received(self) -> str | bytes | None:
        try:
            return self._connection.recv(timeout=_LOOK_S)
        except TimeoutError:
            return None

    def _captured(self, message: bytes) -> list[Captured]:
        sound = read_sound(message)
        return [sound] if isinstance(sound, Captured) else self._webm.take(sound.body)

    def _is_stopped(self, broadcast_id: str) -> bool:
        with self._studio.reads.begin() as db:
            return microphones.is_stopped(db, broadcast_id)

    def _note_end(self, on_air: OnAir, reason: str, ending: Ending) -> None:
        log.info("microphone_off_air", broadcast_id=on_air.broadcast_id, reason=reason)
        labels = on_air.labels if ending is Ending.SPOKEN else None
        with self._studio.writes.begin() as db:
            microphones.end(
                db,
                on_air.broadcast_id,
                reason=reason,
                delay=on_air.delay + timedelta(seconds=labels[1].duration_s if labels else 0.0),
                now=self._studio.clock(),
            )


def _tell(connection: Connection, said: dict[str, object]) -> None:
    """Say something to whoever may have gone already."""
    try:
        connection.send(msgspec.json.encode(said).decode())
    except ConnectionClosed:
        log.info("microphone_gone")
