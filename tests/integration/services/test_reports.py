"""What nodes say, at least once and in any order, ends in the same rows."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from protocol.errors import Refusal, RefusedError
from protocol.messages import (
    Acknowledge,
    Alarms,
    AsRun,
    NodeWord,
    Outcome,
    Preempted,
    Presence,
    PresenceState,
    Received,
    Refused,
    Segment,
    SignedTime,
    SoundVerdict,
    Started,
    Telemetry,
    ToneHeard,
)
from protocol.signing import unverified
from server.domain.errors import UnknownThingError
from server.services import arrears, as_run, outbox, reports
from server.services.known_words import known
from server.store.inserts import write_changes
from server.store.models import (
    AsRunRow,
    DeliveryRow,
    EventRow,
    NodeRow,
    OutboxRow,
    RefusalRow,
    ReportRow,
)
from tests.factories.claims import NOON, at
from tests.factories.messages import A_NONCE
from tests.factories.provinces import Listener

NODE, CLUSTER = "n-xa-1-c1", "xa-1-c1"
S = timedelta(seconds=1)


def segment(start: float, end: float, position_s: float = 0.0) -> Segment:
    return Segment(start=at(start), end=at(end), position_s=position_s)


def record(claim: str, *segments: Segment, report_id: str = "p-9", **facts: object) -> AsRun:
    boring = {"at": at(5), "outcome": Outcome.PLAYED, "cluster": CLUSTER}
    return AsRun(report_id=report_id, claim_id=claim, segments=segments, **{**boring, **facts})


def a_whole_life(claim: str) -> list:
    """Refused before the configuration came, taken when sent again, cut, resumed, and done.

    The node lost its memory half-way, so it tells the end twice.
    """
    return [
        Refused(report_id="p-0", at=NOON, topic="t", reason=Refusal.NO_CONFIG, claim_id=claim),
        Received(report_id="p-1", claim_id=claim, at=at(0.1)),
        Started(report_id="p-2", claim_id=claim, at=at(0.2)),
        Preempted(report_id="p-3", claim_id=claim, at=at(1), by="khan-9"),
        Started(report_id="p-4", claim_id=claim, at=at(2)),
        record(claim, segment(0.2, 1), report_id="p-5", at=at(3), outcome=Outcome.CUT),
        record(claim, segment(2, 5, 60.0), report_id="p-6", at=at(5), outcome=Outcome.PLAYED),
        Alarms(report_id="p-7", at=NOON, standing=("mains-lost", "door")),
        Alarms(report_id="p-8", at=at(6), standing=("mains-lost",)),
    ]


def facts_of(db) -> tuple:
    delivery = db.scalars(select(DeliveryRow).filter_by(cluster_id=CLUSTER)).one()
    runs = db.scalars(select(AsRunRow)).all()
    return (
        (delivery.state, delivery.reason, delivery.received_at, delivery.started_at),
        (delivery.ended_at, delivery.changed_at, delivery.next_attempt_at is None),
        [(row.outcome, row.reason, row.start, row.end, row.segments, row.source) for row in runs],
        sorted(db.scalars(select(ReportRow.report_id))),
        len(db.scalars(select(RefusalRow)).all()),
        db.scalars(select(NodeRow)).one().on_air,
        db.scalars(select(NodeRow)).one().alarms,
    )


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_order_and_any_duplicates_of_a_nodes_words_end_in_the_same_rows(on_sqlite, data):
    province = on_sqlite
    if not province.rows(NodeRow):
        province.commission(CLUSTER)
    life = a_whole_life(province.announce("r-life").broadcast_id)
    life = data.draw(st.lists(st.sampled_from(life), unique_by=id, min_size=1))
    again = data.draw(st.lists(st.sampled_from(life), max_size=3))

    def ends(words, *, together=False):
        with province.sessions() as db:
            said = [(NODE, word) for word in words]
            knowing = known(db, said, now=at(6)) if together else None
            for word in words:
                reports.take_in(db, NODE, word, now=at(6), knowing=knowing)
            if together:
                write_changes(db)
            db.flush()  # all is looked at, and then undone
            return facts_of(db)

    shuffled = data.draw(st.permutations([*life, *again]))
    assert ends(shuffled) == ends(shuffled, together=True) == ends(life)


OTHER, ELSEWHERE = "n-xa-1-c2", "xa-1-c2"


def a_rush(claim: str) -> list[tuple[str, NodeWord]]:
    """Two nodes tell of one announcement at once: copies, an end before its beginning, others."""
    ended = record(claim, segment(0.2, 5), report_id="q-3", cluster=ELSEWHERE)
    return [
        (NODE, Received(report_id="p-1", claim_id=claim, at=at(0.1))),
        (OTHER, ended),
        ("n-stranger", Received(report_id="p-1", claim_id=claim, at=at(0.1))),
        (NODE, Received(report_id="p-1", claim_id=claim, at=at(0.1))),
        (OTHER, Received(report_id="p-1", claim_id=claim, at=at(0.1))),
        (OTHER, Started(report_id="q-2", claim_id=claim, at=at(0.2))),
        (NODE, Received(report_id="p-0", claim_id="khan-of-nobody", at=NOON)),
        (NODE, Started(report_id="p-2", claim_id=claim, at=at(0.3))),
        (NODE, Telemetry(at=at(0.4), on_air=claim, temperature_c=41.5)),
        (OTHER, Presence(node=OTHER, state=PresenceState.HERE, at=at(6), config_version=1)),
        (OTHER, Alarms(report_id="q-4", at=at(6), standing=("door",))),
        (OTHER, ended),
        (NODE, Preempted(report_id="p-3", claim_id=claim, at=at(1), by="khan-9")),
    ]


def all_rows(db) -> list:
    """List what words change, but for the numbers that rows were given."""
    numbers = {"as_run_id", "refusal_id", "event_id", "outbox_id"}
    tables = DeliveryRow, NodeRow, AsRunRow, ReportRow, RefusalRow, EventRow, OutboxRow
    return [
        sorted(
            str(
                {
                    column.name: getattr(row, column.name)
                    for column in table.__table__.c
                    if column.name not in numbers
                }
            )
            for row in db.scalars(select(table))
        )
        for table in tables
    ]


def ends_of(province, said: list[tuple[str, NodeWord]], *, together: bool) -> list:
    """Take words in, look at all there is then, and undo it."""
    with province.sessions() as db:
        knowing = known(db, said, now=at(6)) if together else None
        for node, word in said:
            try:
                reports.take_in(db, node, word, now=at(6), knowing=knowing)
            except UnknownThingError:
                assert node == "n-stranger"
        if together:
            write_changes(db)
        db.flush()  # all is looked at, and then undone
        db.expire_all()
        return all_rows(db)


def test_what_many_say_at_once_ends_as_when_each_is_heard_alone(province):
    for cluster in (CLUSTER, ELSEWHERE):
        province.commission(cluster)
    said = a_rush(province.announce().broadcast_id)
    for rush in (said, said[::-1], said[5:] + said[:5]):
        ends = ends_of(province, rush, together=True)
        assert ends == ends_of(province, rush, together=False)
        assert "'outcome': 'played'" in ends[2][0]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_rush_of_words_ends_as_when_each_is_heard_alone(on_sqlite, data):
    province = on_sqlite
    if not province.rows(NodeRow):
        for cluster in (CLUSTER, ELSEWHERE):
            province.commission(cluster)
    life = a_rush(province.announce("r-rush").broadcast_id)
    rush = data.draw(st.lists(st.sampled_from(life), min_size=1, max_size=20))
    assert ends_of(province, rush, together=True) == ends_of(province, rush, together=False)


def test_a_whole_life_in_order_ends_as_it_was(province):
    province.commission(CLUSTER)
    broadcast = province.announce()
    claim = broadcast.broadcast_id
    ids = province.hear(NODE, *a_whole_life(claim))
    assert ids == [f"p-{number}" for number in range(9)]
    delivery = province.deliveries(broadcast)[CLUSTER]
    assert (delivery.state, delivery.reason) == ("played", "")
    assert (delivery.received_at, delivery.started_at) == (at(0.1), at(0.2))
    assert (delivery.ended_at, delivery.next_attempt_at) == (at(5), None)
    row = province.as_run(claim)[CLUSTER]
    assert (row.outcome, row.start, row.end, row.unit_id) == ("played", at(0.2), at(5), "xa-1")
    assert [part["position_s"] for part in row.segments["heard"]] == [0.0, 60.0]


def test_a_nodes_record_replaces_the_servers_conclusion_and_never_the_reverse(province):
    province.commission(CLUSTER)
    broadcast = province.announce()
    late = broadcast.end + 2 * as_run.GRACE
    assert province.run(as_run.close_ended, now=late) == 2
    assert province.deliveries(broadcast)[CLUSTER].state == "missed"
    claim = broadcast.broadcast_id
    assert {row.source for row in province.as_run(claim).values()} == {"server"}
    province.hear(NODE, record(claim, segment(0, 1)), now=late)
    province.run(as_run.close_ended, now=late + 3600 * S)
    row = province.as_run(claim)[CLUSTER]
    assert (row.source, row.outcome, row.reason) == ("node", "played", "")
    assert province.deliveries(broadcast)[CLUSTER].state == "played"
    assert len(province.rows(AsRunRow)) == 2


def test_a_broadcast_is_concluded_once_with_one_record_for_each_cluster_and_why(province):
    province.commission(CLUSTER)
    broadcast = province.announce()
    claim = broadcast.broadcast_id
    province.hear(NODE, Received(report_id="p-1", claim_id=claim, at=NOON))
    assert province.run(as_run.close_ended, now=broadcast.end + as_run.GRACE) == 0
    late = broadcast.end + as_run.GRACE + 1 * S
    assert province.run(as_run.close_ended, now=late) == 2
    assert province.run(as_run.close_ended, now=late) == 0
    reasons = {cluster: row.reason for cluster, row in province.as_run(claim).items()}
    assert reasons == {"xa-1-c1": "no-report", "xa-1-c2": "not-reached"}
    assert {row.state for row in province.deliveries(broadcast).values()} == {"missed"}


def test_a_stopped_broadcast_is_concluded_soon_after_the_stop(province):
    broadcast = province.stop(province.announce(), now=at(0.1))
    province.run(as_run.close_ended, now=at(0.2) + as_run.GRACE)
    reasons = {row.reason for row in province.as_run(broadcast.broadcast_id).values()}
    assert reasons == {"stopped-before-reached"}


def test_what_no_database_can_hold_is_refused_and_changes_nothing(province):
    province.commission(CLUSTER)
    early = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    for word in (
        Telemetry(at=early),
        Telemetry(at=NOON, tone=ToneHeard(at=early, verdict=SoundVerdict.HEARD, level_dbfs=-50)),
        Telemetry(at=NOON, on_air="x" * 97),
        Telemetry(at=NOON, on_air="a\0b"),
        Presence(node=NODE, state=PresenceState.HERE, software="a\0b"),
        record("c-1", segment(0, 1), reason="a\0b"),
        record("c-1", Segment(start=NOON, end=early, position_s=0.0)),
    ):
        with pytest.raises(RefusedError):
            province.hear(NODE, word)
    assert province.rows(NodeRow)[0].last_heard_at is None
    assert not province.rows(AsRunRow)


def test_the_longest_and_the_largest_that_the_wire_carries_is_kept(province):
    province.commission(CLUSTER)
    most = 2**53 - 1
    province.hear(
        NODE,
        Presence(
            node=NODE,
            state=PresenceState.HERE,
            software="x" * 500,
            config_version=most,
            plan_versions={"xa-1": most},
        ),
        Refused(report_id="p-1", at=NOON, topic="x" * 500, reason=Refusal.FORGED, count=most),
    )
    (node,) = province.rows(NodeRow)
    assert (node.held_config_version, node.plan_versions) == (most, {"xa-1": most})
    assert province.rows(RefusalRow)[0].count == most


def test_only_a_commissioned_node_is_listened_to(province):
    province.commission(CLUSTER)
    province.commission(CLUSTER, "n-new")
    for node in (NODE, "n-none"):
        with pytest.raises(UnknownThingError):
            province.hear(node, Telemetry(at=NOON))
    assert province.hear("n-new", Telemetry(at=NOON)) == [None]


def test_an_old_start_does_not_put_on_air_what_the_node_no_longer_says_it_plays(province):
    province.commission(CLUSTER)
    province.hear(NODE, Started(report_id="p-1", claim_id="s-1-a", at=NOON))
    assert province.rows(NodeRow)[0].on_air == "s-1-a"
    province.hear(NODE, Telemetry(at=at(1)))
    province.hear(NODE, Started(report_id="p-2", claim_id="s-1-a", at=at(0.5)))
    assert province.rows(NodeRow)[0].on_air == ""


def test_any_word_is_a_sign_of_life_and_outweighs_a_will_that_came_late(province):
    province.commission(CLUSTER)
    province.hear(NODE, Presence(node=NODE, state=PresenceState.LOST), now=NOON)
    assert province.rows(NodeRow)[0].presence == "lost"
    province.hear(NODE, Telemetry(at=at(1)), now=at(1))
    (node,) = province.rows(NodeRow)
    assert (node.presence, node.last_heard_at) == ("here", at(1))


def test_a_node_believes_the_acknowledgement_of_its_reports(province):
    credentials = province.commission(CLUSTER)
    listener = Listener.of(province.posted("/in/config")[0].payload, credentials.root_key)
    key = province.run(province.keyring.configuring_key, now=NOON)
    ((topic, token),) = reports.acknowledgements({NODE: ["p-1", "p-2"]}, now=NOON, key=key)
    assert topic == f"loa/1/node/{NODE}/in/order"
    assert listener.hears(token).token.msg == Acknowledge(report_ids=("p-1", "p-2"))


def test_a_node_believes_the_time_that_it_has_asked_for(province):
    credentials = province.commission(CLUSTER)
    listener = Listener.of(province.posted("/in/config")[0].payload, credentials.root_key)
    instants = iter((NOON, at(1)))
    key = province.run(province.keyring.configuring_key, now=NOON)
    ((topic, token), (_, other)) = reports.times(
        {NODE: A_NONCE, "n-2": A_NONCE}, clock=lambda: next(instants), key=key
    )
    assert topic == f"loa/1/node/{NODE}/in/order"
    assert listener.hears(token).token.msg == SignedTime(nonce=A_NONCE, at=NOON)
    assert unverified(other).msg.at == at(1)


def test_a_clock_of_the_future_does_not_hide_what_is_on_air_afterwards(province):
    province.commission(CLUSTER)
    ahead = Telemetry(at=at(100_000), on_air="s-1-a", clock_trusted=False)
    province.hear(NODE, ahead, now=NOON)
    assert province.rows(NodeRow)[0].on_air == "s-1-a"
    province.hear(NODE, Telemetry(at=at(1), clock_trusted=True), now=at(1))
    (node,) = province.rows(NodeRow)
    assert (node.on_air, node.telemetry["clock_trusted"]) == ("", True)


def here(**facts: object) -> Presence:
    return Presence(node=NODE, state=PresenceState.HERE, **facts)


def carry(province, *, now: datetime) -> None:
    """Let the broker have all that waits."""
    waiting = {row.outbox_id for row in province.rows(OutboxRow) if row.published_at is None}
    province.run(outbox.mark_published, ids=waiting, now=now)


def test_a_node_that_holds_older_things_is_sent_the_newest_and_not_every_second(province):
    province.commission(CLUSTER)
    province.add_slot()
    (config,) = province.posted("/in/config")
    (plan,) = province.posted("/plan")
    province.hear(NODE, here())
    carry(province, now=NOON)
    assert province.run(arrears.bring_up_to_date, now=NOON + 4 * S) == 0
    assert province.run(arrears.bring_up_to_date, now=NOON + 6 * S) == 2
    assert province.posted("/in/config")[-1].payload == config.payload
    assert province.posted("/plan")[-1].payload == plan.payload
    carry(province, now=NOON + 6 * S)
    assert province.run(arrears.bring_up_to_date, now=NOON + 7 * S) == 0
    assert province.run(arrears.bring_up_to_date, now=NOON + 36 * S) == 2
    (node,) = province.rows(NodeRow)
    newest = {"xa-1": province.said("/plan")[0].msg.version}
    province.hear(NODE, here(config_version=node.config_version, plan_versions=newest))
    assert province.run(arrears.bring_up_to_date, now=NOON + 90 * S) == 0


def add_two_nodes_that_lack_a_plan(province):
    for cluster in ("xa-1-c1", "xa-1-c2"):
        province.commission(cluster)
        word = Presence(node=f"n-{cluster}", state=PresenceState.HERE, config_version=2**40)
        province.hear(f"n-{cluster}", word)
    province.add_slot()


def test_a_plan_that_many_nodes_lack_is_sent_once_to_its_unit(province):
    add_two_nodes_that_lack_a_plan(province)
    carry(province, now=NOON)
    assert province.run(arrears.bring_up_to_date, now=NOON + 6 * S) == 1
    assert len(province.posted("/plan")) == 2


def test_a_plan_is_not_sent_again_to_those_who_are_looked_at_a_moment_later(province):
    add_two_nodes_that_lack_a_plan(province)
    carry(province, now=NOON)
    assert province.run(arrears.bring_up_to_date, now=NOON + 6 * S, most=1) == 1
    assert province.run(arrears.bring_up_to_date, now=NOON + 6.5 * S, most=1) == 0
    assert [row.nudged_at for row in province.rows(NodeRow)] == [NOON + 6 * S, NOON + 6.5 * S]
    assert len(province.posted("/plan")) == 2
    carry(province, now=NOON + 7 * S)
    assert province.run(arrears.bring_up_to_date, now=NOON + 37 * S) == 1


def test_nothing_is_sent_to_nodes_that_have_fallen_silent(province):
    province.commission(CLUSTER)
    province.hear(NODE, here())
    assert province.run(arrears.bring_up_to_date, now=NOON + 3600 * S) == 0


def test_a_broker_that_has_forgotten_is_told_the_newest_of_everything(province):
    province.commission(CLUSTER)
    province.commission("xa-1-c2")
    province.commission(CLUSTER, "n-new")
    province.add_slot()
    topics = [topic for topic, _ in province.run(reports.retained)]
    assert topics == [
        "loa/1/node/n-new/in/config",
        "loa/1/node/n-xa-1-c2/in/config",
        "loa/1/unit/xa-1/plan",
    ]


def test_old_reports_and_refusals_are_forgotten_and_young_ones_kept(province):
    province.commission(CLUSTER)
    for n, now in enumerate((NOON, NOON + reports.REPORTS_KEPT)):
        word = Refused(
            report_id=f"p-{n}", at=now, topic="t", reason=Refusal.FORGED, claim_id="khan-1"
        )
        province.hear(NODE, word, now=now)
    assert province.run(reports.forget, now=NOON + reports.REPORTS_KEPT) == 0
    assert province.run(reports.forget, now=NOON + reports.REPORTS_KEPT + S) == 1
    assert [row.report_id for row in province.rows(ReportRow)] == ["p-1"]
    assert province.run(reports.forget, now=NOON + reports.REFUSALS_KEPT + S) == 2
    assert [row.at for row in province.rows(RefusalRow)] == [NOON + reports.REPORTS_KEPT]


def test_a_limit_counts_only_what_may_be_seen(province):
    for cluster in ("xa-1-c1", "xa-2-c1"):
        province.commission(cluster)
        own = record("khan-1", segment(0, 1), report_id="p-1", cluster=cluster)
        province.hear(f"n-{cluster}", own)
    facts = {"since": at(-60), "until": at(60), "limit": 1}
    for cluster in ("xa-1-c1", "xa-2-c1"):
        (row,) = province.run(as_run.records, clusters={cluster}, **facts)
        assert row.cluster_id == cluster
    assert province.run(as_run.records, clusters=set(), **facts) == []
    facts["limit"] = 9
    assert len(province.run(as_run.records, clusters=None, **facts)) == 2
