"""Everything that is known of one announcement: what was said, who ordered it, who heard it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.content import Placed, assets, layout
from protocol.signing import unverified
from server.domain.authority import Action, Actor, demand
from server.domain.hearing import Heard, heard
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.services import broadcasting, monitoring
from server.services.as_run import stretches_of
from server.services.raising import Told, told_of
from server.services.speaking import words_of
from server.services.units import tree
from server.store.models import (
    AsRunRow,
    AssetRow,
    BroadcastRow,
    ClusterRow,
    DeliveryRow,
    SpeechRow,
    WaitingRow,
)
from server.store.queries import lists

if TYPE_CHECKING:
    from protocol.messages import Play


@dataclass(frozen=True, slots=True)
class Said:
    """One file of an announcement.

    Attributes:
        text: What it says, where a text was spoken: as it was written, or as its reading was
            corrected; empty for a recording.
        language: Tag of its language.
        turns: How often it was ordered.
    """

    digest: str
    title: str
    purpose: str
    language: str
    length_s: float
    text: str
    turns: int


@dataclass(frozen=True, slots=True)
class Witness:
    """What became of an announcement at one cluster.

    Attributes:
        outcome: As ``DeliveryRow.state`` and ``AsRunRow.outcome`` have it.
        is_own_word: The node said so; otherwise it was concluded from silence, or is not over.
        heard: What was heard, in order.
    """

    cluster_id: str
    name: str
    village: str
    unit_name: str
    received_at: datetime | None
    outcome: str
    reason: str
    is_own_word: bool
    heard: tuple[Heard, ...]


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did: ``asked``, ``confirmed``, ``sent`` or ``stopped``."""

    at: datetime
    act: str
    login: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything that is known of one announcement.

    Attributes:
        unit_name: As the unit was called on its day.
        places: Names of the units and clusters that were meant; of few they are all.
        but: Names of those that were left out.
        told: Who was asked to confirm it, and who was told of silent clusters.
        people: Full names by login.
        order_digest: SHA-256 of the signed order, by which nodes' words can be laid beside it.
    """

    broadcast: BroadcastRow
    unit_name: str
    places: tuple[str, ...]
    but: tuple[str, ...]
    said: tuple[Said, ...]
    witnesses: tuple[Witness, ...]
    deeds: tuple[Deed, ...]
    told: tuple[Told, ...]
    people: Mapping[str, str]
    order_digest: str

    @property
    def is_complete(self) -> bool:
        """Whether every cluster has had its last word."""
        told = all(one.is_own_word for one in self.witnesses)
        return told or self.broadcast.closed_at is not None

    @property
    def sounded(self) -> int:
        """How many clusters sounded any of it."""
        return sum(bool(one.heard) for one in self.witnesses)

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """From the first sound of any cluster to the last."""
        pieces = [piece for one in self.witnesses for piece in one.heard]
        if not pieces:
            return None
        return min(piece.start for piece in pieces), max(piece.end for piece in pieces)


def dossier(db: Session, broadcast_id: str, *, now: datetime, actor: Actor) -> Dossier:
    """Gather everything that is known of an announcement.

    Raises:
        UnknownThingError: No such broadcast.
        NotAllowedError: The actor may not see its unit.
    """
    row = broadcasting.find(db, broadcast_id)
    then = tree(db, today=local_day(row.start))
    today = tree(db, today=local_day(now))
    # Of a unit that has ended since, those see it who saw it on its day.
    seen_in = today if row.unit_id in today.units else then
    demand(actor, Action.VIEW, seen_in.chain(row.unit_id))
    # Nothing else is ever kept as the order of an announcement.
    claim = cast("Play", unverified(row.token).msg).claim
    placed = layout(claim.content)
    deeds = _deeds(db, row)
    targets = claim.targets
    names = monitoring.names(db, (*targets.clusters, *targets.exclude))
    return Dossier(
        broadcast=row,
        unit_name=_name(then, row.unit_id),
        places=tuple(_name(then, one) for one in targets.units)
        + tuple(names[one] for one in targets.clusters),
        but=tuple(names[one] for one in targets.exclude),
        said=_said(db, row, placed, [one.digest for one in assets(claim.content)]),
        witnesses=_witnesses(db, row, placed, then),
        deeds=deeds,
        told=tuple(told_of(db, row.broadcast_id)),
        people=lists.full_names(db, [deed.login for deed in deeds]),
        order_digest=sha256(row.token).hexdigest(),
    )


def _said(
    db: Session, row: BroadcastRow, placed: Sequence[Placed], digests: Sequence[str]
) -> tuple[Said, ...]:
    # Somebody who spoke is in no order: their recording came afterwards.
    if row.asset_digest and row.kind == "live":
        digests = [*digests, row.asset_digest]
    known = {
        one.digest: one for one in db.scalars(select(AssetRow).where(AssetRow.digest.in_(digests)))
    }
    spoken = select(SpeechRow).where(SpeechRow.digest.in_(digests)).order_by(SpeechRow.created_at)
    texts = {one.digest: one for one in db.scalars(spoken)}
    return tuple(
        Said(
            digest,
            known[digest].title,
            known[digest].purpose,
            texts[digest].language if digest in texts else known[digest].language,
            known[digest].duration_s,
            words_of(texts[digest]) if digest in texts else "",
            max(1, sum(one.asset.digest == digest for one in placed)),
        )
        for digest in digests
        if digest in known
    )


def _witnesses(
    db: Session, row: BroadcastRow, placed: Sequence[Placed], then: Tree
) -> tuple[Witness, ...]:
    rows = db.execute(
        select(DeliveryRow, ClusterRow.name, ClusterRow.village, AsRunRow)
        .join(ClusterRow, ClusterRow.cluster_id == DeliveryRow.cluster_id)
        .outerjoin(
            AsRunRow,
            (AsRunRow.claim_id == DeliveryRow.broadcast_id)
            & (AsRunRow.cluster_id == DeliveryRow.cluster_id),
        )
        .where(DeliveryRow.broadcast_id == row.broadcast_id)
    )
    found = [
        Witness(
            delivery.cluster_id,
            name,
            village,
            _name(then, then.clusters.get(delivery.cluster_id, "")),
            delivery.received_at,
            record.outcome if record else delivery.state,
            (record.reason if record else "") or delivery.reason,
            bool(record and record.source == "node"),
            heard(placed, stretches_of(record), goes_on=row.kind == "live") if record else (),
        )
        for delivery, name, village, record in rows
    ]
    return tuple(sorted(found, key=lambda one: (one.unit_name, one.village, one.name)))


def _deeds(db: Session, row: BroadcastRow) -> tuple[Deed, ...]:
    waited = db.get(WaitingRow, row.broadcast_id)
    found = [Deed(row.created_at, "sent", row.created_by)]
    if waited is not None:
        found.append(Deed(waited.asked_at, "asked", waited.asked_by))
    if row.confirmed_by:
        at = waited.decided_at if waited and waited.decided_at else row.created_at
        found.append(Deed(at, "confirmed", row.confirmed_by))
    if row.stopped_at and row.stopped_by:
        found.append(Deed(row.stopped_at, "stopped", row.stopped_by))
    order = ("asked", "confirmed", "sent", "stopped")
    return tuple(sorted(found, key=lambda deed: (order.index(deed.act), deed.at)))


def _name(places: Tree, unit_id: str) -> str:
    unit = places.units.get(unit_id)
    return unit.name if unit else unit_id
