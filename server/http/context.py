"""What a request has at hand: settings, database, keys, audio files, the person and the time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Flask, current_app
from flask_security import current_user
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from audio_library.store import Store
from audio_library.tts import Synthesiser
from server.domain.authority import Actor
from server.services import accounts
from server.services.keyring import Keyring
from server.settings import Settings
from server.store.engine import Sessions

_KEY = "loa"


@dataclass(frozen=True, slots=True)
class Installation:
    """What one application was built from.

    Attributes:
        reads: Sessions that only look; on SQLite they never wait for the writer.
        writes: Sessions that may change something.
        engines: What speaks texts, the best voice first.
    """

    settings: Settings
    engine: Engine
    reads: Sessions
    writes: Sessions
    keyring: Keyring
    audio: Store
    engines: tuple[Synthesiser, ...]


def install(app: Flask, installation: Installation) -> None:
    """Give an application what its requests will find here."""
    app.extensions[_KEY] = installation


def here() -> Installation:
    """Find what the application that handles this request was built from."""
    found = current_app.extensions[_KEY]
    assert isinstance(found, Installation)  # noqa: S101 - narrows an untyped registry
    return found


def now() -> datetime:
    """Read the clock, once, at the edge."""
    return datetime.now(UTC)


@contextmanager
def reading() -> Iterator[Session]:
    """Open a transaction that only looks."""
    with here().reads.begin() as db:
        yield db


@contextmanager
def writing() -> Iterator[Session]:
    """Open a transaction that is committed at the end, or undone when an error leaves it."""
    with here().writes.begin() as db:
        yield db


def actor() -> Actor:
    """Tell who asks; only for requests that have passed the log-in wall."""
    return accounts.actor_of(current_user)
