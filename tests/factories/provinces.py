"""A province in a database: two communes with two clusters each, audio, and nodes."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import count

from sqlalchemy import select

from audio_library.assets import Asset, Loudness, Origin
from protocol.ids import AssetDigest
from protocol.messages import AssetRef, NodeWord
from protocol.signing import (
    Token,
    Trust,
    Verified,
    audience_node,
    audience_unit,
    check_scope,
    public_from_text,
    trust,
    unverified,
    verify,
)
from server.domain.authority import Actor
from server.services import (
    broadcasting,
    commissioning,
    drill_labels,
    reports,
    scheduling,
    units,
)
from server.services.broadcast_requests import NewBroadcast
from server.services.keyring import Keyring
from server.store.engine import Sessions
from server.store.models import AsRunRow, AssetRow, BroadcastRow, DeliveryRow, OutboxRow, SlotRow
from tests.factories.claims import NOON, an_asset
from tests.factories.slots import TODAY
from tests.factories.units import OPERATOR, PROVINCE, found_province

SPEECH, CHIME = an_asset("speech", duration_s=30.0), an_asset("chime", duration_s=2.0)
LABELS = an_asset("day la dien tap", duration_s=4.0), an_asset("het", duration_s=3.0)
CLUSTERS = ("xa-1-c1", "xa-1-c2", "xa-2-c1", "xa-2-c2")


def a_new_broadcast(request_id: str = "r-1", **overrides: object) -> NewBroadcast:
    """Make an emergency of the first commune to all of it."""
    boring = {
        "unit_id": "xa-1",
        "title": "Lũ lên nhanh",
        "bulletin_class": "emergency",
        "asset_digest": SPEECH.digest,
        "units": ("xa-1",),
    }
    return NewBroadcast(request_id, **{**boring, **overrides})


def a_new_slot(**overrides: object) -> scheduling.NewSlot:
    """Make an ordinary slot of the first commune to all of it, at half past five every day."""
    boring = {
        "unit_id": "xa-1",
        "title": "Bản tin sáng",
        "bulletin_class": "ordinary",
        "assets": (SPEECH.digest,),
        "recurrence": "daily",
        "local_start": time(5, 30),
        "first_day": TODAY + timedelta(days=1),
        "units": ("xa-1",),
    }
    return scheduling.NewSlot(**{**boring, **overrides})


@dataclass
class Province:
    """Calls the services as pages and gateway do, one transaction each."""

    sessions: Sessions
    keyring: Keyring
    _requests: count = field(default_factory=lambda: count(1))

    def found(self) -> "Province":
        with self.sessions.begin() as db:
            found_province(db, self.keyring)
            for asset, purpose in ((SPEECH, "warning"), (CHIME, "chime")):
                db.add(
                    AssetRow(
                        digest=asset.digest,
                        unit_id=PROVINCE,
                        title=purpose,
                        purpose=purpose,
                        duration_s=asset.duration_s,
                        size_bytes=asset.size_bytes,
                        created_at=NOON,
                        created_by="loa",
                    )
                )
        return self

    def commission(self, cluster: str, node: str | None = None, **overrides: object):
        facts = {"now": NOON, "actor": OPERATOR, "keyring": self.keyring, **overrides}
        with self.sessions.begin() as db:
            return commissioning.commission(
                db, node_id=node or f"n-{cluster}", cluster_id=cluster, **facts
            )

    def announce(
        self,
        request_id: str | None = None,
        *,
        now: datetime = NOON,
        actor: Actor = OPERATOR,
        **new: object,
    ) -> BroadcastRow:
        wanted = a_new_broadcast(request_id or f"r-{next(self._requests)}", **new)
        with self.sessions.begin() as db:
            return broadcasting.announce(db, wanted, now=now, actor=actor, keyring=self.keyring)

    def label(self, unit_id: str = "xa-1") -> None:
        """Keep the labels of drills as the product does that has spoken them."""
        made = zip(drill_labels.TEXTS, LABELS, strict=True)
        spoken = {purpose: _ingested(ref) for purpose, ref in made}
        with self.sessions.begin() as db:
            places = units.tree(db, today=TODAY)
            drill_labels.keep_labels(db, spoken, unit_id=unit_id, places=places, now=NOON)

    def stop(
        self, broadcast: BroadcastRow, *, now: datetime = NOON, actor: Actor = OPERATOR
    ) -> BroadcastRow:
        with self.sessions.begin() as db:
            return broadcasting.stop(
                db, broadcast.broadcast_id, now=now, actor=actor, keyring=self.keyring
            )

    def add_slot(self, *, now: datetime = NOON, actor: Actor = OPERATOR, **new: object) -> SlotRow:
        with self.sessions.begin() as db:
            return scheduling.add_slot(
                db, a_new_slot(**new), now=now, actor=actor, keyring=self.keyring
            )

    def withdraw(self, slot: SlotRow, *, now: datetime = NOON, actor: Actor = OPERATOR) -> SlotRow:
        with self.sessions.begin() as db:
            return scheduling.withdraw_slot(
                db, slot.slot_id, now=now, actor=actor, keyring=self.keyring
            )

    def run(self, service, **facts: object):
        """Call a service that takes a session in a transaction of its own."""
        with self.sessions.begin() as db:
            return service(db, **facts)

    def hear(self, node: str, *words: NodeWord, now: datetime = NOON) -> list[str | None]:
        """Take in what a node says, each word in a transaction of its own."""
        return [self.run(reports.take_in, node_id=node, word=word, now=now) for word in words]

    def rows(self, kind, **facts: object):
        """All rows of a kind about which the facts hold."""
        with self.sessions.begin() as db:
            return db.scalars(select(kind).filter_by(**facts)).all()

    def deliveries(self, broadcast: BroadcastRow) -> dict[str, DeliveryRow]:
        found = self.rows(DeliveryRow, broadcast_id=broadcast.broadcast_id)
        return {row.cluster_id: row for row in found}

    def as_run(self, claim: str) -> dict[str, AsRunRow]:
        found = self.rows(AsRunRow, claim_id=claim)
        by_cluster = {row.cluster_id: row for row in found}
        assert len(by_cluster) == len(found)
        return by_cluster

    def posted(self, topic_part: str = "") -> list[OutboxRow]:
        """What went into the outbox, oldest first, by a part of its topic."""
        found = self.rows(OutboxRow)
        return sorted(
            (row for row in found if topic_part in row.topic), key=lambda row: row.outbox_id
        )

    def said(self, topic_part: str) -> list[Token]:
        return [unverified(row.payload) for row in self.posted(topic_part)]


@dataclass(frozen=True)
class Listener:
    """Checks tokens as the node at one cluster does, from nothing but its own configuration."""

    node: str
    chain: tuple[str, ...]
    believed: Trust

    @classmethod
    def of(cls, config: bytes, root_key: str) -> "Listener":
        believed = trust(public_from_text(root_key), unverified(config).msg.certificates)
        node = unverified(config).msg.node
        verify(config, believed, audiences={audience_node(node)}, now=NOON)
        chain = tuple(place.unit for place in unverified(config).msg.chain)
        return cls(node, chain, believed)

    def hears(self, token: bytes, now: datetime = NOON) -> Verified:
        audiences = {audience_node(self.node), *map(audience_unit, self.chain)}
        verified = verify(token, self.believed, audiences=audiences, now=now)
        check_scope(verified, self.chain)
        return verified


def _ingested(ref: AssetRef) -> Asset:
    origin = Origin(1000, "wav", "pcm_s16le", 22_050, 1, Loudness(-20.0, -3.0), 0)
    frames = int(ref.duration_s * 48_000)
    facts = (-16.0, -3.0, 4.0, "c" * 64, "opus-48k-mono-1", origin)
    return Asset(AssetDigest(ref.digest), frames, ref.size_bytes, *facts)
