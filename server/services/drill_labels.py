"""What a drill says of itself, before and after: spoken once by the product, kept by every node."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from audio_library.assets import Asset
from protocol.messages import Mode
from server.domain.units import Tree
from server.services.catalogue import DRILL_AFTER, DRILL_BEFORE
from server.store.gates import pass_gate
from server.store.models import AssetRow

MAKER = "loa"

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        DRILL_BEFORE: "Đây là diễn tập. Xin nhắc lại: đây là diễn tập.",
        DRILL_AFTER: "Hết phần diễn tập. Những gì vừa nghe không phải là thật.",
    }
)
"""What is said, by the purpose of its file. The law speaks Vietnamese, and so does the label."""


@dataclass(frozen=True, slots=True)
class DrillLabels:
    """The two files."""

    before: AssetRow
    after: AssetRow


MARK = "DIỄN TẬP: "
"""How the title of a drill begins, so that no list, export or record shows it as the real thing."""


def marked(title: str, *, mode: str) -> str:
    """Give a title as it is kept."""
    return f"{MARK}{unmarked(title)}" if mode == Mode.DRILL else title


def unmarked(title: str) -> str:
    """Give a title without the mark of a drill."""
    return title.removeprefix(MARK)


def labelled(parts: Sequence[AssetRow], labels: "DrillLabels | None") -> tuple[AssetRow, ...]:
    """List what sounds in each turn: a drill says what it is, before and after."""
    return tuple(parts) if labels is None else (labels.before, *parts, labels.after)


def drill_labels(db: Session, *, chain: Sequence[str]) -> DrillLabels | None:
    """Find the labels that the last unit of ``chain`` may use; None: they are not made yet."""
    rows = select(AssetRow).where(AssetRow.unit_id.in_(chain), AssetRow.purpose.in_(TEXTS))
    found = {row.purpose: row for row in db.scalars(rows.order_by(AssetRow.digest))}
    if found.keys() != TEXTS.keys():
        return None
    return DrillLabels(found[DRILL_BEFORE], found[DRILL_AFTER])


def keep_labels(
    db: Session, spoken: Mapping[str, Asset], *, unit_id: str, places: Tree, now: datetime
) -> None:
    """Enter the labels for all that is under the top unit above ``unit_id``. Twice is once."""
    top = places.chain(unit_id)[0]
    for purpose, asset in spoken.items():
        pass_gate(db, f"asset {asset.digest}")
        row = db.get(AssetRow, asset.digest)
        if row is None:
            db.add(
                AssetRow(
                    digest=asset.digest,
                    unit_id=top,
                    title=TEXTS[purpose],
                    purpose=purpose,
                    duration_s=asset.duration_s,
                    size_bytes=asset.size_bytes,
                    loudness_lufs=asset.loudness_lufs,
                    created_at=now,
                    created_by=MAKER,
                )
            )
