"""When an alert is tried again, which addresses are any, and what people read."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.alert_words import (
    LANGUAGES,
    MOST_NAMED,
    Case,
    SilentCluster,
    of_answers,
    of_silence,
    of_test,
)
from server.domain.alerts import MOST_TRIES, Answer, Result, is_address, next_try, scheme_of
from server.domain.escalation import Silence
from tests.factories.claims import NOON

S = timedelta(seconds=1)
CASE = Case("DIỄN TẬP – Lũ {lên} 100%", "Xã Một", NOON, 12, "https://loa.vn/broadcasts/b-1")


def a_cluster(place="Bản Cáp", **facts: object):
    boring = {
        "why": Silence.NO_ANSWER,
        "last_heard_at": NOON - timedelta(hours=2),
        "contact_name": "Ông Páo",
        "contact_phone": "0912 345 678",
    }
    return SilentCluster(place, **{**boring, **facts})


def test_what_a_service_does_not_take_is_tried_later_and_later_and_then_given_up():
    answer = Answer(Result.FAILED)
    waits = [next_try(answer, tries, most=MOST_TRIES, now=NOON) for tries in range(1, 6)]
    assert waits == [NOON + 5 * S, NOON + 15 * S, NOON + 45 * S, NOON + 120 * S, None]


@given(st.sampled_from(Result), st.integers(1, 9), st.integers(1, 9))
def test_only_what_another_try_may_change_is_tried_again(result, tries, most):
    again = next_try(Answer(result), tries, most=most, now=NOON)
    may_help = result in {Result.FAILED, Result.TIMED_OUT, Result.INTERRUPTED}
    assert (again is not None) is (may_help and tries < most)
    assert again is None or again > NOON


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("zalo://123:abc/456", "zalo"),
        ("JSONS://example.vn/x", "jsons"),
        ("mailto:a@b.vn", ""),
        ("zalo://", ""),
        ("", ""),
        ("a b://x", ""),
        ("đ://x", ""),
    ],
)
def test_the_scheme_of_an_address_is_what_stands_before_its_slashes(url, scheme):
    assert scheme_of(url) == scheme


def test_an_address_is_of_an_allowed_service_and_on_one_line():
    assert is_address("json://a.vn/x", {"json"})
    for url in ("file:///etc/passwd", "dbus://x", "json://a\nb", "json://a b", "json://a\0"):
        assert not is_address(url, {"json"})


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_is_silent_is_named_with_the_last_sign_of_life_and_whom_to_call(language):
    never = a_cluster("Thôn 2", last_heard_at=None, contact_phone="", why=Silence.NOT_SOUNDING)
    text = of_silence(CASE, [a_cluster(), never], is_first=True, language=language)
    assert "2/12" in text.subject
    assert CASE.title in text.subject
    assert "\n" not in text.subject
    first, second = (line for line in text.body.split("\n") if line.startswith("-"))
    for part in ("Bản Cáp", "10:00:00 21/11/2026", "Ông Páo 0912 345 678"):
        assert part in first, first
    assert "Thôn 2" in second
    assert "None" not in text.body
    assert text.body.endswith(CASE.address)
    again = of_silence(CASE, [never], is_first=False, language=language)
    assert again.subject != text.subject
    assert "1/12" in again.subject


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_whole_province_of_silence_is_told_in_a_text_that_a_telephone_takes(language):
    many = [a_cluster(f"Thôn {number}") for number in range(866)]
    text = of_silence(CASE, many, is_first=True, language=language)
    assert sum(line.startswith("-") for line in text.body.split("\n")) == MOST_NAMED
    assert str(866 - MOST_NAMED) in text.body
    assert len(text.body) < 4000


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_end_and_a_test_say_what_they_are(language):
    assert "12/12" in of_answers(CASE, language=language).subject
    assert of_test(language=language, now=NOON).body
