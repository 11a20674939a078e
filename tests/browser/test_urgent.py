"""The urgent page on a telephone: nothing recorded or typed is lost, nothing goes twice."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from protocol.messages import AsRun, Outcome, Received, Segment, Started
from server.cli.demo.province import LOGINS
from tests.browser.conftest import PHONE

OFFICER = "xa-dong-van"
CLUSTERS = ("pho-co", "ta-lung", "thai-phin-tung")
HELD_MS = 1400
STORE = "/static/js-0/kept/store.js"
MADE_MS = 20_000


# Only then has the worker kept the page that has brought it.
ACTIVATED = """navigator.serviceWorker.ready.then(({ active }) => new Promise((resolve) => {
    const look = () => active.state === "activated" && resolve();
    active.addEventListener("statechange", look);
    look();
}))"""


@pytest.fixture
def phone(open_page, complaints) -> Page:
    """A telephone on which the commune's officer has the urgent page, and its worker is there."""
    page = open_page(PHONE, login=OFFICER)
    page.goto("/urgent")
    page.evaluate(ACTIVATED)
    page.evaluate("store => import(store)", STORE)  # for tests that look in without a network
    yield page
    # What cannot be reached is noted by browsers; the page says it too.
    away = re.compile(
        r"net::ERR_INTERNET_DISCONNECTED|status of 40[01]|htmx:error: Failed to fetch"
    )
    complaints[:] = [one for one in complaints if not away.search(one)]


def write(page: Page, title: str, *, seconds: int = 1) -> None:
    """Choose the whole commune, record, and give it a title."""
    page.get_by_text("Xã Đồng Văn", exact=True).last.click()
    page.get_by_role("button", name="Ghi âm").first.click()
    record = page.locator("[data-record]")
    record.click()
    expect(page.locator("[data-record-time]")).to_have_text(f"00:0{seconds}")
    record.click()
    expect(page.locator("[data-sound-ready]")).to_be_visible()
    page.get_by_label("Tiêu đề").fill(title)


def hold(page: Page) -> None:
    """Press as long as is asked for."""
    expect(page.get_by_role("heading", name="Phát thông báo này?")).to_be_visible()
    page.get_by_role("button", name="Giữ để phát").click(delay=HELD_MS)


def length_s(page: Page, player: str) -> float:
    """Let the browser read a sound; one that it cannot read has no length."""
    return page.locator(player).evaluate(
        """player => new Promise((resolve) => {
            player.addEventListener("loadedmetadata", () => resolve(player.duration ?? 1));
            player.addEventListener("error", () => resolve(0));
            player.preload = "auto";
            player.load();
        })"""
    )


def age(page: Page, *, minutes: int) -> None:
    """Let what is held have been so for longer."""
    page.evaluate(
        """async ([store, minutes]) => {
            const { mine, change } = await import(store);
            const [draft] = (await mine(document.querySelector("[data-person]").dataset.person))
                .filter((one) => one.state === "held");
            await change(draft.id, (kept) => ({ ...kept, heldAt: kept.heldAt - minutes * 60000 }));
        }""",
        [STORE, minutes],
    )


def announced(page: Page, title: str) -> int:
    """Count the announcements of a title that the server knows."""
    told = page.request.get("/api/v1/broadcasts").json()["broadcasts"]
    return sum(one["title"] == title for one in told)


def test_it_is_recorded_heard_confirmed_held_watched_and_stopped(phone, served):
    write(phone, "Lũ đang lên")
    assert length_s(phone, "[data-player]") > 0
    expect(phone.locator("[data-sound-state]")).to_be_hidden()
    phone.get_by_role("button", name="Tiếp tục").click()
    expect(phone.locator(".reach")).to_contain_text("2.210")
    heard = phone.locator("[data-summary] audio")
    expect(heard).to_have_attribute("src", re.compile(r"/urgent/heard\.ogg\?"))
    answer = phone.request.get(heard.get_attribute("src"))
    assert answer.headers["content-type"] == "audio/ogg"
    assert answer.body().startswith(b"OggS")
    phone.get_by_role("button", name="Giữ để phát").click(delay=200)
    expect(phone.get_by_text("Thả tay sớm quá")).to_be_visible()
    assert announced(phone, "Lũ đang lên") == 0
    hold(phone)
    phone.wait_for_url("**/broadcasts/b-*")
    claim, now = phone.url.rsplit("/", 1)[1], datetime.now(UTC)
    for number, cluster in enumerate(CLUSTERS):
        served.hear(cluster, Received(report_id=f"u-r-{number}", claim_id=claim, at=now))
        served.hear(cluster, Started(report_id=f"u-s-{number}", claim_id=claim, at=now))
    expect(phone.get_by_text("3/3 cụm loa đang phát")).to_be_visible()
    phone.get_by_role("button", name="DỪNG PHÁT").click()
    expect(phone.get_by_text("Đã dừng lúc")).to_be_visible()
    phone.goto("/urgent")
    expect(phone.locator("[data-unsent]")).to_be_hidden()
    expect(phone.get_by_label("Tiêu đề")).to_have_value("")


def watched(page: Page, title: str, served) -> str:
    """Announce to the commune, and have all its clusters begin; the page then tells of it."""
    write(page, title)
    page.get_by_role("button", name="Tiếp tục").click()
    hold(page)
    page.wait_for_url("**/broadcasts/b-*")
    claim, now = page.url.rsplit("/", 1)[1], datetime.now(UTC)
    for cluster in CLUSTERS:
        report = Started(report_id=f"{claim}-{cluster}", claim_id=claim, at=now)
        served.hear(cluster, report)
    expect(page.get_by_text("3/3 cụm loa đang phát")).to_be_visible()
    return claim


def played(served, claim: str, cluster: str) -> None:
    """Let a cluster say that it has sounded all of it."""
    now = datetime.now(UTC)
    heard = Segment(start=now - timedelta(seconds=1), end=now, position_s=0.0)
    facts = {"claim_id": claim, "cluster": cluster, "at": now, "segments": (heard,)}
    report = AsRun(report_id=f"{claim}-{cluster}-p", outcome=Outcome.PLAYED, **facts)
    served.hear(cluster, report)


def test_a_stop_whose_log_in_had_ended_says_that_it_was_not_done_and_is_one_press_after_it(
    phone, served
):
    claim = watched(phone, "Lũ lên, phiên hết", served)
    phone.context.clear_cookies()
    played(served, claim, CLUSTERS[0])
    # What cannot be fetched any more leaves the page, and its button, as they are.
    expect(phone.locator("#notice")).to_contain_text("Đã hết phiên đăng nhập")
    phone.get_by_role("button", name="DỪNG PHÁT").click()
    expect(phone.get_by_text("CHƯA được thực hiện")).to_be_visible()
    password = next(one.password for one in LOGINS if one.username == OFFICER)
    phone.get_by_label("Tên đăng nhập").fill(OFFICER)
    phone.get_by_label("Mật khẩu").fill(password)
    phone.get_by_role("button", name="Đăng nhập").click()
    phone.wait_for_url(f"**/broadcasts/{claim}")
    phone.get_by_role("button", name="DỪNG PHÁT").click()
    expect(phone.get_by_text("Đã dừng lúc")).to_be_visible()


def test_a_page_that_has_lost_the_server_says_since_when_and_goes_on_when_it_is_back(phone, served):
    claim = watched(phone, "Lũ lên, mất mạng", served)
    phone.context.set_offline(True)
    expect(phone.locator("#notice")).to_contain_text(re.compile(r"từ \d\d:\d\d:\d\d: những gì"))
    played(served, claim, CLUSTERS[0])
    phone.context.set_offline(False)
    expect(phone.get_by_text("2/3 cụm loa đang phát")).to_be_visible()
    expect(phone.locator("#notice")).to_be_hidden()


def test_a_part_that_could_not_be_fetched_is_asked_for_again_without_further_news(
    phone, served, complaints
):
    claim = watched(phone, "Lũ lên, mạng chập chờn", served)
    answers = ["connectionreset"]

    def tear(route):
        return route.abort(answers.pop()) if answers else route.continue_()

    phone.context.route(re.compile(r"/state$"), tear)
    played(served, claim, CLUSTERS[0])
    expect(phone.get_by_text("2/3 cụm loa đang phát")).to_be_visible()
    assert not answers
    complaints[:] = [one for one in complaints if "net::ERR_CONNECTION_RESET" not in one]


def test_a_stop_pressed_without_a_network_gets_through_when_it_is_back(phone, served):
    watched(phone, "Lũ lên, dừng khi mất mạng", served)
    phone.context.set_offline(True)
    phone.get_by_role("button", name="DỪNG PHÁT").click()
    expect(phone.get_by_text("CHƯA thực hiện được")).to_be_visible()
    assert not [fault["id"] for fault in Axe().run(phone).response["violations"]]
    phone.context.set_offline(False)
    expect(phone.get_by_text("Đã dừng lúc")).to_be_visible()


def test_villages_are_ticked_by_the_corners_of_an_area_and_unticked_with_it(phone):
    phone.get_by_text("Khoanh vùng trên bản đồ").click()
    drawn = phone.locator("[data-map].leaflet-container")
    phone.get_by_role("button", name="Vẽ vùng").click()
    box = drawn.bounding_box()
    for across, down in ((0.3, 0.05), (0.95, 0.05), (0.95, 0.95), (0.3, 0.95)):
        drawn.click(position={"x": box["width"] * across, "y": box["height"] * down})
    expect(phone.get_by_text("2 thôn trong vùng")).to_be_visible()
    expect(phone.locator("[data-sum]")).to_have_text("2")
    expect(phone.get_by_role("checkbox", name="Tổ dân phố Phố Cổ")).to_be_checked()
    assert not [fault["id"] for fault in Axe().run(phone).response["violations"]]
    phone.get_by_role("button", name="Xóa vùng").click()
    expect(phone.locator("[data-sum]")).to_have_text("0")


def test_what_is_sent_without_a_network_waits_through_a_reload_and_goes_once(phone):
    phone.context.set_offline(True)
    write(phone, "Sạt lở ở dốc Chín Khoanh")
    phone.get_by_role("button", name="Tiếp tục").click()
    expect(phone.get_by_text("Tin được giữ trong máy")).to_be_visible()
    hold(phone)
    kept = phone.locator("[data-unsent-list] li")
    expect(kept).to_contain_text("Chưa gửi. Có mạng sẽ tự gửi.")
    phone.reload()
    expect(kept).to_contain_text("Sạt lở ở dốc Chín Khoanh")
    other = phone.context.new_page()
    other.goto("/urgent")
    phone.context.set_offline(False)
    for page in (phone, other):
        expect(page.locator("[data-unsent]")).to_be_hidden()
    assert announced(phone, "Sạt lở ở dốc Chín Khoanh") == 1


def test_what_is_typed_without_a_network_is_spoken_when_there_is_one_and_goes_once_it_was_heard(
    phone,
):
    phone.context.set_offline(True)
    phone.get_by_text("Thôn Tả Lủng").click()
    phone.get_by_role("button", name="Gõ chữ").click()
    phone.get_by_label("Nội dung cần đọc").fill("Nước suối lên cao. Bà con không qua ngầm tràn.")
    phone.get_by_role("button", name="Tạo âm thanh").first.click()
    phone.get_by_label("Tiêu đề").fill("Không qua ngầm tràn")
    phone.get_by_label("Số lần phát").select_option(label="3 lần")
    phone.get_by_role("button", name="Tiếp tục").click()
    expect(phone.locator("[data-own=words]")).to_contain_text("Bà con không qua ngầm tràn")
    hold(phone)
    kept = phone.locator("[data-unsent-list] li")
    expect(kept).to_contain_text("Có mạng sẽ tạo âm thanh")
    phone.reload()
    expect(kept).to_contain_text("Không qua ngầm tràn")
    other = phone.context.new_page()
    other.goto("/urgent")
    phone.context.set_offline(False)
    for page in (phone, other):
        expect(page.locator("[data-unsent-list]")).to_contain_text("chưa ai nghe", timeout=MADE_MS)
    assert announced(phone, "Không qua ngầm tràn") == 0
    kept.get_by_role("button", name="Nghe và phát").click()
    heard = phone.locator("[data-summary] audio")
    expect(heard).to_have_attribute("src", re.compile(r"/urgent/heard\.ogg\?"))
    assert phone.request.get(heard.get_attribute("src")).body().startswith(b"OggS")
    hold(phone)
    phone.wait_for_url("**/broadcasts/b-*")
    (sent,) = (
        one
        for one in phone.request.get("/api/v1/broadcasts").json()["broadcasts"]
        if one["title"] == "Không qua ngầm tràn"
    )
    assert (sent["repeat"], sent["bulletin_class"]) == (3, "priority")
    expect(other.locator("[data-unsent]")).to_be_hidden()


@pytest.mark.slow
def test_a_warning_in_the_words_of_the_library_goes_by_itself_one_that_was_filled_in_is_heard_first(
    phone,
):
    phone.context.set_offline(True)
    for title, place in (("Lũ quét chung", ""), ("Lũ quét Tả Lủng", "thôn Tả Lủng")):
        phone.get_by_text("Thôn Tả Lủng").first.click()
        phone.get_by_role("button", name="Cảnh báo").click()
        phone.get_by_label("Cảnh báo soạn sẵn").select_option("flash-flood")
        phone.locator("[data-fill='flash-flood'] [data-slot]").first.fill(place)
        phone.get_by_label("Tiêu đề").fill(title)
        phone.get_by_label("Số quyết định").fill("15/QĐ-UBND")
        phone.get_by_role("button", name="Tiếp tục").click()
        hold(phone)
        expect(phone.locator("[data-unsent-list]")).to_contain_text(title)
    phone.context.set_offline(False)
    # Its words are spoken first.
    expect(phone.get_by_text("Đã gửi: “Lũ quét chung”.")).to_be_visible(timeout=MADE_MS)
    waits = phone.locator("[data-unsent-list] li")
    expect(waits).to_contain_text("chưa ai nghe", timeout=MADE_MS)
    assert announced(phone, "Lũ quét chung") == 1
    assert announced(phone, "Lũ quét Tả Lủng") == 0


def test_a_network_lost_during_the_upload_and_an_answer_lost_behind_it_make_one_announcement(
    phone, complaints
):
    lost = {"/api/v1/assets": 1, "/urgent": 1}

    def tear(route):
        path = route.request.url.removeprefix(phone.url.partition("/urgent")[0])
        if route.request.method != "POST" or not lost.get(path):
            return route.continue_()
        lost[path] -= 1
        if path == "/urgent":
            # The server has done it; only the phone never learns of it.
            assert route.fetch().status == 201
        return route.abort("connectionreset")

    phone.context.route(re.compile(r"/(assets|urgent)$"), tear)
    write(phone, "Nước lên thêm")
    phone.get_by_role("button", name="Tiếp tục").click()
    hold(phone)
    # Tried again by itself, after two seconds at the earliest.
    expect(phone.get_by_text("Đã gửi: “Nước lên thêm”.")).to_be_visible()
    expect(phone.locator("[data-unsent]")).to_be_hidden()
    assert not any(lost.values())
    assert announced(phone, "Nước lên thêm") == 1
    torn = "net::ERR_CONNECTION_RESET"
    complaints[:] = [one for one in complaints if torn not in one]


@pytest.mark.slow
def test_what_the_server_has_though_its_answer_was_lost_is_not_called_unsent_when_it_has_grown_old(
    phone, complaints
):
    def lose(route):
        assert route.request.method != "POST" or route.fetch().status == 201
        return route.abort("connectionreset")

    phone.context.route(re.compile(r"/urgent$"), lose)
    write(phone, "Nước lên chậm")
    phone.get_by_role("button", name="Tiếp tục").click()
    hold(phone)
    expect(phone.locator("[data-unsent-list] li")).to_contain_text("Chưa gửi")
    age(phone, minutes=11)
    phone.context.unroute_all(behavior="wait")
    phone.reload()
    expect(phone.get_by_text("Đã gửi: “Nước lên chậm”.")).to_be_visible()
    expect(phone.locator("[data-unsent]")).to_be_hidden()
    assert announced(phone, "Nước lên chậm") == 1
    complaints[:] = [one for one in complaints if "net::ERR_CONNECTION_RESET" not in one]


def test_a_log_in_that_ends_while_recording_costs_nothing_and_a_reload_neither(phone):
    phone.get_by_role("button", name="Ghi âm").first.click()
    record = phone.locator("[data-record]")
    record.click()
    phone.context.clear_cookies()
    expect(phone.locator("[data-record-time]")).to_have_text("00:01")
    record.click()
    dialog = phone.get_by_role("dialog", name="Đăng nhập lại")
    expect(dialog).to_be_visible()
    password = next(one.password for one in LOGINS if one.username == OFFICER)
    dialog.get_by_label("Mật khẩu").fill("sai")
    dialog.get_by_role("button", name="Đăng nhập").click()
    expect(dialog).to_contain_text("không đúng")
    dialog.get_by_label("Mật khẩu").fill(password)
    dialog.get_by_role("button", name="Đăng nhập").click()
    expect(dialog).to_be_hidden()
    expect(phone.locator("[data-sound-state]")).to_be_hidden()
    expect(phone.locator("[data-digest]")).not_to_have_value("")
    phone.get_by_label("Tiêu đề").fill("Tin dở dang")
    phone.get_by_text("Thôn Tả Lủng").click()
    expect(phone.locator("[data-sum]")).to_have_text("1")
    phone.wait_for_timeout(500)
    phone.reload()
    expect(phone.get_by_label("Tiêu đề")).to_have_value("Tin dở dang")
    expect(phone.locator("[data-sum]")).to_have_text("1")
    expect(phone.locator("[data-ready-length]")).to_have_text(re.compile(r"0:0[12]"))


@pytest.mark.slow
def test_what_is_ticked_before_the_script_is_there_stays_ticked_beside_what_was_kept(phone):
    phone.get_by_label("Tiêu đề").fill("Soạn trước")
    phone.wait_for_timeout(500)
    phone.goto("/")
    # As on a slow line: scripts come when the page has long been there.
    phone.add_init_script(
        """new MutationObserver((_, watch) => {
            const village = document.querySelector("input[name=village]");
            if (village) { watch.disconnect(); village.click(); }
        }).observe(document, { childList: true, subtree: true });"""
    )
    phone.goto("/urgent")
    expect(phone.get_by_label("Tiêu đề")).to_have_value("Soạn trước")
    expect(phone.locator("[data-sum]")).to_have_text("1")


@pytest.mark.slow
def test_what_has_grown_old_is_not_sent_by_itself_and_another_person_never_sees_it(phone):
    phone.context.set_offline(True)
    write(phone, "Nước lên nhanh")
    phone.get_by_role("button", name="Tiếp tục").click()
    hold(phone)
    expect(phone.locator("[data-unsent-list] li")).to_have_count(1)
    age(phone, minutes=11)
    phone.context.set_offline(False)
    phone.reload()
    assert [name for name in phone.evaluate("caches.keys()") if name.startswith("loa-own-")]
    kept = phone.locator("[data-unsent-list] li")
    expect(kept).to_contain_text("Đã cũ 11 phút")
    assert announced(phone, "Nước lên nhanh") == 0
    phone.locator("summary[aria-label='Tài khoản']").click()
    phone.get_by_role("button", name="Đăng xuất").click()
    phone.wait_for_url("**/login")
    assert not [name for name in phone.evaluate("caches.keys()") if name.startswith("loa-own-")]
    other = next(one for one in LOGINS if one.username == "xa-lung-cu")
    phone.get_by_label("Tên đăng nhập").fill(other.username)
    phone.get_by_label("Mật khẩu").fill(other.password)
    phone.get_by_role("button", name="Đăng nhập").click()
    phone.goto("/urgent")
    expect(phone.get_by_role("heading", name="Phát ngay")).to_be_visible()
    expect(phone.locator("[data-unsent]")).to_be_hidden()
    assert announced(phone, "Nước lên nhanh") == 0
