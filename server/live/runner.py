"""The program's process: takes connections, ends them politely, and keeps what was spoken."""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event

import structlog
from websockets.sync.server import ServerConnection
from websockets.sync.server import serve as serve_websockets

from audio_library.errors import AudioLibraryError, RefusedAudioError
from audio_library.store import Store
from server.domain.errors import UnknownThingError
from server.live import recording
from server.live.capture import MAX_BYTES
from server.live.microphone import Studio, serve
from server.mqtt.publisher import LivePublisher
from server.services import microphones
from server.services.keyring import FLASK, LIVE, Keyring, secret_text
from server.settings import Settings
from server.store.engine import Sessions, open_engine, open_sessions
from server.workers import WorkerDiedError, demand_alive, worker

MOST_CONNECTIONS = 100
"""Microphones at once; what is more is turned away."""

_WATCH_S = 0.5
_LINK_S = 2.0
_LOOK_S = 0.02
_NO_DELAY = timedelta()
# All together far less than what a supervisor waits before it kills.
_LAST_WORDS_S = 2.0
_CLOSING_S = 1.0
_ALMOST_DONE_S = 0.5
"""So long a recording in hand is waited for; one that takes longer is made at the next start."""
_TRY_AGAIN_LATER = 1013
"""The WebSocket close code for it (registered by RFC 6455's registry)."""

log = structlog.get_logger(__name__)


def run(settings: Settings, stop: Event) -> None:
    """Take microphones until ``stop`` is set.

    Raises:
        WorkerDiedError: A thread of it has ended; the process is to be started again.
    """
    engine = open_engine(settings.database)
    # Whoever knocks and says nothing would fill the log with tracebacks.
    logging.getLogger("websockets.server").setLevel(logging.CRITICAL)
    publisher = LivePublisher(
        host=settings.mqtt_host,
        port=settings.mqtt_port,
        version=settings.mqtt_version,
        password=secret_text(settings.secrets_dir, LIVE),
    )
    studio = Studio(
        settings=settings,
        reads=open_sessions(engine, reads_only=True),
        writes=open_sessions(engine),
        keyring=Keyring.open(settings.secrets_dir),
        pages_secret=secret_text(settings.secrets_dir, FLASK),
        publisher=publisher,
        stopping=stop,
        clock=_now,
    )
    archive = Archive(settings, studio.writes)
    archive.take_left_behind()
    door = Door(studio, archive)
    keeper = worker("archive", partial(archive.run, stop))
    keeper.start()
    publisher.open()
    _wait_for_link(publisher, stop)
    with serve_websockets(
        door.opened,
        settings.host,
        settings.microphone_port,
        compression=None,
        open_timeout=5,
        close_timeout=_CLOSING_S,
        max_size=MAX_BYTES,
        server_header=None,
    ) as server:
        listener = worker("microphones", server.serve_forever)
        listener.start()
        log.info("live_started", host=settings.host, port=settings.microphone_port)
        while not stop.wait(_WATCH_S):
            demand_alive((keeper, listener))
            if not publisher.is_alive():
                raise WorkerDiedError("broker link")
    door.wait_empty(_LAST_WORDS_S)
    publisher.close()
    keeper.join(_ALMOST_DONE_S)
    engine.dispose()


def _wait_for_link(publisher: LivePublisher, stop: Event) -> None:
    """Let nobody be turned away for a link that is there in a moment; nor wait for ever."""
    latest_s = time.monotonic() + _LINK_S
    while not publisher.is_connected() and time.monotonic() < latest_s:
        if stop.wait(_LOOK_S):
            return


class Door:
    """Lets so many microphones in, and knows when all have left."""

    def __init__(self, studio: Studio, archive: "Archive") -> None:
        self._studio = studio
        self._archive = archive
        self._changed = threading.Condition()
        self._inside = 0

    def opened(self, connection: ServerConnection) -> None:
        """Serve one connection; called in a thread of its own."""
        if not self._enter():
            connection.close(_TRY_AGAIN_LATER)
            return
        try:
            spoken = serve(connection, self._studio)
        finally:
            self._leave()
        if spoken is not None:
            self._archive.add(spoken.broadcast_id)

    def wait_empty(self, timeout_s: float) -> None:
        """Wait until every microphone has said its last word."""
        with self._changed:
            self._changed.wait_for(lambda: not self._inside, timeout_s)

    def _enter(self) -> bool:
        with self._changed:
            if self._inside >= MOST_CONNECTIONS:
                return False
            self._inside += 1
            return True

    def _leave(self) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()


class Archive:
    """Makes audio files of what was spoken, one after the other."""

    def __init__(self, settings: Settings, writes: Sessions) -> None:
        self._folder = settings.recording_dir
        self._store = Store(settings.asset_dir)
        self._writes = writes
        self._waiting: SimpleQueue[str] = SimpleQueue()

    def take_left_behind(self) -> None:
        """Take up what a program left that was killed: nobody speaks to those broadcasts now."""
        for path in recording.left_behind(self._folder):
            broadcast_id = recording.broadcast_of(path)
            with self._writes.begin() as db:
                microphones.end(
                    db, broadcast_id, reason="server-ended", delay=_NO_DELAY, now=_now()
                )
            self.add(broadcast_id)

    def add(self, broadcast_id: str) -> None:
        """Put a broadcast into line that is over."""
        self._waiting.put(broadcast_id)

    def run(self, stop: Event) -> None:
        """Keep recordings until ``stop`` is set; what waits then is found at the next start."""
        while not stop.is_set():
            try:
                broadcast_id = self._waiting.get(timeout=_WATCH_S)
            except Empty:
                continue
            self._keep(self._folder / f"{broadcast_id}{recording.SUFFIX}", broadcast_id)

    def _keep(self, path: Path, broadcast_id: str) -> None:
        try:
            asset = recording.kept(path, self._store)
            if asset is not None:
                with self._writes.begin() as db:
                    microphones.keep_recording(db, broadcast_id, asset=asset, now=_now())
        except RefusedAudioError as error:
            # Nothing in it can be heard.
            log.warning("recording_refused", broadcast_id=broadcast_id, error=str(error))
        except UnknownThingError:
            log.warning("recording_of_nothing", broadcast_id=broadcast_id)
        except (AudioLibraryError, OSError) as error:
            # It stays, and is tried again when this program starts the next time.
            log.error("recording_failed", broadcast_id=broadcast_id, error=str(error))  # noqa: TRY400 - the reason says it all
            return
        path.unlink(missing_ok=True)


def _now() -> datetime:
    return datetime.now(UTC)
