"""The week on paper: what the browser prints is read back, page by page."""

from datetime import UTC, datetime, timedelta

import pypdfium2
import pytest
from playwright.sync_api import expect

from server.cli.demo.province import DONG_VAN
from server.domain.recurrence import local_day
from server.store.models import SlotRow, SlotTargetRow
from tests.browser.conftest import PHONE

A4_LANDSCAPE = (842, 595)


@pytest.fixture
def a_full_week(served):
    """Fill the week after this one with as much as fits on two pages, for one test."""
    today = local_day(datetime.now(UTC))
    monday = today + timedelta(days=7 - today.weekday())
    with served.sessions.begin() as db:
        for hour in range(5, 21):
            db.add(a_slot_row(f"s-week-{hour}", hour, monday))
    yield monday
    with served.sessions.begin() as db:
        for hour in range(5, 21):
            db.delete(db.get(SlotRow, f"s-week-{hour}"))
