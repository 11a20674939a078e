"""How the occurrences of a slot are named."""

from datetime import UTC, datetime

from server.domain.slots import claim_id, slot_of_claim


def test_an_occurrence_is_named_for_its_slot_and_its_start():
    named = claim_id("s-0a1b", datetime(2026, 11, 20, 22, 30, tzinfo=UTC))
    assert named == "s-0a1b-20261120t223000z"
    assert slot_of_claim(named) == "s-0a1b"
