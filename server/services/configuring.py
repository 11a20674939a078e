"""The signed configuration of each node: published anew when it would say something else."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, undefer

from protocol import topics
from protocol.errors import RefusedError
from protocol.ids import NodeId
from protocol.messages import AssetRef, Config, TalkKey, UnitPlace
from protocol.plan import Place
from protocol.signing import audience_node, sign, unverified
from server.domain.recurrence import local_day
from server.domain.units import VIETNAMESE, Tree
from server.services import outbox
from server.services.catalogue import default_opening, pinned
from server.services.holding import in_mid_programme
from server.services.keyring import Keyring, certificates, revoked_keys
from server.services.slot_values import asset_ref
from server.services.units import tree
from server.store.models import ClusterRow, GroupMemberRow, NodeRow
from server.store.queries.among import among

CONFIG_LIFE = timedelta(days=365)

RENEWED_BEFORE_END = timedelta(days=90)
"""A node that was in a store-room for a season must still find one that holds."""

MOST_AT_ONCE = 50
"""Signed in one transaction: an urgent order must not wait for a province of them."""


@dataclass(frozen=True, slots=True)
class _Common:
    """What many nodes' configurations are made of, read once for all of them."""

    now: datetime
    units: Tree
    groups: Mapping[str, tuple[str, ...]]
    revoked: tuple[str, ...]
    by_chain: dict[tuple[str, ...], Config] = field(default_factory=dict)
    openings: dict[tuple[str, ...], AssetRef | None] = field(default_factory=dict)


def publish_config(
    db: Session,
    node_id: str,
    *,
    now: datetime,
    keyring: Keyring,
    audio_urls: tuple[str, ...] | None = None,
) -> None:
    """Sign a node's configuration anew and post it, retained.

    Args:
        db: The transaction.
        node_id: Whose.
        now: When it is signed.
        keyring: Signs it.
        audio_urls: Where audio files are; None: where the node was told before.
    """
    _publish(db, node_id, _common(db, now), keyring, audio_urls)


def publish_configs(
    db: Session, node_ids: Iterable[str], *, now: datetime, keyring: Keyring
) -> None:
    """Sign the configurations of some nodes anew and post them; what they share is read once."""
    common = _common(db, now)
    for node_id in node_ids:
        _publish(db, node_id, common, keyring, None)


def _publish(
    db: Session,
    node_id: str,
    common: _Common,
    keyring: Keyring,
    audio_urls: tuple[str, ...] | None,
) -> None:
    # Locked: two at once would give one version to two contents.
    node = db.get_one(
        NodeRow, node_id, with_for_update=True, options=[undefer(NodeRow.config_token)]
    )
    cluster = db.get_one(ClusterRow, node.cluster_id)
    now = common.now
    if audio_urls is None:
        told = _told(node)
        audio_urls = told[0].audio if told else ()
    node.config_version = max(node.config_version + 1, int(now.timestamp()))
    config = msgspec.structs.replace(
        _config(db, node, cluster, common), version=node.config_version, audio=audio_urls
    )
    node.config_token = sign(
        keyring.configuring_key(db, now=now),
        config,
        audience=[audience_node(node_id)],
        issued_at=now,
        expires=now + CONFIG_LIFE,
        token_id=f"config-{node_id}-{config.version}",
    )
    outbox.post(
        db,
        topic=topics.node_config(NodeId(node_id)),
        payload=node.config_token,
        retained=True,
        expires_at=None,
        now=now,
    )


def publish_due_configs(
    db: Session,
    *,
    now: datetime,
    keyring: Keyring,
    under: str | None = None,
    most: int = MOST_AT_ONCE,
) -> int:
    """Publish the configuration of every node, or of those under a unit, that is due anew.

    No more than ``most``; the scheduler sees to the others.

    Returns:
        How many were published.
    """
    due = due_nodes(db, now=now, under=under)[:most]
    publish_configs(db, due, now=now, keyring=keyring)
    return len(due)


def due_nodes(db: Session, *, now: datetime, under: str | None = None) -> list[str]:
    """List the nodes whose configuration would say something else now, or is soon at its end.

    Those that sound what they would lose with it are left out until that has ended.
    """
    return due_nodes_and_held(db, now=now, under=under)[0]


def due_nodes_and_held(
    db: Session,
    *,
    now: datetime,
    under: str | None = None,
    clusters: Collection[str] | None = None,
) -> tuple[list[str], list[str]]:
    """List the nodes whose configuration is due, and those that must not be disturbed yet.

    Args:
        db: The transaction.
        now: When.
        under: Nodes under one unit only.
        clusters: Nodes of these clusters only.
    """
    common = _common(db, now)
    units = common.units
    wanted = units.clusters.keys() if under is None else units.clusters_under(under)
    rows = _active_with_clusters()
    if clusters is not None:
        rows = rows.where(among(NodeRow.cluster_id, clusters))
    ready: list[str] = []
    leaving: dict[str, Place] = {}
    for node, cluster in db.execute(rows):
        told = _told(node)
        if cluster.cluster_id not in wanted or not _is_due(db, node, cluster, told, common):
            continue
        ready.append(node.node_id)
        held = () if told is None else tuple(place.unit for place in told[0].chain)
        if not set(held) <= set(units.chain_of_cluster(cluster.cluster_id)):
            leaving[node.node_id] = Place(cluster.cluster_id, held)
    busy = in_mid_programme(db, leaving, units=units, now=now)
    return [node for node in ready if node not in busy], sorted(busy)


def clusters_of(db: Session, nodes: Collection[str]) -> dict[str, str]:
    """Tell the cluster of each node."""
    places = select(NodeRow.node_id, NodeRow.cluster_id).where(among(NodeRow.node_id, nodes))
    return dict(db.execute(places).all())


def _is_due(
    db: Session,
    node: NodeRow,
    cluster: ClusterRow,
    told: tuple[Config, datetime] | None,
    common: _Common,
) -> bool:
    if told is None:
        return True
    said, ends = told
    would_say = msgspec.structs.replace(
        _config(db, node, cluster, common), version=said.version, audio=said.audio
    )
    return would_say != said or ends - common.now < RENEWED_BEFORE_END


def _common(db: Session, now: datetime) -> _Common:
    members = select(GroupMemberRow.cluster_id, GroupMemberRow.group_id)
    groups: dict[str, tuple[str, ...]] = {}
    for cluster_id, group_id in db.execute(members.order_by(GroupMemberRow.group_id)):
        groups[cluster_id] = (*groups.get(cluster_id, ()), group_id)
    return _Common(now, tree(db, today=local_day(now)), groups, revoked_keys(db))


def _config(db: Session, node: NodeRow, cluster: ClusterRow, common: _Common) -> Config:
    """Say what a node's configuration would be; version 1, no addresses."""
    chain = common.units.chain_of_cluster(node.cluster_id)
    if chain not in common.by_chain:
        common.by_chain[chain] = _of_chain(db, chain, common)
    return msgspec.structs.replace(
        common.by_chain[chain],
        node=node.node_id,
        cluster=node.cluster_id,
        groups=common.groups.get(node.cluster_id, ()),
        latitude=cluster.latitude,
        longitude=cluster.longitude,
        volume_ceiling_db=cluster.volume_ceiling_db,
        delay_s=cluster.delay_ms / 1000,
        talk_key=_talk_key(db, cluster, chain, common),
        languages=tuple(sorted(cluster.languages or VIETNAMESE)),
    )


def _talk_key(
    db: Session, cluster: ClusterRow, chain: tuple[str, ...], common: _Common
) -> TalkKey | None:
    if cluster.talk_away_min is None:
        return None
    if chain not in common.openings:
        chime = default_opening(db, chain=chain)
        common.openings[chain] = None if chime is None else asset_ref(chime)
    return TalkKey(
        away_s=60.0 * cluster.talk_away_min,
        most_s=float(cluster.talk_most_s),
        opening=common.openings[chain],
    )


def _of_chain(db: Session, chain: tuple[str, ...], common: _Common) -> Config:
    """Say what all clusters under the same units have in common; nobody's yet."""
    return Config(
        node="",
        cluster="",
        version=1,
        chain=tuple(
            UnitPlace(unit=unit, level=common.units.unit(unit).level_rank) for unit in chain
        ),
        certificates=certificates(db, chain, now=common.now),
        revoked_keys=common.revoked,
        pinned=tuple(asset_ref(row) for row in pinned(db, chain=chain)),
    )


def _told(node: NodeRow) -> tuple[Config, datetime] | None:
    """Read what a node was last told, and until when it holds; None: nothing that can be read."""
    if node.config_token is None:
        return None
    try:
        token = unverified(node.config_token)
    except RefusedError:
        return None
    if not isinstance(token.msg, Config):
        return None
    return token.msg, datetime.fromtimestamp(token.exp, UTC)


def _active_with_clusters() -> Select[NodeRow, ClusterRow]:
    return (
        select(NodeRow, ClusterRow)
        .join(ClusterRow, ClusterRow.cluster_id == NodeRow.cluster_id)
        .where(NodeRow.decommissioned_at.is_(None))
        .options(undefer(NodeRow.config_token))
        .order_by(NodeRow.node_id)
    )
