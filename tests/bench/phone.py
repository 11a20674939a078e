"""The urgent page on a cheap telephone with a bad third-generation link: bytes and seconds.

Everything the browser sends and gets, its worker's too, goes through a link of 400 kbit/s down,
200 kbit/s up and 0.4 s there and back, shared by all its connections; its processor does a quarter
of what this machine's does. ``make bench-phone`` ends with one line of JSON.
"""

import re
import tempfile
from pathlib import Path
from time import perf_counter

from playwright.sync_api import Page, expect

from audio_library.decode import write_wav
from audio_library.music import melody
from server.cli.demo import province
from tests.bench.links import Line, phone_links
from tests.bench.measuring import report, say
from tests.factories.mouths import a_phone, log_in
from tests.factories.towns import a_town

DOWN_BYTES_PER_S, UP_BYTES_PER_S = 50_000, 25_000
WAY_S = 0.2
SLOWER = 4
VILLAGE = "Thôn Làng Má"
SPOKEN = "00:05"
HELD_MS = 1400
HOLD_MS = 1200
PATIENCE_MS = 40_000

ACTIVATED = """navigator.serviceWorker.ready.then(({ active }) => new Promise((resolve) => {
    const look = () => active.state === "activated" && resolve();
    active.addEventListener("statechange", look);
    look();
}))"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


def main() -> None:
    """Load the page twice, and announce."""
    expect.set_options(timeout=PATIENCE_MS)
    with (
        tempfile.TemporaryDirectory(prefix="loa-bench-") as folder,
        a_town(Path(folder), set()) as town,
    ):
        report(measured(town.settings.address, Path(folder)))


def measured(address: str, folder: Path) -> dict[str, float]:
    """Measure one site; nothing of it may be in the browser before."""
    up, down = Line(UP_BYTES_PER_S, WAY_S), Line(DOWN_BYTES_PER_S, WAY_S)
    mouth = folder / "mouth.wav"
    write_wav(mouth, melody(11, 30.0))
    with phone_links(up, down) as links, a_phone(address, mouth) as page:
        page.context.set_default_timeout(PATIENCE_MS)
        # A log-in is good for all ports of a host; nothing that it fetches is kept for another.
        log_in(page, province.officer_of(province.VI_XUYEN))
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        far = links.to_address(f"{address}/urgent")
        figures = {}
        for name in ("first", "repeat"):
            before = down.carried, up.carried
            figures |= {f"{name}_{key}": value for key, value in _loaded(page, far).items()}
            page.evaluate(ACTIVATED)
            page.wait_for_load_state("networkidle")
            figures[f"{name}_kb"] = round((down.carried - before[0]) / 1000, 1)
            figures[f"{name}_up_kb"] = round((up.carried - before[1]) / 1000, 1)
            say(f"{name}: {figures}")
        return figures | _announced(page)


def _loaded(page: Page, address: str) -> dict[str, float]:
    began = perf_counter()
    page.goto(address, wait_until="commit")
    page.get_by_text(VILLAGE).first.click()
    # Only the page's script counts.
    expect(page.locator("[data-sum]")).to_have_text("1")
    usable_s = perf_counter() - began
    page.get_by_text(VILLAGE).first.click()
    return {"paint_s": round(page.evaluate(PAINTED) / 1000, 2), "usable_s": round(usable_s, 2)}


def _announced(page: Page) -> dict[str, float]:
    page.get_by_text(VILLAGE).first.click()
    page.get_by_role("button", name="Ghi âm").first.click()
    record = page.locator("[data-record]")
    record.click()
    expect(page.locator("[data-record-time]")).to_have_text(SPOKEN)
    record.click()
    ended = perf_counter()
    page.get_by_label("Tiêu đề").fill("Nước lên")
    expect(page.locator("[data-digest]")).not_to_have_value("")
    there_s = perf_counter() - ended
    asked = perf_counter()
    page.get_by_role("button", name="Tiếp tục").click()
    expect(page.locator("[data-summary] audio")).to_have_attribute("src", re.compile("heard"))
    confirmed_s = perf_counter() - asked
    held = perf_counter()
    with page.expect_response(
        lambda answer: answer.url.endswith("/urgent") and answer.request.method == "POST"
    ):
        page.get_by_role("button", name="Giữ để phát").click(delay=HELD_MS)
    sent_s = perf_counter() - held - HOLD_MS / 1000
    page.wait_for_url("**/broadcasts/b-*")
    page.get_by_role("button", name="DỪNG PHÁT").wait_for()
    watched_s = perf_counter() - held - HOLD_MS / 1000
    return {
        "sound_there_s": round(there_s, 2),
        "confirm_s": round(confirmed_s, 2),
        "hold_to_sent_s": round(sent_s, 2),
        "hold_to_watched_s": round(watched_s, 2),
    }


if __name__ == "__main__":
    main()
