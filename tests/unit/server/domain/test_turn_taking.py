"""A slot's time, shared out among loudspeakers that overlap."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import StartMode
from protocol.plan import Place, claims_at
from server.domain.compilation import compiled
from server.domain.recurrence import day_bounds
from server.domain.slots import ContentKind
from server.domain.turn_taking import MOST_TURNS, sharing
from server.domain.turns import neighbours, turns
from tests.factories.claims import COMMUNE, an_asset
from tests.factories.horns import near_horns
from tests.factories.messages import a_plan
from tests.factories.slots import TODAY, a_slot

A_MINUTE = timedelta(minutes=1)
LATEST = timedelta(seconds=1)
"""How much later than by the clock a cluster may sound, by its delay."""

horns = near_horns(least=1, most=10)


def heard(slot, given_turns):
    """Tell from when to when each cluster of a commune sounds a slot on its first day."""
    start, end = day_bounds(TODAY)
    claims = compiled([slot], [], start, end, given_turns)
    plan = a_plan(unit="xa-1", claims=claims, turns=given_turns)
    places = {cluster: Place(cluster, (COMMUNE,)) for cluster in slot.clusters}
    return {
        cluster: (claim.start, claim.end)
        for cluster, place in places.items()
        for claim in claims_at([plan], place)
    }


@given(horns, st.floats(0.2, 900), st.integers(1, 120))
def test_no_two_that_overlap_sound_a_turned_slot_together_and_none_sounds_outside_it(
    some, file_s, minutes
):
    near = neighbours(some)
    given_turns = turns(near)
    file = an_asset(duration_s=file_s)
    slot = a_slot(clusters=" ".join(near), items=(file,), length=minutes * A_MINUTE)
    times, (start, end) = heard(slot, given_turns), slot.rule.occurrence(TODAY)
    assert times.keys() == near.keys()
    assert all(start <= begins < ends <= end for begins, ends in times.values())
    shared = sharing(slot, given_turns)
    if shared is None or not shared.fits:
        assert set(times.values()) == {(start, end)}
        return
    for one, others in near.items():
        # Whole, however long it is in fractions of a second.
        assert (times[one][1] - times[one][0]).total_seconds() >= file_s
        for other in others:
            (_, ends), (begins, _) = sorted((times[one], times[other]))
            assert ends + LATEST < begins


@given(horns)
def test_a_slot_fits_just_when_all_turns_do(some):
    given_turns = turns(neighbours(some))
    slot = a_slot(clusters=" ".join(given_turns), items=(an_asset(duration_s=60.0),))
    shared = sharing(slot, given_turns)
    if shared is None:
        assert len(set(given_turns.values())) == 1
        return
    needed = timedelta(seconds=shared.needed_s)
    enough = a_slot(clusters=" ".join(given_turns), items=slot.items, length=needed)
    scarce = a_slot(
        clusters=" ".join(given_turns), items=slot.items, length=needed - timedelta(seconds=1)
    )
    assert sharing(enough, given_turns).fits
    assert not sharing(scarce, given_turns).fits
    assert (
        max(ends for _, ends in heard(enough, given_turns).values())
        == (enough.rule.occurrence(TODAY)[1])
    )


def test_two_turns_of_ten_minutes_need_twenty_minutes_and_a_pause():
    shared = sharing(a_slot(length=20 * A_MINUTE), {"c-2": 1})
    assert (shared.order, shared.needed_s, shared.fits) == ((0, 1), 1202, False)
    assert sharing(a_slot(length=21 * A_MINUTE), {"c-2": 1}).fits


def test_turns_that_a_slot_does_not_reach_are_not_waited_for():
    shared = sharing(a_slot(length=30 * A_MINUTE), {"c-1": 1, "c-2": 4, "c-3": 2})
    assert shared.order == (1, 4)
    assert shared.later(("c-1", "c-2"), {"c-1": 1, "c-2": 4}) == {"c-2": 602}


def test_what_may_wait_to_begin_has_the_time_for_it_in_its_turn():
    waits = a_slot(start_mode=StartMode.WAIT, wait_s=90.5)
    assert sharing(waits, {"c-2": 1}).lasts_s == 691


def test_only_files_are_heard_in_turns_and_only_where_some_overlap():
    some = {"c-2": 1}
    assert sharing(a_slot(), {}) is None
    assert sharing(a_slot(clusters="c-2"), some) is None
    assert sharing(a_slot(content_kind=ContentKind.LIVE), some) is None
    relay = a_slot(content_kind=ContentKind.RELAY, items=(), relay_url="https://dai.example/a")
    assert sharing(relay, some) is None


def test_more_turns_than_can_be_told_are_none():
    clusters = [f"c-{number}" for number in range(MOST_TURNS + 1)]
    slot = a_slot(
        clusters=" ".join(clusters), items=(an_asset(duration_s=1.0),), length=60 * A_MINUTE
    )
    shared = sharing(slot, {cluster: turn for turn, cluster in enumerate(clusters)})
    assert not shared.fits
    assert shared.told() is None
