"""Which announcement goes first is told as the nodes decide it, from the very same words."""

from datetime import time

import pytest

from edge.schedule import Holdings, receive
from protocol.precedence import winner
from server.services import framing, going_first, planning
from server.store.models import ClaimRankRow, DeliveryRow, NodeRow
from tests.factories.claims import NOON, at
from tests.factories.units import OPERATOR

HERE, NODE = "xa-1-c1", "n-xa-1-c1"
NOW = at(3)


def announced(province) -> list[str]:
    """Announce at one cluster whatever may meet there, at the same time."""
    province.label()
    kinds = [
        {"bulletin_class": "ordinary"},
        {"bulletin_class": "priority"},
        {"bulletin_class": "emergency", "severity": 1},
        {"bulletin_class": "emergency", "severity": 3, "mode": "drill"},
    ]
    rows = [
        province.announce(
            unit_id=unit, units=(), clusters=(HERE,), now=at(minute), decision_number="QĐ 1", **kind
        )
        for kind in kinds
        for minute, unit in ((0, "xa-1"), (1, "tinh"), (2, "xa-1"))
    ]
    return [row.broadcast_id for row in rows]


def laid_down(province, owner: str | None) -> None:
    """Give the hours about noon to a unit."""
    if owner is not None:
        hours = {"local_start": time(11), "local_end": time(14), "owner_id": owner}
        new = framing.NewFrame(unit_id="tinh", kind="frame", **hours)
        facts = {"now": NOON, "actor": OPERATOR, "keyring": province.keyring, "confirmed": True}
        province.run(framing.add_frame, new=new, **facts)


def ranked(province, unit: str, claims: list[str]) -> None:
    with province.sessions.begin() as db:
        for rank, claim in enumerate(claims, 1):
            given = {"ends": at(600), "given_at": NOON, "given_by": "can-bo"}
            db.add(ClaimRankRow(unit_id=unit, claim_id=claim, rank=rank, **given))


def holdings(province) -> Holdings:
    """Give the node at the cluster all that was ever sent."""
    for unit in ("tinh", "xa-1"):
        planned = {"unit_id": unit, "now": NOW, "keyring": province.keyring}
        province.run(planning.publish_plan, **planned)
    held = Holdings(NODE, province.keyring.root_public)
    for part in (f"{NODE}/in/config", "/plan", "/order"):
        for row in province.posted(part):
            held = receive(held, row.topic, row.payload, NOW).holdings
    return held


def waiting(province, claims: list[str], on_air: str) -> set[str]:
    """Say which announcements the server tells to wait for the one that is on air."""
    with province.sessions.begin() as db:
        node = db.get_one(NodeRow, NODE)
        node.on_air, node.presence, node.last_heard_at = on_air, "here", NOW
        for row in db.query(DeliveryRow).filter_by(cluster_id=HERE):
            row.received_at, row.started_at = NOW, None
        db.flush()  # read past the session
        found = going_first.ahead(db, claims, now=NOW)
    assert {(cluster, one.broadcast_id) for (_, cluster), one in found.items()} <= {(HERE, on_air)}
    return {waits for waits, _ in found}


@pytest.mark.parametrize(
    ("owner", "rankers"),
    [(None, ()), ("tinh", ("tinh",)), ("xa-1", ()), ("xa-1", ("xa-1", "tinh"))],
)
def test_the_server_tells_of_any_two_announcements_what_the_node_decides(province, owner, rankers):
    province.commission(HERE)
    laid_down(province, owner)
    claims = announced(province)
    # The commune's order counts, and nobody else's.
    for unit in rankers:
        ranked(province, unit, claims if unit == "tinh" else claims[::-1])
    programme = holdings(province).programme()
    known = {claim.claim_id: claim for claim in programme.claims.values()}
    assert set(claims) <= set(known)
    for on_air in claims:
        behind = {
            other
            for other in set(claims) - {on_air}
            if winner([known[other], known[on_air]], NOW, programme.policy) is known[on_air]
        }
        assert waiting(province, claims, on_air) == behind
