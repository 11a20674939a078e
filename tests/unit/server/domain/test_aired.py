from datetime import timedelta

from server.domain.aired import Entry, Kind, Told, tally, total
from tests.factories.claims import NOON, at


def an_entry(told=(), *, planned=3, waiting=0, **overrides: object):
    facts = {
        "claim_id": "s-1",
        "kind": Kind.SLOT,
        "title": "Bản tin",
        "unit_id": "xa-1",
        "unit_name": "Xã Một",
        "bulletin_class": "ordinary",
        "start": NOON,
        "end": at(10),
        "slot_id": "s-1",
        "stopped_at": None,
    }
    return Entry(**{**facts, **overrides}, tally=tally(planned, waiting, told))


def test_reasons_are_added_up_whatever_displaced_it_and_the_most_frequent_goes_first():
    found = tally(
        9,
        1,
        [
            Told("played", "", 3),
            Told("missed", "no-report", 1),
            Told("cut", "preempted:b-1", 2),
            Told("cut", "preempted:b-2", 2),
        ],
    )
    assert dict(found.outcomes) == {"played": 3, "missed": 1, "cut": 4}
    assert found.reasons == (Told("cut", "preempted", 4), Told("missed", "no-report", 1))
    assert found.problems == 5


def test_what_an_operator_stopped_is_no_problem_but_silence_after_the_end_is():
    stopped = an_entry([Told("stopped", "stopped", 3)])
    assert not stopped.is_problem(at(20))
    silent = an_entry(planned=3, waiting=1, told=[Told("played", "", 2)])
    assert not silent.is_problem(at(5))
    assert silent.is_problem(at(10))
    assert an_entry(kind=Kind.UNPLANNED, end=None).is_problem(NOON - timedelta(days=1))


def test_a_day_is_the_sum_of_its_entries():
    whole = total([tally(2, 0, [Told("played", "", 2)]), tally(3, 1, [Told("missed", "late", 2)])])
    assert (whole.planned, whole.waiting) == (5, 1)
    assert whole.count("played", "missed") == 4
