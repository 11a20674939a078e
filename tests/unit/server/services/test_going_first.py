"""Of two claims that both may sound, the server puts first the one that nodes let win."""

from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings

from protocol.precedence import winner
from server.services.going_first import goes_first
from tests.factories.claims import instants, policies, several_claims


# Of claims at random, few are due at one instant.
@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(several_claims, policies, instants)
def test_who_goes_first_is_who_wins_at_a_node(some, policy, now):
    open_hours = replace(policy, quiet=(), silences=(), stops={})
    live = [claim for claim in some if claim.start <= now < claim.end]
    assume(len(live) > 1)
    one, other = live[:2]
    assert goes_first(one, other, now, open_hours) is not goes_first(other, one, now, open_hours)
    first = one if goes_first(one, other, now, open_hours) else other
    assert winner([other, one], now, open_hours) is first
