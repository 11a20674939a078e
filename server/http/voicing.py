"""Words become sound: between two transactions, since synthesis takes seconds.

For pages, API and commands alike, which all open their own.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from audio_library.reading import Reading
from audio_library.store import Store
from audio_library.tts import Synthesiser
from protocol.ids import AssetDigest
from server.domain.authority import Actor
from server.http.context import actor, here, now
from server.services import speaking, warning_sounds
from server.services.prepared_warnings import template
from server.store.engine import Sessions
from server.store.models import AssetRow

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Booth:
    """Where somebody has words spoken."""

    reads: Sessions
    writes: Sessions
    engines: Sequence[Synthesiser]
    store: Store
    now: datetime
    actor: Actor


@dataclass(frozen=True, slots=True)
class Said:
    """A text that is in the catalogue as sound."""

    row: AssetRow
    engine: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning that is in the catalogue as sound, with what it was put together from."""

    row: AssetRow
    pieces: tuple[warning_sounds.Piece, ...]


def booth() -> Booth:
    """Gather what a request has at hand."""
    made = here()
    return Booth(made.reads, made.writes, made.engines, made.audio, now(), actor())


def say(at: Booth, script: speaking.Script) -> Said:
    """Speak a text, or find what was made of the same words before.

    Raises:
        NotAllowedError: The person may not upload for the unit.
        SpeechRefusedError: It has no words or too many.
        SpeechError: No engine could speak it.
    """
    words = speaking.reading(script.text, script.manner, said=script.said)
    with at.reads.begin() as db:
        sound = speaking.spoken_before(
            db, script, words.said, engines=at.engines, store=at.store, now=at.now, actor=at.actor
        )
    if sound is None:
        sound, failures = speaking.voiced(
            words.said, script.manner, engines=at.engines, store=at.store
        )
        if failures:
            _log.warning("speech_engine_failed", unit_id=script.unit_id, error="; ".join(failures))
    with at.writes.begin() as db:
        row = speaking.keep(db, script, words.said, sound, now=at.now, actor=at.actor)
    return Said(row, sound.engine, words)


def warn(at: Booth, wanted: warning_sounds.Wanted) -> Warned:
    """Make a warning's sound: what is kept already, and what was filled in.

    Raises:
        NotAllowedError: The person may not upload for the unit.
        WarningRefusedError: It cannot be filled like that.
        SpeechError: No engine could speak what is new.
    """
    with at.reads.begin() as db:
        pieces = warning_sounds.pieces(
            db, wanted, engine=at.engines[0].name, now=at.now, actor=at.actor
        )
    rows = [piece.row or say(at, piece.script(wanted)).row for piece in pieces]
    if len(rows) == 1:
        return Warned(rows[0], pieces)
    parts = tuple(AssetDigest(row.digest) for row in rows)
    with at.reads.begin() as db:
        asset = warning_sounds.composed_before(db, parts, store=at.store)
    if asset is None:
        # Decoders are heavy to load, and most requests make no sound.
        from audio_library.ingest import ingest  # noqa: PLC0415 - see above
        from audio_library.transcode import compose  # noqa: PLC0415 - see above

        with tempfile.TemporaryDirectory(prefix="warning-") as folder:
            files = [at.store.path(digest) for digest in parts]
            whole = compose(files, [0.0] * (len(files) - 1), Path(folder) / "whole.wav")
            asset = ingest(whole.path, at.store)
    with at.writes.begin() as db:
        row = warning_sounds.keep(db, wanted, parts, asset, now=at.now, actor=at.actor)
    return Warned(row, pieces)


def prepare(at: Booth, unit_id: str, code: str) -> None:
    """Speak what a warning says every time, to be kept by all nodes under a unit."""
    for script in warning_sounds.fixed(template(code), unit_id):
        say(at, script)
