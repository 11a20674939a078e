"""Text to speech: what will be said, the sound of it, and an entry of the catalogue for it.

Synthesis takes seconds and holds no transaction: ``spoken_before`` looks, ``voiced`` works, and
``keep`` writes down.
"""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from audio_library.assets import Asset
from audio_library.errors import MissingAssetError, SpeechError
from audio_library.manifest import read_manifest
from audio_library.reading import NORTHERN, SOUTHERN, Reading, read
from audio_library.store import Store
from audio_library.tts import PLAIN, Manner, Synthesiser
from protocol.ids import AssetDigest
from server.domain.authority import Action, Actor, demand
from server.domain.errors import Finding, SpeechRefusedError
from server.domain.recurrence import local_day
from server.services import catalogue
from server.services.units import tree
from server.store.models import AssetRow, SpeechRow

MOST_WRITTEN = 2000
MOST_SAID = 6000
"""Characters; at a speaker's pace about ten minutes."""

_SOUTHERN_VOICE = "vi-vn-x-south"
_TITLE_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Script:
    """What is to be said, and for whom.

    Attributes:
        text: As somebody wrote it.
        said: As it is to be read, where somebody has corrected the reading; else empty.
        title: What the sound is to be called; empty: its first words.
        purpose: What the sound is for, as in the catalogue.
    """

    unit_id: str
    text: str
    said: str = ""
    title: str = ""
    manner: Manner = PLAIN
    purpose: str = catalogue.ANNOUNCEMENT


@dataclass(frozen=True, slots=True)
class Voiced:
    """A text that has become sound.

    Attributes:
        key: Names engine, manner and words.
    """

    key: str
    engine: str
    asset: Asset


def reading(text: str, manner: Manner, *, said: str = "") -> Reading:
    """Tell how a text will be read; what somebody corrected is read as corrected.

    Raises:
        SpeechRefusedError: It has no words or too many.
    """
    most = MOST_SAID if said else MOST_WRITTEN
    words = said or text
    if len(words) > most:
        raise SpeechRefusedError([Finding("text-too-long", {"longest": str(most)})])
    found = _read(words, manner.language)
    if not any(sign.isalnum() for sign in found.said):
        raise SpeechRefusedError([Finding("no-words")])
    if len(found.said) > MOST_SAID:
        raise SpeechRefusedError([Finding("text-too-long", {"longest": str(MOST_SAID)})])
    return found


def words_of(row: SpeechRow) -> str:
    """Tell what was said: as it was written, unless somebody has corrected its reading."""
    return row.text if _read(row.text, row.language).said == row.said else row.said


def spoken_before(
    db: Session,
    script: Script,
    said: str,
    *,
    engines: Sequence[Synthesiser],
    store: Store,
    now: datetime,
    actor: Actor,
) -> Voiced | None:
    """Find the sound that the best engine made of the same words, if it is still kept.

    Raises:
        NotAllowedError: The actor may not upload for the unit.
    """
    demand(actor, Action.UPLOAD, tree(db, today=local_day(now)).chain(script.unit_id))
    key = _key(engines[0].name, script.manner, said)
    row = db.get(SpeechRow, key)
    if row is None:
        return None
    try:
        return Voiced(key, row.engine, read_manifest(store, AssetDigest(row.digest)))
    except MissingAssetError:
        return None


def entry(db: Session, said: str, manner: Manner, *, engine: str) -> AssetRow | None:
    """Find what an engine made of words, in the catalogue."""
    row = db.get(SpeechRow, _key(engine, manner, said))
    return db.get(AssetRow, row.digest) if row is not None else None


def voiced(
    said: str, manner: Manner, *, engines: Sequence[Synthesiser], store: Store
) -> tuple[Voiced, tuple[str, ...]]:
    """Speak words with the first engine that can; also tell why those before it could not.

    Raises:
        SpeechError: None of them could.
    """
    # Decoders are heavy to load, and most requests make no sound.
    from audio_library.ingest import ingest  # noqa: PLC0415 - see above

    failures: list[str] = []
    for engine in engines:
        with tempfile.TemporaryDirectory(prefix="speech-") as folder:
            try:
                wav = engine.speak(said, Path(folder) / "speech.wav", manner)
            except SpeechError as error:
                failures.append(f"{engine.name}: {error.detail}")
                continue
            asset = ingest(wav, store)
            return Voiced(_key(engine.name, manner, said), engine.name, asset), tuple(failures)
    raise SpeechError("; ".join(failures))


def keep(
    db: Session, script: Script, said: str, sound: Voiced, *, now: datetime, actor: Actor
) -> AssetRow:
    """Enter a spoken text into the catalogue; the same words a second time are the same entry.

    Raises:
        NotAllowedError: The actor may not upload for the unit.
    """
    new = catalogue.NewAsset(
        unit_id=script.unit_id,
        title=script.title or _first_words(script.text or said),
        purpose=script.purpose,
        language=script.manner.language.split("-")[0],
    )
    row = catalogue.add_asset(db, new, asset=sound.asset, now=now, actor=actor)
    if script.purpose in catalogue.PINNED:
        places = tree(db, today=local_day(now))
        catalogue.pin(row, places, unit_id=script.unit_id, purpose=script.purpose)
    catalogue.renew(row, now=now)
    if db.get(SpeechRow, sound.key) is None:
        db.flush()  # the asset stands before what refers to it
        db.add(
            SpeechRow(
                key=sound.key,
                digest=sound.asset.digest,
                text=script.text,
                said=said,
                engine=sound.engine,
                language=script.manner.language,
                created_at=now,
                created_by=actor.name,
            )
        )
    return row


def _read(words: str, language: str) -> Reading:
    return read(words, SOUTHERN if language == _SOUTHERN_VOICE else NORTHERN)


def _key(engine: str, manner: Manner, said: str) -> str:
    facts = (engine, manner.language, f"{manner.pace:.3f}", f"{manner.pause_s:.3f}", said)
    return hashlib.sha256("\x1f".join(facts).encode()).hexdigest()


def _first_words(text: str) -> str:
    line = " ".join(text.split())
    if len(line) <= _TITLE_CHARACTERS:
        return line
    return f"{line[:_TITLE_CHARACTERS].rsplit(' ', 1)[0]}…"
