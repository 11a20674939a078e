"""Frames of a live broadcast: signed with its own key, bounded, and the same bytes for ever."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.errors import Refusal, RefusedError
from protocol.live import (
    FRAME,
    MAX_LIVE_BYTES,
    MOST_FRAME_BYTES,
    MOST_FRAMES,
    Ending,
    LiveFrames,
    instant,
    microseconds,
    seal,
    unseal,
)
from tests.factories.claims import NOON
from tests.factories.live import a_live_key, sealed, some_frames

KEY = a_live_key()
PUBLIC = KEY.public_key()
GOLDEN = Path(__file__).parents[2] / "golden" / "protocol" / "live"
EXAMPLES = {
    "frames": some_frames(sequence=300),
    "last-spoken": some_frames(sequence=303, count=1, ending=Ending.SPOKEN),
    "last-broken-off": some_frames(sequence=304, count=0, ending=Ending.BROKEN_OFF),
}

messages = st.builds(
    LiveFrames,
    broadcast=st.just("noi-1"),
    sequence=st.integers(0, 2**31),
    captured_us=st.integers(0, 2**53 - 1),
    frames=st.lists(st.binary(min_size=1, max_size=MOST_FRAME_BYTES), max_size=MOST_FRAMES).map(
        tuple
    ),
    ending=st.sampled_from(Ending),
)


def refusal_of(raw: bytes, *, broadcast: str = "noi-1") -> Refusal:
    with pytest.raises(RefusedError) as caught:
        unseal(PUBLIC, raw, broadcast=broadcast)
    return caught.value.refusal


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_frames_are_written_as_the_very_bytes_that_others_expect(name):
    raw = (GOLDEN / f"{name}.bin").read_bytes()
    assert sealed(EXAMPLES[name]) == raw
    assert unseal(PUBLIC, raw, broadcast="noi-1") == EXAMPLES[name]


@given(messages)
def test_what_was_sealed_is_read_again_and_is_never_longer_than_the_limit(message):
    raw = seal(KEY, message)
    assert len(raw) <= MAX_LIVE_BYTES
    assert unseal(PUBLIC, raw, broadcast="noi-1") == message


@given(messages, st.data())
def test_a_single_flipped_bit_anywhere_makes_a_message_forged(message, data):
    raw = bytearray(seal(KEY, message))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    assert refusal_of(bytes(raw)) is Refusal.FORGED


@given(st.binary(max_size=200))
def test_whatever_comes_unsigned_is_forged(raw):
    assert refusal_of(raw) is Refusal.FORGED


@given(st.binary(max_size=200))
@example(b"\x94\xa2\x00\x80")  # a text that is none
def test_what_is_signed_but_no_message_is_garbled(body):
    try:
        msgspec.msgpack.decode(body, type=LiveFrames)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raw = KEY.sign(b"loa/1/live\n" + body) + body
        assert refusal_of(raw) is Refusal.GARBLED


def test_frames_signed_with_the_key_of_another_broadcast_are_forged():
    assert refusal_of(sealed(some_frames(), a_live_key("another"))) is Refusal.FORGED


def test_frames_that_say_another_broadcast_are_out_of_scope_though_their_key_is_right():
    replayed = sealed(some_frames(broadcast="noi-2"))
    assert refusal_of(replayed) is Refusal.OUT_OF_SCOPE


def test_a_signature_without_its_purpose_is_no_signature():
    body = seal(KEY, some_frames())[64:]
    assert refusal_of(KEY.sign(body) + body) is Refusal.FORGED


@pytest.mark.parametrize(
    "too_much",
    [
        {"frames": (b"x",) * (MOST_FRAMES + 1)},
        {"frames": (b"x" * (MOST_FRAME_BYTES + 1),)},
        {"frames": (b"",)},
        {"sequence": 2**31 + 1},
        {"sequence": -1},
        {"broadcast": "Not An Id"},
    ],
    ids=str,
)
def test_what_lies_outside_its_bounds_is_garbled(too_much):
    message = msgspec.structs.replace(some_frames(), **too_much)
    assert refusal_of(sealed(message)) is Refusal.GARBLED


def test_what_is_longer_than_the_limit_is_not_even_verified():
    assert refusal_of(bytes(MAX_LIVE_BYTES + 1)) is Refusal.TOO_LARGE


def test_a_field_that_a_later_version_appends_is_ignored():
    body = msgspec.msgpack.encode([*msgspec.structs.astuple(some_frames()), "news"])
    raw = KEY.sign(b"loa/1/live\n" + body) + body
    assert unseal(PUBLIC, raw, broadcast="noi-1") == some_frames()


@given(st.integers(0, 10_000))
def test_all_messages_of_a_broadcast_tell_the_same_beginning(sequence):
    message = some_frames(sequence=sequence)
    assert instant(message.first_captured_us) == NOON
    assert instant(message.captured_us) - NOON == sequence * FRAME
    assert microseconds(NOON) == message.first_captured_us
