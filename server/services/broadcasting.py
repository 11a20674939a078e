"""Urgent broadcasts: announce, stop, and check beforehand.

What is asked for is in ``broadcast_requests``, what sounds in ``broadcast_claims``, and who has
answered in ``broadcast_deliveries``.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from protocol.messages import Play, Stop, Targets
from protocol.signing import audience_unit, sign
from server.domain.authority import Action, Actor, demand
from server.domain.deliveries import next_attempt
from server.domain.errors import BroadcastRefusedError, Finding, TakenError, UnknownThingError
from server.domain.recurrence import local_day
from server.domain.targeting import cover
from server.services import audit, broadcast_claims, broadcast_deliveries, events
from server.services.assenting import NOTHING, Proof, action_of, asked, demand_assent
from server.services.broadcast_requests import (
    NewBroadcast,
    is_drill,
    is_same,
    meant_by,
    wrong,
    wrong_audio,
)
from server.services.catalogue import default_opening, parts
from server.services.drill_labels import drill_labels, labelled
from server.services.following import wrong_to_follow
from server.services.keyring import Keyring
from server.services.pace import demand_pace
from server.services.units import tree
from server.store.gates import pass_gate
from server.store.models import AssetRow, BroadcastRow

LEAD = timedelta(seconds=0.3)
"""From signing to sounding, so that all nodes begin together."""


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
        if not is_same(db, known, new, places):
            raise TakenError("request", new.request_id)
        return known
    asset = db.get(AssetRow, new.asset_digest) if new.asset_digest else None
    findings = [*wrong(new, places), *wrong_audio(new, asset, places)]
    labels = drill_labels(db, chain=places.chain(new.unit_id)) if is_drill(new) else None
    if is_drill(new) and labels is None:
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
    claim = broadcast_claims.claim(
        new,
        broadcast_claims.content(new, labelled(parts(db, asset), labels) if asset else (), opening),
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
    broadcast_deliveries.expect(db, row, meant, now)
    broadcast_deliveries.tell(db, row, token, expires=claim.end, now=now)
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
    if findings := wrong(new, places):
        raise BroadcastRefusedError(findings)
    meant = meant_by(places, new)
    takes = asked(db, places, meant, bulletin_class=new.bulletin_class, now=now, actor=actor)
    demand_assent(takes, proof)


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
    broadcast_deliveries.tell(db, row, row.stop_token, expires=row.end, now=now)
    for delivery in broadcast_deliveries.open_deliveries(db, row.broadcast_id):
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
