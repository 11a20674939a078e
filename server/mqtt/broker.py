"""Run the broker of one machine as a child: Mosquitto where it is installed, else our own.

Its access files are written from the database, and again when nodes come and go.
"""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Event
from time import monotonic

import structlog
from sqlalchemy.orm import Session

from server.mqtt.access import (
    GATEWAY_USER,
    LIVE_USER,
    access_text,
    is_secret,
    password_text,
    read_passwords,
)
from server.mqtt.errors import NoMosquittoError
from server.services import commissioning, keyring
from server.settings import Settings
from server.store.engine import Sessions, open_engine, open_sessions
from server.workers import WorkerDiedError

WATCH_S = 0.1
LOOK_S = 1.0
"""How soon a node that was just commissioned is let in."""
HEALTHY_S = 5.0
"""A broker that ended sooner, and was not killed, would only end again."""
PAUSE_S = 0.2
GRACE_S = 5.0
MAX_MESSAGE_BYTES = 1_200_000
"""A little more than the longest token."""

_PR_SET_PDEATHSIG = 1

log = structlog.get_logger(__name__)


class BrokerKind(StrEnum):
    """Which broker is run."""

    MOSQUITTO = "mosquitto"
    AMQTT = "amqtt"

    @property
    def mqtt_version(self) -> int:
        """Newest version of MQTT that it speaks, as written in an address."""
        return 5 if self is BrokerKind.MOSQUITTO else 3


@dataclass(frozen=True, slots=True)
class BrokerFiles:
    """Where the broker's files are, all in one folder."""

    folder: Path

    @property
    def passwords(self) -> Path:
        """Who may connect."""
        return self.folder / "passwords"

    @property
    def access(self) -> Path:
        """Who may read and write what."""
        return self.folder / "access"

    @property
    def configuration(self) -> Path:
        """Mosquitto's own configuration."""
        return self.folder / "mosquitto.conf"


def broker_files(settings: Settings) -> BrokerFiles:
    """Tell where the broker's files are."""
    return BrokerFiles(settings.state_dir.absolute() / "broker")


def choose_broker(preferred: str = "auto") -> BrokerKind:
    """Take the broker that was asked for; ``auto``: Mosquitto where it is installed.

    Raises:
        NoMosquittoError: It was asked for by name and is not there.
    """
    if preferred == "auto":
        return BrokerKind.AMQTT if _mosquitto() is None else BrokerKind.MOSQUITTO
    kind = BrokerKind(preferred)
    if kind is BrokerKind.MOSQUITTO and _mosquitto() is None:
        raise NoMosquittoError
    return kind


def run(settings: Settings, stop: Event, preferred: str = "auto") -> None:
    """Run the broker until ``stop`` is set; one that dies is started again at once.

    Raises:
        NoMosquittoError: It was asked for by name and is not there.
        WorkerDiedError: The broker cannot be kept running.
    """
    kind = choose_broker(preferred)
    engine = open_engine(settings.database)
    sessions = open_sessions(engine, reads_only=True)
    while not stop.is_set():
        started_s = monotonic()
        _write_access(settings, sessions)
        with _spawned(broker_command(settings, kind)) as broker:
            log.info("broker_started", kind=kind.value, port=settings.mqtt_port)
            _mind(settings, sessions, kind, broker, stop)
        if not stop.is_set():
            log.error("broker_died", exit_status=broker.returncode)
            if broker.returncode >= 0 and monotonic() - started_s < HEALTHY_S:
                raise WorkerDiedError(kind.value)
            stop.wait(PAUSE_S)
    engine.dispose()


def write_access(settings: Settings, db: Session) -> bool:
    """Write the broker's access files as the database has them; say whether they changed."""
    files = broker_files(settings)
    files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = read_passwords(files.passwords.read_text() if files.passwords.exists() else "")
    own = [
        _own_line(settings, user, secret, before.get(user, ""))
        for user, secret in ((GATEWAY_USER, keyring.GATEWAY), (LIVE_USER, keyring.LIVE))
    ]
    passwords = password_text(commissioning.password_lines(db), own=own)
    changed = _replaced(files.access, access_text())
    return _replaced(files.passwords, passwords) or changed


def _own_line(settings: Settings, user: str, name: str, hashed: str) -> str:
    """Write the line of one of our own programs; its hash stays as long as it fits."""
    secret = keyring.secret_text(settings.secrets_dir, name)
    fits = is_secret(hashed, secret)
    return f"{user}:{hashed if fits else commissioning.hashed_secret(secret)}"


def mosquitto_config(settings: Settings, files: BrokerFiles) -> str:
    """Write Mosquitto's configuration; loopback unless the settings say otherwise."""
    lines = (
        f"listener {settings.mqtt_port} {settings.mqtt_host}",
        "allow_anonymous false",
        f"password_file {files.passwords}",
        f"acl_file {files.access}",
        # Nobody can put out somebody else by using that one's client id.
        "use_username_as_clientid true",
        # Started by root it would become a user who cannot read these files.
        f"user {pwd.getpwuid(os.getuid()).pw_name}",
        # Off by default, and then every burst of small messages waits 40 ms.
        "set_tcp_nodelay true",
        # 1000 by default: of 2,000 answers 1,020 came, and nobody was told of the others.
        "max_queued_messages 100000",
        "max_inflight_messages 100",
        f"max_packet_size {MAX_MESSAGE_BYTES}",
        # A timed snapshot, never autosave_on_changes, which took seconds; what a kill loses in
        # between is sent again by the gateway.
        "persistence true",
        f"persistence_location {files.folder}/",
        "autosave_interval 30",
        "persistent_client_expiration 14d",
        "connection_messages false",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
    )
    return "\n".join(lines) + "\n"


def broker_command(settings: Settings, kind: BrokerKind) -> list[str]:
    """Tell how the broker is started; its configuration is written first."""
    files = broker_files(settings)
    if kind is BrokerKind.MOSQUITTO:
        _replaced(files.configuration, mosquitto_config(settings, files))
        return [_mosquitto() or "mosquitto", "-c", str(files.configuration)]
    bind = f"{settings.mqtt_host}:{settings.mqtt_port}"
    command = [sys.executable, "-m", "server.mqtt.embedded", "--bind", bind]
    return [*command, "--passwords", str(files.passwords), "--access", str(files.access)]


def _mind(
    settings: Settings,
    sessions: Sessions,
    kind: BrokerKind,
    broker: subprocess.Popen[bytes],
    stop: Event,
) -> None:
    """Keep the access files as the database has them until the broker ends or ``stop`` is set."""
    looked_s = monotonic()
    while broker.poll() is None and not stop.wait(WATCH_S):
        if monotonic() - looked_s < LOOK_S:
            continue
        looked_s = monotonic()
        # The embedded broker looks at its files by itself; both drop whoever is gone from them.
        if _write_access(settings, sessions) and kind is BrokerKind.MOSQUITTO:
            broker.send_signal(signal.SIGHUP)


@contextlib.contextmanager
def _spawned(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    libc = ctypes.CDLL(None)
    process = subprocess.Popen(  # noqa: S603 - our own command line
        command,
        # It ends with us, even when we are killed; else it would keep the port.
        preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM),  # noqa: PLW1509 - one C call
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _write_access(settings: Settings, sessions: Sessions) -> bool:
    with sessions.begin() as db:
        return write_access(settings, db)


def _replaced(path: Path, text: str) -> bool:
    """Put ``text`` at ``path`` in one step, readable by us alone; say whether it is new."""
    if path.exists() and path.read_text() == text:
        return False
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)
    return True


def _mosquitto() -> str | None:
    # Debian keeps it where only root's search path looks.
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/local/sbin:/usr/sbin")
