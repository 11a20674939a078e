"""What a move does to the days of a slot, whatever its rule."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.domain.errors import SlotRefusedError
from server.services.slot_moves import Move, Scope, comes, moved, without
from server.services.slot_requests import NewSlot
from tests.factories.claims import NOON
from tests.factories.provinces import a_new_slot
from tests.factories.slots import TODAY, patterns

SPAN = [TODAY + timedelta(days=ahead) for ahead in range(1, 40)]
NINE = time(9, 0)

slots = st.builds(
    lambda kind, weekdays, last, left_out: a_new_slot(
        recurrence=kind[0],
        pattern=kind[1],
        weekdays=weekdays,
        length_s=600.0,
        last_day=None if last is None or kind[0] == "once" else SPAN[last],
        excluded_days=tuple(sorted(SPAN[one] for one in left_out)),
    ),
    kind=patterns,
    weekdays=st.integers(1, 127),
    last=st.none() | st.integers(0, 38),
    left_out=st.sets(st.integers(1, 38), max_size=3),
)
"""Slots from tomorrow on, of every kind of recurrence."""


def when(*some: NewSlot | None) -> set[tuple[date, time]]:
    return {
        (day, slot.local_start)
        for slot in some
        if slot is not None
        for day in SPAN
        if comes(slot, day)
    }


def refused(slot, move) -> list[str]:
    with pytest.raises(SlotRefusedError) as error:
        moved(slot, move, NOON)
    return [finding.code for finding in error.value.findings]


@given(slots, st.data(), st.sampled_from(Scope))
def test_a_move_changes_the_days_that_were_meant_and_no_others(slot, data, scope):
    before = when(slot)
    assume(before)
    day, _ = data.draw(st.sampled_from(sorted(before)))
    assume("COUNT" not in slot.pattern or scope is not Scope.ONWARD)
    outcome = moved(slot, Move(scope, day, day, NINE, 300.0), NOON)
    first = {Scope.DAY: day, Scope.ONWARD: day, Scope.ALL: SPAN[0]}[scope]
    last = day if scope is Scope.DAY else SPAN[-1]
    assert when(outcome.kept, outcome.added) == {
        (one, NINE if first <= one <= last else at) for one, at in before
    }


@given(slots, st.data(), st.sampled_from(Scope))
def test_a_withdrawal_takes_away_the_days_that_were_meant_and_no_others(slot, data, scope):
    before = when(slot)
    assume(before)
    day, _ = data.draw(st.sampled_from(sorted(before)))
    left = when(without(slot, scope, day, NOON))
    gone = {one for one, _ in before - left}
    meant = {Scope.DAY: {day}, Scope.ONWARD: {d for d in SPAN if d >= day}, Scope.ALL: {*SPAN}}
    assert gone == {one for one, _ in before} & meant[scope]
    assert left <= before


def test_with_its_last_days_the_slot_itself_moves():
    slot = a_new_slot(length_s=60.0, last_day=SPAN[1])
    onward = moved(slot, Move(Scope.ONWARD, SPAN[0], SPAN[0], NINE, 60.0), NOON)
    assert onward.added is None
    assert when(onward.kept) == {(SPAN[0], NINE), (SPAN[1], NINE)}
    last_one = replace(slot, excluded_days=(SPAN[0],))
    alone = moved(last_one, Move(Scope.DAY, SPAN[1], SPAN[4], NINE, 60.0), NOON)
    assert alone.added is None
    assert when(alone.kept) == {(SPAN[4], NINE)}


def test_one_day_can_go_to_any_other_day():
    outcome = moved(a_new_slot(), Move(Scope.DAY, SPAN[0], SPAN[5], NINE, 60.0), NOON)
    assert (outcome.added.recurrence, outcome.added.first_day) == ("once", SPAN[5])
    assert outcome.kept.excluded_days == (SPAN[0],)


def test_the_days_of_a_week_are_exchanged_one_for_one():
    monday, tuesday = SPAN[1], SPAN[2]
    slot = a_new_slot(recurrence="weekly", weekdays=0b0000101, length_s=60.0)
    outcome = moved(slot, Move(Scope.ALL, monday, tuesday, NINE, 60.0), NOON)
    assert outcome.kept.weekdays == 0b0000110
    wednesday = Move(Scope.ALL, monday, SPAN[3], NINE, 60.0)
    assert refused(slot, wednesday) == ["days-stay"]


def test_what_has_no_meaning_is_refused():
    day = Move(Scope.ALL, SPAN[0], SPAN[1], NINE, 60.0)
    assert refused(a_new_slot(), day) == ["days-stay"]
    counted = a_new_slot(recurrence="rrule", pattern="FREQ=DAILY;COUNT=5")
    assert refused(counted, Move(Scope.ONWARD, SPAN[1], SPAN[1], NINE, 60.0)) == [
        "counted-from-first"
    ]
    elsewhere = replace(day, day=SPAN[0] - timedelta(days=9))
    assert refused(a_new_slot(), elsewhere) == ["not-that-day"]
