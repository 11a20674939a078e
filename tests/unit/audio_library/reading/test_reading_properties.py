"""What holds for every number and every text."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio_library.errors import TextTooLongError
from audio_library.reading import MAX_CHARACTERS, SOUTHERN, read
from audio_library.reading.numbers import cardinal

_ONES = {
    word: number
    for number, words in enumerate(
        ("không", "một mốt", "hai", "ba", "bốn tư", "năm lăm", "sáu", "bảy", "tám", "chín")
    )
    for word in words.split()
}
_SCALES = {"nghìn": 10**3, "ngàn": 10**3, "triệu": 10**6, "tỷ": 10**9}


def heard(words):
    """Write down a number from its words, as somebody would who hears them: the way back."""
    whole = part = digit = 0
    for word in words.split():
        if word in _ONES:
            digit = _ONES[word]
        elif word == "mười":
            part += 10
        elif word == "mươi":
            part, digit = part + 10 * digit, 0
        elif word == "trăm":
            part, digit = part + 100 * digit, 0
        elif word == "tỷ":
            whole, part, digit = (whole + part + digit) * 10**9, 0, 0
        elif word in _SCALES:
            whole, part, digit = whole + (part + digit) * _SCALES[word], 0, 0
        else:
            assert word in {"linh", "lẻ"}
    return whole + part + digit


def dotted(number):
    return f"{number:,}".replace(",", ".")


numbers = st.one_of(
    st.integers(0, 10**15),
    st.integers(0, 3000),
    st.builds(lambda digit, zeros: digit * 10**zeros, st.integers(0, 1100), st.integers(0, 12)),
)


@given(numbers)
def test_whoever_hears_a_number_writes_the_same_one(number):
    assert heard(cardinal(number)) == number
    assert heard(cardinal(number, SOUTHERN)) == number


@given(st.integers(0, 10**15))
def test_with_or_without_dots_it_is_the_same_number(number):
    assert read(f"{dotted(number)} hộ").said == f"{cardinal(number)} hộ"
    assert read(f"{number} hộ").said == f"{cardinal(number)} hộ"


@given(numbers)
def test_the_words_of_a_number_follow_the_schoolbook(number):
    words = cardinal(number)
    assert "mươi một" not in words
    assert "mươi bốn" not in words
    assert not re.search(r"mư[ờơ]i năm", words)
    assert "một mươi" not in words
    assert "mười mốt" not in words


written = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from("0123456789.,:/-–+%°hgkm³ "),
        st.sampled_from("aăâeêioôơuưyđáàảãạẮỘƯXVIQĐTBND \n"),
    ),
    max_size=80,
)


@given(written)
def test_no_digit_is_left_for_the_engine(text):
    assert not any(sign.isdecimal() for sign in read(text).said)


@given(written)
def test_what_has_been_read_is_read_no_second_time(text):
    said = read(text).said
    assert read(said[:MAX_CHARACTERS]).said == said[:MAX_CHARACTERS]


@given(written)
def test_no_word_outside_the_spans_is_lost_or_moved(text):
    reading = read(text)
    kept, place = [], 0
    for span in reading.spans:
        assert reading.text[span.start : span.end] == span.written
        assert place <= span.start < span.end
        kept.append(reading.text[place : span.start])
        kept.append(span.said)
        place = span.end
    kept.append(reading.text[place:])
    letters = "".join("".join(kept).split())
    assert letters == "".join(reading.said.split())


@given(written)
def test_it_does_not_matter_how_letters_were_composed(text):
    composed, taken_apart = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert read(taken_apart[:MAX_CHARACTERS]) == read(composed)


@given(st.text(st.sampled_from("aáàảãạbcdđ êôơư,.;!? "), max_size=60))
def test_a_text_without_numbers_is_left_alone(text):
    reading = read(text)
    assert reading.said == reading.text
    assert reading.spans == ()


def test_control_and_invisible_characters_are_taken_out_and_lines_kept():
    reading = read("Chú\u200b ý\x00!\r\nNước\u00a0 lên\u2028hết\ufeff")
    assert reading.text == reading.said == "Chú ý!\nNước lên\nhết"


def test_the_south_says_numbers_its_own_way():
    assert read("2.105", SOUTHERN).said == "hai ngàn một trăm lẻ năm"


def test_a_text_that_is_too_long_is_refused():
    read("a" * MAX_CHARACTERS)
    with pytest.raises(TextTooLongError):
        read("a" * (MAX_CHARACTERS + 1))


def test_a_long_run_of_digits_is_read_as_a_code():
    assert read("9" * 20).said == " ".join(["chín"] * 20)
