import pytest

from server.domain.record_chains import Chain, ChainState, ClusterChains
from tests.factories.claims import NOON


def a_chain(**facts: object) -> Chain:
    boring = {"node_id": "n-1", "chain": "chuoi-1", "records": 3, "newest": 3, "digest": "0" * 64}
    return Chain(**{**boring, "broken": 0, "removed": 0, "heard_at": NOON, **facts})


WHOLE, GAP, BROKEN = a_chain(), a_chain(records=2), a_chain(broken=1)


@pytest.mark.parametrize(
    ("chains", "state"),
    [
        ((), ChainState.NONE),
        ((WHOLE,), ChainState.WHOLE),
        ((GAP,), ChainState.GAP),
        ((BROKEN,), ChainState.BROKEN),
        ((a_chain(removed=1),), ChainState.BROKEN),
        ((a_chain(records=2, broken=1),), ChainState.BROKEN),
        ((WHOLE, GAP), ChainState.GAP),
        ((GAP, WHOLE, BROKEN), ChainState.BROKEN),
    ],
)
def test_a_cluster_is_as_good_as_the_worst_of_its_chains(chains, state):
    assert ClusterChains(chains).state is state


def test_what_is_amiss_is_counted_over_all_chains():
    found = ClusterChains((GAP, BROKEN, a_chain(records=4, newest=9, removed=2)))
    assert (found.records, found.missing, found.broken) == (9, 6, 3)
