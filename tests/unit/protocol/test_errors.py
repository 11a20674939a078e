"""What is said of a refusal can be logged, reported and stored, whoever provoked it."""

import pytest

from protocol.errors import BadIdError, BadTopicError, Refusal, RefusedError
from protocol.messages import decode_node_word, encode
from tests.factories.messages import one_of_each


@pytest.mark.parametrize("hostile", ["\ud800", "a\0b", "x" * 100_000, "\udfff" * 300])
def test_the_detail_of_a_refusal_can_always_be_reported(hostile):
    error = RefusedError(Refusal.FORGED, hostile)
    report = type(one_of_each()["refused"])(
        report_id="bao-1",
        at=one_of_each()["refused"].at,
        topic="loa/1/unit/xa-1/order",
        reason=error.refusal,
        detail=error.detail,
    )
    assert decode_node_word(encode(report)) == report
    assert "\0" not in error.detail
    assert str(error).startswith("forged: ")


def test_a_refusal_without_detail_is_its_reason():
    assert str(RefusedError(Refusal.EXPIRED)) == "expired"


def test_what_an_error_quotes_is_cut_short():
    assert len(BadIdError("x" * 1000).text) == 80
    assert len(BadTopicError("x" * 1000).topic) == 200
