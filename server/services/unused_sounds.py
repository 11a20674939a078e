"""Forget what was spoken or filled in and never used: rows first, and files that no row knows."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Text, cast, delete, exists, select
from sqlalchemy.orm import Session

from audio_library.manifest import forget as forget_file
from audio_library.store import Store
from server.services import catalogue
from server.store.engine import Sessions, reading
from server.store.models import (
    AssetRow,
    BroadcastRow,
    BulletinRow,
    CompositionRow,
    SlotChangeRow,
    SlotItemRow,
    SpeechRow,
    WaitingRow,
    WarningRecordingRow,
)

KEPT = timedelta(days=90)
"""How long what nobody has used stays: whoever asks for the same within it need not wait for it."""
MOST_AT_ONCE = 200
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


def forget_unused(sessions: Sessions, now: datetime, *, store: Store) -> int:
    """Forget what is old and unused; say how much.

    A file goes at the next look after its row at the soonest, and only when nobody has put it in
    anew since: whoever prepares the same sound in between finds it whole.
    """
    with reading(sessions) as db:
        known = frozenset(db.scalars(select(AssetRow.digest)))
    gone = store.untouched(before=now - KEPT, but=known)
    for digest in gone:
        forget_file(store, digest)
    with sessions.begin() as db:
        return len(gone) + forget_rows(db, now=now)


def forget_rows(db: Session, *, now: datetime) -> int:
    """Strike spoken texts and filled warnings off the catalogue that nothing refers to.

    What an announcement, a bulletin, a slot, one that waits or a change that can be taken back
    names stays for ever, and what it was put together from: its record can be listened to.
    """
    old = select(AssetRow.digest).where(
        AssetRow.purpose == catalogue.ANNOUNCEMENT,
        AssetRow.created_at < now - KEPT,
        *_referred_to_by_nothing(),
    )
    is_made = exists().where(CompositionRow.digest == AssetRow.digest)
    made = db.scalars(old.where(is_made)).all()
    spoken = old.where(exists().where(SpeechRow.digest == AssetRow.digest), ~is_made)
    texts = db.scalars(spoken).all()
    if not (made or texts):
        return 0
    named = set(_named_in_documents(db))
    wholes = [one for one in made if one not in named][:MOST_AT_ONCE]
    db.execute(delete(CompositionRow).where(CompositionRow.digest.in_(wholes)))
    named.update(part for parts in db.scalars(select(CompositionRow.parts)) for part in parts)
    gone = [*wholes, *[one for one in texts if one not in named][:MOST_AT_ONCE]]
    db.execute(delete(SpeechRow).where(SpeechRow.digest.in_(gone)))
    db.execute(delete(AssetRow).where(AssetRow.digest.in_(gone)))
    return len(gone)


def _referred_to_by_nothing() -> list[ColumnElement[bool]]:
    named = (
        BroadcastRow.asset_digest,
        BroadcastRow.opening_digest,
        BulletinRow.asset_digest,
        SlotItemRow.asset_digest,
        WarningRecordingRow.digest,
    )
    return [~exists().where(column == AssetRow.digest) for column in named]


def _named_in_documents(db: Session) -> Iterator[str]:
    """Yield every digest inside an announcement that waited, or a change of slots."""
    for document in (WaitingRow.wanted, SlotChangeRow.steps):
        for text in db.scalars(select(cast(document, Text)).execution_options(yield_per=500)):
            yield from _DIGEST.findall(text)
