"""Planned laid against aired, on a day of a unit and of one cluster."""

from datetime import time, timedelta

import pytest

from protocol.messages import AsRun, Outcome, Segment
from server.domain.aired import Kind
from server.domain.errors import UnknownThingError
from server.domain.slots import claim_id
from server.services import aired, as_run, scheduling
from tests.factories.claims import NOON
from tests.factories.slots import TODAY
from tests.factories.units import PROVINCE

S = timedelta(seconds=1)
BEGINS = NOON + timedelta(minutes=10)


def a_slot_today(province, **overrides: object):
    return province.add_slot(first_day=TODAY, local_start=time(12, 10), **overrides)


def tells(province, cluster, claim, outcome, *, reason="", start=BEGINS, seconds=30):
    heard = outcome in {Outcome.PLAYED, Outcome.CUT, Outcome.STOPPED}
    record = AsRun(
        report_id=f"{claim}-{cluster}"[-60:],
        claim_id=claim,
        cluster=cluster,
        at=start + seconds * S,
        outcome=outcome,
        reason=reason,
        segments=(Segment(start=start, end=start + seconds * S, position_s=0.0),) if heard else (),
    )
    province.hear(f"n-{cluster}", record, now=start + seconds * S)


def day(province, unit_id="xa-1", *, now, on=TODAY):
    return province.run(aired.day_of_unit, unit_id=unit_id, day=on, now=now)


def commissioned(province, *clusters: str):
    for cluster in clusters:
        province.commission(cluster)


def test_each_occurrence_is_counted_by_what_its_clusters_said(province):
    commissioned(province, "xa-1-c1", "xa-1-c2")
    slot = a_slot_today(province)
    claim = claim_id(slot.slot_id, BEGINS)
    (coming,) = day(province, now=NOON).entries
    assert (coming.claim_id, coming.tally.planned, coming.tally.waiting) == (claim, 2, 2)
    province.run(as_run.conclude_missed, now=BEGINS + S)
    tells(province, "xa-1-c1", claim, Outcome.PLAYED)
    (sounding,) = day(province, now=BEGINS + 31 * S).entries
    assert (sounding.tally.count("played"), sounding.tally.waiting) == (1, 1)
    over = BEGINS + timedelta(minutes=5)
    province.run(as_run.conclude_missed, now=over)
    found = day(province, now=over)
    (entry,) = found.entries
    assert dict(entry.tally.outcomes) == {"played": 1, "missed": 1}
    assert [(told.reason, told.clusters) for told in entry.tally.reasons] == [("no-report", 1)]
    assert entry.is_problem(over)
    assert (found.total.planned, found.total.waiting) == (2, 0)


def test_a_province_sums_up_and_a_commune_sees_its_own_clusters_only(province):
    commissioned(province, "xa-1-c1", "xa-2-c1")
    slot = a_slot_today(province, unit_id=PROVINCE, units=(PROVINCE,))
    claim = claim_id(slot.slot_id, BEGINS)
    own = province.add_slot(first_day=TODAY, local_start=time(13), unit_id="xa-2", units=("xa-2",))
    province.run(as_run.conclude_missed, now=BEGINS + S)
    tells(province, "xa-1-c1", claim, Outcome.PLAYED)
    tells(province, "xa-2-c1", claim, Outcome.CUT, reason="preempted:b-1")
    over = BEGINS + timedelta(minutes=5)
    whole = day(province, PROVINCE, now=over)
    assert [entry.slot_id for entry in whole.entries] == [slot.slot_id, own.slot_id]
    assert (whole.entries[0].tally.planned, whole.total.count("played", "cut")) == (4, 2)
    (seen,) = day(province, now=over).entries
    assert (seen.tally.planned, dict(seen.tally.outcomes)) == (2, {"played": 1})


def test_a_slot_that_was_renamed_or_withdrawn_stays_as_it_was_on_its_day(province):
    slot = a_slot_today(province)
    province.run(as_run.conclude_missed, now=BEGINS + S)
    province.withdraw(slot, now=BEGINS + timedelta(minutes=2))
    (entry,) = day(province, now=BEGINS + timedelta(minutes=5)).entries
    assert (entry.title, entry.kind) == ("Bản tin sáng", Kind.SLOT)
    assert day(province, now=NOON, on=TODAY + timedelta(days=1)).entries == ()


def test_announcements_are_there_whether_played_or_stopped_and_on_the_timeline_too(province):
    commissioned(province, "xa-1-c1", "xa-1-c2")
    sent = province.announce(now=BEGINS)
    tells(province, "xa-1-c1", sent.broadcast_id, Outcome.STOPPED, start=sent.start, seconds=5)
    province.stop(sent, now=sent.start + 5 * S)
    now = sent.start + timedelta(minutes=10)
    (entry,) = day(province, now=now).entries
    assert entry.kind is Kind.ANNOUNCEMENT
    assert entry.stopped_at == sent.start + 5 * S
    assert (entry.tally.count("stopped"), entry.tally.waiting) == (1, 1)
    assert not entry.is_problem(now)
    with province.sessions.begin() as db:
        spans = scheduling.day_timeline(db, cluster_id="xa-1-c1", day=TODAY, now=now)
    heard = [(span.start, span.end) for span in spans if span.claim is not None]
    # Orders tell in whole seconds when they were given.
    assert heard == [(sent.start, (sent.start + 5 * S).replace(microsecond=0))]


def test_what_sounded_without_being_planned_is_there_too(province):
    commissioned(province, "xa-1-c1")
    tells(province, "xa-1-c1", "s-la-20261121t051000z", Outcome.PLAYED)
    found = day(province, now=BEGINS + timedelta(minutes=5))
    (entry,) = found.entries
    assert (entry.kind, entry.start) == (Kind.UNPLANNED, BEGINS)
    assert entry.is_problem(NOON)
    (at_cluster,) = province.run(
        aired.day_of_cluster, cluster_id="xa-1-c1", day=TODAY, now=BEGINS + timedelta(minutes=5)
    )
    assert at_cluster.entry.kind is Kind.UNPLANNED
    assert at_cluster.heard == ((BEGINS, BEGINS + 30 * S),)


def test_from_an_occurrence_one_gets_to_each_cluster_and_to_its_day(province):
    commissioned(province, "xa-1-c1", "xa-1-c2")
    slot = a_slot_today(province)
    claim = claim_id(slot.slot_id, BEGINS)
    province.run(as_run.conclude_missed, now=BEGINS + S)
    tells(province, "xa-1-c1", claim, Outcome.CUT, reason="late", seconds=12)
    now = BEGINS + timedelta(minutes=5)
    _entry, clusters = province.run(
        aired.claim_at_unit, unit_id="xa-1", claim=claim, day=TODAY, now=now
    )
    told = {one.cluster_id: (one.outcome, one.reason, one.sounded_s) for one in clusters}
    assert told == {"xa-1-c1": ("cut", "late", 12.0), "xa-1-c2": ("", "", 0)}
    (one,) = province.run(aired.day_of_cluster, cluster_id="xa-1-c1", day=TODAY, now=now)
    assert (one.outcome, one.entry.start, one.entry.end) == ("cut", BEGINS, BEGINS + 30 * S)
    with pytest.raises(UnknownThingError):
        province.run(aired.claim_at_unit, unit_id="xa-1", claim="s-0", day=TODAY, now=now)
