"""What nodes say, taken in at least once and in any order."""

import queue
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from protocol.ids import NodeId
from protocol.messages import (
    Acknowledge,
    AsRun,
    NodeWord,
    Outcome,
    Presence,
    PresenceState,
    Received,
    Segment,
    SignedTime,
    Started,
    Telemetry,
    encode,
)
from protocol.signing import audience_node, trust, unverified, verify
from protocol.topics import node_order, node_presence, node_report, node_telemetry
from server.mqtt.gateway import Delivery
from server.mqtt.inbox import BATCH, OWED, QUIET, Inbox, TakeIn, next_batch
from server.services import reports
from server.services.keyring import KEY_LIFE, certificates
from server.services.known_words import Known
from server.store.models import AsRunRow, EventRow, NodeRow, RefusalRow, ReportRow
from tests.factories.claims import NOON
from tests.factories.installations import Installation, an_installation
from tests.factories.links import FakeLink
from tests.factories.messages import A_NONCE
from tests.factories.waiting import wait_until

ONE, OTHER, STRANGER = NodeId("nut-1"), NodeId("nut-2"), NodeId("nut-9")
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Iterator[Installation]:
    with an_installation(tmp_path_factory.mktemp("inbox")) as made:
        made.commission(ONE, "cum-1")
        made.commission(OTHER, "cum-2")
        yield made


@pytest.fixture
def place(installed) -> Iterator[Installation]:
    yield installed
    with installed.sessions.begin() as db:
        for row in (ReportRow, RefusalRow, AsRunRow, EventRow):
            db.execute(delete(row))


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)  # a run of all tests lasts longer than what is signed

    def __call__(self) -> datetime:
        return self.now


def an_inbox(
    place: Installation, clock: Clock | None = None, take_in: TakeIn = reports.take_in
) -> tuple[Inbox, FakeLink]:
    link = FakeLink()
    made = Inbox(
        link, place.sessions, keyring=place.keyring, clock=clock or Clock(), take_in=take_in
    )
    return made, link


def a_report(report_id: str, node: NodeId = ONE) -> Delivery:
    word = Received(report_id=report_id, message_id="m-1", claim_id="khan-1", at=NOW)
    return Delivery(node_report(node), encode(word), retained=False)


def a_presence(node: NodeId, *, said_by: NodeId | None = None, retained=False) -> Delivery:
    word = Presence(node=node, state=PresenceState.HERE, at=NOW)
    return Delivery(node_presence(said_by or node), encode(word), retained=retained)


def hear(inbox: Inbox, *said: Delivery) -> None:
    inbox.take(said)
    inbox.acknowledge()


def acknowledged(link: FakeLink) -> dict[str, tuple[str, ...]]:
    answers = {}
    for message in link.published:
        told = unverified(message.payload).msg
        assert isinstance(told, Acknowledge)
        answers[message.topic] = answers.get(message.topic, ()) + told.report_ids
    return answers


def kept(place: Installation) -> set[tuple[str, str]]:
    with place.reads.begin() as db:
        return {(row.node_id, row.report_id) for row in db.scalars(select(ReportRow))}


def refusals(place: Installation) -> list[tuple[str, str, int]]:
    with place.reads.begin() as db:
        rows = db.scalars(select(RefusalRow).order_by(RefusalRow.refusal_id))
        return [(row.node_id, row.reason, row.count) for row in rows]


def test_each_node_of_a_batch_gets_one_acknowledgement_of_all_its_reports(place):
    inbox, link = an_inbox(place)
    hear(inbox, a_report("r-1"), a_report("r-2"), a_report("r-3", OTHER))
    assert acknowledged(link) == {node_order(ONE): ("r-1", "r-2"), node_order(OTHER): ("r-3",)}
    assert len(link.published) == 2


def test_a_report_that_came_before_is_acknowledged_again_and_kept_once(place):
    inbox, link = an_inbox(place)
    hear(inbox, a_report("r-1"), a_report("r-1"))
    hear(inbox, a_report("r-1"))
    assert acknowledged(link) == {node_order(ONE): ("r-1", "r-1", "r-1")}
    assert kept(place) == {(ONE, "r-1")}


def test_acknowledgements_wait_while_more_comes_in_but_not_for_long(place):
    clock = Clock()
    inbox, link = an_inbox(place, clock)
    began, number = clock.now, 0
    while clock.now < began + OWED - QUIET:
        number += 1
        inbox.take([a_report(f"r-{number}")])
        clock.now += 0.9 * QUIET
        inbox.acknowledge_due()
    assert link.published == []
    clock.now = began + OWED
    inbox.take([a_report("r-last", OTHER)])
    inbox.acknowledge_due()
    assert len(acknowledged(link)[node_order(ONE)]) == number
    assert acknowledged(link)[node_order(OTHER)] == ("r-last",)


def test_acknowledgements_go_out_when_no_report_has_come_in_for_a_moment(place):
    clock = Clock()
    inbox, link = an_inbox(place, clock)
    inbox.take([a_report("r-1")])
    clock.now += 0.9 * QUIET
    measured = Delivery(node_telemetry(OTHER), encode(Telemetry(at=NOW)), retained=False)
    inbox.take([measured])  # is no report
    inbox.acknowledge_due()
    assert link.published == []
    clock.now += 0.1 * QUIET
    inbox.acknowledge_due()
    assert acknowledged(link) == {node_order(ONE): ("r-1",)}


def test_a_clock_that_was_set_back_does_not_keep_acknowledgements_waiting(place):
    clock = Clock()
    inbox, link = an_inbox(place, clock)
    inbox.take([a_report("r-1")])
    clock.now -= timedelta(hours=1)
    inbox.acknowledge_due()
    assert acknowledged(link) == {node_order(ONE): ("r-1",)}


def test_what_is_safe_when_the_loop_ends_is_acknowledged(place):
    inbox, link = an_inbox(place)
    deliveries: queue.Queue[Delivery] = queue.Queue()
    deliveries.put(a_report("r-1"))
    stop = Event()
    worker = Thread(target=inbox.run, args=(deliveries, stop))
    worker.start()
    try:
        wait_until(lambda: kept(place) == {(ONE, "r-1")})
    finally:
        stop.set()
        worker.join()
    assert acknowledged(link) == {node_order(ONE): ("r-1",)}


def test_reports_that_nobody_can_sign_for_are_kept_and_acknowledged_when_they_come_again(place):
    clock = Clock()
    inbox, link = an_inbox(place, clock)
    hear(inbox, a_report("r-1"))
    before = len(link.published)
    clock.now += KEY_LIFE + timedelta(days=1)
    hear(inbox, a_report("r-1"), a_report("r-2"))
    assert len(link.published) == before
    assert kept(place) == {(ONE, "r-1"), (ONE, "r-2")}
    clock.now -= KEY_LIFE
    hear(inbox, a_report("r-2"))
    assert acknowledged(link) == {node_order(ONE): ("r-1", "r-2")}


def test_no_acknowledgement_names_more_reports_than_a_node_reads(place):
    inbox, link = an_inbox(place)
    reports_of_days = [a_report(f"r-{number}") for number in range(5 * BATCH)]
    for start in range(0, len(reports_of_days), BATCH):
        inbox.take(reports_of_days[start : start + BATCH])
        inbox.acknowledge_due()
    inbox.acknowledge()
    for message in link.published:
        verify(
            message.payload,
            trust(place.keyring.root_public, certificates_of(place)),
            audiences=[audience_node(ONE)],
            now=datetime.now(UTC),  # the installation's keys are younger than this module
        )
    assert len(acknowledged(link)[node_order(ONE)]) == 5 * BATCH


def certificates_of(place: Installation) -> tuple[str, ...]:
    with place.reads.begin() as db:
        return certificates(db, [], now=NOW)


def test_nothing_is_acknowledged_that_was_not_committed(place):
    inbox, link = an_inbox(place, take_in=exploding_on("r-bad"))
    hear(inbox, a_report("r-bad"))
    assert link.published == []
    assert kept(place) == set()


def exploding_on(report_id: str) -> TakeIn:
    """Take words in as always, but explode at one report, after it was written."""

    def take_in(
        db: Session, node_id: str, word: NodeWord, *, now: datetime, knowing: Known | None = None
    ) -> str | None:
        done = reports.take_in(db, node_id, word, now=now, knowing=knowing)
        if done == report_id:
            raise RuntimeError(report_id)
        return done

    return take_in


def test_one_delivery_that_explodes_does_not_lose_the_others_of_its_batch(place):
    inbox, link = an_inbox(place, take_in=exploding_on("r-bad"))
    hear(inbox, a_report("r-1"), a_report("r-bad"), a_report("r-2", OTHER))
    assert kept(place) == {(ONE, "r-1"), (OTHER, "r-2")}
    assert acknowledged(link) == {node_order(ONE): ("r-1",), node_order(OTHER): ("r-2",)}
    assert inbox.failures == 1


def test_the_loop_goes_on_after_a_delivery_that_explodes(place):
    inbox, _link = an_inbox(place, take_in=exploding_on("r-bad"))
    deliveries: queue.Queue[Delivery] = queue.Queue()
    stop = Event()
    worker = Thread(target=inbox.run, args=(deliveries, stop))
    worker.start()
    try:
        deliveries.put(a_report("r-bad"))
        wait_until(lambda: inbox.failures == 1)
        deliveries.put(a_report("r-1"))
        wait_until(lambda: kept(place) == {(ONE, "r-1")})
    finally:
        stop.set()
        worker.join()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"kind":"song"}', "unknown-kind"),
        (b"\xff\xfe", "garbled"),
        (b'{"kind":"received"}', "garbled"),
        (b" " * 70_000, "too-large"),
        (encode(Telemetry(at=NOON)), "unknown-kind"),
        (encode(Presence(node=ONE, state=PresenceState.HERE)), "unknown-kind"),
    ],
)
def test_what_is_no_report_is_refused_with_its_reason(place, payload, reason):
    inbox, link = an_inbox(place)
    hear(inbox, Delivery(node_report(ONE), payload, retained=False), a_report("r-1"))
    assert refusals(place) == [(ONE, reason, 1)]
    assert kept(place) == {(ONE, "r-1")}
    assert acknowledged(link) == {node_order(ONE): ("r-1",)}


def test_a_report_that_cannot_be_kept_is_refused_on_record_and_may_be_forgotten(place):
    """A board without a clock's battery begins in 1970."""
    inbox, link = an_inbox(place)
    word = Received(report_id="r-1970", claim_id="khan-1", at=datetime(1970, 1, 1, tzinfo=UTC))
    hear(inbox, Delivery(node_report(ONE), encode(word), retained=False), a_report("r-1"))
    assert inbox.failures == 0
    assert refusals(place) == [(ONE, "garbled", 1)]
    assert kept(place) == {(ONE, "r-1")}
    assert acknowledged(link) == {node_order(ONE): ("r-1970", "r-1")}


def test_a_record_that_cannot_be_kept_leaves_no_row_behind_and_the_others_of_its_batch(place):
    inbox, link = an_inbox(place)
    word = AsRun(
        report_id="r-zero",
        claim_id="khan-1",
        cluster="cum-1",
        at=NOW,
        outcome=Outcome.PLAYED,
        segments=(),
        reason="a\0b",
    )
    hear(inbox, Delivery(node_report(ONE), encode(word), retained=False), a_report("r-1"))
    with place.reads.begin() as db:
        assert not db.scalars(select(AsRunRow)).all()
    assert kept(place) == {(ONE, "r-1")}
    assert acknowledged(link) == {node_order(ONE): ("r-zero", "r-1")}


def test_a_node_says_only_of_itself_that_it_is_here(place):
    inbox, _link = an_inbox(place)
    hear(inbox, a_presence(OTHER, said_by=ONE))
    assert refusals(place) == [(ONE, "out-of-scope", 1)]


def test_the_word_of_a_node_that_is_not_commissioned_is_refused(place):
    inbox, link = an_inbox(place)
    hear(inbox, a_report("r-1", STRANGER))
    assert refusals(place) == [(STRANGER, "out-of-scope", 1)]
    assert link.published == []


def test_what_a_former_node_left_at_the_broker_is_passed_over(place):
    inbox, _link = an_inbox(place)
    empty = Delivery(node_presence(ONE), b"", retained=True)
    hear(inbox, a_presence(STRANGER, retained=True), empty)
    assert refusals(place) == []


def test_a_foreign_topic_is_passed_over(place):
    inbox, _link = an_inbox(place)
    for topic in ("loa/1/node/UPPER/out/report", "elsewhere", node_order(ONE)):
        hear(inbox, Delivery(topic, b"x", retained=False), a_report("r-1"))
    assert refusals(place) == []
    assert kept(place) == {(ONE, "r-1")}


def test_a_broken_node_does_not_fill_the_database_with_refusals(place):
    clock = Clock()
    inbox, _link = an_inbox(place, clock)
    bad = Delivery(node_report(ONE), b"?", retained=False)
    hear(inbox, *[bad] * 50)
    clock.now += timedelta(seconds=61)
    hear(inbox, bad)
    assert refusals(place) == [(ONE, "garbled", 1), (ONE, "garbled", 50)]


def test_a_sign_of_life_is_noted(place):
    clock = Clock()
    clock.now += timedelta(minutes=5)
    inbox, _link = an_inbox(place, clock)
    word = Telemetry(at=NOW, level_dbfs=-20.0)
    hear(inbox, Delivery(node_telemetry(ONE), encode(word), retained=False))
    with place.reads.begin() as db:
        node = db.get_one(NodeRow, ONE)
        assert node.last_heard_at == clock.now
        assert node.telemetry["level_dbfs"] == -20.0


def told_time(link: FakeLink) -> list[tuple[str, SignedTime]]:
    told = [(message.topic, unverified(message.payload).msg) for message in link.published]
    return [(topic, word) for topic, word in told if isinstance(word, SignedTime)]


def test_who_asks_the_time_is_told_it_by_the_clock_of_that_moment(place):
    clock = Clock()
    inbox, link = an_inbox(place, clock)
    born = Presence(node=ONE, state=PresenceState.HERE, at=NOW, nonce=A_NONCE)
    measured = Telemetry(at=NOW, nonce="f" * 32)
    hear(
        inbox,
        Delivery(node_presence(ONE), encode(born), retained=False),
        Delivery(node_telemetry(OTHER), encode(measured), retained=False),
    )
    assert told_time(link) == [
        (node_order(ONE), SignedTime(nonce=A_NONCE, at=clock.now)),
        (node_order(OTHER), SignedTime(nonce="f" * 32, at=clock.now)),
    ]
    with place.reads.begin() as db:
        assert db.get_one(NodeRow, OTHER).telemetry.get("nonce", "") == ""
    hear(inbox, a_report("r-1"))
    assert len(told_time(link)) == 2


@pytest.mark.parametrize(
    ("node", "nonce", "retained"),
    [(ONE, A_NONCE, True), (ONE, "abc", False), (NodeId("nobody"), A_NONCE, False)],
)
def test_nobody_is_told_the_time_who_waits_no_more_or_is_unknown(place, node, nonce, retained):
    inbox, link = an_inbox(place)
    born = Presence(node=node, state=PresenceState.HERE, at=NOW, nonce=nonce)
    hear(inbox, Delivery(node_presence(node), encode(born), retained=retained))
    assert told_time(link) == []


def test_a_batch_is_all_that_waits_but_never_more_than_fits_one_transaction():
    deliveries: queue.Queue[Delivery] = queue.Queue()
    for number in range(BATCH + 5):
        deliveries.put(a_report(f"r-{number}"))
    assert len(next_batch(deliveries, 0)) == BATCH
    assert len(next_batch(deliveries, 0)) == 5


def _as_run() -> AsRun:
    heard = Segment(start=NOW, end=NOW + timedelta(seconds=9), position_s=0.0)
    return AsRun(
        report_id="w-3",
        claim_id="khan-1",
        cluster="cum-1",
        at=NOW + timedelta(seconds=9),
        outcome=Outcome.PLAYED,
        segments=(heard,),
    )


WORDS = (
    Received(report_id="w-1", message_id="m-1", claim_id="khan-1", at=NOW),
    Started(report_id="w-2", claim_id="khan-1", at=NOW),
    _as_run(),
)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.lists(st.sampled_from(WORDS), min_size=3, max_size=9))
def test_duplicates_and_disorder_do_not_change_the_end(place, order):
    with place.sessions.begin() as db:
        for row in (ReportRow, AsRunRow):
            db.execute(delete(row))
    inbox, _link = an_inbox(place)
    for word in (*order, *WORDS):
        hear(inbox, Delivery(node_report(ONE), encode(word), retained=False))
    assert kept(place) == {(ONE, "w-1"), (ONE, "w-2"), (ONE, "w-3")}
    with place.reads.begin() as db:
        (record,) = db.scalars(select(AsRunRow))
        assert (record.outcome, record.cluster_id) == ("played", "cum-1")
        assert len(record.segments["heard"]) == 1
