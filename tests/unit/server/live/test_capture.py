"""What browsers send is read with distrust."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.live.capture import (
    Captured,
    WebmPart,
    is_frame,
    read_said,
    read_sound,
    read_ticket,
    write_sound,
)
from server.live.errors import GarbledMicrophoneError
from tests.factories.live import packed, spoken
from tests.factories.sounds import tone

FRAMES = spoken(tone(0.1))


def test_frames_are_read_as_they_were_sent():
    assert read_sound(packed(1234.5, FRAMES[:3])) == Captured(1.2345, tuple(FRAMES[:3]))


def test_a_program_writes_what_a_browser_does():
    assert write_sound(Captured(1.2345, tuple(FRAMES[:3]))) == packed(1234.5, FRAMES[:3])


def test_parts_of_a_webm_stream_are_passed_on():
    assert read_sound(b"\x02abc") == WebmPart(b"abc")


@given(st.binary(max_size=300))
def test_whatever_comes_is_sound_or_refused(raw):
    try:
        sound = read_sound(raw)
    except GarbledMicrophoneError:
        return
    if isinstance(sound, Captured):
        assert all(is_frame(frame) for frame in sound.frames)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x01",
        packed(0.0, []),
        packed(0.0, FRAMES[:3])[:-1],
        packed(float("nan"), FRAMES[:1]),
        packed(0.0, FRAMES[:1] * 11),
        b"\x07" + packed(0.0, FRAMES[:1])[1:],
        struct.pack("<Bd", 1, 0.0) + struct.pack("<H", 0),
    ],
    ids=["empty", "no head", "no frames", "torn", "no time", "too many", "unknown", "no bytes"],
)
def test_what_is_no_sound_is_refused(raw):
    with pytest.raises(GarbledMicrophoneError):
        read_sound(raw)


@pytest.mark.parametrize(
    ("packet", "fits"),
    [
        (FRAMES[0], True),
        (bytes([0x78]) + b"x", True),
        (bytes([0x7C]) + b"x", False),
        (bytes([0x79]) + b"x", False),
        (bytes([0x18]) + b"x", False),
        (bytes([0x78]) + bytes(400), False),
        (b"", False),
    ],
    ids=["opus", "20 ms", "stereo", "two frames", "60 ms", "too long", "nothing"],
)
def test_only_one_mono_frame_of_20_ms_is_a_frame(packet, fits):
    assert is_frame(packet) is fits


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ticket": 1}', "\x00"])
def test_a_first_message_without_a_ticket_is_refused(text):
    with pytest.raises(GarbledMicrophoneError):
        read_ticket(text)


@pytest.mark.parametrize("text", ["", "{}", '{"say": "hush"}', "start"])
def test_unknown_words_are_refused(text):
    with pytest.raises(GarbledMicrophoneError):
        read_said(text)
