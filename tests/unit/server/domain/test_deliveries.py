"""What has become of an order at one cluster, in whatever order word of it comes."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.domain.deliveries import OUTCOMES, State, advances, next_attempt
from tests.factories.claims import NOON, at

words = st.lists(
    st.tuples(
        st.sampled_from([State.RECEIVED, State.STARTED, State.PREEMPTED, State.REFUSED]),
        st.integers(0, 4).map(at),
    ),
    max_size=6,
)


def told(heard) -> tuple[str, object]:
    state, changed_at = State.SENT.value, NOON
    for word, said_at in heard:
        if advances(state, changed_at, word, said_at):
            state, changed_at = word.value, said_at
    return state, changed_at


@given(words, st.data())
def test_any_order_of_arrival_and_any_duplicates_end_in_the_same_state(heard, data):
    again = data.draw(st.lists(st.sampled_from(heard), max_size=4)) if heard else []
    assert told(data.draw(st.permutations([*heard, *again]))) == told(heard)


def test_nothing_moves_on_from_an_outcome():
    for outcome in OUTCOMES:
        assert not any(advances(outcome, NOON, word, at(9)) for word in State)


def test_of_started_and_preempted_the_later_holds():
    there_and_back = [(State.STARTED, at(1)), (State.PREEMPTED, at(2)), (State.STARTED, at(3))]
    assert told(there_and_back) == ("started", at(3))
    assert told(there_and_back[:2]) == ("preempted", at(2))


def test_a_later_copy_that_was_accepted_outweighs_the_refusal_of_the_first():
    # A node refuses what reaches it before its configuration, and takes the copy sent after it.
    refused, received = (State.REFUSED, at(1)), (State.RECEIVED, at(2))
    assert told([refused, received])[0] == "received"
    assert told([received, refused])[0] == "received"
    assert told([refused])[0] == "refused"


def test_an_order_is_sent_again_soon_at_first_and_then_every_quarter_of_a_minute():
    waits_s = [(next_attempt(n, NOON) - NOON) / timedelta(seconds=1) for n in range(6)]
    assert waits_s == [2, 4, 8, 15, 15, 15]
