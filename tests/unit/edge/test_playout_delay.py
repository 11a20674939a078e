"""A cluster that sounds later than by the clock: its player tells of what sounds so much later."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.player import Ended, Started
from edge.playout import Hush, OnDisk, Playout, Tell, Tick, step
from edge.runs import key_of
from protocol.messages import AsRun, Content, Outcome
from tests.factories.claims import a_claim, an_asset
from tests.factories.playouts import a_programme_of, after_noon, files_of

DELAY = timedelta(seconds=1)


def a_jingle(lasts_s):
    content = Content(items=(an_asset("nhac hieu", duration_s=lasts_s),))
    return a_claim(start=after_noon(0), end=after_noon(lasts_s), content=content)


class Cluster:
    """A node that holds one claim, from before it begins."""

    def __init__(self, claim):
        self.now, self.orders = after_noon(-1), []
        self.state = Playout()
        self.take(OnDisk(files_of(claim)))
        self.take(a_programme_of(claim, delay=DELAY))

    def take(self, event):
        self.state, orders = step(self.state, event, self.now)
        self.orders.extend(orders)

    def run_to(self, end):
        while self.state.wake_at <= end:
            self.now = max(self.now, self.state.wake_at)
            self.take(Tick())
        self.now = end

    @property
    def records(self):
        told = (order.word for order in self.orders if isinstance(order, Tell))
        return [word for word in told if isinstance(word, AsRun)]


@given(st.floats(0.55, 3.0))
def test_what_is_shorter_than_the_delay_is_on_record_as_played_and_not_hushed(lasts_s):
    claim = a_jingle(lasts_s)
    cluster = Cluster(claim)
    for event in (
        Started(key_of(claim), after_noon(0), 0.0),
        Ended(key_of(claim), after_noon(lasts_s)),
    ):
        cluster.run_to(event.at + DELAY)
        cluster.take(event)
    cluster.run_to(after_noon(10))
    (record,) = cluster.records
    assert (record.outcome, record.reason) == (Outcome.PLAYED, "")
    (segment,) = record.segments
    assert (segment.start, segment.end) == (after_noon(0), claim.end)
    assert not any(isinstance(order, Hush) for order in cluster.orders)


def test_what_the_player_never_tells_of_is_on_record_as_missed_once_the_delay_is_over():
    cluster = Cluster(a_jingle(0.6))
    cluster.run_to(after_noon(1.59))
    assert cluster.records == []
    cluster.run_to(after_noon(1.6))
    (record,) = cluster.records
    assert (record.outcome, record.at) == (Outcome.MISSED, after_noon(1.6))
