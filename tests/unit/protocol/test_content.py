"""Where each file of a content lies in time."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.content import Placed, assets, layout, length_s, opening_s
from tests.factories.claims import a_content, an_asset

CHIME = an_asset("chime", duration_s=3.0)
ONE, TWO = an_asset("one", duration_s=10.0), an_asset("two", duration_s=20.0)


def test_the_opening_sounds_once_and_the_items_again_after_each_gap():
    content = a_content(items=(ONE, TWO), opening=CHIME, repeat=2, gap_s=5.0)
    assert layout(content) == (
        Placed(0.0, CHIME),
        Placed(3.0, ONE),
        Placed(13.0, TWO),
        Placed(38.0, ONE),
        Placed(48.0, TWO),
    )
    assert length_s(content) == 68.0
    assert opening_s(content) == 3.0


def test_no_gap_stands_before_the_first_turn_or_after_the_last():
    content = a_content(items=(ONE,), gap_s=5.0)
    assert layout(content) == (Placed(0.0, ONE),)
    assert length_s(content) == 10.0
    assert opening_s(content) == 0.0


def test_each_file_is_listed_once_in_the_order_of_need():
    content = a_content(items=(TWO, ONE, TWO), opening=CHIME, repeat=3)
    assert assets(content) == (CHIME, TWO, ONE)


@given(
    st.lists(st.sampled_from((ONE, TWO)), min_size=1, max_size=4),
    st.sampled_from((None, CHIME)),
    st.integers(1, 5),
    st.floats(0, 60),
)
def test_files_never_overlap_and_the_length_is_the_sum_of_all(items, opening, repeat, gap_s):
    content = a_content(items=tuple(items), opening=opening, repeat=repeat, gap_s=gap_s)
    end = 0.0
    for placed in layout(content):
        assert placed.offset_s >= end
        end = placed.offset_s + placed.asset.duration_s
    speech = repeat * sum(asset.duration_s for asset in items)
    expected = opening_s(content) + speech + (repeat - 1) * gap_s
    assert abs(length_s(content) - expected) < 1e-6
