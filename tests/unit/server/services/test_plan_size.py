"""A plan that is larger than what a node takes in tells of fewer days."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from protocol.messages import Plan, encode
from protocol.signing import MAX_TOKEN_BYTES, audience_unit, sign
from server.services.planning import fitting
from tests.factories.claims import COMMUNE, NOON, a_claim, an_asset
from tests.factories.messages import a_key

DAY = timedelta(days=1)
DAYS = 14


def a_plan_of(a_day: int) -> Plan:
    claims = tuple(
        a_claim(
            claim_id=f"chuong-trinh-{day}-{number}",
            start=NOON + day * DAY + timedelta(minutes=number),
            end=NOON + day * DAY + timedelta(minutes=number + 1),
            content=replace(a_claim().content, items=(an_asset(f"{day}-{number}"),)),
        )
        for day in range(DAYS)
        for number in range(a_day)
    )
    return Plan(unit=COMMUNE, version=1, start=NOON, end=NOON + DAYS * DAY, claims=claims)


def signed(plan: Plan) -> bytes:
    return sign(
        a_key(),
        plan,
        audience=[audience_unit(COMMUNE)],
        issued_at=NOON,
        expires=plan.end + DAY,
        token_id="plan-1",  # noqa: S106 - its name
    )


def test_what_fits_is_told_whole():
    plan = a_plan_of(40)
    assert fitting(plan) is plan
    assert len(signed(plan)) < MAX_TOKEN_BYTES


@pytest.mark.parametrize("a_day", [200, 400])
def test_what_does_not_fit_tells_all_of_as_many_days_as_do(a_day):
    plan = a_plan_of(a_day)
    assert len(signed(plan)) > MAX_TOKEN_BYTES
    told = fitting(plan)
    days = (told.end - told.start) // DAY
    assert told.claims == plan.claims[: days * a_day]
    assert len(signed(told)) <= MAX_TOKEN_BYTES
    more = replace(plan, claims=plan.claims[: (days + 1) * a_day])
    assert len(encode(more)) * 4 / 3 > 0.98 * MAX_TOKEN_BYTES


def test_a_day_that_does_not_fit_is_told_all_the_same():
    told = fitting(a_plan_of(1300))
    assert (told.end - told.start, len(told.claims)) == (DAY, 1300)
