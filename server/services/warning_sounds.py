"""Prepared warnings as sound: pieces that nodes keep, pieces that are filled in, recordings."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from audio_library.assets import Asset
from audio_library.errors import MissingAssetError
from audio_library.manifest import read_manifest
from audio_library.store import Store
from audio_library.tts import PLAIN
from protocol.ids import AssetDigest
from server.domain.authority import Action, Actor, demand
from server.domain.errors import Finding, WarningRefusedError
from server.domain.filling import Template, filled
from server.domain.languages import is_language
from server.domain.recurrence import local_day
from server.services import audit, catalogue, speaking
from server.services.prepared_warnings import template, templates
from server.services.units import tree
from server.store.models import AssetRow, CompositionRow, WarningRecordingRow

SPOKEN = "vi"
"""What the engine speaks; every other language is recorded."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A warning as somebody fills it.

    Attributes:
        values: What stands in its slots, by name; empty ones are left out.
        languages: In which it is said again, behind the Vietnamese.
    """

    unit_id: str
    code: str
    values: Mapping[str, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a warning.

    Attributes:
        text: Its words; empty for a recording.
        is_fixed: The same every time, so that nodes can keep it.
        row: Its sound; None: it is still to be spoken.
    """

    text: str
    language: str
    is_fixed: bool
    row: AssetRow | None

    def script(self, wanted: Wanted) -> speaking.Script:
        """Write down what is to be spoken."""
        title = template(wanted.code).title.vi
        return speaking.Script(unit_id=wanted.unit_id, text=self.text, title=title)


@dataclass(frozen=True, slots=True)
class Shown:
    """A warning as a unit has it.

    Attributes:
        is_kept: What it says every time is on the unit's nodes, or on its way to them.
        recordings: By language, the unit's own or the nearest above.
        own: Languages that the unit itself has recorded.
    """

    template: Template
    is_kept: bool
    recordings: Mapping[str, AssetRow]
    own: frozenset[str]


def shown(
    db: Session, unit_id: str, *, engine: str, now: datetime, codes: Iterable[str] = ()
) -> tuple[Shown, ...]:
    """List the warnings, or some, as a unit has them."""
    chain = tree(db, today=local_day(now)).chain(unit_id)
    recorded = _recordings(db, chain)
    found = []
    for code in codes or templates():
        here = {language: row for (of, language), (_by, row) in recorded.items() if of == code}
        own = {key[1] for key, (by, _row) in recorded.items() if key[0] == code and by == unit_id}
        kept = [_spoken(db, text, engine) for text in _fixed_texts(template(code))]
        is_kept = all(
            row is not None and row.purpose == catalogue.PHRASE and row.unit_id in chain
            for row in kept
        )
        found.append(Shown(template(code), is_kept, here, frozenset(own)))
    return tuple(found)


def pieces(
    db: Session, wanted: Wanted, *, engine: str, now: datetime, actor: Actor
) -> tuple[Piece, ...]:
    """Put a warning together, with the sounds that are there already.

    Raises:
        NotAllowedError: The actor may not upload for the unit.
        UnknownThingError: No such warning.
        WarningRefusedError: It cannot be filled like that, or was not recorded in a language.
    """
    chain = tree(db, today=local_day(now)).chain(wanted.unit_id)
    demand(actor, Action.UPLOAD, chain)
    chosen = template(wanted.code)
    recorded = _recordings(db, chain)
    missing = [tag for tag in wanted.languages if (chosen.code, tag) not in recorded]
    if missing:
        raise WarningRefusedError([Finding("not-recorded", {"language": missing[0][:40]})])
    texts = (chosen.before, True), (filled(chosen, wanted.values), False), (chosen.after, True)
    spoken = [
        Piece(text, SPOKEN, is_fixed, _spoken(db, text, engine)) for text, is_fixed in texts if text
    ]
    again = dict.fromkeys(wanted.languages)
    return (
        *spoken,
        *(Piece("", tag, is_fixed=True, row=recorded[chosen.code, tag][1]) for tag in again),
    )


def fixed(chosen: Template, unit_id: str) -> tuple[speaking.Script, ...]:
    """Write down what a warning says every time, to be kept by the nodes under a unit."""
    return tuple(
        speaking.Script(unit_id=unit_id, text=text, title=chosen.title.vi, purpose=catalogue.PHRASE)
        for text in _fixed_texts(chosen)
    )


def composed_before(db: Session, parts: Sequence[AssetDigest], *, store: Store) -> Asset | None:
    """Find the one file that was made of the same parts, if it is still kept."""
    row = db.scalar(select(CompositionRow).where(CompositionRow.key == _key(parts)))
    if row is None:
        return None
    try:
        return read_manifest(store, AssetDigest(row.digest))
    except MissingAssetError:
        return None


def keep(
    db: Session,
    wanted: Wanted,
    parts: Sequence[AssetDigest],
    whole: Asset,
    *,
    now: datetime,
    actor: Actor,
) -> AssetRow:
    """Enter a warning's sound into the catalogue, and which parts nodes put it together from."""
    new = catalogue.NewAsset(
        unit_id=wanted.unit_id, title=template(wanted.code).title.vi, purpose=catalogue.ANNOUNCEMENT
    )
    row = catalogue.add_asset(db, new, asset=whole, now=now, actor=actor)
    catalogue.renew(row, now=now)
    if db.get(CompositionRow, whole.digest) is None:
        db.flush()  # the asset stands before what refers to it
        db.add(CompositionRow(digest=whole.digest, key=_key(parts), parts=list(parts)))
    return row


def record(
    db: Session,
    *,
    unit_id: str,
    code: str,
    language: str,
    digest: str,
    now: datetime,
    actor: Actor,
) -> None:
    """Say that a file is a warning in another language; the unit's nodes keep it from then on.

    Raises:
        NotAllowedError: The actor may not upload for the unit.
        UnknownThingError: No such warning.
        WarningRefusedError: No such language or file.
    """
    places = tree(db, today=local_day(now))
    demand(actor, Action.UPLOAD, places.chain(unit_id))
    template(code)
    asset = db.get(AssetRow, digest)
    findings = []
    if not is_language(language) or language == SPOKEN:
        findings.append(Finding("not-a-recorded-language", {"language": language[:40]}))
    if asset is None or not catalogue.may_use(places, asset, unit_id):
        findings.append(Finding("unknown-asset", {"digest": digest[:64]}))
    if findings or asset is None:
        raise WarningRefusedError(findings)
    catalogue.pin(asset, places, unit_id=unit_id, purpose=catalogue.PHRASE)
    row = db.get(WarningRecordingRow, (unit_id, code, language), with_for_update=True)
    if row is None:
        row = WarningRecordingRow(unit_id=unit_id, code=code, language=language)
        db.add(row)
    row.digest, row.created_at, row.created_by = digest, now, actor.name
    audit.record(db, actor=actor, action="record-warning", subject=code, now=now, language=language)


def forget(
    db: Session, *, unit_id: str, code: str, language: str, now: datetime, actor: Actor
) -> None:
    """Take a unit's recording away; one of a unit above is used again. Twice is once."""
    demand(actor, Action.UPLOAD, tree(db, today=local_day(now)).chain(unit_id))
    template(code)
    row = db.get(WarningRecordingRow, (unit_id, code, language[:32]))
    if row is not None:
        db.delete(row)
        audit.record(
            db, actor=actor, action="forget-recording", subject=code, now=now, language=language
        )


def _recordings(db: Session, chain: Sequence[str]) -> dict[tuple[str, str], tuple[str, AssetRow]]:
    """Find each warning's recordings by code and language; a unit's own before those above it."""
    rows = db.execute(
        select(WarningRecordingRow, AssetRow)
        .join(AssetRow, AssetRow.digest == WarningRecordingRow.digest)
        .where(WarningRecordingRow.unit_id.in_(chain))
        .order_by(WarningRecordingRow.language)
    ).all()
    nearest = sorted(rows, key=lambda row: chain.index(row[0].unit_id))
    return {(row.code, row.language): (row.unit_id, asset) for row, asset in nearest}


def _spoken(db: Session, text: str, engine: str) -> AssetRow | None:
    said = speaking.reading(text, PLAIN).said
    return speaking.entry(db, said, PLAIN, engine=engine)


def _fixed_texts(chosen: Template) -> tuple[str, ...]:
    return tuple(text for text in (chosen.before, chosen.after) if text)


def _key(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
