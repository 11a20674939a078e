"""Drills say what they are, and what follows an announcement belongs to it."""

from datetime import timedelta

import pytest

from protocol.messages import AsRun, Mode, Outcome
from protocol.signing import unverified
from server.domain.errors import BroadcastRefusedError
from server.services import drill_labels, following
from server.services.catalogue import pinned
from server.store.models import AssetRow, BroadcastRow
from tests.factories.claims import at
from tests.factories.provinces import LABELS, SPEECH

S = timedelta(seconds=1)
BEFORE, AFTER = LABELS


def refused(call, **facts: object):
    with pytest.raises(BroadcastRefusedError) as caught:
        call(**facts)
    return [finding.code for finding in caught.value.findings]


def claim_of(row):
    return unverified(row.token).msg.claim


def test_a_drill_without_its_label_is_not_announced(province):
    assert refused(province.announce, mode="drill") == ["drill-label-missing"]


def test_a_drill_says_so_before_and_after_each_turn_and_in_its_title(province):
    province.label()
    claim = claim_of(province.announce(mode="drill", repeat=2))
    assert claim.mode is Mode.DRILL
    digests = [item.digest for item in claim.content.items]
    assert digests == [BEFORE.digest, SPEECH.digest, AFTER.digest]
    assert claim.content.repeat == 2
    assert claim.title == "DIỄN TẬP: Lũ lên nhanh"
    (row,) = province.rows(BroadcastRow)
    assert row.title == claim.title
    real = claim_of(province.announce())
    assert [item.digest for item in real.content.items] == [SPEECH.digest]


def test_the_labels_are_the_provinces_for_all_and_every_node_keeps_them(province):
    province.label()
    province.label("xa-2")
    rows = [row for row in province.rows(AssetRow) if row.purpose in drill_labels.TEXTS]
    assert {row.unit_id for row in rows} == {"tinh"}
    assert len(rows) == 2
    kept = province.run(pinned, chain=("tinh", "xa-2"))
    assert {BEFORE.digest, AFTER.digest} <= {row.digest for row in kept}


def test_an_all_clear_need_not_wait_once_every_cluster_has_had_its_last_word(province):
    clusters = ("xa-1-c1", "xa-1-c2")
    for cluster in clusters:
        province.commission(cluster)
    first = province.announce()
    facts = {"follows": first.broadcast_id, "relation": "all-clear", "now": at(1)}
    for number, cluster in enumerate(clusters):
        assert refused(province.announce, **facts) == ["follows-too-early"]
        played = AsRun(
            report_id=f"nghe-{number}",
            claim_id=first.broadcast_id,
            cluster=cluster,
            at=at(1),
            outcome=Outcome.PLAYED,
            segments=(),
        )
        province.hear(f"n-{cluster}", played, now=at(1))
    assert province.announce(**facts).follows == first.broadcast_id


def test_an_all_clear_follows_what_was_stopped_and_the_chain_is_told_from_both_ends(province):
    first = province.announce()
    facts = {"follows": first.broadcast_id, "relation": "all-clear"}
    assert refused(province.announce, **facts) == ["follows-too-early"]
    province.stop(first, now=at(1))
    second = province.announce(**facts, now=at(1) + S)
    third = province.announce(
        follows=second.broadcast_id, relation="correction", now=second.end + S
    )
    chain = province.run(following.chain_of, row=second)
    assert [link.broadcast_id for link in chain.before] == [first.broadcast_id]
    assert [(link.broadcast_id, link.relation) for link in chain.after] == [
        (third.broadcast_id, "correction")
    ]
    whole = province.run(following.chain_of, row=third)
    assert [link.broadcast_id for link in whole.before] == [
        second.broadcast_id,
        first.broadcast_id,
    ]


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ({"relation": "all-clear", "bulletin_class": "emergency"}, "follows-higher-class"),
        ({"relation": "so"}, "bad-relation"),
        ({"relation": "correction", "unit_id": "xa-2", "units": ("xa-2",)}, "follows-other-unit"),
        ({"relation": "correction", "mode": "drill"}, "follows-other-mode"),
        ({"relation": "correction", "follows": "b-0"}, "follows-unknown"),
    ],
)
def test_what_does_not_belong_to_an_announcement_does_not_follow_it(on_sqlite, new, code):
    on_sqlite.label()
    first = on_sqlite.announce(bulletin_class="priority")
    on_sqlite.stop(first, now=at(1))
    wanted = {"bulletin_class": "priority", "follows": first.broadcast_id, **new}
    assert refused(on_sqlite.announce, **wanted, now=at(2)) == [code]
    assert len(on_sqlite.rows(BroadcastRow)) == 1
