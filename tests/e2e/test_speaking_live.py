"""Somebody speaks into a browser, and two villages hear the words; then the connection breaks."""

import base64
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, sync_playwright

from audio_library.decode import write_wav
from audio_library.music import melody
from server.cli.demo import province
from server.cli.demo.matching import RATE_HZ, Recording
from tests.factories.towns import Town, a_town

pytestmark = pytest.mark.slow

CLUSTERS = ("lang-ma", "ban-cap")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
# Keeps what goes into the encoder, and when: the mouth's side of the measurement.
EARS = """
  const RATE = 48000;
  window.mouth = { at: null, parts: [] };
  const encode = AudioEncoder.prototype.encode;
  AudioEncoder.prototype.encode = function (data) {
    const samples = new Float32Array(data.numberOfFrames);
    data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    const now = (performance.timeOrigin + performance.now()) / 1000 - samples.length / RATE;
    const began = now - data.timestamp / 1e6;
    window.mouth.at = Math.min(window.mouth.at ?? began, began);
    window.mouth.first ??= data.timestamp / 1e6;
    const whole = (one) => Math.max(-1, Math.min(1, one)) * 32767;
    window.mouth.parts.push(Int16Array.from(samples, whole));
    return encode.call(this, data);
  };
  window.spokenSoFar = () => {
    let text = "";
    for (const part of window.mouth.parts) {
      text += String.fromCharCode(...new Uint8Array(part.buffer));
    }
    return [window.mouth.at + window.mouth.first, btoa(text)];
  };
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with a_town(tmp_path_factory.mktemp("live"), set(CLUSTERS)) as running:
        yield running


@pytest.fixture
def page(town: Town, tmp_path: Path) -> Iterator[Page]:
    """Open Chromium, whose microphone hears a file."""
    file = tmp_path / "mouth.wav"
    write_wav(file, melody(11, 60.0))
    program = shutil.which("chromium")
    assert program, "chromium is not installed (Debian: chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=[*FLAGS, f"--use-file-for-fake-audio-capture={file}"]
        )
        context = browser.new_context(
            viewport={"width": 360, "height": 640},
            locale="vi-VN",
            base_url=town.settings.address,
        )
        context.set_default_timeout(30_000)
        context.add_init_script(EARS)
        yield context.new_page()
        browser.close()


def on_air(page: Page, title: str) -> str:
    """Do what an officer does who wants to speak; the broadcast that comes of it."""
    officer = province.officer_of("xa-vi-xuyen")
    page.goto("/login")
    page.get_by_label("Tên đăng nhập").fill(officer.username)
    page.get_by_label("Mật khẩu").fill(officer.password)
    page.get_by_role("button", name="Đăng nhập").click()
    page.wait_for_url("**/")
    page.goto("/urgent")
    page.get_by_role("button", name="Nói trực tiếp").click()
    for village in ("Thôn Làng Má", "Thôn Bản Cáp"):
        page.get_by_text(village).click()
    page.get_by_label("Tiêu đề").fill(title)
    page.get_by_role("button", name="Tới micrô").click()
    page.get_by_role("button", name="Bật micrô").click()
    page.get_by_role("button", name="Bắt đầu phát").click()
    page.get_by_role("button", name="Kết thúc").wait_for()
    page.get_by_text("Bạn đang lên sóng. Hãy nói.").wait_for()
    link = page.locator("[data-again]").get_attribute("href") or ""
    return link.rpartition("/")[2]


def mouth(page: Page) -> tuple[datetime, np.ndarray]:
    """What the microphone gave until now, and since when."""
    began_s, text = page.evaluate("window.spokenSoFar()")
    samples = np.frombuffer(base64.b64decode(text), "<i2").astype(np.float32) / 32_767
    return datetime.fromtimestamp(began_s, UTC), samples


@pytest.mark.timeout(240)
def test_what_is_spoken_into_a_browser_is_heard_in_the_villages_within_a_second_and_a_half(
    town: Town, page: Page
) -> None:
    broadcast = on_air(page, "Nói trực tiếp")
    page.get_by_text("2/2 cụm loa đang phát").wait_for()
    said_from = datetime.now(UTC) + timedelta(seconds=1)
    town.wait_until(said_from + timedelta(seconds=5))
    began, spoken = mouth(page)
    page.get_by_role("button", name="Kết thúc").click()
    page.get_by_role("status").get_by_text("Đã ngừng phát").wait_for()
    town.wait(lambda: len(town.records(broadcast)) == len(CLUSTERS), 20, "both told what was heard")
    assert {row["outcome"] for row in town.records(broadcast)} == {"played"}
    first = round((said_from - began).total_seconds() * RATE_HZ)
    words = spoken[first : first + 4 * RATE_HZ]
    late_s = []
    for cluster in CLUSTERS:
        heard = town.heard(cluster)
        since_s = heard.sample(said_from) / RATE_HZ
        found = Recording(heard.samples).find(words, since_s, since_s + 4)
        assert found.score > 0.5
        late_s.append(found.at_sample / RATE_HZ - since_s)
    # From the microphone to the loudspeakers.
    assert all(0 < late < 1.5 for late in late_s), late_s
    # Neighbours are in step; other programs run on this machine meanwhile.
    assert abs(late_s[0] - late_s[1]) < 0.02
    page.get_by_role("link", name="Xem kết quả ở các cụm loa").click()
    page.locator("audio").wait_for()


@pytest.mark.timeout(240)
def test_when_the_phone_is_gone_the_loudspeakers_close_by_themselves(
    town: Town, page: Page
) -> None:
    broadcast = on_air(page, "Mất mạng")
    page.get_by_text("2/2 cụm loa đang phát").wait_for()
    town.wait_until(datetime.now(UTC) + timedelta(seconds=2))
    gone = datetime.now(UTC)
    page.context.close()
    town.wait(lambda: len(town.records(broadcast)) == len(CLUSTERS), 20, "both told what was heard")
    rows = town.records(broadcast)
    assert {(row["outcome"], row["reason"]) for row in rows} == {("cut", "live-broken-off")}
    for cluster in CLUSTERS:
        heard = town.heard(cluster)
        last = np.flatnonzero(heard.samples)[-1]
        # The tone is over too by then.
        assert last < heard.sample(gone + timedelta(seconds=3))
