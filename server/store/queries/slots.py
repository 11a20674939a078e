"""Slots by the thousand, as plain columns: the store's objects would take several times as long.

The questions are put together once: to build one for each asking would take longer than to answer
it.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Date, Row, Select, Text, bindparam, cast, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from server.store.models import AssetRow, SlotItemRow, SlotRow, SlotTargetRow
from server.store.queries.among import among
from server.store.queries.targets import targets_of

_LONGEST = timedelta(days=1)

_slots, _items = SlotRow.__table__.c, SlotItemRow.__table__.c
_targets, _assets = SlotTargetRow.__table__.c, AssetRow.__table__.c

TIMES = (
    _slots.recurrence,
    _slots.local_start,
    _slots.duration_s,
    _slots.first_day,
    _slots.last_day,
    _slots.weekdays,
    _slots.pattern,
    _slots.holidays,
    # Lists of words are read as text: nearly all of them are empty.
    cast(_slots.excluded_days, Text),
)
"""The columns that tell when a slot comes."""

_written = func.aggregate_strings(cast(_items.position, Text) + ":" + _items.asset_digest, ",")

_ALL = (
    select(
        _slots.slot_id,
        _slots.unit_id,
        _slots.title,
        _slots.bulletin_class,
        _slots.content_kind,
        _slots.relay_url,
        cast(_slots.languages, Text),
        _slots.start_mode,
        _slots.wait_s,
        _slots.when_cut,
        _slots.gain_db,
        _slots.created_at,
        _slots.version,
        targets_of(_slots.slot_id),
        select(_written).where(_items.slot_id == _slots.slot_id).scalar_subquery(),
        *TIMES,
    )
    .where(_slots.withdrawn_at.is_(None))
    .order_by(_slots.slot_id)
)
_VERSIONS = (
    select(_slots.slot_id, _slots.unit_id, _slots.version)
    .where(_slots.withdrawn_at.is_(None))
    .order_by(_slots.slot_id)
)
_FILES = select(_assets.digest, _assets.duration_s, _assets.size_bytes).where(
    among(_assets.digest, "digests")
)

_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "unit_ids": among(_slots.unit_id, "unit_ids"),
    "slot_ids": among(_slots.slot_id, "slot_ids"),
    "refs": _slots.slot_id.in_(select(_targets.slot_id).where(among(_targets.ref, "refs"))),
    "first": or_(_slots.last_day.is_(None), _slots.last_day >= bindparam("first", type_=Date)),
    "last": _slots.first_day <= bindparam("last", type_=Date),
}


class WantedSlots(NamedTuple):
    """Which slots are asked for; None: that does not matter.

    Attributes:
        refs: Units, groups and clusters of which they name one among their targets.
        first, last: Local days between which anything of them may sound.
    """

    unit_ids: Collection[str] | None = None
    slot_ids: Collection[str] | None = None
    refs: Collection[str] | None = None
    first: date | None = None
    last: date | None = None


class FileColumns(NamedTuple):
    """An audio file as slots name it."""

    digest: str
    duration_s: float
    size_bytes: int


SlotColumns = Row[*tuple[Any, ...]]
"""As ``_ALL`` has it."""


def slot_columns(db: Session, wanted: WantedSlots) -> Sequence[SlotColumns]:
    """Read the slots that are not withdrawn and for which all holds, by their ids."""
    return _answer(db, _ALL, wanted)


def slot_versions(db: Session, wanted: WantedSlots) -> Sequence[Row[str, str, int]]:
    """Read of the same slots nothing but id, unit and version."""
    return _answer(db, _VERSIONS, wanted)


def _answer(
    db: Session, question: Select[*tuple[Any, ...]], wanted: WantedSlots
) -> Sequence[SlotColumns]:
    facts = {name: fact for name, fact in wanted._asdict().items() if fact is not None}
    if wanted.first is not None:
        facts["first"] = wanted.first - _LONGEST
    db.flush()  # plain columns are read past the session: what waits in it is wanted too
    return db.execute(_narrowed(question, frozenset(facts)), facts).all()


def running(first: date, last: date) -> ColumnElement[bool]:
    """Ask for slots of which anything may sound between two local days."""
    not_over = SlotRow.last_day >= first - _LONGEST
    return (SlotRow.first_day <= last) & or_(SlotRow.last_day.is_(None), not_over)


def files(db: Session, digests: Collection[str]) -> list[FileColumns]:
    """Read what slots tell of some audio files."""
    return [FileColumns(*row) for row in db.execute(_FILES, {"digests": digests})]


@lru_cache(maxsize=8192)
def digests_in_order(written: str | None) -> tuple[str, ...]:
    """Read the files of a slot out of their column."""
    items = (one.partition(":") for one in written.split(",")) if written else ()
    return tuple(digest for _, _, digest in sorted(items, key=lambda item: int(item[0])))


@lru_cache(maxsize=64)
def _narrowed(
    question: Select[*tuple[Any, ...]], facts: frozenset[str]
) -> Select[*tuple[Any, ...]]:
    return question.where(*(_CONDITIONS[name] for name in sorted(facts)))
