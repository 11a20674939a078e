"""What the scheduler does at an instant."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from audio_library.store import Store
from server.domain.recurrence import LOCAL, local_day
from server.scheduler.tick import (
    EVENTS_KEPT,
    RARELY,
    SELDOM,
    Concern,
    Scheduler,
    Silences,
    Watched,
    all_concerns,
    in_one_transaction,
)
from server.services import events, outbox
from server.store.models import EventRow, OutboxRow, PlanRow
from tests.factories.claims import NOON
from tests.factories.installations import COMMUNE, PROVINCE, Installation, an_installation

SECOND = timedelta(seconds=1)


@pytest.fixture
def place(tmp_path) -> Iterator[Installation]:
    with an_installation(tmp_path) as made:
        yield made


def concerns(place: Installation) -> tuple[Concern, ...]:
    store = Store(place.settings.asset_dir)
    return all_concerns(place.keyring, plan_days=14, site="", store=store)


def a_concern(name: str, seen: list[datetime], every: timedelta = SECOND) -> Concern:
    def work(_sessions: object, now: datetime) -> int:
        seen.append(now)
        return 1

    return Concern(name, work, every)


def noon_tomorrow() -> datetime:
    """The installation's keys are there by then, and no day ends within minutes."""
    return datetime.combine(local_day(datetime.now(UTC)) + timedelta(days=1), time(12), LOCAL)


def exploding(_sessions: object, _now: datetime) -> int:
    raise RuntimeError("a bug")


def test_a_concern_that_explodes_does_not_keep_the_others_from_being_minded(place):
    seen: list[datetime] = []
    scheduler = Scheduler(
        place.sessions, (Concern("bad", exploding, SECOND), a_concern("good", seen))
    )
    assert scheduler.tick(NOON) == 1
    assert scheduler.tick(NOON + SECOND) == 1
    assert seen == [NOON, NOON + SECOND]


def test_a_concern_is_minded_as_often_as_it_asks(place):
    seen: list[datetime] = []
    scheduler = Scheduler(place.sessions, (a_concern("slow", seen, 5 * SECOND),))
    for second in range(11):
        scheduler.tick(NOON + second * SECOND)
    assert seen == [NOON, NOON + 5 * SECOND, NOON + 10 * SECOND]


def test_a_clock_that_is_set_back_does_not_stop_the_scheduler(place):
    seen: list[datetime] = []
    scheduler = Scheduler(place.sessions, (a_concern("slow", seen, 5 * SECOND),))
    scheduler.tick(NOON)
    scheduler.tick(NOON - timedelta(hours=1))
    assert len(seen) == 2


def test_what_one_concern_did_half_way_is_undone(place):
    def half(db: Session, *, now: datetime) -> int:
        events.emit(db, kind="cluster", ref="half", now=now)
        db.flush()  # so that there is something to undo
        raise RuntimeError("a bug")

    scheduler = Scheduler(place.sessions, (Concern("half", in_one_transaction(half), SECOND),))
    assert scheduler.tick(NOON) == 1
    with place.reads.begin() as db:
        assert db.scalar(select(EventRow).where(EventRow.ref == "half")) is None


def test_what_is_watched_is_done_when_something_tells_and_now_and_then_anyway(place):
    seen: list[datetime] = []
    told, left = ["a"], [1]

    def work(_db: Session, *, now: datetime) -> int:
        seen.append(now)
        return left.pop() if left else 0

    watched = Watched(work, lambda _db, *, now: told[0], 30 * SECOND)  # noqa: ARG005 - as it is called
    for second in (0, 1, 2, 3):
        watched(place.sessions, NOON + second * SECOND)
    # What had something to do is done once more: there may be more of it.
    assert seen == [NOON, NOON + SECOND]
    told[0] = "b"
    for second in (4, 5, 33, 34, -9):
        watched(place.sessions, NOON + second * SECOND)
    assert seen[2:] == [NOON + second * SECOND for second in (4, 34, -9)]


def test_silences_are_looked_for_from_the_last_look_and_now_and_then_over_the_whole_day(place):
    silences = Silences()
    looked = []
    for now in (NOON, NOON + SECOND, NOON + RARELY, NOON + RARELY + SECOND, NOON):
        looked.append(silences._since(now))
        silences(place.sessions, now)
    assert looked == [None, NOON - SELDOM, None, NOON + RARELY - SELDOM, None]


def test_the_first_tick_publishes_every_units_plan_once(place):
    scheduler = Scheduler(place.sessions, concerns(place))
    now = noon_tomorrow()
    assert scheduler.tick(now) == 0
    with place.reads.begin() as db:
        versions = {row.unit_id: row.version for row in db.scalars(select(PlanRow))}
    assert set(versions) == {PROVINCE, COMMUNE}
    assert scheduler.tick(now + timedelta(minutes=2)) == 0
    with place.reads.begin() as db:
        assert {row.unit_id: row.version for row in db.scalars(select(PlanRow))} == versions


def test_the_plans_reach_a_day_further_every_day(place):
    scheduler = Scheduler(place.sessions, concerns(place))
    now = datetime.now(UTC)
    scheduler.tick(now)
    with place.reads.begin() as db:
        before = db.get_one(PlanRow, COMMUNE).expires_at
    scheduler.tick(now + timedelta(days=1))
    with place.reads.begin() as db:
        assert db.get_one(PlanRow, COMMUNE).expires_at == before + timedelta(days=1)


def test_old_events_and_late_messages_are_dropped_and_newer_ones_kept(place):
    now = datetime.now(UTC)
    with place.sessions.begin() as db:
        for ref, age in (("old", EVENTS_KEPT + SECOND), ("young", EVENTS_KEPT - SECOND)):
            events.emit(db, kind="cluster", ref=ref, now=now - age)
        for payload, expires in ((b"late", now - SECOND), (b"in time", now + timedelta(hours=1))):
            outbox.post(
                db,
                topic="loa/1/unit/xa-1/order",
                payload=payload,
                retained=False,
                expires_at=expires,
                now=now - timedelta(hours=1),
            )
    Scheduler(place.sessions, concerns(place)).tick(now)
    with place.reads.begin() as db:
        refs = set(db.scalars(select(EventRow.ref).where(EventRow.kind == "cluster")))
        payloads = set(db.scalars(select(OutboxRow.payload).where(~OutboxRow.retained)))
    assert "old" not in refs
    assert "young" in refs
    assert payloads == {b"in time"}
