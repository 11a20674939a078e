"""A few hours of a node, on which something breaks every few minutes; see ``tests/soak``."""

import pytest

from tests.factories.faults import Breaker


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_is_promised_is_heard_and_told_whatever_breaks(tmp_path):
    day = Breaker(tmp_path, seed=1, hours=3).run()
    assert day.findings == []
    assert len(day.server.records) > 10
    assert any(name.startswith("play-") for name in day.server.received)
