"""Slots as the values that the rules work on, out of their rows and columns."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from protocol.messages import AssetRef, BulletinClass, StartMode, Targets, WhenCut
from server.domain.public_holidays import HolidayChoice
from server.domain.recurrence import Recurrence, Rule
from server.domain.slots import ContentKind, Slot
from server.domain.targeting import chosen, cover
from server.domain.units import Tree
from server.store.models import AssetRow, SlotRow
from server.store.queries.slots import (
    SlotColumns,
    WantedSlots,
    digests_in_order,
    files,
    slot_columns,
)
from server.store.queries.targets import Target, picked

_NONE = "[]"

_Aim = tuple[Targets, frozenset[str]]
"""Targets as claims carry them, and the clusters that they come to."""


def read_slots(db: Session, wanted: WantedSlots, units: Tree) -> list[Slot]:
    """Read slots that are not withdrawn; a unit that has been dissolved has no time any more."""
    rows = [row for row in slot_columns(db, wanted) if row[1] in units.units]
    named = {digest for row in rows for digest in digests_in_order(row[14])}
    assets = {
        file.digest: AssetRef(
            digest=file.digest, duration_s=file.duration_s, size_bytes=file.size_bytes
        )
        for file in files(db, named)
    }
    aims: dict[tuple[str, str | None, str], _Aim] = {}
    return [_read(row, assets, aims, units) for row in rows]


def _read(
    row: SlotColumns,
    assets: Mapping[str, AssetRef],
    aims: dict[tuple[str, str | None, str], _Aim],
    units: Tree,
) -> Slot:
    (
        slot_id,
        unit_id,
        title,
        bulletin_class,
        content_kind,
        relay_url,
        languages,
        start_mode,
        wait_s,
        when_cut,
        gain_db,
        created_at,
        version,
        targets,
        items,
        *times,
    ) = row
    key = (unit_id, targets, languages)
    aim = aims.get(key)
    if aim is None:  # very many slots are for their whole unit
        aim = aims[key] = _aim(units, unit_id, picked(targets), words(languages))
    unit = units.unit(unit_id)
    class_, kind, mode, when_cut = _named(bulletin_class, content_kind, start_mode, when_cut)
    return Slot(
        slot_id,
        unit_id,
        unit.name,
        unit.level_rank,
        title,
        class_,
        rule_of_columns(tuple(times)),
        tuple([assets[digest] for digest in digests_in_order(items) if digest in assets]),
        *aim,
        when_cut,
        gain_db,
        created_at,
        kind,
        relay_url,
        mode,
        wait_s,
        version,
    )


@lru_cache(maxsize=256)
def _named(
    bulletin_class: str, content_kind: str, start_mode: str, when_cut: str
) -> tuple[BulletinClass, ContentKind, StartMode, WhenCut]:
    """Name what columns say in words; there are few ways to put them together."""
    return (
        BulletinClass(bulletin_class),
        ContentKind(content_kind),
        StartMode(start_mode),
        WhenCut(when_cut),
    )


def slot_value(row: SlotRow, units: Tree) -> Slot:
    """Turn a row, with its items and targets, into the value that the rules work on."""
    unit = units.unit(row.unit_id)
    aimed = ((target.kind, target.ref) for target in row.targets)
    targets, clusters = _aim(units, row.unit_id, aimed, row.languages)
    return Slot(
        slot_id=row.slot_id,
        unit_id=row.unit_id,
        unit_name=unit.name,
        level=unit.level_rank,
        title=row.title,
        bulletin_class=BulletinClass(row.bulletin_class),
        rule=rule_of(row),
        items=tuple(asset_ref(item.asset) for item in row.items),
        targets=targets,
        clusters=clusters,
        when_cut=WhenCut(row.when_cut),
        gain_db=row.gain_db,
        created_at=row.created_at,
        content_kind=ContentKind(row.content_kind),
        relay_url=row.relay_url,
        start_mode=StartMode(row.start_mode),
        wait_s=row.wait_s,
        version=row.version,
    )


def rule_of(row: SlotRow) -> Rule:
    """Turn a slot's row into its rule."""
    return rule_of_columns(
        (
            row.recurrence,
            row.local_start,
            row.duration_s,
            row.first_day,
            row.last_day,
            row.weekdays,
            row.pattern,
            row.holidays,
            json.dumps(row.excluded_days),
        )
    )


@lru_cache(maxsize=16_384)
def rule_of_columns(times: tuple[Any, ...]) -> Rule:
    """Turn the columns ``TIMES`` of a slot into its rule; the same ones are read all day."""
    recurrence, start, duration_s, first_day, last_day, weekdays, pattern, holidays, excluded = (
        times
    )
    return Rule(
        Recurrence(recurrence),
        start,
        timedelta(seconds=duration_s),
        first_day,
        last_day,
        weekdays,
        pattern,
        HolidayChoice(holidays),
        frozenset(date.fromisoformat(day) for day in words(excluded)),
    )


def words(text: str) -> Sequence[str]:
    """Read a list of words that was asked for as text; nearly all are empty."""
    return () if text == _NONE else json.loads(text)


def _aim(units: Tree, unit_id: str, aimed: Iterable[Target], languages: Sequence[str]) -> _Aim:
    by_kind = sorted_out(aimed)
    clusters = clusters_of(by_kind, languages, units)
    if by_kind["group"] or languages:
        return narrowed(units, unit_id, clusters), clusters
    targets = Targets(
        units=tuple(by_kind["unit"]),
        clusters=tuple(by_kind["cluster"]),
        exclude=tuple(by_kind["except"]),
    )
    return targets, clusters


def sorted_out(aimed: Iterable[Target]) -> dict[str, list[str]]:
    """Put what a slot targets under its kinds, in order."""
    by_kind: dict[str, list[str]] = {"unit": [], "cluster": [], "except": [], "group": []}
    for kind, ref in sorted(aimed):
        by_kind[kind].append(ref)
    return by_kind


def clusters_of(
    by_kind: Mapping[str, Sequence[str]], languages: Sequence[str], units: Tree
) -> frozenset[str]:
    """Resolve what a slot targets; what is there no more is left out."""
    there = [ref for ref in by_kind["unit"] if ref in units.units]
    besides = languages or by_kind["cluster"] or by_kind["except"] or by_kind["group"]
    if len(there) == 1 and not besides:  # so it is with most of thousands
        return units.clusters_under(there[0])
    return chosen(
        units,
        units=there,
        clusters=[ref for ref in by_kind["cluster"] if ref in units.clusters],
        exclude=by_kind["except"],
        groups=[ref for ref in by_kind["group"] if ref in units.groups],
        languages=languages,
    )


def narrowed(units: Tree, unit_id: str, clusters: frozenset[str]) -> Targets:
    """Name clusters as claims do: nodes know neither groups nor who speaks which language."""
    covered = cover(units, unit_id, clusters & units.clusters_under(unit_id))
    return Targets(units=covered.units, clusters=covered.clusters)


def asset_ref(row: AssetRow) -> AssetRef:
    """Name a file as claims do."""
    return AssetRef(digest=row.digest, duration_s=row.duration_s, size_bytes=row.size_bytes)


def refs(row: SlotRow, kind: str) -> tuple[str, ...]:
    """List what a slot targets of one kind."""
    return tuple(sorted(target.ref for target in row.targets if target.kind == kind))
