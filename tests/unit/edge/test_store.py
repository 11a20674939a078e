"""What a node does not forget."""

import sqlite3
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import StoreError
from edge.keeping import Keeping
from edge.outbox import RESEND_S, Outbox, numbered
from edge.player import Started
from edge.playout import OnDisk, Playout, Programme, step
from edge.runs import UNNUMBERED, key_of
from edge.schedule import Kept
from edge.store import KeptReport, Store, Turn
from protocol.chain import NOTHING_BEFORE, digest_of
from protocol.messages import AsRun, Outcome, Received
from tests.factories.claims import CLUSTER, NOON, a_claim, at
from tests.factories.playouts import files_of

SONG = a_claim()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "node.db"


@pytest.fixture
def store(path):
    with_nothing = Store(path)
    yield with_nothing
    with_nothing.close()


def a_playout():
    """A node in the middle of a programme."""
    state, _ = step(Playout(), OnDisk(files_of(SONG)), NOON)
    state, _ = step(state, Programme(CLUSTER, {key_of(SONG): SONG}), NOON)
    state, _ = step(state, Started(key_of(SONG), NOON, 0.0), NOON)
    return state


def a_turn(**facts: object):
    return Turn(**{"runs": {}, "done": {}, "now": NOON, **facts})


def a_kept(**facts: object):
    boring = {"kind": "plan", "name": "xa-1", "raw": b"x", "accepted_at": NOON, "forget_at": at(60)}
    return Kept(**{**boring, **facts})


def a_report(number=1):
    record = AsRun(
        report_id=UNNUMBERED,
        claim_id=f"tin-{number}",
        cluster=CLUSTER,
        at=at(10),
        outcome=Outcome.PLAYED,
    )
    return numbered(record)


def records_of(store):
    return [msgspec.json.decode(report.body, type=AsRun) for report in store.reports(100)]


def follow_each_other(records):
    digests = [NOTHING_BEFORE, *(digest_of(record) for record in records)]
    numbers = [record.link.number for record in records]
    return numbers == list(range(1, len(records) + 1)) and all(
        record.link.previous == before for record, before in zip(records, digests, strict=False)
    )


def reports_of(store):
    return [report.report_id for report in store.reports(100)]


def test_a_run_survives_a_kill_with_the_last_instant_it_was_known(store, path):
    state = a_playout()
    store.keep(a_turn(runs=state.runs))
    store.mark_alive(at(2))
    again = Store(path)
    assert again.runs() == {key_of(SONG): (state.runs[key_of(SONG)], at(2))}
    again.close()


def test_a_run_that_ended_is_gone_and_its_record_is_there(store, path):
    state = a_playout()
    store.keep(a_turn(runs=state.runs))
    store.keep(a_turn(done={key_of(SONG): at(10)}, reports=(KeptReport("r", b"record"),)))
    again = Store(path)
    assert again.runs() == {}
    assert again.done() == {key_of(SONG): at(10)}
    assert again.reports(10) == (KeptReport("r", b"record"),)
    again.close()


def test_a_newer_plan_takes_the_place_of_the_older(store):
    store.keep(a_turn(kept=a_kept(raw=b"old")))
    store.keep(a_turn(kept=a_kept(raw=b"new")))
    assert [kept.raw for kept in store.tokens()] == [b"new"]


def test_what_means_nothing_any_more_is_forgotten(store):
    store.keep(a_turn(kept=a_kept()))
    store.forget_old(at(59))
    assert len(store.tokens()) == 1
    store.forget_old(at(60))
    assert store.tokens() == ()


def test_a_damaged_file_is_set_aside_and_the_node_starts_afresh(path):
    path.parent.mkdir()
    path.write_bytes(b"SQLite format 3\0" + b"rubbish" * 1000)
    store = Store(path)
    assert store.set_aside.read_bytes().endswith(b"rubbish")
    store.keep(a_turn(kept=a_kept()))
    assert len(store.tokens()) == 1
    store.close()


def test_a_file_that_becomes_unreadable_under_the_node_is_trouble_with_the_disk_and_no_more(path):
    store = Store(path)
    for number in range(200):
        store.keep(a_turn(kept=a_kept(name=f"xa-{number}", raw=bytes(20_000))))
    store.close()
    store = Store(path)
    path.write_bytes(path.read_bytes()[:4096] + b"rubbish" * 600_000)
    with pytest.raises(StoreError) as error:
        store.forget_old(at(60))
    assert error.value.trouble == "disk-failing"
    store.close()
    again = Store(path)
    assert again.set_aside is not None
    again.close()


def test_a_run_of_an_unreadable_format_counts_as_damage(store, path):
    store.keep(a_turn(runs=a_playout().runs))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE run SET body = '{}'")
    db.close()
    again = Store(path)
    assert again.set_aside is not None
    assert again.runs() == {}
    again.close()


def test_a_report_stays_until_it_is_acknowledged_and_is_sent_again_meanwhile(store):
    sent = []
    outbox = Outbox(store, lambda body: sent.append(body) is None)
    store.keep(a_turn(reports=(KeptReport("a", b"A"), KeptReport("b", b"B"))))
    outbox.send_due(0.0)
    outbox.send_due(RESEND_S - 0.1)
    assert sent == [b"A", b"B"]
    outbox.acknowledge(("a", "unheard of"), RESEND_S)
    outbox.send_due(RESEND_S)
    assert sent == [b"A", b"B", b"B"]
    outbox.acknowledge(("b",), RESEND_S)
    assert reports_of(store) == []


def test_of_much_that_waits_more_is_sent_as_soon_as_the_server_has_some(store):
    sent = []
    outbox = Outbox(store, lambda body: sent.append(body) is None)
    store.keep(a_turn(reports=[KeptReport(f"r-{n}", b"%d" % n) for n in range(250)]))
    outbox.send_due(0.0)
    assert len(sent) == 100
    while reports_of(store):
        outbox.acknowledge(tuple(reports_of(store)[:1]), 0.1)
    assert sent == [b"%d" % n for n in range(250)]


def test_the_answer_to_an_order_goes_before_all_that_waits_from_days_without_a_network(store):
    sent = []
    keeping = Keeping(store, lambda body: sent.append(body) is None)
    store.keep(a_turn(reports=[KeptReport(f"r-{n}", b"%d" % n) for n in range(250)]))
    keeping.keep(a_turn(reports=(KeptReport("answer", b"received", "play-1"),)), 0.0)
    assert sent[0] == b"received"
    assert sent.count(b"received") == 1


def test_a_new_connection_brings_all_reports_again(store):
    sent = []
    outbox = Outbox(store, lambda body: sent.append(body) is None)
    store.keep(a_turn(reports=(KeptReport("a", b"A"),)))
    outbox.send_due(0.0)
    outbox.send_due(0.1, all_again=True)
    assert sent == [b"A", b"A"]


def test_nothing_counts_as_sent_without_a_connection(store):
    connected, sent = [], []
    outbox = Outbox(store, lambda body: bool(connected) and sent.append(body) is None)
    store.keep(a_turn(reports=(KeptReport("a", b"A"),)))
    outbox.send_due(0.0)
    connected.append(True)
    outbox.send_due(0.1)
    assert sent == [b"A"]


def test_a_receipt_is_awaited_until_it_is_acknowledged(store):
    receipt = numbered(
        Received(report_id=UNNUMBERED, claim_id="khan-1", at=NOON, message_id="lenh-1")
    )
    store.keep(a_turn(reports=(receipt,)))
    assert store.awaits_receipt("lenh-1")
    store.forget_reports((receipt.report_id,))
    assert not store.awaits_receipt("lenh-1")


def test_no_two_reports_have_one_id():
    same = Received(report_id=UNNUMBERED, claim_id="khan-1", at=NOON)
    assert numbered(same).report_id != numbered(same).report_id


def test_done_claims_are_forgotten_when_the_playout_forgets_them(store):
    store.keep(a_turn(done={key_of(SONG): NOON - timedelta(days=2)}))
    store.keep(a_turn())
    assert store.done() == {}


@given(st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_a_power_cut_at_any_byte_leaves_whole_turns_from_the_first_on(tmp_path_factory, share):
    folder = tmp_path_factory.mktemp("cut")
    path = folder / "node.db"
    store = Store(path)
    for number in range(6):
        store.keep(a_turn(kept=a_kept(name=f"xa-{number}", raw=bytes(3000))))
    cut = tmp_path_factory.mktemp("after") / "node.db"
    log = path.with_name("node.db-wal").read_bytes()
    cut.write_bytes(path.read_bytes())
    cut.with_name("node.db-wal").write_bytes(log[: round(share * len(log))])
    store.close()
    again = Store(cut)
    assert again.set_aside is None
    found = {kept.name for kept in again.tokens()}
    assert found == {f"xa-{number}" for number in range(len(found))}
    assert len(found) == 6 or share < 1
    again.close()


def test_records_are_chained_as_they_are_kept_and_the_chain_goes_on_in_the_next_life(store, path):
    store.keep(a_turn(reports=(a_report(1), KeptReport("r", b"{}"), a_report(2))))
    store.forget_reports(["r"])
    again = Store(path)
    again.keep(a_turn(reports=(a_report(3),)))
    records = records_of(again)
    assert [record.claim_id for record in records] == ["tin-1", "tin-2", "tin-3"]
    assert follow_each_other(records)
    assert len({record.link.chain for record in records}) == 1
    again.close()


def test_the_chain_goes_on_where_all_records_have_been_acknowledged(store):
    store.keep(a_turn(reports=(a_report(1),)))
    (first,) = records_of(store)
    store.forget_reports([first.report_id])
    store.keep(a_turn(reports=(a_report(2),)))
    (second,) = records_of(store)
    assert (second.link.number, second.link.previous) == (2, digest_of(first))


def test_a_record_that_is_kept_already_takes_no_second_place(store):
    report = a_report(1)
    store.keep(a_turn(reports=(report,)))
    store.keep(a_turn(reports=(report, a_report(2))))
    assert follow_each_other(records_of(store))


def test_a_turn_that_the_disk_did_not_take_leaves_the_chain_as_it_was(store):
    store.keep(a_turn(reports=(a_report(1),)))
    with pytest.raises(sqlite3.Error):
        store.keep(a_turn(reports=(a_report(2), KeptReport("r", object()))))
    store.keep(a_turn(reports=(a_report(3),)))
    records = records_of(store)
    assert [record.claim_id for record in records] == ["tin-1", "tin-3"]
    assert follow_each_other(records)


@given(st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_a_power_cut_at_any_byte_leaves_chain_and_records_of_one_mind(tmp_path_factory, share):
    path = tmp_path_factory.mktemp("cut") / "node.db"
    store = Store(path)
    for number in range(1, 6):
        store.keep(a_turn(reports=(a_report(number),)))
    cut = tmp_path_factory.mktemp("after") / "node.db"
    log = path.with_name("node.db-wal").read_bytes()
    cut.write_bytes(path.read_bytes())
    cut.with_name("node.db-wal").write_bytes(log[: round(share * len(log))])
    store.close()
    again = Store(cut)
    again.keep(a_turn(reports=(a_report(9),)))
    records = records_of(again)
    assert follow_each_other(records)
    assert records[-1].claim_id == "tin-9"
    again.close()
