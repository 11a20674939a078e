"""Chains of announcements: which one follows which, as an all-clear or a correction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from server.domain.deliveries import FINAL
from server.domain.errors import Finding
from server.domain.followups import First, Relation, follow_findings
from server.services.drill_labels import unmarked
from server.store.models import BroadcastRow, DeliveryRow

MOST_IN_CHAIN = 50


@dataclass(frozen=True, slots=True)
class Link:
    """One announcement of a chain."""

    broadcast_id: str
    title: str
    start: datetime
    relation: str


@dataclass(frozen=True, slots=True)
class Chain:
    """What an announcement follows, nearest first, and what has followed it, oldest first."""

    before: tuple[Link, ...]
    after: tuple[Link, ...]


def is_over(db: Session, row: BroadcastRow, now: datetime) -> bool:
    """Say whether nothing of an announcement is to sound any more.

    Where every cluster has had its last word nobody need wait until the order itself has ended:
    that is minutes later, for nodes that were away.
    """
    if row.stopped_at is not None or row.closed_at is not None or row.end <= now:
        return True
    of_it = DeliveryRow.broadcast_id == row.broadcast_id
    awaited = exists().where(of_it, DeliveryRow.state.not_in(FINAL))
    return not db.scalar(select(awaited))


def wrong_to_follow(
    db: Session,
    follows: str,
    *,
    relation: str,
    unit_id: str,
    bulletin_class: str,
    mode: str,
    now: datetime,
) -> list[Finding]:
    """Find what keeps a new announcement from following another one."""
    row = db.get(BroadcastRow, follows)
    if row is None:
        return [Finding("follows-unknown")]
    first = First(row.unit_id, row.bulletin_class, row.mode, is_over(db, row, now))
    return follow_findings(
        first, relation=relation, unit_id=unit_id, bulletin_class=bulletin_class, mode=mode
    )


def chain_of(db: Session, row: BroadcastRow) -> Chain:
    """Read the chain around an announcement."""
    before: list[BroadcastRow] = []
    first = row
    while first.follows is not None and len(before) < MOST_IN_CHAIN:
        earlier = db.get(BroadcastRow, first.follows)
        if earlier is None:
            break
        before.append(earlier)
        first = earlier
    followers = (
        select(BroadcastRow)
        .where(BroadcastRow.follows == row.broadcast_id)
        .order_by(BroadcastRow.created_at)
        .limit(MOST_IN_CHAIN)
    )
    return Chain(_links(before), _links(db.scalars(followers)))


def title_after(row: BroadcastRow, relation: Relation) -> str:
    """Propose a title: content, so in the language that is announced."""
    words = {Relation.ALL_CLEAR: "Báo yên", Relation.CORRECTION: "Đính chính"}
    title = unmarked(row.title)
    return f"{words[relation]}: {title}"[:_LONGEST] if relation in words else title


def _links(rows: Iterable[BroadcastRow]) -> tuple[Link, ...]:
    return tuple(Link(row.broadcast_id, row.title, row.start, row.relation) for row in rows)


_LONGEST = 180
"""Leaves room for the mark of a drill."""
