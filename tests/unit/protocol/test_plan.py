"""Which claims reach a cluster, and the timeline that comes of them."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from protocol.airtime import airtimes
from protocol.messages import BulletinClass, Targets
from protocol.plan import Place, Span, claims_at, is_targeted, timeline
from protocol.policy import Policy
from protocol.precedence import winner
from tests.factories.claims import (
    CLUSTER,
    COMMUNE,
    HERE,
    NO_RULES,
    PROVINCE,
    a_claim,
    a_content,
    a_frame,
    an_announcement,
    an_asset,
    an_interval,
    at,
    policies,
    several_claims,
)
from tests.factories.messages import a_plan

START, END = at(-40), at(70)
fractions = st.floats(0, 1, exclude_max=True)


@given(several_claims, policies)
def test_a_timeline_covers_its_time_without_gap_or_overlap(some, policy):
    spans = timeline(some, policy, START, END)
    assert spans[0].start == START
    assert spans[-1].end == END
    assert all(left.end == right.start for left, right in pairwise(spans))
    assert all(span.start < span.end for span in spans)


@given(several_claims, policies, fractions)
def test_a_timeline_says_at_every_instant_what_the_rule_says(some, policy, fraction):
    # Rounded to a microsecond, the last fractions are the end itself.
    now = min(START + fraction * (END - START), END - timedelta(microseconds=1))
    (span,) = (s for s in timeline(some, policy, START, END) if s.start <= now < s.end)
    wanting = [time.claim for time in airtimes(some, policy) if time.start <= now < time.end]
    assert span.claim == winner(wanting, now, policy)


@given(several_claims, policies)
def test_a_timeline_has_no_more_spans_than_changes(some, policy):
    spans = timeline(some, policy, START, END)
    assert all(left.claim != right.claim for left, right in pairwise(spans))


@given(several_claims, policies, st.randoms())
def test_a_timeline_does_not_depend_on_the_order_of_arrival(some, policy, random):
    shuffled = list(some)
    random.shuffle(shuffled)
    assert timeline(shuffled, policy, START, END) == timeline(some, policy, START, END)


def test_a_programme_returns_after_the_announcement_that_cut_it():
    programme = a_claim()
    minute = a_content(items=(an_asset("khan", duration_s=60.0),))
    urgent = an_announcement(start=at(2), end=at(3), content=minute)
    assert timeline((programme, urgent), NO_RULES, at(-1), at(11)) == (
        Span(at(-1), at(0), None),
        Span(at(0), at(2), programme),
        Span(at(2), at(3), urgent),
        Span(at(3), at(10), programme),
        Span(at(10), at(11), None),
    )


def test_a_frame_and_quiet_hours_change_who_is_heard_in_the_middle_of_a_programme():
    ours, theirs = a_claim(), a_claim(claim_id="tinh", unit=PROVINCE, level=0)
    policy = Policy(frames=(a_frame(COMMUNE, 4, 8),), quiet=(an_interval(6, 30),))
    assert timeline((ours, theirs), policy, at(0), at(10)) == (
        Span(at(0), at(4), theirs),
        Span(at(4), at(6), ours),
        Span(at(6), at(10), None),
    )


def test_a_timeline_of_no_claims_is_one_silence():
    assert timeline((), NO_RULES, START, END) == (Span(START, END, None),)


def test_a_claim_reaches_the_clusters_under_its_units():
    assert is_targeted(Targets(units=(PROVINCE,)), HERE)
    assert is_targeted(Targets(units=("xa-2", COMMUNE)), HERE)
    assert not is_targeted(Targets(units=("xa-2",)), HERE)


def test_a_claim_reaches_the_clusters_it_names_wherever_they_stand():
    assert is_targeted(Targets(units=("xa-2",), clusters=(CLUSTER,)), HERE)
    assert not is_targeted(Targets(clusters=("cum-2",)), HERE)


def test_an_excluded_cluster_is_not_meant_even_when_it_is_named():
    everything = Targets(units=(COMMUNE,), clusters=(CLUSTER,), exclude=(CLUSTER,))
    assert not is_targeted(everything, HERE)


def test_a_claim_without_targets_reaches_nobody():
    assert not is_targeted(Targets(), HERE)


def test_a_cluster_is_not_taken_for_the_unit_of_the_same_name():
    assert not is_targeted(Targets(units=("same",)), Place("same", (PROVINCE,)))
    assert not is_targeted(Targets(clusters=("same",)), Place(CLUSTER, ("same",)))


def test_only_claims_that_mean_the_cluster_are_collected_from_the_plans_above_it():
    meant = a_claim(claim_id="a")
    elsewhere = a_claim(claim_id="b", targets=Targets(clusters=("cum-2",)))
    above = a_claim(claim_id="c", unit=PROVINCE, level=0, bulletin_class=BulletinClass.PRIORITY)
    plans = (a_plan(unit=PROVINCE, claims=(above,)), a_plan(claims=(meant, elsewhere)))
    assert claims_at(plans, HERE) == (above, meant)
