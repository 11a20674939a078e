"""Announce, stop, and send again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from edge.schedule import Accepted, Holdings, receive
from protocol.airtime import airtimes
from protocol.content import length_s
from protocol.errors import Refusal, RefusedError
from protocol.messages import (
    Play,
    Presence,
    PresenceState,
    Received,
    Refused,
    Stop,
)
from protocol.policy import Policy
from protocol.precedence import winner
from protocol.signing import public_from_text
from server.domain.authority import Role
from server.domain.errors import (
    BroadcastRefusedError,
    NotAllowedError,
    TakenError,
    UnknownThingError,
)
from server.domain.recurrence import day_bounds
from server.domain.slots import claim_id
from server.services import (
    as_run,
    broadcast_claims,
    broadcast_deliveries,
    broadcasting,
    grouping,
    planning,
    reaching,
    scheduling,
)
from server.store.models import (
    AuditRow,
    BroadcastRow,
    DeliveryRow,
    EventRow,
    NodeRow,
    OutboxRow,
)
from tests.factories.claims import NOON, at
from tests.factories.provinces import CHIME, CLUSTERS, SPEECH, Listener, a_new_broadcast
from tests.factories.slots import TODAY
from tests.factories.units import an_actor

S = timedelta(seconds=1)


def here(node: str, **facts: object) -> Presence:
    return Presence(node=node, state=PresenceState.HERE, at=NOON, **facts)


def received(broadcast: BroadcastRow, report_id: str = "p-1") -> Received:
    return Received(report_id=report_id, claim_id=broadcast.broadcast_id, at=NOON)


def test_one_signed_order_goes_to_the_narrowest_units_that_cover_the_targets(province):
    row = province.announce(
        unit_id="tinh", units=("xa-1",), clusters=("xa-2-c1",), decision_number="12/QĐ"
    )
    posted = province.posted("/order")
    assert [each.topic for each in posted] == ["loa/1/unit/xa-1/order", "loa/1/unit/xa-2/order"]
    assert {each.payload for each in posted} == {row.token}
    assert not any(each.retained for each in posted)
    assert set(province.deliveries(row)) == {"xa-1-c1", "xa-1-c2", "xa-2-c1"}


def test_a_group_is_resolved_to_clusters_and_only_by_a_unit_that_has_them_all(province):
    facts = {"now": NOON, "actor": an_actor(Role.ADMIN, "tinh")}
    members = ("xa-1-c1", "xa-2-c1")
    province.run(
        grouping.create_group,
        group_id="ho",
        name="Ven hồ",
        unit_id="tinh",
        clusters=members,
        **facts,
    )
    with pytest.raises(BroadcastRefusedError) as refused:
        province.announce(unit_id="xa-1", units=(), clusters=(), groups=("ho",))
    assert [one.code for one in refused.value.findings] == ["out-of-scope"]
    row = province.announce(
        unit_id="tinh", units=(), clusters=("xa-1-c1",), groups=("ho",), decision_number="1"
    )
    assert set(province.deliveries(row)) == set(members)
    assert {each.msg.claim.targets.clusters for each in province.said("/order")} == {members}


def test_the_order_says_what_was_asked_for_and_ends_when_it_may_no_longer_begin(province):
    province.announce(repeat=2, gap_s=3.0, severity=4, gain_db=-6.0, now=NOON)
    (order,) = province.said("/order")
    assert isinstance(order.msg, Play)
    claim = order.msg.claim
    assert claim.content.opening is not None
    assert claim.content.opening.digest == CHIME.digest
    assert [item.digest for item in claim.content.items] == [SPEECH.digest]
    assert (claim.content.repeat, claim.content.gap_s) == (2, 3.0)
    assert (claim.severity, claim.gain_db, claim.issued_at) == (4, -6.0, NOON)
    assert claim.start == NOON + broadcasting.LEAD
    assert claim.end == claim.start + length_s(claim.content) * S + broadcast_claims.LATE


def test_a_node_believes_the_order_the_stop_and_the_plan_by_its_configuration_alone(province):
    credentials = province.commission("xa-1-c1")
    listener = Listener.of(province.posted("/in/config")[0].payload, credentials.root_key)
    row = province.announce(unit_id="tinh", units=("tinh",), decision_number="1")
    stopped = province.stop(row, now=at(0.1))
    province.add_slot()
    assert isinstance(listener.hears(row.token).token.msg, Play)
    assert isinstance(listener.hears(stopped.stop_token, at(0.1)).token.msg, Stop)
    assert listener.hears(province.posted("unit/xa-1/plan")[-1].payload)


def test_what_waited_begins_with_the_stop_on_the_node_as_on_the_server(province):
    credentials = province.commission("xa-1-c1")
    slot = province.add_slot(start_mode="next", bulletin_class="priority")
    due = day_bounds(TODAY + timedelta(days=1))[0] + timedelta(hours=5, minutes=30)
    row = province.announce(bulletin_class="ordinary", now=due - 4 * S)
    stopped_at = due + 7.4 * S
    province.stop(row, now=stopped_at)

    root = public_from_text(credentials.root_key)
    held = Holdings(credentials.node_id, root)
    for posted in province.posted():
        verdict = receive(held, posted.topic, posted.payload, stopped_at)
        held = verdict.holdings if isinstance(verdict, Accepted) else held
    programme = held.programme()
    on_node = [
        time.start
        for time in airtimes(programme.claims.values(), programme.policy)
        if time.claim.claim_id == claim_id(slot.slot_id, due)
    ]
    with province.sessions() as db:
        spans = scheduling.cluster_timeline(
            db, cluster_id="xa-1-c1", start=due - 60 * S, end=due + 60 * S, now=stopped_at
        )
    on_server = [span.start for span in spans if span.slot_id == slot.slot_id]
    assert on_node == on_server == [due + 7 * S]


def test_the_node_of_another_commune_refuses_the_order(province):
    credentials = province.commission("xa-2-c1")
    listener = Listener.of(province.posted("/in/config")[0].payload, credentials.root_key)
    row = province.announce()
    with pytest.raises(RefusedError):
        listener.hears(row.token)


def test_the_same_request_twice_is_one_broadcast(province):
    first = province.announce("r-same")
    again = province.announce("r-same", now=at(1))
    assert again.broadcast_id == first.broadcast_id
    assert len(province.posted("/order")) == 1
    assert len(province.rows(DeliveryRow)) == 2


def test_an_edited_announcement_under_the_id_of_one_that_has_gone_is_not_taken_for_it(province):
    province.announce("r-same")
    elsewhere = {"units": (), "clusters": ("xa-1-c1",)}
    graver, softer = {"severity": 3}, {"gain_db": -10}
    decided = {"decision_number": "15/QĐ-UBND"}
    for changed in ({"title": "Chữ khác"}, {"repeat": 2}, graver, softer, decided, elsewhere):
        with pytest.raises(TakenError):
            province.announce("r-same", **changed)
    assert len(province.posted("/order")) == 1


def test_the_same_request_by_several_at_once_is_one_broadcast(province):
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: province.announce("r-same"), range(4)))
    assert len({row.broadcast_id for row in made}) == 1
    assert len(province.rows(BroadcastRow)) == 1
    assert len(province.posted("/order")) == 1


def test_a_request_id_that_is_another_units_is_refused(province):
    province.announce("r-same")
    with pytest.raises(TakenError):
        province.announce("r-same", unit_id="xa-2", units=("xa-2",))


def test_change_audit_outbox_and_event_come_together_or_not_at_all(province):
    def broken(db):
        broadcasting.announce(
            db,
            a_new_broadcast(),
            now=NOON,
            actor=an_actor(),
            keyring=province.keyring,
        )
        db.flush()  # all of it is written, and none of it committed
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        province.run(broken)
    kinds = (BroadcastRow, DeliveryRow, OutboxRow, EventRow)
    assert [len(province.rows(kind)) for kind in kinds] == [0, 0, 0, 0]
    assert not province.rows(AuditRow, action="announce")
    row = province.announce(actor=an_actor())
    (deed,) = province.rows(AuditRow, action="announce")
    assert (deed.actor, deed.subject) == ("commune-officer@xa-1", row.broadcast_id)
    assert [len(province.rows(kind)) for kind in kinds] == [1, 2, 1, 1]


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.VIEWER])
def test_who_may_not_speak_neither_announces_nor_stops(province, role):
    row = province.announce()
    with pytest.raises(NotAllowedError):
        province.announce(actor=an_actor(role))
    with pytest.raises(NotAllowedError):
        province.stop(row, actor=an_actor(role))
    assert len(province.rows(BroadcastRow)) == 1


def test_an_officer_speaks_for_the_own_commune_only(province):
    with pytest.raises(NotAllowedError):
        province.announce(unit_id="xa-2", units=("xa-2",), actor=an_actor())
    with pytest.raises(NotAllowedError):
        province.announce(unit_id="tinh", units=("xa-1",), decision_number="1", actor=an_actor())
    theirs = province.announce(unit_id="tinh", units=("tinh",), decision_number="1")
    with pytest.raises(NotAllowedError):
        province.stop(theirs, actor=an_actor())
    assert province.stop(theirs, actor=an_actor(Role.BROADCASTER, "tinh")).stopped_at == NOON


def test_an_emergency_from_a_unit_with_others_under_it_names_the_decision(province):
    # Decree 49/2024/NĐ-CP, articles 7-9: emergencies decided by the upper committee.
    facts = {"unit_id": "tinh", "units": ("tinh",)}
    assert refused(province, **facts) == ["decision-number-needed"]
    assert refused(province, decision_number="  ", **facts) == ["decision-number-needed"]
    assert province.announce(decision_number="12/QĐ-UBND", **facts).decision_number == "12/QĐ-UBND"
    assert province.announce(bulletin_class="priority", **facts)
    assert province.announce()  # a commune decides for itself


WRONG = (
    ({"title": " "}, ["bad-title"]),
    ({"title": "x" * 201}, ["bad-title"]),
    ({"title": "a\0b"}, ["bad-title"]),
    ({"asset_digest": ""}, ["no-audio"]),
    ({"asset_digest": "f" * 64}, ["unknown-asset"]),
    ({"bulletin_class": "urgent"}, ["not-allowed-class"]),
    ({"units": ()}, ["no-target"]),
    ({"exclude": ("xa-1-c1", "xa-1-c2")}, ["no-target"]),
    ({"units": ("xa-2",)}, ["out-of-scope"]),
    ({"units": ("tinh",)}, ["out-of-scope"]),
    ({"clusters": ("xa-2-c1",)}, ["out-of-scope"]),
    ({"clusters": ("c-none",)}, ["out-of-scope"]),
    ({"repeat": 0}, ["bad-repeat"]),
    ({"repeat": 51}, ["bad-repeat"]),
    ({"gap_s": -1.0}, ["bad-gap"]),
    ({"gain_db": 0.5}, ["bad-gain"]),
    ({"severity": 5}, ["bad-severity"]),
    ({"mode": "joke"}, ["bad-mode"]),
    ({"title": "", "asset_digest": "", "units": ()}, ["bad-title", "no-target", "no-audio"]),
)


def test_what_is_wrong_is_refused_by_name_and_nothing_is_posted(province):
    for wrong, codes in WRONG:
        assert refused(province, **wrong) == codes, wrong
    assert not province.posted("/order")


def test_a_request_without_an_id_is_refused(province):
    with pytest.raises(BroadcastRefusedError) as error:
        province.announce(" ")
    assert [finding.code for finding in error.value.findings] == ["bad-request-id"]


def refused(province, **new: object) -> list[str]:
    with pytest.raises(BroadcastRefusedError) as error:
        province.announce(**new)
    return [finding.code for finding in error.value.findings]


def test_a_stop_goes_where_the_order_went_and_twice_is_once(province):
    row = province.announce(unit_id="tinh", units=("tinh",), decision_number="1")
    first = province.stop(row, now=at(0.1))
    second = province.stop(row, now=at(0.2))
    assert first.stop_token == second.stop_token
    assert second.stopped_at == at(0.1)
    told = [(each.topic, type(token.msg)) for each, token in both(province)]
    assert told == [("loa/1/unit/tinh/order", Play), ("loa/1/unit/tinh/order", Stop)]
    assert len(province.rows(AuditRow, action="stop")) == 1


def both(province):
    return zip(province.posted("/order"), province.said("/order"), strict=True)


def test_two_who_stop_at_once_make_one_stop(on_postgres):
    row = on_postgres.announce()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: on_postgres.stop(row, now=at(0.1)), range(4)))
    assert [type(token.msg) for token in on_postgres.said("/order")] == [Play, Stop]


def test_what_is_over_need_not_be_stopped_and_what_never_was_cannot_be(province):
    row = province.announce()
    assert province.stop(row, now=row.end).stopped_at is None
    row.broadcast_id = "b-none"
    with pytest.raises(UnknownThingError):
        province.stop(row)


def test_an_order_is_sent_again_byte_for_byte_to_each_node_that_has_not_answered(province):
    for cluster in CLUSTERS[:2]:
        province.commission(cluster)
        province.hear(f"n-{cluster}", here(f"n-{cluster}"))
    row = province.announce()
    province.hear("n-xa-1-c1", received(row))
    assert province.run(broadcast_deliveries.resend_due, now=NOON + 1 * S) == 0
    assert province.run(broadcast_deliveries.resend_due, now=NOON + 2 * S) == 1
    (again,) = province.posted("/in/order")
    assert (again.topic, again.payload) == ("loa/1/node/n-xa-1-c2/in/order", row.token)
    assert province.run(broadcast_deliveries.resend_due, now=NOON + 5 * S) == 0
    assert province.run(broadcast_deliveries.resend_due, now=NOON + 6 * S) == 1
    assert province.run(broadcast_deliveries.resend_due, now=row.end) == 0
    attempts = {cluster: d.attempts for cluster, d in province.deliveries(row).items()}
    assert attempts == {"xa-1-c1": 0, "xa-1-c2": 2}


def test_nothing_is_sent_again_to_a_node_that_is_not_there_or_to_a_cluster_without_one(province):
    province.commission("xa-1-c1")
    province.announce()
    assert province.run(broadcast_deliveries.resend_due, now=NOON + 2 * S) == 0
    assert not province.posted("/in/order")


def test_a_stop_is_sent_again_to_who_has_started_until_it_has_told_the_end(province):
    province.commission("xa-1-c1")
    province.hear("n-xa-1-c1", here("n-xa-1-c1"))
    row = province.announce()
    province.hear("n-xa-1-c1", received(row))
    stopped = province.stop(row, now=NOON + 3 * S)
    assert province.run(broadcast_deliveries.resend_due, now=NOON + 5 * S) == 1
    assert province.posted("/in/order")[-1].payload == stopped.stop_token


def test_a_node_that_comes_back_is_sent_what_it_has_missed(province):
    province.commission("xa-1-c1")
    row = province.announce()
    province.hear("n-xa-1-c1", here("n-xa-1-c1"), now=NOON + 60 * S)
    assert [each.payload for each in province.posted("/in/order")] == [row.token]
    province.hear("n-xa-1-c1", here("n-xa-1-c1"), now=NOON + 61 * S)
    assert len(province.posted("/in/order")) == 1


def test_what_expired_while_a_node_was_away_is_not_sent_to_it_and_not_in_its_plan(province):
    province.commission("xa-1-c1")
    row = province.announce()
    province.run(planning.publish_plan, unit_id="xa-1", now=row.end, keyring=province.keyring)
    province.hear("n-xa-1-c1", here("n-xa-1-c1"), now=row.end)
    assert province.posted("n-xa-1-c1/in/order") == []
    assert province.said("unit/xa-1/plan")[-1].msg.claims == ()


def test_two_officers_at_once_make_two_announcements_and_the_later_is_heard(province):
    province.commission("xa-1-c1")
    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(lambda n: province.announce(f"r-{n}", now=NOON + n * S), range(2)))
    orders = [order.msg.claim for order in province.said("unit/xa-1/order")]
    assert {claim.claim_id for claim in orders} == {row.broadcast_id for row in rows}
    for told in (orders, orders[::-1]):
        assert winner(told, NOON + 2 * S, Policy()).claim_id == rows[1].broadcast_id


def test_the_node_that_replaces_another_is_sent_what_still_holds(province):
    province.commission("xa-1-c1")
    row = province.announce()
    province.commission("xa-1-c1", "n-new")
    province.hear("n-new", here("n-new"))
    assert province.posted("/in/order")[-1].topic == "loa/1/node/n-new/in/order"
    assert province.deliveries(row)["xa-1-c1"].node_id == "n-new"


def test_a_refused_order_is_not_sent_again_and_ends_as_refused(province):
    province.commission("xa-1-c1")
    province.hear("n-xa-1-c1", here("n-xa-1-c1"))
    row = province.announce(clusters=("xa-1-c1",), units=())
    refusal = Refused(
        report_id="p-1",
        at=NOON,
        topic="loa/1/unit/xa-1/order",
        reason=Refusal.OUT_OF_SCOPE,
        claim_id=row.broadcast_id,
    )
    province.hear("n-xa-1-c1", refusal)
    assert province.run(broadcast_deliveries.resend_due, now=NOON + 60 * S) == 0
    province.run(as_run.close_ended, now=row.end + 2 * as_run.GRACE)
    (record,) = province.as_run(row.broadcast_id).values()
    assert (record.outcome, record.reason) == ("missed", "refused:out-of-scope")
    assert province.deliveries(row)["xa-1-c1"].state == "refused"


def test_the_reach_counts_clusters_people_and_who_answers_now(province):
    province.commission("xa-1-c1")
    province.hear("n-xa-1-c1", here("n-xa-1-c1"))
    facts = {"unit_id": "tinh", "units": ["xa-1"], "clusters": ["xa-2-c1"], "now": NOON}
    reach = province.run(reaching.reach, exclude=["xa-1-c2"], **facts)
    assert (reach.clusters, reach.people, reach.reachable) == (2, 200, 1)
    assert reach.cluster_ids == ("xa-1-c1", "xa-2-c1")


def test_a_lost_node_does_not_count_as_reachable(province):
    province.commission("xa-1-c1")
    province.hear("n-xa-1-c1", here("n-xa-1-c1"))
    facts = {"unit_id": "xa-1", "units": ["xa-1"], "clusters": []}
    assert province.run(reaching.reach, now=NOON + 3600 * S, **facts).reachable == 0
    assert province.rows(NodeRow)[0].presence == "here"
