"""Prepared warnings: ten of them, whose slots are filled with short lines or left out."""

import pytest

from audio_library.reading import read
from server.domain.errors import WarningRefusedError
from server.domain.filling import filled
from server.services.prepared_warnings import template, templates

KINDS = (
    "flood flash-flood landslide storm forest-fire dam-release epidemic lost-child all-clear drill"
)


def test_there_is_a_warning_for_each_thing_that_happens():
    assert set(templates()) == set(KINDS.split())


@pytest.mark.parametrize("code", KINDS.split())
def test_a_warning_is_whole_and_can_be_read_aloud(code):
    one = template(code)
    assert one.title.vi
    assert one.title.en
    assert one.bulletin_class in {"priority", "emergency"}
    assert (one.severity > 0) is (one.bulletin_class == "emergency")
    examples = filled(one, {slot.name: slot.example for slot in one.slots})
    assert len(one.slots) == examples.count(": ")
    for text in (one.before, examples, one.after):
        said = read(text).said
        assert not any(sign.isdigit() for sign in said)
        assert said[-1] == "."


def test_a_drill_says_that_it_is_one_first_and_last():
    drill = template("drill")
    assert drill.mode == "drill"
    assert "diễn tập" in drill.before
    assert drill.after.endswith("đây là diễn tập.")
    assert {one.mode for one in templates().values() if one.code != "drill"} == {"real"}


def test_slots_are_spoken_in_their_order_and_empty_ones_left_out():
    values = {"hour": "19h ngày 22/11.", "place": " thôn Tả Lủng ", "level": "  "}
    assert filled(template("flood"), values) == (
        "Khu vực: thôn Tả Lủng. Thời gian: 19h ngày 22/11."
    )
    assert filled(template("flood"), {}) == ""


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ({"colour": "đỏ"}, ["unknown-slot"]),
        ({"place": "a" * 151}, ["bad-slot-value"]),
        ({"place": "một\nhai"}, ["bad-slot-value"]),
        ({"place": "\x00"}, ["bad-slot-value"]),
        ({"place": "\ud800", "colour": "đỏ"}, ["unknown-slot", "bad-slot-value"]),
    ],
)
def test_all_that_cannot_be_filled_in_is_named(values, codes):
    with pytest.raises(WarningRefusedError) as refused:
        filled(template("flood"), values)
    assert [finding.code for finding in refused.value.findings] == codes
