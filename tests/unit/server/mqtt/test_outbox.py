"""Rows on their way to the broker."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import Engine, delete

from server.mqtt.gateway import Confirmed, Disconnected, Woken
from server.mqtt.outbox import CONFIRM_WITHIN, WINDOW, OutboxCarrier, mark_confirmed
from server.services import outbox
from server.store.base import Base
from server.store.engine import Sessions, open_engine, open_sessions
from server.store.models import LevelRow, OutboxRow, PlanRow, UnitRow
from tests.factories.claims import NOON
from tests.factories.links import FakeLink
from tests.factories.questions import counted

ORDER, PLAN = "loa/1/unit/xa-1/order", "loa/1/unit/xa-1/plan"


@dataclass
class Post:
    """An outbox, its carrier and a clock that the test moves."""

    engine: Engine
    sessions: Sessions
    now: datetime = NOON

    def __post_init__(self) -> None:
        self.link = FakeLink()
        self.carrier = self.a_carrier()

    def a_carrier(self) -> OutboxCarrier:
        reads = open_sessions(self.engine, reads_only=True)
        return OutboxCarrier(self.link, reads, clock=lambda: self.now)

    def write(self, payload: bytes, topic: str = ORDER, *, retained=False, life_s=60) -> None:
        expires = None if retained else self.now + timedelta(seconds=life_s)
        with self.sessions.begin() as db:
            outbox.post(
                db,
                topic=topic,
                payload=payload,
                retained=retained,
                expires_at=expires,
                now=self.now,
            )

    def step(self) -> list[bytes]:
        """Let the carrier look once; tell what it has published since the last time."""
        before = len(self.link.published)
        self.carrier.step(Woken())
        return self.link.payloads[before:]

    def mark(self) -> None:
        """Do what the marking thread does, once."""
        stop = Event()

        def clock() -> datetime:
            stop.set()
            return self.now

        mark_confirmed(self.carrier, self.sessions, clock, stop)

    def waiting(self) -> list[bytes]:
        with self.sessions.begin() as db:
            return [row.payload for row in outbox.waiting(db, now=self.now)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> Iterator[Engine]:
    made = open_engine(f"sqlite:///{tmp_path_factory.mktemp('outbox') / 'loa.db'}")
    Base.metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def post(engine) -> Iterator[Post]:
    made = Post(engine, open_sessions(engine))
    yield made
    with made.sessions.begin() as db:
        for row in (OutboxRow, PlanRow, UnitRow, LevelRow):
            db.execute(delete(row))


def test_nothing_is_published_without_a_connection(post):
    post.write(b"one")
    assert post.step() == []
    post.link.connect()
    assert post.step() == [b"one"]
    post.carrier.step(Disconnected())
    post.write(b"two")
    assert post.step() == []


def test_what_a_busy_database_would_not_mark_is_marked_later_and_not_published_again(post):
    post.link.connect()
    post.write(b"one")
    post.step()
    post.link.confirm(1)
    post.step()
    away = open_sessions(open_engine("sqlite:////dev/null/none.db"))
    here, post.sessions = post.sessions, away
    post.mark()
    post.sessions = here
    assert post.waiting() == [b"one"]
    assert post.step() == []
    post.mark()
    assert post.waiting() == []


def test_a_row_under_way_is_not_published_again_before_its_time(post):
    post.link.connect()
    post.write(b"one")
    assert post.step() == [b"one"]
    post.now += CONFIRM_WITHIN
    assert post.step() == []


def test_a_row_that_is_not_confirmed_in_time_is_published_again(post):
    post.link.connect()
    post.write(b"one")
    post.step()
    post.now += CONFIRM_WITHIN + timedelta(seconds=1)
    assert post.step() == [b"one"]


def test_a_reconnection_gives_rows_under_way_their_full_time_anew(post):
    post.link.connect()
    post.write(b"one")
    post.step()
    post.now += CONFIRM_WITHIN
    post.carrier.step(Disconnected())
    post.link.connect()
    post.step()
    post.now += CONFIRM_WITHIN
    assert post.step() == []


def test_a_row_is_marked_only_when_the_broker_has_confirmed_it(post):
    post.link.connect()
    post.write(b"one")
    post.write(b"two")
    post.step()
    assert post.waiting() == [b"one", b"two"]
    post.link.confirm(2)
    assert post.step() == []
    post.mark()
    assert post.waiting() == [b"one"]
    assert post.step() == []


def test_a_confirmed_row_is_not_published_again_however_long_marking_takes(post):
    post.link.connect()
    post.write(b"one", life_s=600)
    post.step()
    post.link.confirm(1)
    post.step()
    post.now += 2 * CONFIRM_WITHIN
    assert post.step() == []


def test_a_row_that_the_broker_refuses_stays_and_is_tried_again(post):
    post.link.connect()
    post.write(b"one")
    post.step()
    post.link.refuse(1)
    assert post.step() == []
    assert post.waiting() == [b"one"]
    post.now += CONFIRM_WITHIN + timedelta(seconds=1)
    assert post.step() == [b"one"]


def test_one_row_that_explodes_does_not_hold_up_the_others(post):
    post.link.connect()
    post.write(b"bad", "loa/1/unit/+/order")
    post.write(b"good")
    assert post.step() == [b"good"]
    assert post.step() == []
    assert post.waiting() == [b"bad", b"good"]


def test_no_more_rows_are_under_way_than_the_window_holds(post):
    post.link.connect()
    payloads = [f"{number:04d}".encode() for number in range(WINDOW + 10)]
    for payload in payloads:
        post.write(payload)
    assert post.step() == payloads[:WINDOW]
    assert post.step() == []
    post.link.confirm(*range(1, 6))
    assert post.step() == payloads[WINDOW : WINDOW + 5]


def test_what_became_of_an_acknowledgement_does_not_make_the_table_be_read(post):
    """A thousand nodes that answer an order are acknowledged a thousand times."""
    post.link.connect()
    post.step()
    post.link.publish("loa/1/node/nut-1/in/order", b"acknowledged", retained=False)
    post.write(b"one")
    with counted(post) as asked:
        post.carrier.step(Confirmed(1))
    assert (asked, post.link.payloads) == ([], [b"acknowledged"])
    assert post.step() == [b"one"]


def test_an_older_state_is_never_put_back_over_a_newer_one(post):
    post.link.connect()
    post.write(b"old", PLAN, retained=True)
    post.write(b"new", PLAN, retained=True)
    assert post.step() == [b"old", b"new"]
    post.link.confirm(2)
    post.now += CONFIRM_WITHIN + timedelta(seconds=1)
    assert post.step() == []
    post.mark()
    assert post.waiting() == []


def test_the_time_an_order_still_has_goes_with_it(post):
    post.write(b"one", life_s=60)
    post.now += timedelta(seconds=20)
    post.link.connect()
    post.step()
    assert post.link.published[-1].expiry_s == 40


def test_an_order_that_came_too_late_is_not_published(post):
    post.write(b"late", life_s=60)
    post.now += timedelta(seconds=60)
    post.link.connect()
    assert post.step() == []


def test_a_broker_that_forgot_everything_is_told_all_plans_again(post):
    with post.sessions.begin() as db:
        db.add(LevelRow(rank=1, name_vi="Xã", name_en="Commune"))
        db.add(UnitRow(unit_id="xa-1", name="Xã 1", level_rank=1, valid_from=NOON.date()))
        db.flush()  # the plan refers to them
        db.add(
            PlanRow(
                unit_id="xa-1",
                version=1,
                content_digest="0" * 64,
                token=b"plan",
                published_at=NOON - timedelta(days=1),
                expires_at=NOON + timedelta(days=1),
            )
        )
    post.link.connect(state_kept=True)
    assert post.step() == []
    post.link.connect(state_kept=False)
    assert post.step() == [b"plan"]
    assert post.link.published[-1].retained


def test_a_broker_back_from_a_snapshot_is_told_what_is_newer(post):
    post.link.connect()
    for payload, topic, retained in (
        (b"v1", PLAN, True),
        (b"v2", PLAN, True),
        (b"x", ORDER, False),
    ):
        post.write(payload, topic, retained=retained)
    post.step()
    post.link.confirm(1, 2, 3)
    post.step()
    post.mark()
    post.now += timedelta(seconds=60)
    post.link.connect(state_kept=True)
    assert post.step() == [b"v2"]
    post.now += timedelta(seconds=61)
    post.link.connect(state_kept=True)
    assert post.step() == []
