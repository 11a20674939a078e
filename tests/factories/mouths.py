"""Somebody who speaks into a real browser, and what their microphone gave, by the clock."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

from server.cli.demo import province
from server.cli.demo.matching import RATE_HZ
from tests.factories.browsers import chromium

# Keeps what the device gives before any code of the page has it. The browser stamps a buffer when
# the device hands it over: its first sample is as much older as the buffer is long.
EARS = """
  window.mouth = [];
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const whole = (one) => Math.max(-1, Math.min(1, one)) * 32767;
  async function listen(track) {
    const processor = new MediaStreamTrackProcessor({ track, maxBufferSize: 1000 });
    const reader = processor.readable.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      const first = value.timestamp / 1000 - (1000 * samples.length) / value.sampleRate;
      window.mouth.push([first, Int16Array.from(samples, whole)]);
      value.close();
    }
  }
  navigator.mediaDevices.getUserMedia = async (wishes) => {
    const stream = await open(wishes);
    listen(stream.getAudioTracks()[0].clone());
    return stream;
  };
  window.spokenSoFar = () => {
    let text = "";
    for (const [, part] of window.mouth) {
      text += String.fromCharCode(...new Uint8Array(part.buffer));
    }
    const at = window.mouth.map(([first, part]) => [first, part.length]);
    return [performance.timeOrigin, at, btoa(text)];
  };
"""


TREMBLE = RATE_HZ // 200
"""A buffer stamped so much later than the one before it ended follows a loss: 5 ms."""


@dataclass(frozen=True)
class Mouth:
    """What a microphone gave until now, and since when."""

    began: datetime
    samples: np.ndarray

    def words(self, since: datetime, length_s: float) -> np.ndarray:
        """What was spoken in a while."""
        first = round((since - self.began) / timedelta(seconds=1) * RATE_HZ)
        return self.samples[first : first + round(length_s * RATE_HZ)]


@contextmanager
def a_phone(address: str, sound: Path) -> Iterator[Page]:
    """Open Chromium as on a phone, whose microphone hears a file."""
    with chromium(f"--use-file-for-fake-audio-capture={sound}") as browser:
        context = browser.new_context(
            viewport={"width": 360, "height": 640}, locale="vi-VN", base_url=address
        )
        context.set_default_timeout(30_000)
        context.add_init_script(EARS)
        yield context.new_page()


def log_in(page: Page, login: province.Login) -> None:
    """Log in on the page, as people do."""
    page.goto("/login")
    page.get_by_label("Tên đăng nhập").fill(login.username)
    page.get_by_label("Mật khẩu").fill(login.password)
    page.get_by_role("button", name="Đăng nhập").click()
    page.wait_for_url("**/")


def go_on_air(page: Page, title: str, villages: Sequence[str]) -> str:
    """Do what an officer does who wants to speak; the broadcast that comes of it."""
    log_in(page, province.officer_of(province.VI_XUYEN))
    page.goto("/urgent")
    page.get_by_role("button", name="Nói trực tiếp").click()
    for village in villages:
        page.get_by_text(village).click()
    page.get_by_label("Tiêu đề").fill(title)
    page.get_by_role("button", name="Tới micrô").click()
    page.get_by_role("button", name="Bật micrô").click()
    page.get_by_role("button", name="Bắt đầu phát").click()
    page.get_by_role("button", name="Kết thúc").wait_for()
    page.get_by_text("Bạn đang lên sóng. Hãy nói.").wait_for()
    link = page.locator("[data-again]").get_attribute("href") or ""
    return link.rpartition("/")[2]


def mouth(page: Page) -> Mouth:
    """Ask the browser what its microphone gave; what it lost on the way to us is silence."""
    origin_ms, parts, text = page.evaluate("window.spokenSoFar()")
    given = np.frombuffer(base64.b64decode(text), "<i2").astype(np.float32) / 32_767
    # The stamps tremble by some milliseconds where a buffer was handed over late, never early.
    positions = np.cumsum([0, *(count for _, count in parts[:-1])])
    began_ms = parts[0][0]
    whole = np.zeros(round((parts[-1][0] - began_ms) / 1000 * RATE_HZ) + RATE_HZ, np.float32)
    at = 0
    for (first_ms, count), position in zip(parts, positions, strict=True):
        stamped = round((first_ms - began_ms) / 1000 * RATE_HZ)
        if stamped - at >= TREMBLE:
            at = stamped
        whole[at : at + count] = given[position : position + count]
        at += count
    return Mouth(datetime.fromtimestamp((origin_ms + began_ms) / 1000, UTC), whole[:at])
