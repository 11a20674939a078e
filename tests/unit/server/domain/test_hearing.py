"""What of a content was heard, from the stretches in which it sounded."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from protocol.content import layout, length_s
from server.domain.hearing import Heard, Stretch, heard
from tests.factories.claims import NOON, a_content, an_asset

CHIME, SPEECH = an_asset("chuong", duration_s=3.0), an_asset("loi", duration_s=10.0)
TWICE = a_content(opening=CHIME, items=(SPEECH,), repeat=2, gap_s=2.0)


def at(seconds: float):
    return NOON + timedelta(seconds=seconds)


def stretch(start_s: float, end_s: float, position_s: float) -> Stretch:
    return Stretch(at(start_s), at(end_s), position_s)


def test_an_announcement_that_was_played_is_its_chime_and_each_turn_of_its_words():
    assert heard(layout(TWICE), [stretch(0, 25, 0)], goes_on=False) == (
        Heard(CHIME.digest, at(0), at(3), is_whole=True),
        Heard(SPEECH.digest, at(3), at(13), is_whole=True),
        Heard(SPEECH.digest, at(15), at(25), is_whole=True),
    )


def test_who_joins_in_the_middle_has_the_rest_of_what_sounds_there_and_no_chime():
    assert heard(layout(TWICE), [stretch(8, 15.5, 8)], goes_on=False) == (
        Heard(SPEECH.digest, at(8), at(13), is_whole=False),
        Heard(SPEECH.digest, at(15), at(15.5), is_whole=False),
    )


def test_after_an_interruption_a_place_in_the_content_has_another_place_in_time():
    assert heard(layout(TWICE), [stretch(20, 33, 0), stretch(0, 1, 0)], goes_on=False) == (
        Heard(CHIME.digest, at(0), at(1), is_whole=False),
        Heard(CHIME.digest, at(20), at(23), is_whole=True),
        Heard(SPEECH.digest, at(23), at(33), is_whole=True),
    )


def test_what_has_no_file_is_somebody_who_spoke_behind_the_chime():
    chime_alone = layout(TWICE)[:1]
    assert heard(chime_alone, [stretch(0, 20, 0)], goes_on=True) == (
        Heard(CHIME.digest, at(0), at(3), is_whole=True),
        Heard("", at(3), at(20), is_whole=True),
    )


def test_behind_the_last_file_of_an_announcement_nobody_is_said_to_have_spoken():
    pieces = heard(layout(TWICE), [stretch(0, 25.5, 0)], goes_on=False)
    assert [piece.digest for piece in pieces] == [CHIME.digest, SPEECH.digest, SPEECH.digest]


def test_what_was_never_heard_has_no_pieces():
    assert heard(layout(TWICE), [], goes_on=False) == ()


lengths = st.integers(1, 400).map(lambda tenths: tenths / 10)


@given(
    st.lists(lengths, min_size=1, max_size=4),
    st.integers(1, 3),
    st.integers(0, 50),
    st.integers(0, 300),
    st.integers(1, 400),
)
@example([0.1], 2, 1, 3, 1)  # twice 0.1 s and a pause of it are a little more than 0.3 s
def test_pieces_lie_in_order_inside_their_stretch_and_whole_ones_last_as_their_files(
    files, repeat, gap_tenths, position_tenths, length_tenths
):
    items = tuple(an_asset(f"f{number}", duration_s=s) for number, s in enumerate(files))
    content = a_content(items=items, repeat=repeat, gap_s=gap_tenths / 10)
    length = {item.digest: item.duration_s for item in items}
    position_s = position_tenths / 10
    told = stretch(0, length_tenths / 10, position_s)
    pieces = heard(layout(content), [told], goes_on=True)
    assert all(told.start <= piece.start < piece.end <= told.end for piece in pieces)
    assert all(one.end <= two.start for one, two in pairwise(pieces))
    for piece in pieces:
        if piece.is_whole and piece.digest:
            short_s = length[piece.digest] - (piece.end - piece.start).total_seconds()
            assert -1e-5 <= short_s <= 0.2
    everything = heard(layout(content), [stretch(0, length_s(content), 0)], goes_on=False)
    assert [piece.digest for piece in everything] == [one.asset.digest for one in layout(content)]
    assert all(piece.is_whole for piece in everything)
