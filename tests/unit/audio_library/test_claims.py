"""What the first bytes of a file claim."""

import pytest

from audio_library.claims import Kind, after_id3, kind_of, wav_duration_s, xing_frames


@pytest.mark.parametrize(
    "head",
    [
        b"ID3\x04\x00\x00\x00\x00\x00\x00",
        b"OggS\x00\x02",
        b"fLaC\x00\x00\x00\x22",
        b"\x1a\x45\xdf\xa3\x9f",
        b"\x00\x00\x00\x20ftypM4A ",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
    ],
)
def test_accepted_kinds_are_known_by_their_first_bytes(head):
    assert kind_of(head) is Kind.ACCEPTED


@pytest.mark.parametrize(
    "head", [b"FORM\x00\x00\x00\x00AIFF", b"#!AMR\n", b"RIFF\x00\x00\x00\x00AVI LIST"]
)
def test_audio_we_do_not_take_is_told_from_what_is_no_audio(head):
    assert kind_of(head) is Kind.FOREIGN


@pytest.mark.parametrize("head", [b"", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"#EXTM3U\n"])
def test_anything_else_is_unknown(head):
    assert kind_of(head) is Kind.UNKNOWN


def test_a_xing_header_tells_its_frames():
    head = b"\xff\xfb\x90\x64" + bytes(32) + b"Xing" + b"\0\0\0\x0f" + (417).to_bytes(4, "big")
    assert xing_frames(head) == 417


def test_a_xing_header_without_a_frame_count_tells_nothing():
    head = b"\xff\xfb\x90\x64" + bytes(32) + b"Info" + b"\0\0\0\x0e" + (417).to_bytes(4, "big")
    assert xing_frames(head) is None


def test_a_xing_header_cut_short_tells_nothing():
    assert xing_frames(bytes(36) + b"Xing\0\0\0\x0f\0") is None


def test_an_id3_length_counts_seven_bits_a_byte():
    assert after_id3(b"ID3\x04\x00\x00" + b"\x00\x00\x02\x01" + bytes(20)) == 10 + 257


def test_without_a_tag_the_audio_begins_at_once():
    assert after_id3(b"\xff\xfb\x90\x64" + bytes(20)) == 0


def a_wav_head(size_bytes, bytes_per_s=96_000):
    head = b"RIFF" + size_bytes.to_bytes(4, "little") + b"WAVEfmt " + bytes(12)
    return head + bytes_per_s.to_bytes(4, "little") + bytes(8)


def test_a_wav_promises_its_length():
    assert wav_duration_s(a_wav_head(192_000)) == 2.0


@pytest.mark.parametrize("size_bytes", [0, 0xFFFFFFFF, 0x7FFFF024])
def test_a_wav_from_a_pipe_promises_nothing(size_bytes):
    assert wav_duration_s(a_wav_head(size_bytes)) is None


@pytest.mark.parametrize("head", [b"", b"RIFF", a_wav_head(192_000)[:31], a_wav_head(9, 0)])
def test_a_wav_header_that_makes_no_sense_promises_nothing(head):
    assert wav_duration_s(head) is None
