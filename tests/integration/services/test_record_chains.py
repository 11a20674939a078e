"""What a node told, in whatever order it came, is whole, incomplete, or altered."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import delete, update

from edge.chain import Head, linked, new_chain
from protocol.chain import digest_of
from protocol.messages import AsRun, FrameTally, Outcome, Segment, SoundProof, SoundVerdict
from server.domain.record_chains import ChainState, RecordCheck
from server.services import as_run, record_chains, reports
from server.services.known_words import known
from server.store.models import AsRunRow, NodeRow, RecordLinkRow
from tests.factories.claims import NOON, at

NODE, CLUSTER, OTHER = "n-xa-1-c1", "xa-1-c1", "xa-1-c2"


def a_proof(verdict: SoundVerdict = SoundVerdict.HEARD) -> SoundProof:
    return SoundProof(
        verdict=verdict, sent_dbfs=-18.3, level_dbfs=-40.1, correlation=0.713, delay_s=0.06
    )


def a_record(number: int, **facts: object) -> AsRun:
    boring = AsRun(
        report_id=f"bao-{number}",
        claim_id=f"tin-{number}",
        cluster=CLUSTER,
        at=at(number + 1),
        outcome=Outcome.CUT,
        reason="late",
        segments=(Segment(start=at(number + 0.3), end=at(number + 1), position_s=18.1),),
        frames=FrameTally(heard=number, late=0, missing=1),
        proof=a_proof(),
    )
    return replace(boring, **facts)


def a_chain(count: int = 4) -> list[AsRun]:
    head, records = new_chain(), []
    for number in range(1, count + 1):
        head, record = linked(head, a_record(number))
        records.append(record)
    return records


def state_of(province, cluster=CLUSTER):
    return province.run(record_chains.of_cluster, cluster_id=cluster)


def checks_of(province):
    def told(db):
        rows = db.query(AsRunRow).all()
        found = record_chains.checked(db, rows)
        return {row.claim_id: found[row.as_run_id] for row in rows}

    return province.run(told)


@pytest.fixture
def node(province):
    province.commission(CLUSTER)
    return province


def test_records_that_came_as_they_were_told_are_whole(node):
    records = a_chain()
    node.hear(NODE, *records)
    (chain,) = state_of(node).chains
    assert (chain.state, chain.records, chain.newest) == (ChainState.WHOLE, 4, 4)
    assert (chain.node_id, chain.chain) == (NODE, records[0].link.chain)
    following = linked_after(records)
    assert chain.digest == following.link.previous
    assert set(checks_of(node).values()) == {RecordCheck.UNTOUCHED}
    assert state_of(node, OTHER).state is ChainState.NONE


def linked_after(records: list[AsRun]) -> AsRun:
    """Make the record that comes after all of these."""
    last = records[-1]
    return linked(Head(last.link.chain, last.link.number, digest_of(last)), a_record(9))[1]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_in_any_order_and_any_number_of_times_the_verdict_is_the_same(on_sqlite, data):
    province = on_sqlite
    if not province.rows(NodeRow):
        province.commission(CLUSTER)
    records = a_chain()
    which = data.draw(st.sampled_from(["whole", "gap", "altered"]))
    if which == "gap":
        records.pop(data.draw(st.integers(0, 2)))
    elif which == "altered":
        place = data.draw(st.integers(0, 2))
        records[place] = replace(records[place], outcome=Outcome.PLAYED, reason="")
    again = data.draw(st.lists(st.sampled_from(records), max_size=3))
    together = data.draw(st.booleans())
    with province.sessions() as db:
        said = [(NODE, word) for word in data.draw(st.permutations([*records, *again]))]
        knowing = known(db, said, now=NOON) if together else None
        for _, word in said:
            reports.take_in(db, NODE, word, now=NOON, knowing=knowing)
        db.flush()  # all is looked at, and then undone
        found = record_chains.of_cluster(db, CLUSTER)
    states = {"whole": ChainState.WHOLE, "gap": ChainState.GAP, "altered": ChainState.BROKEN}
    assert found.state is states[which]
    assert (found.missing, found.broken) == (which == "gap", which == "altered")


def test_two_records_with_one_number_are_a_broken_chain(node):
    records = a_chain(2)
    node.hear(NODE, *records, replace(records[1], report_id="bao-9", claim_id="tin-9"))
    assert state_of(node).state is ChainState.BROKEN


def test_a_first_record_that_names_another_before_it_is_a_broken_chain(node):
    (first,) = a_chain(1)
    node.hear(NODE, replace(first, link=replace(first.link, previous="1" * 64)))
    assert state_of(node).state is ChainState.BROKEN


def test_a_node_of_before_is_heard_and_is_in_no_chain(node):
    node.hear(NODE, a_record(1))
    assert state_of(node).state is ChainState.NONE
    assert checks_of(node) == {"tin-1": RecordCheck.UNCHAINED}


def test_a_record_that_was_first_sent_from_memory_has_its_place_later(node):
    records = a_chain(2)
    from_memory = [replace(record, link=None) for record in records]
    node.hear(NODE, *from_memory, *records)
    assert state_of(node).state is ChainState.WHOLE
    assert set(checks_of(node).values()) == {RecordCheck.UNTOUCHED}


def test_what_a_node_tells_twice_after_it_has_lost_its_memory_is_in_two_chains_and_whole(node):
    node.hear(NODE, *a_chain(1), replace(a_chain(1)[0], report_id="bao-9", at=at(5)))
    found = state_of(node)
    assert (found.state, len(found.chains)) == (ChainState.WHOLE, 2)
    assert checks_of(node) == {"tin-1": RecordCheck.UNTOUCHED}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_proofs_the_one_of_the_record_that_counts_is_kept(node, order):
    first = a_record(1, proof=a_proof(SoundVerdict.SILENT_HORN))
    last = a_record(1, report_id="bao-9", at=at(9), proof=a_proof())
    node.hear(NODE, *((first, last)[place] for place in order))
    (row,) = node.as_run("tin-1").values()
    assert as_run.proof_of(row) == a_proof()


@pytest.mark.parametrize(
    "changed",
    [
        {"outcome": "played"},
        {"reason": "preempted:x"},
        {"source": "server"},
        {"segments": {"heard": [], "said": ["", "2026-11-21T05:00:00+00:00", "cut", "late"]}},
    ],
    ids=str,
)
def test_what_somebody_alters_in_the_database_is_told(node, changed):
    node.hear(NODE, *a_chain(2))
    node.run(lambda db: db.execute(update(AsRunRow).filter_by(claim_id="tin-1").values(**changed)))
    assert checks_of(node) == {"tin-1": RecordCheck.ALTERED, "tin-2": RecordCheck.UNTOUCHED}


def test_what_somebody_takes_out_of_the_database_is_told(node):
    node.hear(NODE, *a_chain(3))
    node.run(lambda db: db.execute(delete(AsRunRow).filter_by(claim_id="tin-2")))
    (chain,) = state_of(node).chains
    assert (chain.state, chain.removed) == (ChainState.BROKEN, 1)
    node.run(lambda db: db.execute(delete(RecordLinkRow).filter_by(claim_id="tin-2")))
    (chain,) = state_of(node).chains
    assert (chain.state, chain.removed, chain.missing) == (ChainState.GAP, 0, 1)
