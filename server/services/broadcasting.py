"""Urgent broadcasts: announce, stop, watch, and send again to whoever has not answered."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol import topics
from protocol.content import length_s, opening_s
from protocol.ids import NodeId, UnitId
from protocol.messages import (
    LEAST_GAIN_DB,
    BulletinClass,
    Claim,
    ClaimKind,
    Content,
    LiveSource,
    Mode,
    Play,
    Severity,
    Stop,
    Targets,
)
from protocol.signing import audience_unit, sign
from server.domain.authority import Action, Actor, demand
from server.domain.deliveries import FINAL, State, next_attempt
from server.domain.errors import BroadcastRefusedError, Finding, TakenError, UnknownThingError
from server.domain.nodes import Liveness, liveness
from server.domain.recurrence import local_day
from server.domain.targeting import chosen, cover
from server.domain.units import Tree
from server.services import audit, events, outbox
from server.services.assenting import NOTHING, Proof, action_of, asked, demand_assent
from server.services.catalogue import default_opening, may_use, parts
from server.services.drill_labels import drill_labels, labelled, marked
from server.services.following import wrong_to_follow
from server.services.keyring import Keyring
from server.services.pace import demand_pace
from server.services.slot_values import asset_ref
from server.services.texts import is_line
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import AssetRow, BroadcastRow, ClusterRow, DeliveryRow, NodeRow
from server.store.queries.among import among

LEAD = timedelta(seconds=0.3)
"""From signing to sounding, so that all nodes begin together."""

MOST_RESENT = 300
"""Orders sent again in one transaction; the others follow a second later."""

MOST_REPEATS = 50

CLOSING = timedelta(seconds=5)
"""In which nodes close a live broadcast that was spoken for as long as it may be."""

LATE = timedelta(minutes=5)
"""How long after its time an announcement may still be begun by a node that was away."""


@dataclass(frozen=True, slots=True)
class NewBroadcast:
    """An announcement as somebody asks for it.

    Attributes:
        request_id: Made once by the sender; the same one again is the same broadcast.
        groups: Groups whose clusters are all under the unit; resolved here, so that orders name
            units and clusters alone.
        decision_number: The deciding committee's number; needed for an emergency from a unit
            that has others under it (Decree 49/2024/NĐ-CP, articles 7-9).
        mode: ``real``, or ``drill``: marked in its title, and says so before and after each turn.
        follows: The announcement that this one follows, and as what.
        live: Somebody speaks, in place of a file.
    """

    request_id: str
    unit_id: str
    title: str
    bulletin_class: str
    asset_digest: str
    units: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    repeat: int = 1
    gap_s: float = 1.0
    gain_db: float = 0.0
    severity: int = 0
    decision_number: str = ""
    mode: str = "real"
    opening: bool = True
    follows: str | None = None
    relation: str = ""
    live: LiveSource | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a broadcast would reach."""

    cluster_ids: tuple[str, ...]
    people: int
    reachable: int

    @property
    def clusters(self) -> int:
        """Number of clusters."""
        return len(self.cluster_ids)


def reach(
    db: Session,
    *,
    unit_id: str,
    units: Iterable[str],
    clusters: Iterable[str],
    groups: Iterable[str] = (),
    exclude: Iterable[str] = (),
    now: datetime,
) -> Reach:
    """Count the clusters and people that targets mean, and how many clusters answer now."""
    places = tree(db, today=local_day(now))
    meant = chosen(places, units=units, clusters=clusters, groups=groups, exclude=exclude)
    meant &= places.clusters_under(unit_id)
    people = select(ClusterRow.people).where(among(ClusterRow.cluster_id, meant))
    nodes = _active_nodes(db, meant)
    here = sum(
        liveness(node.presence, node.last_heard_at, now) is Liveness.HERE for node in nodes.values()
    )
    return Reach(tuple(sorted(meant)), sum(db.scalars(people)), here)


def announce(
    db: Session,
    new: NewBroadcast,
    *,
    now: datetime,
    actor: Actor,
    keyring: Keyring,
    lead: timedelta = LEAD,
    proof: Proof = NOTHING,
) -> BroadcastRow:
    """Order a broadcast: one signed order, posted once for each narrowest unit that covers it.

    Raises:
        NotAllowedError: The actor may not announce for the unit, in that class.
        TakenError: The request's id is that of another announcement.
        BroadcastRefusedError: With every rule that it breaks.
        TooOftenError: The actor has announced too much within a minute.
        SecondFactorNeededError: The sender has to prove who they are once more.
        SecondPersonNeededError: Somebody else has to confirm; see ``waiting.order``.
    """
    places = tree(db, today=local_day(now))
    demand(actor, action_of(new.bulletin_class), places.chain(new.unit_id))
    # The same request twice at once: the second waits here, and finds what the first has made.
    pass_gate(db, f"request {new.request_id}")
    known = db.scalar(select(BroadcastRow).where(BroadcastRow.request_id == new.request_id))
    if known is not None:
        if not _is_same(db, known, new, places):
            raise TakenError("request", new.request_id)
        return known
    asset = db.get(AssetRow, new.asset_digest) if new.asset_digest else None
    findings = [*_wrong(new, places), *_wrong_audio(new, asset, places)]
    labels = drill_labels(db, chain=places.chain(new.unit_id)) if _is_drill(new) else None
    if _is_drill(new) and labels is None:
        findings.append(Finding("drill-label-missing"))
    if new.follows is not None:
        findings += wrong_to_follow(
            db,
            new.follows,
            relation=new.relation,
            unit_id=new.unit_id,
            bulletin_class=new.bulletin_class,
            mode=new.mode,
            now=now,
        )
    if findings:
        raise BroadcastRefusedError(findings)
    if proof.assent is None:
        demand_pace(db, actor=actor, now=now)
    meant = meant_by(places, new)
    # Last of all that may be wrong, so that nobody is asked to confirm what cannot be sent.
    takes = asked(db, places, meant, bulletin_class=new.bulletin_class, now=now, actor=actor)
    demand_assent(takes, proof)
    words = cover(places, new.unit_id, meant)
    chain = places.chain(new.unit_id)
    opening = default_opening(db, chain=chain) if new.opening else None
    claim = _claim(
        new,
        _content(new, labelled(parts(db, asset), labels) if asset else (), opening),
        targets=Targets(units=words.units, clusters=words.clusters),
        level=places.unit(new.unit_id).level_rank,
        start=now + lead,
        now=now,
        broadcast_id=proof.assent.broadcast_id if proof.assent else "",
    )
    token = sign(
        keyring.unit_key(db, new.unit_id, now=now),
        Play(claim=claim),
        audience=[audience_unit(unit) for unit in words.topics],
        issued_at=now,
        expires=claim.end,
        token_id=f"play-{claim.claim_id}",
    )
    row = BroadcastRow(
        broadcast_id=claim.claim_id,
        request_id=new.request_id,
        unit_id=new.unit_id,
        title=claim.title,
        bulletin_class=new.bulletin_class,
        mode=new.mode,
        severity=new.severity,
        decision_number=new.decision_number.strip(),
        kind=claim.kind.value,
        asset_digest=asset.digest if asset else None,
        opening_digest=opening.digest if opening else None,
        repeat=new.repeat,
        gap_s=new.gap_s,
        gain_db=new.gain_db,
        targets={
            "units": list(words.units),
            "clusters": list(words.clusters),
            "topics": list(words.topics),
        },
        follows=new.follows,
        relation=new.relation if new.follows else "",
        created_at=now,
        created_by=actor.name,
        confirmed_by=proof.assent.by if proof.assent else None,
        start=claim.start,
        end=claim.end,
        token=token,
    )
    db.add(row)
    db.flush()  # deliveries refer to it
    _expect_deliveries(db, row, meant, now)
    _tell(db, row, token, expires=claim.end, now=now)
    audit.record(
        db,
        actor=actor,
        action="announce",
        subject=row.broadcast_id,
        now=now,
        bulletin_class=new.bulletin_class,
        clusters=len(meant),
        decision_number=row.decision_number,
        confirmed_by=row.confirmed_by,
        second_factor=proof.is_fresh,
    )
    events.emit(db, kind="broadcast", ref=row.broadcast_id, now=now)
    return row


def new_id() -> str:
    """Make the id of an announcement."""
    return f"b-{uuid.uuid4().hex[:16]}"


def check(
    db: Session, new: NewBroadcast, *, now: datetime, actor: Actor, proof: Proof = NOTHING
) -> None:
    """Go on only when ``actor`` may announce this, whatever is going to sound.

    Raises:
        NotAllowedError: The actor may not announce for the unit, in that class.
        BroadcastRefusedError: With every rule that it breaks.
        SecondFactorNeededError: The sender has to prove who they are once more.
        SecondPersonNeededError: Somebody else has to confirm.
    """
    places = tree(db, today=local_day(now))
    demand(actor, action_of(new.bulletin_class), places.chain(new.unit_id))
    if findings := _wrong(new, places):
        raise BroadcastRefusedError(findings)
    meant = meant_by(places, new)
    takes = asked(db, places, meant, bulletin_class=new.bulletin_class, now=now, actor=actor)
    demand_assent(takes, proof)


def content_of(db: Session, new: NewBroadcast, *, now: datetime) -> Content:
    """Tell what would sound, to be heard beforehand.

    Raises:
        UnknownThingError: The unit may use no such file.
    """
    places = tree(db, today=local_day(now))
    asset = db.get(AssetRow, new.asset_digest)
    if asset is None or not may_use(places, asset, new.unit_id):
        raise UnknownThingError("asset", new.asset_digest[:64])
    chain = places.chain(new.unit_id)
    labels = drill_labels(db, chain=chain) if _is_drill(new) else None
    said = labelled(parts(db, asset), labels)
    return _content(new, said, default_opening(db, chain=chain))


def stop(
    db: Session, broadcast_id: str, *, now: datetime, actor: Actor, keyring: Keyring
) -> BroadcastRow:
    """Stop a broadcast everywhere, for good. Twice is once.

    Raises:
        UnknownThingError: No such broadcast.
        NotAllowedError: The actor may not stop the unit's broadcasts.
    """
    # Locked: of two who stop at once, one signs.
    row = db.get(BroadcastRow, broadcast_id, with_for_update=True)
    if row is None:
        raise UnknownThingError("broadcast", broadcast_id)
    places = tree(db, today=local_day(now))
    demand(actor, Action.STOP, places.chain(row.unit_id))
    if row.stopped_at is not None or row.end <= now:
        return row
    order = Stop(claim_id=row.broadcast_id, unit=row.unit_id, until=row.end)
    row.stop_token = sign(
        keyring.unit_key(db, row.unit_id, now=now),
        order,
        audience=[audience_unit(unit) for unit in row.targets["topics"]],
        issued_at=now,
        expires=row.end,
        token_id=f"stop-{row.broadcast_id}",
    )
    row.stopped_at = now
    row.stopped_by = actor.name
    _tell(db, row, row.stop_token, expires=row.end, now=now)
    for delivery in _open_deliveries(db, row.broadcast_id):
        delivery.attempts = 0
        delivery.next_attempt_at = next_attempt(0, now)
    audit.record(db, actor=actor, action="stop", subject=broadcast_id, now=now)
    events.emit(db, kind="broadcast", ref=broadcast_id, now=now)
    return row


def find(db: Session, broadcast_id: str) -> BroadcastRow:
    """Find a broadcast.

    Raises:
        UnknownThingError: There is none of that id.
    """
    row = db.get(BroadcastRow, broadcast_id)
    if row is None:
        raise UnknownThingError("broadcast", broadcast_id)
    return row


def resend_due(db: Session, *, now: datetime) -> int:
    """Send orders again, byte for byte, to each node that has not answered; say how many."""
    due = (
        select(DeliveryRow, BroadcastRow, NodeRow.presence)
        .join(BroadcastRow, BroadcastRow.broadcast_id == DeliveryRow.broadcast_id)
        .outerjoin(NodeRow, NodeRow.node_id == DeliveryRow.node_id)
        .where(DeliveryRow.next_attempt_at <= now, BroadcastRow.end > now)
        .order_by(DeliveryRow.next_attempt_at, DeliveryRow.delivery_id)
        .limit(MOST_RESENT)
    )
    sent = 0
    for delivery, broadcast, presence in db.execute(due).all():
        if not _awaits_answer(delivery, broadcast):
            delivery.next_attempt_at = None
            continue
        if delivery.node_id is not None and presence == "here":
            send_to_node(db, delivery.node_id, broadcast, now=now)
            delivery.attempts += 1
            sent += 1
        delivery.next_attempt_at = next_attempt(delivery.attempts, now)
    return sent


def holding(
    db: Session, clusters: Collection[str], *, now: datetime
) -> dict[str, list[tuple[DeliveryRow, BroadcastRow]]]:
    """Find the orders that still hold at some clusters, by cluster."""
    found: dict[str, list[tuple[DeliveryRow, BroadcastRow]]] = defaultdict(list)
    if clusters:
        held = (
            select(DeliveryRow, BroadcastRow)
            .join(BroadcastRow, BroadcastRow.broadcast_id == DeliveryRow.broadcast_id)
            .where(DeliveryRow.cluster_id.in_(clusters), BroadcastRow.end > now)
        )
        for delivery, broadcast in db.execute(held):
            found[delivery.cluster_id].append((delivery, broadcast))
    return found


def send_missing(
    db: Session,
    node: NodeRow,
    held: Iterable[tuple[DeliveryRow, BroadcastRow]],
    *,
    now: datetime,
) -> None:
    """Send a node that has come back, of the orders that still hold, those it has not answered."""
    for delivery, broadcast in held:
        delivery.node_id = node.node_id
        if _awaits_answer(delivery, broadcast):
            send_to_node(db, node.node_id, broadcast, now=now)


def send_to_node(db: Session, node_id: str, broadcast: BroadcastRow, *, now: datetime) -> None:
    """Post the order, or the stop that has followed it, to one node."""
    outbox.post(
        db,
        topic=topics.node_order(NodeId(node_id)),
        payload=broadcast.stop_token or broadcast.token,
        retained=False,
        expires_at=broadcast.end,
        now=now,
    )


def _awaits_answer(delivery: DeliveryRow, broadcast: BroadcastRow) -> bool:
    if delivery.state in FINAL:
        return False
    return broadcast.stopped_at is not None or delivery.state == State.SENT


def _tell(
    db: Session, row: BroadcastRow, token: bytes, *, expires: datetime, now: datetime
) -> None:
    for unit in row.targets["topics"]:
        outbox.post(
            db,
            topic=topics.unit_order(UnitId(unit)),
            payload=token,
            retained=False,
            expires_at=expires,
            now=now,
        )


def _expect_deliveries(
    db: Session, row: BroadcastRow, meant: frozenset[str], now: datetime
) -> None:
    nodes = _active_nodes(db, meant)
    db.add_all(
        DeliveryRow(
            broadcast_id=row.broadcast_id,
            cluster_id=cluster_id,
            node_id=nodes[cluster_id].node_id if cluster_id in nodes else None,
            state=State.SENT,
            changed_at=now,
            next_attempt_at=next_attempt(0, now),
        )
        for cluster_id in sorted(meant)
    )


def _open_deliveries(db: Session, broadcast_id: str) -> Iterable[DeliveryRow]:
    return db.scalars(
        select(DeliveryRow).where(
            DeliveryRow.broadcast_id == broadcast_id, DeliveryRow.state.not_in(FINAL)
        )
    )


def _active_nodes(db: Session, clusters: Iterable[str]) -> dict[str, NodeRow]:
    rows = select(NodeRow).where(
        NodeRow.decommissioned_at.is_(None), among(NodeRow.cluster_id, clusters)
    )
    return {node.cluster_id: node for node in db.scalars(rows)}


def _content(new: NewBroadcast, said: Iterable[AssetRow], opening: AssetRow | None) -> Content:
    first = asset_ref(opening) if opening else None
    if new.live is not None:
        return Content(opening=first, live=new.live)
    return Content(
        opening=first,
        items=tuple(map(asset_ref, said)),
        repeat=new.repeat,
        gap_s=new.gap_s,
    )


def _latest_end(content: Content, start: datetime) -> datetime:
    if content.live is None:
        return start + timedelta(seconds=length_s(content)) + LATE
    longest_s = opening_s(content) + content.live.max_length_s
    return start + timedelta(seconds=longest_s) + CLOSING


def _claim(
    new: NewBroadcast,
    content: Content,
    *,
    targets: Targets,
    level: int,
    start: datetime,
    now: datetime,
    broadcast_id: str,
) -> Claim:
    return Claim(
        claim_id=broadcast_id or new_id(),
        unit=new.unit_id,
        level=level,
        bulletin_class=BulletinClass(new.bulletin_class),
        kind=ClaimKind.ANNOUNCEMENT if content.live is None else ClaimKind.LIVE,
        issued_at=now,
        start=start,
        end=_latest_end(content, start),
        content=content,
        targets=targets,
        title=marked(new.title.strip(), mode=new.mode),
        mode=Mode(new.mode),
        severity=Severity(new.severity),
        gain_db=new.gain_db,
    )


def _is_same(db: Session, known: BroadcastRow, new: NewBroadcast, places: Tree) -> bool:
    """Compare what was ordered: an edited one under an old id must not be taken for done."""
    title, decision = marked(new.title.strip(), mode=new.mode), new.decision_number.strip()
    before = (known.unit_id, known.title, known.mode, known.bulletin_class, known.asset_digest)
    after = (new.unit_id, title, new.mode, new.bulletin_class, new.asset_digest)
    graver = (known.severity, known.decision_number) != (new.severity, decision)
    louder = (known.repeat, known.gap_s, known.gain_db) != (new.repeat, new.gap_s, new.gain_db)
    is_edited = before != after or graver or louder
    reached = select(DeliveryRow.cluster_id).where(DeliveryRow.broadcast_id == known.broadcast_id)
    return not is_edited and set(db.scalars(reached)) == meant_by(places, new)


def _wrong(new: NewBroadcast, places: Tree) -> list[Finding]:
    findings = []
    if not is_line(marked(new.title, mode=new.mode) if new.title.strip() else ""):
        findings.append(Finding("bad-title"))
    if not is_line(new.request_id):
        findings.append(Finding("bad-request-id"))
    if new.decision_number.strip() and not is_line(new.decision_number):
        findings.append(Finding("bad-decision-number"))
    if new.bulletin_class not in set(BulletinClass):
        findings.append(Finding("not-allowed-class", {"class": new.bulletin_class}))
    findings += _out_of_range(new)
    emergency = new.bulletin_class == BulletinClass.EMERGENCY
    if emergency and places.children(new.unit_id) and not new.decision_number.strip():
        findings.append(Finding("decision-number-needed"))
    below = places.clusters_under(new.unit_id)
    inside = set(places.subtree(new.unit_id))
    outside = [unit for unit in new.units if unit not in inside]
    outside += [cluster for cluster in (*new.clusters, *new.exclude) if cluster not in below]
    outside += [
        group
        for group in new.groups
        if not places.groups.get(group, frozenset()) & places.clusters.keys() <= below
    ]
    if outside:
        findings.append(Finding("out-of-scope", {"targets": ", ".join(outside)}))
    elif not meant_by(places, new):
        findings.append(Finding("no-target"))
    return findings


def meant_by(places: Tree, new: NewBroadcast) -> frozenset[str]:
    """Resolve what was chosen into clusters."""
    return chosen(
        places, units=new.units, clusters=new.clusters, groups=new.groups, exclude=new.exclude
    )


def _wrong_audio(new: NewBroadcast, asset: AssetRow | None, places: Tree) -> list[Finding]:
    if new.live is not None:
        return [Finding("audio-unused")] if new.asset_digest else []
    if not new.asset_digest:
        return [Finding("no-audio")]
    if asset is None or not may_use(places, asset, new.unit_id):
        return [Finding("unknown-asset", {"digest": new.asset_digest[:64]})]
    return []


def _is_drill(new: NewBroadcast) -> bool:
    return new.mode == Mode.DRILL


def _out_of_range(new: NewBroadcast) -> list[Finding]:
    """Find what every node would refuse to read, were it signed."""
    checks = {
        "bad-repeat": 1 <= new.repeat <= MOST_REPEATS,
        "bad-gap": 0 <= new.gap_s <= timedelta(days=1).total_seconds(),
        "bad-gain": LEAST_GAIN_DB <= new.gain_db <= 0,
        "bad-severity": new.severity in set(Severity),
        "bad-mode": new.mode in set(Mode),
    }
    return [Finding(code) for code, is_fine in checks.items() if not is_fine]
