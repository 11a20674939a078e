"""Names, compared without marks."""

from hypothesis import given
from hypothesis import strategies as st

from server.domain.names import folded, folded_all

names = st.text(st.sampled_from("aAđĐệ\u0301\u0323ßİΣς \n\u2028\u1100\u1161가")) | st.text()


@given(st.lists(names))
def test_very_many_names_are_folded_just_as_one_is(some: list[str]):
    assert folded_all(some) == {name: folded(name) for name in some}


def test_spellings_of_a_name_are_equal():
    assert folded(" BẢN   Đồng ") == folded("bản đông") == "ban dong"
