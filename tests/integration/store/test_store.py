"""What the store keeps, refuses and wakes, on both engines."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import IntegrityError, StatementError

from server.services import events, outbox
from server.store.engine import open_engine, open_sessions, reading
from server.store.models import AuditRow, ClusterRow, LevelRow, NodeRow, OutboxRow
from server.store.types import NaiveInstantError
from server.store.wake import Wakeup, wake_after_commit
from tests.factories.claims import NOON

LONG_S = 10.0
"""A deadline, never waited out when all is well."""

SHORT_S = 0.2
"""Long enough to notice what should not come."""


def a_deed(at: datetime) -> AuditRow:
    return AuditRow(at=at, actor="ai-do", action="view", subject="-", detail={})


def a_node(node_id: str, **overrides: object) -> NodeRow:
    boring = {
        "node_id": node_id,
        "cluster_id": "c-1",
        "secret_hash": "-",
        "commissioned_at": NOON,
        "plan_versions": {},
        "telemetry": {},
    }
    return NodeRow(**{**boring, **overrides})


def post(db, topic: str = "t", expires_at: datetime | None = None) -> None:
    outbox.post(db, topic=topic, payload=b"-", retained=False, expires_at=expires_at, now=NOON)


def test_an_instant_comes_back_in_utc_whatever_zone_it_was_given_in(sessions):
    hanoi = timezone(timedelta(hours=7))
    with sessions.begin() as db:
        db.add(a_deed(datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=hanoi)))
    with sessions.begin() as db:
        at = db.query(AuditRow).one().at
    assert at == datetime(2026, 11, 21, 5, 0, 0, 123456, tzinfo=UTC)
    assert at.tzinfo is UTC


def test_an_instant_without_a_zone_is_refused(sessions):
    with pytest.raises(StatementError) as refused, sessions.begin() as db:
        db.add(a_deed(datetime(2026, 11, 21)))  # noqa: DTZ001 - what is to be refused
    assert isinstance(refused.value.orig, NaiveInstantError)


def test_instants_compare_in_the_database_as_they_do_here(sessions):
    with sessions.begin() as db:
        db.add_all(a_deed(NOON + timedelta(microseconds=n)) for n in range(3))
        later = db.query(AuditRow).where(AuditRow.at > NOON).count()
    assert later == 2


def test_a_long_look_keeps_no_writer_waiting(sessions):
    with reading(sessions) as looking:
        before = looking.query(AuditRow).count()
        with sessions.begin() as writing:
            writing.add(a_deed(NOON))
    with reading(sessions) as looking:
        assert looking.query(AuditRow).count() == before + 1


def test_a_cluster_has_one_active_node_and_any_number_of_former_ones(sessions):
    with sessions.begin() as db:
        db.add(ClusterRow(cluster_id="c-1", name="Cụm", village="Thôn"))
        db.flush()  # nodes refer to it
        db.add_all(a_node(f"n-{n}", decommissioned_at=NOON) for n in range(2))
        db.add(a_node("n-new"))
    with pytest.raises(IntegrityError), sessions.begin() as db:
        db.add(a_node("n-other"))


def test_nothing_may_refer_to_what_is_not_there(sessions):
    with pytest.raises(IntegrityError), sessions.begin() as db:
        db.add(a_node("n-1", cluster_id="c-none"))


def test_numbers_are_as_wide_as_on_the_wire(sessions):
    with sessions.begin() as db:
        db.add(ClusterRow(cluster_id="c-1", name="Cụm", village="Thôn"))
        db.flush()  # the node refers to it
        db.add(a_node("n-1", held_config_version=2**53 - 1))
    with sessions.begin() as db:
        assert db.get_one(NodeRow, "n-1").held_config_version == 2**53 - 1


def test_a_commit_wakes_a_sleeper_and_a_rollback_does_not(engine, sessions):
    with Wakeup(engine, "sleeper") as wakeup:
        with sessions() as db:
            wake_after_commit(db)
            db.rollback()
        assert not wakeup.wait(SHORT_S)
        with sessions.begin() as db:
            wake_after_commit(db)
        assert wakeup.wait(LONG_S)


def test_a_transaction_that_asks_for_nothing_wakes_nobody_even_after_one_that_did(engine, sessions):
    with Wakeup(engine, "sleeper") as wakeup, sessions() as db:
        with db.begin():
            wake_after_commit(db)
        assert wakeup.wait(LONG_S)
        with db.begin():
            db.add(a_deed(NOON))
        assert not wakeup.wait(SHORT_S)


def test_what_is_asked_inside_a_savepoint_wakes_when_the_whole_is_committed(engine, sessions):
    with Wakeup(engine, "sleeper") as wakeup:
        with sessions.begin() as db:
            with db.begin_nested():
                wake_after_commit(db)
            assert not wakeup.wait(SHORT_S)
        assert wakeup.wait(LONG_S)


def test_a_sleeper_is_woken_from_another_thread_and_every_sleeper_is(engine, sessions):
    with (
        Wakeup(engine, "one") as one,
        Wakeup(engine, "other") as other,
        ThreadPoolExecutor(2) as pool,
    ):
        woken = [pool.submit(sleeper.wait, LONG_S) for sleeper in (one, other)]
        with sessions.begin() as db:
            post(db)
        assert [each.result() for each in woken] == [True, True]


def test_a_dead_sleeper_wakes_nobody_and_hurts_nobody(engine, sessions):
    gone = Wakeup(engine, "gone")
    if gone._socket is not None:
        gone._socket.close()  # as by kill -9: the socket's file stays
    with sessions.begin() as db:
        wake_after_commit(db)
    gone.close()


def test_readers_do_not_wait_for_the_writer_and_see_what_was_committed(engine, sessions):
    readers = open_sessions(engine, reads_only=True)
    with sessions.begin() as writing:
        writing.add(LevelRow(rank=0, name_vi="Tỉnh", name_en="Province"))
        writing.flush()  # the writer holds its lock from here on
        with readers.begin() as db:
            assert db.query(LevelRow).count() == 0
    with readers.begin() as db:
        assert db.query(LevelRow).count() == 1


def test_the_outbox_gives_what_waits_oldest_first_without_what_is_too_late(sessions):
    with sessions.begin() as db:
        for topic, expires_at in (("a", None), ("b", NOON), ("c", NOON + timedelta(seconds=1))):
            post(db, topic, expires_at)
    with sessions.begin() as db:
        waiting = outbox.waiting(db, now=NOON)
        assert [row.topic for row in waiting] == ["a", "c"]
        assert [row.topic for row in outbox.waiting(db, now=NOON, limit=1)] == ["a"]
        outbox.mark_published(db, [waiting[0].outbox_id], now=NOON)
    with sessions.begin() as db:
        assert [row.topic for row in outbox.waiting(db, now=NOON)] == ["c"]


def test_the_outbox_drops_what_is_too_late_and_what_went_out_days_ago(sessions):
    with sessions.begin() as db:
        post(db, "too-late", NOON)
        post(db, "waiting", None)
        post(db, "long-gone", None)
        post(db, "just-gone", None)
        ids = {row.topic: row.outbox_id for row in db.query(OutboxRow)}
        outbox.mark_published(db, [ids["long-gone"]], now=NOON - timedelta(days=3))
        outbox.mark_published(db, [ids["just-gone"]], now=NOON - timedelta(days=1))
        assert outbox.drop_expired(db, now=NOON) == 2
    with sessions.begin() as db:
        assert {row.topic for row in db.query(OutboxRow)} == {"waiting", "just-gone"}


def test_pages_that_slept_are_told_what_they_missed_in_order(sessions):
    for ref in ("c-1", "c-2", "c-3"):
        with sessions.begin() as db:
            events.emit(db, kind="cluster", ref=ref, now=NOON)
            events.emit(db, kind="cluster", ref=ref, now=NOON)
    with sessions.begin() as db:
        first, *_ = events.since(db, 0)
        assert [row.ref for row in events.since(db, first.event_id)] == ["c-2", "c-3"]
        assert [row.ref for row in events.since(db, 0, limit=1)] == ["c-1"]
        assert events.newest(db) == first.event_id + 2
        assert events.forget(db, before=NOON + timedelta(seconds=1)) == 3


def test_no_event_is_shown_while_an_earlier_number_may_still_be_committed(postgres):
    # SQLite has one writer at a time: there the question does not arise.
    name = postgres.create()
    engine = open_engine(postgres.url(name))
    writers = open_sessions(engine)
    with writers() as slow, writers() as quick, writers() as page:
        events.emit(slow, kind="cluster", ref="c-slow", now=NOON)
        slow.flush()  # its number is taken here, its commit comes later
        events.emit(quick, kind="cluster", ref="c-quick", now=NOON)
        quick.commit()
        assert events.since(page, 0) == []
        assert events.newest(page) == 0
        page.rollback()
        slow.commit()
        assert [row.ref for row in events.since(page, 0)] == ["c-slow", "c-quick"]
    engine.dispose()
    postgres.drop(name)


def test_an_error_does_not_tell_what_was_to_be_written(sessions):
    with pytest.raises(IntegrityError) as refused, sessions.begin() as db:
        db.add(a_node("n-1", software="not-for-a-log", cluster_id="c-none"))
    assert "not-for-a-log" not in str(refused.value)
