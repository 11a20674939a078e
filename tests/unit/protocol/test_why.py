"""Why a claim is not heard: the reason named is the one that the rule went by."""

from hypothesis import given

from protocol.messages import BulletinClass, ClaimKind, Mode
from protocol.policy import Policy
from protocol.precedence import key, winner
from protocol.why import STEPS, Why, explain
from tests.factories.claims import (
    COMMUNE,
    NO_RULES,
    NOON,
    PROVINCE,
    a_claim,
    a_frame,
    an_announcement,
    an_interval,
    at,
    instants,
    policies,
    several_claims,
)

ORDINARY, PRIORITY, EMERGENCY = BulletinClass


def tier(claim) -> object:
    """A drill is a priority claim, whatever it rehearses; an ordinary check is below all."""
    if claim.mode is Mode.DRILL:
        return PRIORITY
    is_check = claim.kind is ClaimKind.CHECK and claim.bulletin_class is ORDINARY
    return ClaimKind.CHECK if is_check else claim.bulletin_class


def holds(why, heard, loser, now, policy) -> bool:
    """Tell from the claims alone, without the key, whether a reason is true of them."""
    if why is Why.HUSHED:
        return any(silence.covers(now) for silence in policy.silences)
    if why is Why.QUIET:
        return any(stretch.covers(now) for stretch in policy.quiet)
    order = [EMERGENCY, PRIORITY, ORDINARY, ClaimKind.CHECK]
    if why is Why.CLASS:
        return order.index(tier(heard)) < order.index(tier(loser))
    ranks = [policy.ranks.get(claim.claim_id, 10**6) for claim in (heard, loser)]
    live = [claim.kind is not ClaimKind.SCHEDULED for claim in (heard, loser)]
    owned = [claim.unit == policy.owner(now) for claim in (heard, loser)]
    facts = {
        Why.DRILL: heard.mode is Mode.REAL and loser.mode is Mode.DRILL,
        Why.SEVERITY: heard.severity > loser.severity,
        Why.NEWER: heard.issued_at > loser.issued_at and heard.severity == loser.severity,
        Why.RANK: ranks[0] < ranks[1],
        Why.LIVE: live == [True, False] and ranks[0] == ranks[1],
        Why.FRAME: owned == [True, False],
        Why.LEVEL: heard.level < loser.level,
        Why.EARLIER: heard.start < loser.start
        and (heard.level == loser.level or tier(heard) is ClaimKind.CHECK),
        Why.NAME: (heard.claim_id, heard.unit) < (loser.claim_id, loser.unit),
    }
    return tier(heard) is tier(loser) and facts[why]


@given(several_claims, policies, instants)
def test_the_one_that_is_heard_is_the_winner_and_each_reason_is_true(some, policy, now):
    verdict = explain(some, now, policy)
    assert verdict.heard == winner(some, now, policy)
    present = [claim for claim in some if claim.covers(now) and claim != verdict.heard]
    assert sorted(loser.claim.claim_id for loser in verdict.losers) == sorted(
        claim.claim_id for claim in present
    )
    for loser in verdict.losers:
        assert holds(loser.why, verdict.heard, loser.claim, now, policy)


@given(several_claims, policies, instants)
def test_the_reason_is_the_first_step_at_which_the_two_differ(some, policy, now):
    verdict = explain(some, now, policy)
    for loser in verdict.losers:
        if loser.why in {Why.QUIET, Why.HUSHED}:
            assert not policy.permits(loser.claim, now)
            continue
        won, lost = (key(claim, now, policy) for claim in (verdict.heard, loser.claim))
        steps = STEPS[int(won[0])]
        assert won[: steps.index(loser.why)] == lost[: steps.index(loser.why)]


@given(several_claims, policies, instants)
def test_every_part_of_the_key_has_its_word(some, policy, now):
    for claim in some:
        parts = key(claim, now, policy)
        assert len(STEPS[int(parts[0])]) == len(parts)


def why_not(heard, loser, policy=NO_RULES):
    verdict = explain([loser, heard], NOON, policy)
    assert (verdict.heard, [one.claim for one in verdict.losers]) == (heard, [loser])
    return verdict.losers[0].why


def test_each_reason_by_its_example():
    ours, theirs = a_claim(claim_id="b"), a_claim(claim_id="a", unit=PROVINCE, level=0)
    one, other = (a_claim(claim_id=name, bulletin_class=PRIORITY) for name in "ab")
    siren = an_announcement()
    assert why_not(siren, one) is Why.CLASS
    assert why_not(one, ours) is Why.CLASS
    assert why_not(ours, theirs, Policy(frames=(a_frame(COMMUNE, -1, 1),))) is Why.FRAME
    assert why_not(theirs, ours) is Why.LEVEL
    assert why_not(a_claim(claim_id="c", start=at(-1)), ours) is Why.EARLIER
    assert why_not(one, other) is Why.NAME
    assert why_not(other, one, Policy(ranks={"b": 1})) is Why.RANK
    assert why_not(other, one, Policy(ranks={"b": 1, "a": 2})) is Why.RANK
    live = a_claim(claim_id="z", bulletin_class=PRIORITY, kind=ClaimKind.LIVE)
    assert why_not(live, one) is Why.LIVE
    assert why_not(other, a_claim(claim_id="a", mode=Mode.DRILL)) is Why.DRILL
    assert why_not(siren, an_announcement(claim_id="x", severity=0)) is Why.SEVERITY
    assert why_not(siren, an_announcement(claim_id="x", issued_at=at(-1))) is Why.NEWER
    assert why_not(siren, ours, Policy(quiet=(an_interval(-1, 1),))) is Why.QUIET


def test_in_quiet_hours_without_an_emergency_nothing_is_heard_and_it_is_said_why():
    verdict = explain([a_claim()], NOON, Policy(quiet=(an_interval(-1, 1),)))
    assert verdict.heard is None
    assert [loser.why for loser in verdict.losers] == [Why.QUIET]


def test_a_claim_of_another_time_is_no_loser():
    assert explain([a_claim(start=at(1))], NOON, NO_RULES).losers == ()
