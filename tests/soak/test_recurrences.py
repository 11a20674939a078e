"""Thousands of RFC 5545 rules, worked out three ways.

Run by ``make test-soak``; a few of them stand in the unit lane.
"""

from datetime import date, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.rrule_text import recurrence_set
from tests.factories.rfc5545 import by_dateutil, by_hand, texts
from tests.factories.slots import TODAY


@pytest.mark.timeout(600)
@settings(max_examples=400)
@given(texts, st.dates(date(2016, 1, 1), TODAY))
def test_a_rule_has_the_same_days_by_dateutil_and_by_hand(text, first_day):
    end = first_day + timedelta(days=1500)
    found = list(recurrence_set(text, time(5, 30)).days(first_day, first_day, end))
    assert found == by_hand(text, first_day, end)
    assert found == by_dateutil(text, first_day, end)
