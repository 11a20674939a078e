"""Try and set the loudspeakers of one cluster from afar: signed orders, and their answers."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from audio_library.assets import Asset
from protocol import topics
from protocol.content import length_s
from protocol.ids import NodeId
from protocol.messages import (
    LEAST_GAIN_DB,
    BulletinClass,
    Claim,
    ClaimKind,
    Content,
    Identify,
    Mode,
    Restart,
    SoundCheck,
    Targets,
    Upkeep,
)
from protocol.signing import audience_node, sign
from server.domain.authority import Action, Actor, demand
from server.domain.deliveries import next_attempt
from server.domain.errors import Finding, TooOftenError, UnknownThingError, UpkeepRefusedError
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.domain.upkeep import (
    BLINKS_S,
    CHECK_TITLE,
    MOST_DELAY_MS,
    MOST_ORDERS,
    ORDER_LIFE,
    ORDERS_PER,
    PREFIX,
    QUIET_DB,
    SETTINGS,
    SOUNDS,
    TALK_AWAY_MIN,
    TALK_MOST_S,
    Deed,
    Standing,
    TalkWhen,
    Told,
    spoken_text,
    standing,
)
from server.services import audit, catalogue, events, outbox, rate_counts
from server.services.configuring import publish_config
from server.services.keyring import Keyring
from server.services.slot_values import asset_ref
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import AssetRow, ClusterRow, NodeRow, UpkeepRow

MAKER = "loa"
SLACK = timedelta(seconds=15)
"""How much later than it was ordered a test sound may begin: its file may have to be fetched."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An order as somebody asks for it.

    Attributes:
        cuts: Whether a test sound may cut an ordinary programme.
        at_once: Whether a restart may cut what sounds.
        volume_db: The loudest that the cluster may be from now on.
        delay_ms: How much later than by the clock it sounds from now on.
        talk: When the talk key of its box may be used from now on: ``never``, ``cut-off`` or
            ``always``.
        away_min: For how many minutes the network must have been away before, for ``cut-off``.
        talk_s: The longest that is spoken by it at once.
    """

    cluster_id: str
    deed: str
    cuts: bool = False
    at_once: bool = False
    volume_db: float | None = None
    delay_ms: int | None = None
    talk: str | None = None
    away_min: int | None = None
    talk_s: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order, and how it stands."""

    row: UpkeepRow
    standing: Standing


def place(
    db: Session, cluster_id: str, *, now: datetime, actor: Actor
) -> tuple[ClusterRow, NodeRow | None, Tree]:
    """Find a cluster that the actor may look after, its node, and where it stands.

    Raises:
        UnknownThingError: No such cluster.
        NotAllowedError: The actor may not look after it.
    """
    units = tree(db, today=local_day(now))
    demand(actor, Action.TEND, units.chain_of_cluster(cluster_id))
    node = db.scalar(
        select(NodeRow).where(NodeRow.cluster_id == cluster_id, NodeRow.decommissioned_at.is_(None))
    )
    return db.get_one(ClusterRow, cluster_id), node, units


def words_to_speak(db: Session, cluster_id: str, *, now: datetime, actor: Actor) -> str:
    """Give what the spoken test of a cluster says and was not spoken yet; else nothing.

    Raises:
        UnknownThingError: No such cluster.
        NotAllowedError: The actor may not look after it.
    """
    cluster, _node, units = place(db, cluster_id, now=now, actor=actor)
    text = _text(cluster, units)
    return text if _spoken(db, text) is None else ""


def keep_spoken(db: Session, cluster_id: str, asset: Asset, *, now: datetime, actor: Actor) -> None:
    """Enter the spoken test of a cluster, for its unit alone. Twice is once.

    Raises:
        UnknownThingError: No such cluster.
        NotAllowedError: The actor may not look after it.
    """
    cluster, _node, units = place(db, cluster_id, now=now, actor=actor)
    pass_gate(db, f"asset {asset.digest}")
    if db.get(AssetRow, asset.digest) is None:
        db.add(
            AssetRow(
                digest=asset.digest,
                unit_id=units.clusters[cluster_id],
                title=_text(cluster, units),
                purpose=catalogue.CHECK,
                duration_s=asset.duration_s,
                size_bytes=asset.size_bytes,
                loudness_lufs=asset.loudness_lufs,
                created_at=now,
                created_by=MAKER,
            )
        )


def order(db: Session, asked: Asked, *, now: datetime, actor: Actor, keyring: Keyring) -> UpkeepRow:
    """Sign an order to the node of a cluster and send it, or let its configuration say it.

    Raises:
        UnknownThingError: No such cluster.
        NotAllowedError: The actor may not look after it, or let people speak there.
        UpkeepRefusedError: With every rule that it breaks.
        TooOftenError: The cluster was ordered too often within a minute.
        KeyMissingError: Its unit has no key.
    """
    cluster, node, units = place(db, asked.cluster_id, now=now, actor=actor)
    if asked.deed == Deed.TALK:
        # Who speaks at the box goes before all but emergencies: who may order those lets them.
        demand(actor, Action.ANNOUNCE_EMERGENCY, units.chain_of_cluster(asked.cluster_id))
    findings = _wrong(asked)
    if node is None:
        findings.append(Finding("no-equipment"))
    if findings or node is None:
        raise UpkeepRefusedError(findings)
    _count(db, asked.cluster_id, now)
    deed, unit_id = Deed(asked.deed), units.clusters[asked.cluster_id]
    row = UpkeepRow(
        order_id=f"{PREFIX}{uuid.uuid4().hex[:16]}",
        cluster_id=cluster.cluster_id,
        unit_id=unit_id,
        node_id=node.node_id,
        deed=deed.value,
        facts=_facts(asked),
        created_at=now,
        created_by=actor.name,
        expires_at=now + ORDER_LIFE,
        next_attempt_at=next_attempt(0, now),
    )
    if deed in SETTINGS:
        _set(cluster, asked)
        db.flush()  # the configuration reads it
        publish_config(db, node.node_id, now=now, keyring=keyring)
        row.facts = {**row.facts, "config_version": node.config_version}
    else:
        said = _said(db, row, units, now=now)
        row.token = sign(
            keyring.unit_key(db, unit_id, now=now),
            said,
            audience=[audience_node(node.node_id)],
            issued_at=now,
            expires=row.expires_at,
            token_id=row.order_id,
        )
        _send(db, row, now)
    db.add(row)
    audit.record(
        db,
        actor=actor,
        action=f"upkeep-{deed.value}",
        subject=cluster.cluster_id,
        now=now,
        order=row.order_id,
        node=node.node_id,
        **row.facts,
    )
    events.emit(db, kind="upkeep", ref=cluster.cluster_id, now=now)
    return row


def find(db: Session, order_id: str, *, now: datetime, actor: Actor) -> Order:
    """Find one order.

    Raises:
        UnknownThingError: There is none of that id.
        NotAllowedError: The actor may not look after the cluster.
    """
    row = db.get(UpkeepRow, order_id)
    if row is None:
        raise UnknownThingError("order", order_id)
    place(db, row.cluster_id, now=now, actor=actor)
    return _stands(row, now)


def recent(db: Session, cluster_id: str, *, now: datetime, limit: int = 10) -> list[Order]:
    """List the newest orders at a cluster."""
    rows = (
        select(UpkeepRow)
        .where(UpkeepRow.cluster_id == cluster_id)
        .order_by(UpkeepRow.created_at.desc(), UpkeepRow.order_id)
        .limit(limit)
    )
    return [_stands(row, now) for row in db.scalars(rows)]


def resend_due(db: Session, *, now: datetime) -> int:
    """Send again what was not answered, byte for byte, and note where a setting has arrived."""
    due = (
        select(UpkeepRow, NodeRow)
        .join(NodeRow, NodeRow.node_id == UpkeepRow.node_id)
        .where(UpkeepRow.next_attempt_at <= now)
        .order_by(UpkeepRow.next_attempt_at)
        .limit(100)
    )
    done = 0
    for row, node in db.execute(due).all():
        version = row.facts.get("config_version")
        if version is not None and node.held_config_version >= version:
            row.end, row.ended_at = Standing.DONE.value, now
            events.emit(db, kind="upkeep", ref=row.cluster_id, now=now)
            done += 1
        # A setting stays on its way until it is there: the broker keeps the configuration.
        is_over = row.end or (version is None and (row.received_at or row.expires_at <= now))
        if is_over or node.decommissioned_at is not None:
            row.next_attempt_at = None
            continue
        if version is None and node.presence == "here":
            _send(db, row, now)
            done += 1
        row.attempts += 1
        row.next_attempt_at = next_attempt(row.attempts, now)
    return done


def _wrong(asked: Asked) -> list[Finding]:
    if asked.deed not in set(Deed):
        return [Finding("bad-deed")]
    volume_db = asked.volume_db
    if asked.deed == Deed.VOLUME and not (
        volume_db is not None and LEAST_GAIN_DB <= volume_db <= 0
    ):
        return [Finding("bad-volume")]
    delay_ms = asked.delay_ms
    if asked.deed == Deed.DELAY and not (delay_ms is not None and 0 <= delay_ms <= MOST_DELAY_MS):
        return [Finding("bad-delay", {"most": str(MOST_DELAY_MS)})]
    return _wrong_talk(asked) if asked.deed == Deed.TALK else []


def _wrong_talk(asked: Asked) -> list[Finding]:
    if asked.talk not in set(TalkWhen):
        return [Finding("bad-talk")]
    if asked.talk == TalkWhen.NEVER:
        return []
    findings = []
    if asked.talk == TalkWhen.CUT_OFF and not _lies_in(asked.away_min, TALK_AWAY_MIN):
        least, most = TALK_AWAY_MIN
        findings.append(Finding("bad-away", {"least": str(least), "most": str(most)}))
    if not _lies_in(asked.talk_s, TALK_MOST_S):
        least, most = TALK_MOST_S
        findings.append(Finding("bad-talk-length", {"least": str(least), "most": str(most)}))
    return findings


def _lies_in(number: int | None, bounds: tuple[int, int]) -> bool:
    return number is not None and bounds[0] <= number <= bounds[1]


def _set(cluster: ClusterRow, asked: Asked) -> None:
    if asked.deed == Deed.VOLUME and asked.volume_db is not None:
        cluster.volume_ceiling_db = asked.volume_db
    if asked.deed == Deed.DELAY and asked.delay_ms is not None:
        cluster.delay_ms = asked.delay_ms
    if asked.deed == Deed.TALK:
        cluster.talk_away_min = _away_min(asked)
        cluster.talk_most_s = asked.talk_s or cluster.talk_most_s


def _away_min(asked: Asked) -> int | None:
    match asked.talk:
        case TalkWhen.ALWAYS:
            return 0
        case TalkWhen.CUT_OFF:
            return asked.away_min
        case _:
            return None


def _facts(asked: Asked) -> dict[str, object]:
    if asked.deed in SOUNDS:
        return {"cuts": asked.cuts}
    if asked.deed == Deed.RESTART:
        return {"at_once": asked.at_once}
    if asked.deed == Deed.DELAY:
        return {"delay_ms": asked.delay_ms}
    if asked.deed == Deed.TALK:
        told = {"talk": asked.talk, "away_min": _away_min(asked), "talk_s": asked.talk_s}
        return {name: fact for name, fact in told.items() if fact is not None}
    return {"volume_db": asked.volume_db} if asked.deed == Deed.VOLUME else {}


def _count(db: Session, cluster_id: str, now: datetime) -> None:
    found = rate_counts.count(db, f"upkeep of {cluster_id}", per=ORDERS_PER, now=now)
    if found.hits > MOST_ORDERS:
        facts = {"most": str(MOST_ORDERS), "count": str(found.wait_s(now))}
        finding = Finding("too-many-orders", facts)
        raise TooOftenError([finding], wait_s=found.wait_s(now))


def _said(db: Session, row: UpkeepRow, units: Tree, *, now: datetime) -> Upkeep:
    unit, cluster, name = row.unit_id, row.cluster_id, row.order_id
    if row.deed == Deed.IDENTIFY:
        return Identify(unit=unit, cluster=cluster, order_id=name, lasts_s=BLINKS_S)
    if row.deed == Deed.RESTART:
        at_once = bool(row.facts["at_once"])
        return Restart(unit=unit, cluster=cluster, order_id=name, at_once=at_once)
    is_quiet = row.deed == Deed.QUIET
    content = Content(items=(asset_ref(_sound(db, row, units)),))
    claim = Claim(
        claim_id=name,
        unit=unit,
        level=units.unit(unit).level_rank,
        bulletin_class=BulletinClass.ORDINARY,
        kind=ClaimKind.CHECK,
        issued_at=now,
        start=now,
        end=now + timedelta(seconds=length_s(content)) + SLACK,
        content=content,
        targets=Targets(clusters=(cluster,)),
        title=CHECK_TITLE,
        mode=Mode.DRILL if row.facts["cuts"] else Mode.REAL,
        gain_db=QUIET_DB if is_quiet else 0.0,
    )
    return SoundCheck(unit=unit, cluster=cluster, claim=claim)


def _sound(db: Session, row: UpkeepRow, units: Tree) -> AssetRow:
    if row.deed == Deed.QUIET:
        chime = catalogue.default_opening(db, chain=units.chain(row.unit_id))
        if chime is None:
            raise UpkeepRefusedError([Finding("no-chime")])
        return chime
    spoken = _spoken(db, _text(db.get_one(ClusterRow, row.cluster_id), units))
    if spoken is None:
        raise UpkeepRefusedError([Finding("test-not-spoken")])
    return spoken


def _text(cluster: ClusterRow, units: Tree) -> str:
    unit = units.unit(units.clusters[cluster.cluster_id])
    return spoken_text(cluster.name, unit.name)[:200]


def _spoken(db: Session, text: str) -> AssetRow | None:
    made = select(AssetRow).where(AssetRow.purpose == catalogue.CHECK, AssetRow.title == text)
    return db.scalars(made.order_by(AssetRow.digest).limit(1)).first()


def _send(db: Session, row: UpkeepRow, now: datetime) -> None:
    if row.token is not None:
        outbox.post(
            db,
            topic=topics.node_order(NodeId(row.node_id)),
            payload=row.token,
            retained=False,
            expires_at=row.expires_at,
            now=now,
        )


def _stands(row: UpkeepRow, now: datetime) -> Order:
    told = Told(row.received_at, row.started_at, row.end)
    return Order(row, standing(told, sent_at=row.created_at, now=now))


def rows_of(db: Session, names: Iterable[str]) -> dict[str, UpkeepRow]:
    """Find the orders of some names, locked."""
    wanted = select(UpkeepRow).where(UpkeepRow.order_id.in_(set(names)))
    locked = wanted.order_by(UpkeepRow.order_id).with_for_update()
    return {row.order_id: row for row in db.scalars(locked)}
