"""Slots and announcements, compiled into the claims of a plan."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import ClaimKind
from server.domain.compilation import compiled
from server.domain.recurrence import day_bounds
from tests.factories.claims import an_announcement
from tests.factories.slots import TODAY, a_slot, slots

DAY = day_bounds(TODAY)
several = st.lists(slots, max_size=3, unique_by=lambda slot: slot.slot_id)


@given(several, st.randoms(use_true_random=False))
def test_the_same_slots_compile_to_the_same_claims_in_whatever_order_they_are_read(some, random):
    shuffled = list(some)
    random.shuffle(shuffled)
    announcements = [an_announcement()]
    assert compiled(shuffled, announcements, *DAY) == compiled(some, announcements, *DAY)


@given(several)
def test_no_claim_lies_outside_the_window(some):
    for claim in compiled(some, (), *DAY):
        assert claim.start < DAY[1]
        assert claim.end > DAY[0]


@given(several)
def test_every_occurrence_has_just_one_claim_with_a_name_of_its_own(some):
    claims = compiled(some, (), *DAY)
    assert len({claim.claim_id for claim in claims}) == len(claims)
    assert len(claims) == sum(len(list(slot.rule.occurrences(*DAY))) for slot in some)


@given(several)
def test_two_windows_that_lie_over_each_other_name_their_common_claims_alike(some):
    week = day_bounds(TODAY)[0], day_bounds(TODAY.replace(day=28))[1]
    assert set(compiled(some, (), *DAY)) <= set(compiled(some, (), *week))


def test_a_claim_says_what_its_slot_says():
    slot = a_slot("s-1", title="Bản tin", gain_db=-6.0)
    (claim,) = compiled([slot], (), *DAY)
    assert (claim.unit, claim.level, claim.title, claim.gain_db) == ("xa-1", 1, "Bản tin", -6.0)
    assert claim.kind is ClaimKind.SCHEDULED
    assert claim.content.items == slot.items
    assert claim.end - claim.start == slot.rule.length


def test_claims_that_begin_together_stand_in_the_order_of_their_names():
    one, other = a_slot("s-1"), a_slot("s-2")
    assert compiled([other, one], (), *DAY) == compiled([one, other], (), *DAY)
