"""The river rises: from a cheap phone to the loudspeakers, judged by what the villages heard."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from audio_library.tts.espeak import installed_synthesiser
from server.cli.demo import province
from server.cli.demo.judge import LIKE, UNLIKE, level_dbfs
from server.cli.demo.matching import RATE_HZ, Recording, Samples
from server.cli.demo.sounds import FLOOD_NOTICE
from tests.factories.mouths import a_phone, log_in, mouth
from tests.factories.towns import Town, a_town, holes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

COMMUNE = province.VI_XUYEN
SOUNDING = ("lang-ma", "ban-cap")
AWAY = next(one for one in province.CLUSTERS if one.cluster_id == "dong-cap")
"""Of the same commune, but its node is not there."""
ELSEWHERE = "pho-co"
ASKED_FOR = timedelta(seconds=1.2)
RECORDED = "00:08"
WORDS_S = 4.0
SOFTER_DB = -5.0
WITHIN = timedelta(seconds=1.5)
FINISHED_MS = 60_000
PATIENCE_MS = 20_000
HICCUPS = 2
LISTEN = """player => new Promise((resolve, reject) => {
    player.addEventListener("error", () => reject(player.error));
    const stop = () => player.currentTime > 0.3 && resolve(player.pause());
    player.addEventListener("timeupdate", stop);
    player.play().catch(reject);
})"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with a_town(tmp_path_factory.mktemp("river"), {*SOUNDING, ELSEWHERE}) as running:
        yield running


@pytest.fixture
def phone(town: Town, tmp_path: Path) -> Iterator[Page]:
    """Open Chromium as on a phone, whose microphone hears somebody who warns of a flood."""
    file = installed_synthesiser().speak(FLOOD_NOTICE, tmp_path / "mouth.wav")
    with a_phone(town.settings.address, file) as page:
        log_in(page, province.officer_of(COMMUNE))
        yield page


def test_what_is_recorded_on_the_phone_is_heard_in_the_villages_as_often_and_as_loud_as_asked(
    town: Town, phone: Page
) -> None:
    choose_everybody(phone)
    words = recorded(phone)
    phone.get_by_label("Tiêu đề").fill("Nước suối lên nhanh")
    phone.get_by_role("radio", name="Khẩn cấp").check()
    phone.get_by_label("Số quyết định").fill("15/QĐ-UBND")
    phone.get_by_label("Mức độ nghiêm trọng").select_option(label="Nghiêm trọng")
    phone.get_by_label("Số lần phát").select_option(label="2 lần")
    phone.get_by_role("radio", name="Nhỏ hơn").check()
    phone.get_by_role("button", name="Tiếp tục").click()
    figures = phone.locator(".reach dd")
    # What the phone counts by itself is shown until the server has answered.
    expect(figures.nth(1)).to_have_text("2", timeout=PATIENCE_MS)
    clusters, reachable, people, length = figures.all_inner_texts()
    assert (clusters, reachable, people) == ("3", "2", "2.151")
    # The chime, what was recorded twice, and the pause between.
    assert re.fullmatch(r"[12]\d giây", length), length
    began, broadcast = held(phone)

    expect(phone.get_by_text("2/3 cụm loa đang phát")).to_be_visible()
    expect(phone.locator(f"#delivery-{AWAY.cluster_id}")).to_have_attribute("data-delivery", "sent")
    expect(phone.locator(".call-sheet")).to_contain_text(AWAY.village)
    expect(phone.locator(".call-sheet a")).to_have_attribute(
        "href", f"tel:{AWAY.contact_phone.replace(' ', '')}"
    )
    for cluster in SOUNDING:
        line = phone.locator(f"#delivery-{cluster}")
        expect(line).to_have_attribute("data-delivery", "started")
    # Nobody touches the page: it is told.
    for cluster in SOUNDING:
        line = phone.locator(f"#delivery-{cluster}")
        expect(line).to_have_attribute("data-delivery", "played", timeout=FINISHED_MS)
    prepared = sound_of(town, broadcast)
    made = announced(town, broadcast)
    assert (made["bulletin_class"], made["severity"], made["repeat"]) == ("emergency", 3, 2)
    ordered_at = datetime.fromisoformat(made["created_at"])
    opening_s = town.prepared(made["opening_digest"]).length_s
    for cluster in SOUNDING:
        heard = town.heard(cluster)
        recording = Recording(heard.samples[heard.sample(began) :])
        first_s = np.flatnonzero(recording.samples)[0] / RATE_HZ
        assert began + timedelta(seconds=first_s) < ordered_at + WITHIN
        second_turn_s = first_s + opening_s + len(prepared) / RATE_HZ
        turns = ((first_s, second_turn_s), (second_turn_s, None))
        assert all(recording.find(words, *turn).score > 0.5 for turn in turns)
        whole = recording.find(prepared)
        sounded = recording.samples[whole.at_sample :][: len(prepared)]
        assert whole.score > LIKE
        assert level_dbfs(sounded) - level_dbfs(prepared) == pytest.approx(SOFTER_DB, abs=0.5)
    silent = town.heard(ELSEWHERE)
    assert not silent.samples[silent.sample(began) :].any()


def test_one_press_silences_the_villages_and_the_all_clear_is_prepared(
    town: Town, phone: Page
) -> None:
    choose_everybody(phone)
    phone.get_by_role("button", name="Mẫu có sẵn").click()
    phone.get_by_role("radio", name="Cảnh báo lũ quét").check()
    phone.get_by_role("button", name="Tiếp tục").click()
    began, broadcast = held(phone)
    warning = sound_of(town, broadcast)[: round(WORDS_S * RATE_HZ)]
    expect(phone.get_by_text("2/3 cụm loa đang phát")).to_be_visible()
    opening_s = town.prepared(announced(town, broadcast)["opening_digest"]).length_s
    town.wait_until(began + timedelta(seconds=1 + opening_s + WORDS_S))
    pressed = datetime.now(UTC)
    phone.get_by_role("button", name="DỪNG PHÁT").click()
    expect(phone.get_by_text("Đã dừng lúc")).to_be_visible()
    for cluster in SOUNDING:
        line = phone.locator(f"#delivery-{cluster}")
        expect(line).to_have_attribute("data-delivery", "stopped")

    phone.get_by_role("link", name="Báo yên").click()
    expect(phone.get_by_label("Tiêu đề")).to_have_value("Báo yên: Cảnh báo lũ quét, sạt lở đất")
    expect(phone.locator("[data-sum]")).to_have_text("3")
    expect(phone.get_by_label("Cảnh báo soạn sẵn")).to_have_value("all-clear")
    # Its sound is made without a touch.
    expect(phone.locator("[data-sound-ready]")).to_be_visible(timeout=PATIENCE_MS)
    phone.get_by_role("button", name="Tiếp tục").click()
    all_clear_at, all_clear = held(phone)
    for cluster in SOUNDING:
        line = phone.locator(f"#delivery-{cluster}")
        expect(line).to_have_attribute("data-delivery", "played", timeout=FINISHED_MS)
    expect(phone.get_by_role("link", name="Cảnh báo lũ quét")).to_be_visible()
    good_news = sound_of(town, all_clear)
    for cluster in SOUNDING:
        heard = town.heard(cluster)
        before, after = heard.sample(began), heard.sample(all_clear_at)
        recording = Recording(heard.samples[before:after])
        assert recording.find(warning).score > LIKE
        assert not heard.samples[heard.sample(pressed + WITHIN) : after].any()
        recording = Recording(heard.samples[after:])
        assert recording.find(good_news).score > LIKE
        assert recording.find(warning).score < UNLIKE


def test_a_silence_is_rehearsed_on_the_phone_and_no_loudspeaker_falls_silent(
    town: Town, phone: Page
) -> None:
    music = town.upload(COMMUNE, seed=41, seconds=14.0)
    start = (datetime.now(UTC) + timedelta(seconds=8)).replace(microsecond=0)
    town.schedule(COMMUNE, music, start)
    town.wait(lambda: all(town.has_audio(one, music) for one in SOUNDING), 20, "audio fetched")
    phone.goto("/hush")
    phone.get_by_label("Lý do").fill("Diễn tập tháng 11")
    phone.get_by_role("radio", name="Diễn tập").check()
    phone.get_by_role("button", name="Làm tiếp").click()
    town.wait_until(start + timedelta(seconds=2))
    phone.get_by_role("button", name="Diễn tập ngay").click()
    would_be_silent = phone.get_by_text("2/3 cụm loa sẽ im lặng")
    expect(would_be_silent).to_be_visible(timeout=PATIENCE_MS)
    phone.get_by_role("button", name="Đề nghị gỡ lệnh").click()
    other = phone.context.browser.new_context(base_url=town.settings.address, locale="vi-VN")
    colleague = other.new_page()
    log_in(colleague, province.officer_of(province.PROVINCE))
    colleague.goto(phone.url)
    colleague.get_by_role("button", name="Duyệt: gỡ lệnh im lặng").click()
    # The phone of whoever asked is told.
    expect(phone.get_by_text("2/3 cụm loa đã xác nhận")).to_be_visible()
    town.wait_until(start + timedelta(seconds=music.length_s))
    for cluster in SOUNDING:
        assert len(holes(town.heard(cluster), music, start)) <= HICCUPS, cluster


def choose_everybody(page: Page) -> None:
    """Open the urgent page, and choose all of the commune."""
    page.goto("/urgent")
    page.get_by_text("Xã Vị Xuyên", exact=True).last.click()
    expect(page.locator("[data-sum]")).to_have_text("3")


def recorded(page: Page) -> Samples:
    """Record what the microphone hears, listen to it, and give some words of the middle."""
    page.get_by_role("button", name="Ghi âm").first.click()
    page.locator("[data-record]").click()
    expect(page.locator("[data-record-time]")).to_have_text(RECORDED, timeout=PATIENCE_MS)
    page.locator("[data-record]").click()
    expect(page.locator("[data-sound-ready]")).to_be_visible(timeout=PATIENCE_MS)
    given = mouth(page).samples
    page.locator("[data-player]").evaluate(LISTEN)
    middle = len(given) // 2
    return given[middle:][: round(WORDS_S * RATE_HZ)]


def held(page: Page) -> tuple[datetime, str]:
    """Look, and press until it goes; since when it may sound, and the announcement itself."""
    expect(page.get_by_role("heading", name="Phát thông báo này?")).to_be_visible()
    expect(page.locator(".reach dd").nth(1)).not_to_have_text("?", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Giữ để phát").hover()
    earliest = datetime.now(UTC) + ASKED_FOR
    page.mouse.down()
    page.wait_for_url("**/broadcasts/b-*")
    page.mouse.up()
    return earliest, page.url.rpartition("/")[2]


def announced(town: Town, broadcast: str) -> dict[str, object]:
    """Ask what was announced."""
    return town.person(COMMUNE).broadcast(broadcast)["broadcast"]


def sound_of(town: Town, broadcast: str) -> Samples:
    """Read what was prepared for an announcement."""
    return town.prepared(announced(town, broadcast)["asset_digest"]).samples
