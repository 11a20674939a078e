"""A record names the one before it, by a digest of all that it says."""

from datetime import timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge.chain import linked, new_chain
from protocol.chain import NOTHING_BEFORE, digest_of
from protocol.messages import AsRun, ChainLink, FrameTally, Outcome, Segment, encode
from tests.factories.claims import CLUSTER, NOON, at

LINK = ChainLink(chain="chuoi-1", number=1, previous=NOTHING_BEFORE)


def a_record(**facts: object) -> AsRun:
    boring = AsRun(
        report_id="bao-1",
        claim_id="tin-1",
        cluster=CLUSTER,
        at=at(10),
        outcome=Outcome.CUT,
        reason="late",
        segments=(Segment(start=NOON, end=at(2), position_s=0.1),),
        link=LINK,
    )
    return replace(boring, **facts)


@pytest.mark.parametrize(
    "changed",
    [
        {"report_id": "bao-2"},
        {"claim_id": "tin-2"},
        {"cluster": "cum-9"},
        {"at": at(10) + timedelta(microseconds=1)},
        {"outcome": Outcome.PLAYED},
        {"reason": ""},
        {"segments": ()},
        {"segments": (Segment(start=NOON, end=at(2), position_s=0.2),)},
        {"segments": a_record().segments * 2},
        {"frames": FrameTally(heard=0, late=0, missing=0)},
        {"link": replace(LINK, chain="chuoi-2")},
        {"link": replace(LINK, number=2)},
        {"link": replace(LINK, previous="1" * 64)},
    ],
    ids=str,
)
def test_whatever_is_changed_in_a_record_changes_its_digest(changed):
    assert digest_of(a_record(**changed)) != digest_of(a_record())


def test_a_digest_is_the_one_that_others_compute():
    assert (
        digest_of(a_record()) == "c033c3260fd6ac353c237ef73f2abf24eda1da898496d01c69ced553a1e1af70"
    )


def test_text_cannot_be_moved_from_one_field_to_the_next():
    assert digest_of(a_record(claim_id="tin-1x", cluster="1")) != digest_of(
        a_record(claim_id="tin-1", cluster="x1")
    )


def test_the_digest_is_of_the_instant_however_it_is_written():
    there = a_record(at=at(10).astimezone(timezone(timedelta(hours=7))))
    assert encode(there) != encode(a_record())
    assert digest_of(there) == digest_of(a_record())


def test_a_record_without_a_link_has_no_digest():
    with pytest.raises(ValueError, match="link"):
        digest_of(a_record(link=None))


@given(st.floats(), st.text())
def test_any_number_and_any_text_has_a_digest_that_survives_the_wire(position_s, reason):
    segment = Segment(start=NOON, end=at(2), position_s=position_s)
    record = a_record(segments=(segment,), reason=reason[:500])
    try:
        received = msgspec.json.decode(encode(record), type=AsRun)
    except (UnicodeEncodeError, msgspec.ValidationError):
        return  # no JSON has half a letter, or a number that is none
    assert digest_of(received) == digest_of(record)


def test_each_record_follows_the_one_before_it():
    head, records = new_chain(), []
    for number in range(1, 4):
        head, record = linked(head, a_record(link=None, report_id=f"bao-{number}"))
        records.append(record)
        assert (head.number, head.digest) == (number, digest_of(record))
    assert [record.link.number for record in records] == [1, 2, 3]
    assert records[0].link.previous == NOTHING_BEFORE
    assert [one.link.previous for one in records[1:]] == [digest_of(one) for one in records[:-1]]
    assert new_chain().chain != head.chain
