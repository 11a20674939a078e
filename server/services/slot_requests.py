"""A slot as somebody asks for it: what is wrong with it, and what it comes to."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from protocol.messages import (
    LEAST_GAIN_DB,
    RELAY_PATTERN,
    BulletinClass,
    StartMode,
    Targets,
    WhenCut,
)
from server.domain.errors import Finding, PatternError
from server.domain.languages import is_language
from server.domain.names import in_a_line
from server.domain.public_holidays import HolidayChoice
from server.domain.recurrence import EVERY_DAY, LOCAL, Recurrence, Rule, check, is_usable
from server.domain.slots import ContentKind, Slot
from server.domain.targeting import chosen
from server.domain.units import Tree
from server.services.catalogue import assets, may_use
from server.services.slot_values import asset_ref, narrowed, refs
from server.services.texts import is_line
from server.store.models import AssetRow, SlotItemRow, SlotRow, SlotTargetRow

MOST_ITEMS = 500
MOST_EXCLUDED = 1000
SHORTEST_S, LONGEST_S = 1.0, 86_400.0
LONGEST_WAIT_S = 3600.0


@dataclass(frozen=True, slots=True)
class NewSlot:
    """A slot as somebody asks for it; times are on the wall in Asia/Ho_Chi_Minh.

    Attributes:
        assets: Digests of its files, in the order in which they sound.
        length_s: How long it lasts; None: as long as its files.
        excluded_days: Local days on which it does not come.
        groups: Groups of clusters that are meant besides units and clusters.
        languages: Only clusters at which one of these is spoken; none: all.
        override: Slots of lower levels that it may lie over.
    """

    unit_id: str
    title: str
    bulletin_class: str
    recurrence: str
    local_start: time
    first_day: date
    last_day: date | None = None
    weekdays: int = EVERY_DAY
    pattern: str = ""
    holidays: str = "any"
    excluded_days: tuple[date, ...] = ()
    content_kind: str = "files"
    assets: tuple[str, ...] = ()
    relay_url: str = ""
    length_s: float | None = None
    units: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    start_mode: str = "cut"
    wait_s: float = 0.0
    when_cut: str = "rejoin"
    gain_db: float = 0.0
    override: tuple[str, ...] = ()


def as_new(row: SlotRow) -> NewSlot:
    """Turn a saved slot, read with its items and targets, back into what one would ask for."""
    return NewSlot(
        unit_id=row.unit_id,
        title=row.title,
        bulletin_class=row.bulletin_class,
        recurrence=row.recurrence,
        local_start=row.local_start,
        first_day=row.first_day,
        last_day=None if row.recurrence == Recurrence.ONCE else row.last_day,
        weekdays=row.weekdays,
        pattern=row.pattern,
        holidays=row.holidays,
        excluded_days=tuple(date.fromisoformat(day) for day in row.excluded_days),
        content_kind=row.content_kind,
        assets=tuple(item.asset_digest for item in row.items),
        relay_url=row.relay_url,
        length_s=row.duration_s,
        units=refs(row, "unit"),
        groups=refs(row, "group"),
        clusters=refs(row, "cluster"),
        exclude=refs(row, "except"),
        languages=tuple(row.languages),
        start_mode=row.start_mode,
        wait_s=row.wait_s,
        when_cut=row.when_cut,
        gain_db=row.gain_db,
        override=tuple(row.overrides),
    )


def files_of(db: Session, new: NewSlot) -> Mapping[str, AssetRow]:
    """Read the files that a slot asks for, as far as there are any, by digest."""
    wanted = set(new.assets[: MOST_ITEMS + 1])
    return {row.digest: row for row in assets(db, wanted)}


def findings(
    new: NewSlot, files: Mapping[str, AssetRow], units: Tree, now: datetime
) -> list[Finding]:
    """Say everything that is wrong with a slot taken by itself."""
    return [
        *_wrong_words(new),
        *wrong_rule(new),
        *wrong_days(new, now),
        *_wrong_content(new, files, units),
        *_wrong_targets(new, units),
    ]


def length_of(new: NewSlot, files: Mapping[str, AssetRow]) -> float:
    """Tell how long a slot lasts, in seconds: as asked, else as long as its files."""
    if new.length_s is not None:
        return new.length_s
    return sum(files[digest].duration_s for digest in new.assets)


def _wrong_words(new: NewSlot) -> Iterator[Finding]:
    if not is_line(new.title):
        yield Finding("bad-title")
    if new.bulletin_class not in (BulletinClass.ORDINARY, BulletinClass.PRIORITY):
        # An emergency is never scheduled: it plays at once (Circular 39/2020/TT-BTTTT).
        yield Finding("not-allowed-class", {"class": new.bulletin_class})
    if new.when_cut not in set(WhenCut):
        yield Finding("bad-when-cut", {"when_cut": new.when_cut[:20]})
    if new.start_mode not in set(StartMode):
        yield Finding("bad-start-mode")
    if not 0 <= new.wait_s <= LONGEST_WAIT_S:
        yield Finding("bad-wait")
    if not LEAST_GAIN_DB <= new.gain_db <= 0:
        # Nodes refuse a plan whole when one of its claims is louder than full.
        yield Finding("bad-gain")


def _wrong_content(new: NewSlot, files: Mapping[str, AssetRow], units: Tree) -> Iterator[Finding]:
    if new.content_kind not in set(ContentKind):
        yield Finding("bad-content-kind")
        return
    missing = [
        digest
        for digest in new.assets
        if digest not in files or not may_use(units, files[digest], new.unit_id)
    ]
    if missing:
        yield Finding("unknown-asset", {"digest": missing[0][:64]})
    if len(new.assets) > MOST_ITEMS:
        yield Finding("too-many-items", {"most": str(MOST_ITEMS)})
    yield from _wrong_for_kind(new)
    if missing or not _has_length(new):
        return
    if not SHORTEST_S <= length_of(new, files) <= LONGEST_S:
        yield Finding("bad-length")


def _wrong_for_kind(new: NewSlot) -> Iterator[Finding]:
    relay = new.content_kind == ContentKind.RELAY
    if relay and (new.assets or not is_relay_address(new.relay_url)):
        yield Finding("bad-relay")
    if not relay and new.relay_url:
        yield Finding("relay-unused")
    if new.content_kind == ContentKind.FILES and not new.assets:
        yield Finding("no-audio")
    if new.content_kind != ContentKind.FILES and new.length_s is None:
        yield Finding("no-length")


def _has_length(new: NewSlot) -> bool:
    return new.length_s is not None or bool(new.assets)


def is_relay_address(url: str) -> bool:
    """Say whether nodes would take an address as that of a radio station."""
    return re.search(RELAY_PATTERN, url) is not None


def wrong_rule(new: NewSlot) -> list[Finding]:
    """Say what makes no recurrence of what was asked for."""
    if new.recurrence not in set(Recurrence):
        return [Finding("bad-recurrence", {"recurrence": new.recurrence[:20]})]
    if new.recurrence == Recurrence.WEEKLY and not 0 < new.weekdays <= EVERY_DAY:
        return [Finding("bad-weekdays")]
    if new.holidays not in set(HolidayChoice):
        return [Finding("bad-holidays")]
    if len(new.excluded_days) > MOST_EXCLUDED:
        return [Finding("too-many-excluded", {"most": str(MOST_EXCLUDED)})]
    try:
        check(Recurrence(new.recurrence), new.pattern, new.local_start)
    except PatternError as error:
        return [error.finding]
    return []


def wrong_days(new: NewSlot, now: datetime) -> list[Finding]:
    """Say what is wrong with the first and the last day, and the time on them."""
    if new.local_start.tzinfo is not None:
        # It is read off the wall: 02:00Z would come seven hours early.
        return [Finding("bad-time", {"field": "local_start"})]
    if not is_usable(new.first_day):
        return [Finding("bad-day")]
    if new.last_day is not None and not is_usable(new.last_day):
        return [Finding("bad-day", {"field": "last_day"})]
    wrong = []
    if new.last_day is not None and new.last_day < new.first_day:
        wrong.append(Finding("days-reversed"))
    last = new.first_day if new.recurrence == Recurrence.ONCE else new.last_day
    if last is not None and datetime.combine(last, new.local_start, LOCAL) < now:
        field = "first_day" if new.recurrence == Recurrence.ONCE else "last_day"
        wrong.append(Finding("past", {"day": f"{last:%d/%m/%Y}", "field": field}))
    return wrong


def _wrong_targets(new: NewSlot, units: Tree) -> Iterator[Finding]:
    missing = [unit for unit in new.units if unit not in units.units]
    missing += [one for one in (*new.clusters, *new.exclude) if one not in units.clusters]
    missing += [group for group in new.groups if group not in units.groups]
    if missing:
        yield Finding("unknown-target", {"targets": in_a_line(missing), "field": "units"})
        return
    inside = set(units.subtree(new.unit_id))
    below = units.clusters_under(new.unit_id)
    outside = [unit for unit in new.units if unit not in inside]
    outside += [cluster for cluster in (*new.clusters, *new.exclude) if cluster not in below]
    outside += [group for group in new.groups if not units.groups[group] <= below]
    if outside:
        yield Finding("out-of-scope", {"targets": in_a_line(outside)})
        return
    unknown = [one for one in new.languages if not is_language(one)]
    if unknown:
        yield Finding("bad-language", {"language": unknown[0][:20]})
        return
    if not _meant(new, units):
        yield Finding("no-target")


def _meant(new: NewSlot, units: Tree) -> frozenset[str]:
    return chosen(
        units,
        units=new.units,
        clusters=new.clusters,
        exclude=new.exclude,
        groups=new.groups,
        languages=new.languages,
    )


def value_of(
    new: NewSlot,
    files: Mapping[str, AssetRow],
    units: Tree,
    *,
    slot_id: str,
    created_at: datetime,
    version: int = 1,
) -> Slot:
    """Make the value that the rules work on, of a slot whose fields are right."""
    unit = units.unit(new.unit_id)
    clusters = _meant(new, units)
    targets = Targets(units=new.units, clusters=new.clusters, exclude=new.exclude)
    return Slot(
        slot_id=slot_id,
        unit_id=new.unit_id,
        unit_name=unit.name,
        level=unit.level_rank,
        title=new.title.strip(),
        bulletin_class=BulletinClass(new.bulletin_class),
        rule=rule_of(new, timedelta(seconds=length_of(new, files))),
        items=tuple(asset_ref(files[digest]) for digest in new.assets),
        targets=(
            narrowed(units, new.unit_id, clusters) if new.groups or new.languages else targets
        ),
        clusters=clusters,
        when_cut=WhenCut(new.when_cut),
        gain_db=new.gain_db,
        created_at=created_at,
        content_kind=ContentKind(new.content_kind),
        relay_url=new.relay_url,
        start_mode=StartMode(new.start_mode),
        wait_s=new.wait_s,
        version=version,
    )


def rule_of(new: NewSlot, length: timedelta) -> Rule:
    """Make the rule of a slot whose fields are right."""
    recurrence = Recurrence(new.recurrence)
    once = recurrence is Recurrence.ONCE
    return Rule(
        recurrence,
        new.local_start,
        length,
        new.first_day,
        new.first_day if once else new.last_day,
        new.weekdays if recurrence is Recurrence.WEEKLY else EVERY_DAY,
        new.pattern,
        HolidayChoice.ANY if once else HolidayChoice(new.holidays),
        frozenset(new.excluded_days),
    )


def write(row: SlotRow, new: NewSlot, slot: Slot, files: Mapping[str, AssetRow]) -> None:
    """Put a slot into its row, whether that is a new one or one that is changed."""
    row.title = slot.title
    row.bulletin_class = slot.bulletin_class.value
    row.content_kind = slot.content_kind.value
    row.relay_url = slot.relay_url
    row.recurrence = slot.rule.recurrence.value
    row.weekdays = slot.rule.weekdays
    row.pattern = slot.rule.pattern
    row.holidays = slot.rule.holidays.value
    row.excluded_days = sorted(day.isoformat() for day in slot.rule.excluded)
    row.local_start = slot.rule.local_start
    row.duration_s = slot.rule.length.total_seconds()
    row.first_day = slot.rule.first_day
    row.last_day = slot.rule.last_day
    row.start_mode = slot.start_mode.value
    row.wait_s = slot.wait_s
    row.when_cut = slot.when_cut.value
    row.gain_db = slot.gain_db
    row.languages = sorted(set(new.languages))
    row.overrides = sorted(set(new.override))
    row.version = slot.version
    _write_parts(row, new, files)


def _write_parts(row: SlotRow, new: NewSlot, files: Mapping[str, AssetRow]) -> None:
    # Rows that stay are kept as they are: the database would refuse a second one of their name.
    held = {item.position: item for item in row.items}
    row.items = [
        _item(held.get(position), position, files[digest])
        for position, digest in enumerate(new.assets)
    ]
    picked: dict[str, Sequence[str]] = {
        "unit": new.units,
        "group": new.groups,
        "cluster": new.clusters,
        "except": new.exclude,
    }
    targets = {(target.kind, target.ref): target for target in row.targets}
    row.targets = [
        targets.get((kind, ref)) or SlotTargetRow(kind=kind, ref=ref)
        for kind, chosen_refs in picked.items()
        for ref in dict.fromkeys(chosen_refs)
    ]


def _item(held: SlotItemRow | None, position: int, asset: AssetRow) -> SlotItemRow:
    item = held or SlotItemRow(position=position)
    item.asset = asset
    item.asset_digest = asset.digest
    return item
