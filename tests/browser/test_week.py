"""The week on paper: what the browser prints is read back, page by page."""

from datetime import UTC, date, datetime, time, timedelta

import pypdfium2
import pytest
from playwright.sync_api import expect

from server.cli.demo.province import DONG_VAN
from server.domain.recurrence import local_day
from server.store.models import SlotRow, SlotTargetRow
from tests.browser.conftest import PHONE

pytestmark = pytest.mark.slow

A4_LANDSCAPE = (842, 595)
HOURS = range(5, 20)


@pytest.fixture
def a_full_week(served):
    """Fill next week with more than fits on one page, for one test."""
    today = local_day(datetime.now(UTC))
    monday = today + timedelta(days=7 - today.weekday())
    with served.sessions.begin() as db:
        db.add_all(a_slot_row(hour, monday) for hour in HOURS)
    yield monday
    with served.sessions.begin() as db:
        for hour in HOURS:
            db.delete(db.get(SlotRow, f"s-week-{hour}"))


def a_slot_row(hour: int, first_day: date) -> SlotRow:
    """Make the row of a relay, which needs no file."""
    return SlotRow(
        slot_id=f"s-week-{hour}",
        unit_id=DONG_VAN,
        title=f"Bản tin lúc {hour} giờ",
        bulletin_class="priority" if hour == HOURS[0] else "ordinary",
        content_kind="relay",
        relay_url="https://radio.example/vov1",
        recurrence="daily",
        local_start=time(hour, 15),
        duration_s=900.0,
        first_day=first_day,
        created_at=datetime.now(UTC),
        created_by="ai-do",
        targets=[SlotTargetRow(kind="unit", ref=DONG_VAN)],
    )


def test_the_week_prints_on_a4_with_every_broadcast_and_is_a_list_on_the_phone(
    open_page, a_full_week
):
    address = f"/units/{DONG_VAN}/week?day={a_full_week}&whose=own"
    desk = open_page(login="xa-dong-van")
    desk.goto(address)
    expect(desk.get_by_role("columnheader", name="Thứ Hai")).to_be_visible()
    paper = pypdfium2.PdfDocument(desk.pdf(prefer_css_page_size=True))
    texts = [page.get_textpage().get_text_range() for page in paper]
    assert len(texts) in {2, 3}
    for number, (page, text) in enumerate(zip(paper, texts, strict=True), 1):
        assert tuple(round(side) for side in page.get_size()) == A4_LANDSCAPE
        assert "Lịch phát tuần của Xã Đồng Văn" in text
        assert f"{number} / {len(texts)}" in text
    whole = "\n".join(texts)
    assert whole.count("15–") == 7 * len(HOURS)
    assert "Ưu tiên" in whole  # in the legend, beside its sign
    assert "In lúc" in texts[-1]
    assert "Chạy thử" not in whole  # the demo's mark is of the screen

    phone = open_page(PHONE, login="xa-dong-van")
    phone.goto(address)
    expect(phone.get_by_role("columnheader", name="Thứ Hai")).to_be_hidden()
    expect(phone.locator(".week-list tbody tr:visible")).to_have_count(7 * (len(HOURS) + 1))
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
