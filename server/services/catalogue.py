"""Audio files: what they are for, and who may use them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from audio_library.assets import Asset
from server.domain.authority import Action, Actor, demand
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.services import audit
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import AssetRow, CompositionRow

CHIME = "chime"
WARNING = "warning"
PHRASE = "phrase"
DRILL_BEFORE = "drill-before"
DRILL_AFTER = "drill-after"
ANNOUNCEMENT = "announcement"
CHECK = "check"
"""Purpose of what a test of a loudspeaker says: nobody chooses it for a programme."""

PINNED = frozenset({CHIME, WARNING, PHRASE, DRILL_BEFORE, DRILL_AFTER})
"""Purposes of the files that nodes keep for good."""

PIECES = frozenset({CHIME, PHRASE, DRILL_BEFORE, DRILL_AFTER})
"""Purposes of what sounds only around something else: nobody chooses it for a programme."""


@dataclass(frozen=True, slots=True)
class NewAsset:
    """What a prepared file is for; ``file_name`` is what it was called where it came from."""

    unit_id: str
    title: str
    purpose: str
    language: str = "vi"
    file_name: str = ""


def add_asset(db: Session, new: NewAsset, *, asset: Asset, now: datetime, actor: Actor) -> AssetRow:
    """Enter a prepared file into the catalogue; the same content a second time is the same entry.

    What two units have both brought belongs to the lowest unit above them, so that both may use it.

    Raises:
        NotAllowedError: The actor may not upload for the unit.
    """
    units = tree(db, today=local_day(now))
    demand(actor, Action.UPLOAD, units.chain(new.unit_id))
    pass_gate(db, f"asset {asset.digest}")
    known = db.get(AssetRow, asset.digest)
    if known is not None:
        if not may_use(units, known, new.unit_id):
            known.unit_id = _shared_by(units, known.unit_id, new.unit_id)
        return known
    row = AssetRow(
        digest=asset.digest,
        unit_id=new.unit_id,
        title=new.title,
        purpose=new.purpose,
        language=new.language,
        duration_s=asset.duration_s,
        size_bytes=asset.size_bytes,
        loudness_lufs=asset.loudness_lufs,
        file_name=new.file_name,
        created_at=now,
        created_by=actor.name,
    )
    db.add(row)
    audit.record(
        db, actor=actor, action="add-asset", subject=asset.digest, now=now, title=new.title
    )
    return row


def renew(row: AssetRow, *, now: datetime) -> None:
    """Let what was prepared again be as young as what is new; the old is forgotten one day."""
    if row.purpose == ANNOUNCEMENT:
        row.created_at = max(row.created_at, now)


def may_use(units: Tree, row: AssetRow, unit_id: str) -> bool:
    """Say whether a unit may use a file: its own, one from above it, or one from under it."""
    if row.unit_id not in units.units:
        return False
    return row.unit_id in units.chain(unit_id) or unit_id in units.chain(row.unit_id)


def pin(row: AssetRow, units: Tree, *, unit_id: str, purpose: str) -> None:
    """Let the nodes under a unit keep a file for good that was brought for something smaller."""
    if row.purpose not in PINNED:
        row.purpose = purpose
    if row.unit_id in units.units and unit_id in units.chain(row.unit_id):
        row.unit_id = unit_id


def parts(db: Session, row: AssetRow) -> list[AssetRow]:
    """List the files that sound for one: itself, or those that nodes put it together from."""
    made = db.get(CompositionRow, row.digest)
    if made is None:
        return [row]
    there = {part.digest: part for part in assets(db, made.parts)}
    return [there[digest] for digest in made.parts] if there.keys() >= {*made.parts} else [row]


def _shared_by(units: Tree, one: str, other: str) -> str:
    above = units.chain(one) if one in units.units else ()
    shared = [unit for unit in units.chain(other) if unit in above]
    return shared[-1] if shared else other


def usable_assets(
    db: Session, *, chain: Sequence[str], purpose: str | None = None
) -> Sequence[AssetRow]:
    """List what the last unit of ``chain`` may use: its own files and those of the units above."""
    rows = select(AssetRow).where(AssetRow.unit_id.in_(chain))
    wanted = AssetRow.purpose != CHECK if purpose is None else AssetRow.purpose == purpose
    rows = rows.where(wanted)
    return db.scalars(rows.order_by(AssetRow.created_at.desc(), AssetRow.digest)).all()


def assets(db: Session, digests: Collection[str]) -> Sequence[AssetRow]:
    """Find files by their digests; those that are not there are left out."""
    if not digests:
        return ()
    return db.scalars(select(AssetRow).where(AssetRow.digest.in_(digests))).all()


def default_opening(db: Session, *, chain: Sequence[str]) -> AssetRow | None:
    """Find the opening chime of the last unit of ``chain``: the newest that it may use."""
    return next(iter(usable_assets(db, chain=chain, purpose=CHIME)), None)


def pinned(db: Session, *, chain: Sequence[str]) -> list[AssetRow]:
    """List the files that nodes under ``chain`` keep for good: chimes, warnings, drill labels.

    Each unit of the chain may have an opening chime of its own.
    """
    chains = [chain[: depth + 1] for depth in range(len(chain))]
    chimes = [default_opening(db, chain=above) for above in chains]
    openings = {chime.digest: chime for chime in chimes if chime is not None}
    kept = (WARNING, PHRASE, DRILL_BEFORE, DRILL_AFTER)
    others = [row for one in kept for row in usable_assets(db, chain=chain, purpose=one)]
    return [*openings.values(), *others]
