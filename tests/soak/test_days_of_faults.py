"""Whole days of a node, on which something breaks every few minutes.

Run by ``make test-soak``; a few hours of one stand among the slow ones.
"""

import gc
import tracemalloc

import pytest

from tests.factories.faults import Breaker


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_promised_is_heard_and_told_whatever_breaks(tmp_path, seed: int):
    day = Breaker(tmp_path, seed, hours=24).run()
    assert day.findings == []
    assert len(day.looks) > 24 * 700
    assert any(name.startswith("play-") for name in day.server.received)
    assert any(name.startswith("stop-") for name in day.server.received)
    assert len(day.talks) > 24
    assert any(name.startswith("nt-") for name in day.server.records)
    assert any(claim.turns for claim in day.server.plan_claims)
    broken = {kind for kind, _, _ in day.broken}
    assert broken >= {"broker", "kill", "power", "disk", "clock", "key"}


@pytest.mark.timeout(900)
def test_a_day_takes_no_more_memory_than_its_morning(tmp_path):
    tracemalloc.start()
    breaker = Breaker(tmp_path, seed=7, hours=12)
    held = []
    for hour in (2, 5, 8, 11):
        breaker.at(hour, lambda: held.append(_held_by_the_node()))
    assert breaker.run().findings == []
    tracemalloc.stop()
    assert max(held) < 1.5 * held[0] + 200_000


def _held_by_the_node() -> int:
    """Tell how many bytes are held by what the node's modules, and the protocol's, asked for."""
    gc.collect()  # who was killed leaves its parts holding one another
    own = [tracemalloc.Filter(True, f"*/{part}/*") for part in ("edge", "protocol")]  # noqa: FBT003 - the library's own
    found = tracemalloc.take_snapshot().filter_traces(own)
    return sum(each.size for each in found.statistics("filename"))
