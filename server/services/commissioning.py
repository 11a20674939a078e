"""Bind a node to a cluster: its identity, its place at the broker, its signed configuration."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from protocol.ids import checked_id
from protocol.signing import public_text
from server.domain.authority import Action, Actor, demand
from server.domain.errors import TakenError
from server.domain.recurrence import local_day
from server.services import audit, events
from server.services.configuring import publish_config
from server.services.keyring import Keyring
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import NodeRow

_ITERATIONS = 101  # Mosquitto's own figure; the secrets are random, 192 bits long


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a node needs to be itself; the secret is shown once and kept only as a hash."""

    node_id: str
    secret: str
    root_key: str


def commission(
    db: Session,
    *,
    node_id: str,
    cluster_id: str,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    audio_urls: tuple[str, ...] = (),
) -> Credentials:
    """Put a new node at a cluster; the one that was there is decommissioned.

    Raises:
        TakenError: The node's id was used before; ids are never used again.
        UnknownThingError: No such cluster.
        NotAllowedError: The actor may not maintain it.
    """
    chain = tree(db, today=local_day(now)).chain_of_cluster(cluster_id)
    demand(actor, Action.MAINTAIN, chain)
    pass_gate(db, "nodes")  # two technicians at one cluster, or with one id
    if db.get(NodeRow, checked_id(node_id)) is not None:
        raise TakenError("node", node_id)
    former = db.scalar(_active().where(NodeRow.cluster_id == cluster_id))
    if former is not None:
        former.decommissioned_at = now
        db.flush()  # only one active node a cluster, so the former one leaves first
    secret = secrets.token_urlsafe(24)
    db.add(
        NodeRow(
            node_id=node_id,
            cluster_id=cluster_id,
            secret_hash=hashed_secret(secret),
            commissioned_at=now,
            plan_versions={},
            telemetry={},
        )
    )
    db.flush()  # the configuration reads it back
    publish_config(db, node_id, now=now, keyring=keyring, audio_urls=audio_urls)
    audit.record(
        db,
        actor=actor,
        action="commission-node",
        subject=node_id,
        now=now,
        cluster=cluster_id,
        replaces=former.node_id if former else None,
    )
    events.emit(db, kind="cluster", ref=cluster_id, now=now)
    return Credentials(node_id, secret, public_text(keyring.root_public))


def password_lines(db: Session) -> list[str]:
    """List ``node:hash`` for every active node, in the form of Mosquitto's password file."""
    rows = db.scalars(_active().order_by(NodeRow.node_id))
    return [f"{row.node_id}:{row.secret_hash}" for row in rows]


def node_secret_is(db: Session, node_id: str, secret: str) -> bool:
    """Say whether an active node of that id has that secret."""
    node = db.scalar(_active().where(NodeRow.node_id == node_id))
    return node is not None and secret_matches(secret, node.secret_hash)


def hashed_secret(secret: str) -> str:
    """Hash a secret in the form that Mosquitto's password file takes (PBKDF2-SHA512)."""
    salt = secrets.token_bytes(12)
    return f"$7${_ITERATIONS}${_b64(salt)}${_b64(_derived(secret, salt, _ITERATIONS))}"


def secret_matches(secret: str, hashed: str) -> bool:
    """Say whether a secret is the one that was hashed."""
    _, _, iterations, salt, expected = hashed.split("$")
    found = _derived(secret, base64.b64decode(salt), int(iterations))
    return hmac.compare_digest(found, base64.b64decode(expected))


def _derived(secret: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, iterations, 64)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _active() -> Select[NodeRow]:
    return select(NodeRow).where(NodeRow.decommissioned_at.is_(None))
