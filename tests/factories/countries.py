"""Whole provinces of rows, entered in bulk: as many clusters and slots as a country has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from random import Random

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from server.services.keyring import Keyring
from server.store.models import (
    AssetRow,
    ClusterRow,
    ClusterUnitRow,
    FrameRow,
    LevelRow,
    SlotItemRow,
    SlotRow,
    SlotTargetRow,
    UnitEdgeRow,
    UnitRow,
)
from tests.factories.claims import NOON, an_asset
from tests.factories.slots import TODAY

Row = tuple[dict[str, object], str, list[dict[str, object]]]
"""The columns of a slot, its file, and the columns of each of its targets."""

SINCE = date(2025, 7, 1)
LENGTHS_S = (30.0, 60.0, 180.0, 300.0, 600.0, 900.0, 1800.0)
A_YEAR = 365

KINDS = (
    ("daily", ("",), 25),
    ("weekly", ("",), 40),
    ("once", ("",), 25),
    ("monthly", ("BYMONTHDAY=15", "BYMONTHDAY=-1", "BYDAY=1MO"), 4),
    ("lunar", ("DAY=1", "DAY=15", "DAY=10;MONTH=3"), 4),
    ("rrule", ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "FREQ=MONTHLY;BYDAY=-1SU"), 2),
)
"""Kinds of recurrence with their patterns, and how many of a hundred slots are of each."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of everything in one province."""

    communes: int = 120
    clusters: int = 866
    slots: int = 10_000


@dataclass(frozen=True, slots=True)
class BigProvince:
    """The ids of what was entered: clusters by commune."""

    unit_id: str
    clusters: dict[str, tuple[str, ...]]

    @property
    def communes(self) -> tuple[str, ...]:
        return tuple(self.clusters)

    @property
    def all_clusters(self) -> tuple[str, ...]:
        return tuple(cluster for own in self.clusters.values() for cluster in own)


def enter_country(
    db: Session, *sizes: Size, provinces: int = 1, keyring: Keyring | None = None, seed: int = 1
) -> list[BigProvince]:
    """Enter provinces ``t1``, ``t2``, … of each size with everything; with a key ring, keys too.

    Slots lie anywhere in the day and may clash, as long as they are older than the check.
    """
    random = Random(seed)  # noqa: S311 - no secret: the same country every time
    db.execute(
        insert(LevelRow),
        [{"rank": rank, "name_vi": name, "name_en": name} for rank, name in enumerate("TX")],
    )
    entered = [
        _enter(db, f"t{number}", size, keyring, random)
        for number, size in enumerate(sizes * provinces, 1)
    ]
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("ANALYZE"))  # in time its own housekeeping does this
    return entered


def _enter(
    db: Session, unit_id: str, size: Size, keyring: Keyring | None, random: Random
) -> BigProvince:
    communes = [f"{unit_id}-x{number}" for number in range(1, size.communes + 1)]
    clusters: dict[str, tuple[str, ...]] = dict.fromkeys(communes, ())
    for number in range(size.clusters):
        commune = communes[number % len(communes)]
        clusters[commune] += (f"{commune}-c{len(clusters[commune]) + 1}",)
    province = BigProvince(unit_id, clusters)
    _enter_units(db, province, keyring)
    _enter_clusters(db, province)
    enter_frames(db, province)
    enter_slots(db, province, size.slots, random)
    return province


def _enter_units(db: Session, province: BigProvince, keyring: Keyring | None) -> None:
    ranks = {province.unit_id: 0, **dict.fromkeys(province.communes, 1)}
    db.execute(
        insert(UnitRow),
        [
            {"unit_id": unit, "name": f"Đơn vị {unit}", "level_rank": rank, "valid_from": SINCE}
            for unit, rank in ranks.items()
        ],
    )
    db.execute(
        insert(UnitEdgeRow),
        [
            {"child_id": commune, "parent_id": province.unit_id, "valid_from": SINCE}
            for commune in province.communes
        ],
    )
    if keyring is not None:
        for unit, rank in ranks.items():
            keyring.issue(db, unit_id=unit, level=rank, configures=rank == 0, now=NOON)
        db.flush()


def _enter_clusters(db: Session, province: BigProvince) -> None:
    # Many rows in one statement: on PostgreSQL each statement changes the one row that tells of the
    # tree, and all versions of it are looked through until the transaction ends.
    clusters = [
        {"cluster_id": one, "name": f"Cụm {one}", "village": f"Thôn {one}", "people": 100}
        for one in province.all_clusters
    ]
    places = [
        {"cluster_id": one, "unit_id": commune, "valid_from": SINCE}
        for commune, own in province.clusters.items()
        for one in own
    ]
    for first in range(0, len(clusters), 1_000):
        part = slice(first, first + 1_000)
        db.execute(insert(ClusterRow).values(clusters[part]))
        db.execute(insert(ClusterUnitRow).values(places[part]))


def enter_frames(db: Session, province: BigProvince) -> None:
    """Lay down the hours of the province, one of each commune's own, and quiet nights."""
    hours = [
        (province.unit_id, None, 0, time(5), time(6), "frame"),
        (province.unit_id, None, 1, time(6), time(21), "frame"),
        (province.unit_id, None, None, time(22), time(4, 30), "quiet"),
        *((commune, None, None, time(12), time(13, 30), "quiet") for commune in province.communes),
    ]
    db.execute(
        insert(FrameRow),
        [
            {
                "frame_id": f"f-{unit}-{number}",
                "unit_id": unit,
                "owner_id": owner,
                "owner_rank": rank,
                "local_start": start,
                "local_end": end,
                "kind": kind,
            }
            for number, (unit, owner, rank, start, end, kind) in enumerate(hours)
        ],
    )


def enter_slots(db: Session, province: BigProvince, count: int, random: Random) -> None:
    """Add slots: one in fifty of the province, the others spread over the communes."""
    assets = _enter_assets(db, province)
    rows = list(_slots(province, count, assets, random))
    for chunk in _chunks(rows, 5_000):
        db.execute(insert(SlotRow), [slot for slot, *_ in chunk])
        items = [
            {"slot_id": slot["slot_id"], "position": 0, "asset_digest": digest}
            for slot, digest, _ in chunk
        ]
        db.execute(insert(SlotItemRow), items)
        db.execute(insert(SlotTargetRow), [target for *_, targets in chunk for target in targets])


def _enter_assets(db: Session, province: BigProvince) -> dict[float, str]:
    digests = {
        length_s: an_asset(f"{province.unit_id} {length_s}").digest for length_s in LENGTHS_S
    }
    db.execute(
        insert(AssetRow),
        [
            {
                "digest": digest,
                "unit_id": province.unit_id,
                "title": f"{length_s:g} s",
                "purpose": "programme",
                "duration_s": length_s,
                "size_bytes": int(16_000 * length_s),
                "created_at": NOON,
                "created_by": "loa",
            }
            for length_s, digest in digests.items()
        ],
    )
    return digests


def _slots(
    province: BigProvince, count: int, assets: dict[float, str], random: Random
) -> Iterator[Row]:
    kinds = random.choices(KINDS, [weight for *_, weight in KINDS], k=count)
    communes = province.communes
    for number, (recurrence, patterns, _) in enumerate(kinds):
        owner = province.unit_id if number % 50 == 0 else communes[number % len(communes)]
        slot_id = f"s-{province.unit_id}-{number}"
        length_s = random.choice(LENGTHS_S)
        first = TODAY + timedelta(days=random.randrange(-A_YEAR, A_YEAR // 4))
        if recurrence == "once":
            first = TODAY + timedelta(days=random.randrange(-A_YEAR // 2, A_YEAR // 2))
        lasts = timedelta(days=random.randrange(30, 2 * A_YEAR))
        last = first if recurrence == "once" else random.choice((None, first + lasts))
        slot = {
            "slot_id": slot_id,
            "unit_id": owner,
            "title": f"Chương trình {number}",
            "bulletin_class": "priority" if random.random() < 0.1 else "ordinary",
            "recurrence": recurrence,
            "weekdays": random.randrange(1, 128) if recurrence == "weekly" else 127,
            "pattern": random.choice(patterns),
            "holidays": "except" if random.random() < 0.05 and recurrence != "once" else "any",
            "local_start": time(random.randrange(5, 21), random.randrange(0, 60, 5)),
            "duration_s": length_s,
            "first_day": first,
            "last_day": last,
            "created_at": NOON,
            "created_by": "loa",
        }
        picked = _targets(province, owner, random)
        targets = [{"slot_id": slot_id, "kind": kind, "ref": ref} for kind, ref in picked]
        yield slot, assets[length_s], targets


def _targets(province: BigProvince, owner: str, random: Random) -> Sequence[tuple[str, str]]:
    if owner == province.unit_id:
        if random.random() < 0.5:
            return [("unit", owner)]
        return [
            ("unit", commune)
            for commune in random.sample(province.communes, k=min(5, len(province.communes)))
        ]
    own = province.clusters[owner]
    match random.randrange(10):
        case 0 if own:
            return [("cluster", random.choice(own))]
        case 1 if len(own) > 1:
            return [("unit", owner), ("except", random.choice(own))]
        case _:
            return [("unit", owner)]


def _chunks(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    return (rows[at : at + size] for at in range(0, len(rows), size))
