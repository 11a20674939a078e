"""Loudspeakers that may overlap, for property tests."""

from hypothesis import strategies as st

from server.domain.turns import Horn


def near_horns(*, least: int = 0, most: int) -> st.SearchStrategy[list[Horn]]:
    """Some loudspeakers within two kilometres of each other."""
    one = st.builds(
        Horn,
        cluster_id=st.integers(0, 99).map("c{}".format),
        latitude=st.floats(21.0, 21.02),
        longitude=st.floats(105.0, 105.02),
        reach_m=st.floats(20, 1500),
    )
    return st.lists(one, min_size=least, max_size=most, unique_by=lambda horn: horn.cluster_id)
