"""Chromium before the demo's province, served by gunicorn as in production."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import urllib3
from playwright.sync_api import Browser, BrowserContext, Page

from protocol.messages import NodeWord, Presence, PresenceState
from server.cli.demo import province
from server.cli.demo.seed import build
from server.cli.programs import held_port
from server.services import reports
from server.settings import Settings
from server.store.engine import Sessions, open_engine, open_sessions
from tests.factories import browsers
from tests.factories.sounds import encode, noise

ROOT = Path(__file__).parents[2]
DESK, PHONE = (1440, 900), (360, 640)
REFUSED = re.compile(r"status of (401|409|422)")
_START_S = 30.0


@dataclass(frozen=True, slots=True)
class Served:
    """A running site, and the way to speak as its nodes."""

    address: str
    settings: Settings
    sessions: Sessions

    def hear(self, cluster_id: str, word: NodeWord) -> None:
        """Take in what a cluster's node says, as the gateway does."""
        node = next(one.node_id for one in province.CLUSTERS if one.cluster_id == cluster_id)
        with self.sessions.begin() as db:
            reports.take_in(db, node, word, now=datetime.now(UTC))


@pytest.fixture(scope="session")
def port() -> Iterator[int]:
    with held_port(8100) as held:
        yield held


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Served]:
    state = tmp_path_factory.mktemp("served")
    settings = Settings(state_dir=state, port=port, demo=True)
    build(settings)
    engine = open_engine(settings.database)
    site = Served(settings.address, settings, open_sessions(engine))
    for cluster in province.CLUSTERS:
        here = Presence(node=cluster.node_id, state=PresenceState.HERE, software="0.1.0")
        site.hear(cluster.cluster_id, here)
    environment = {
        **os.environ,  # noqa: TID251 - the child needs the rest of it
        "LOA_STATE_DIR": str(state),
        "LOA_PORT": str(settings.port),
        "LOA_DEMO": "true",
    }
    command = [
        *(
            sys.executable,
            "-m",
            "gunicorn",
            "server.wsgi:app",
            "--bind",
            f"127.0.0.1:{settings.port}",
        ),
        *("--worker-class", "gthread", "--threads", "48", "--graceful-timeout", "1"),
        *("--log-level", "warning", "--no-control-socket"),
    ]
    with (state / "web.log").open("w") as log:
        web = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        try:
            _wait_for(f"{settings.address}/api/v1/health", web)
            yield site
        finally:
            web.terminate()
            web.wait(timeout=10)
    engine.dispose()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture
def complaints() -> list[str]:
    """What the browser has complained of."""
    return []


@pytest.fixture
def open_page(
    chromium: Browser, served: Served, complaints: list[str]
) -> Iterator[Callable[..., Page]]:
    """Open a page of some size, logged in as somebody; any complaint of the browser fails."""
    contexts: list[BrowserContext] = []

    def open_one(size: tuple[int, int] = DESK, login: str | None = None) -> Page:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
            base_url=served.address,
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: _note(complaints, said.type, said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if login is not None:
            log_in(page, login)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def sound_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds that sound."""
    return encode(
        tmp_path_factory.mktemp("sound") / "Bản tin sáng.mp3", noise(3), codec="libmp3lame"
    )


def log_in(page: Page, login: str) -> None:
    """Log in on the page, as people do."""
    password = next(one.password for one in province.LOGINS if one.username == login)
    page.goto("/login")
    page.get_by_label("Tên đăng nhập").fill(login)
    page.get_by_label("Mật khẩu").fill(password)
    page.get_by_role("button", name="Đăng nhập").click()
    page.wait_for_url("**/")


def _note(complaints: list[str], kind: str, text: str) -> None:
    # What is refused is answered with 401, 409 or 422, which browsers note; the page says it too.
    if kind in {"error", "warning"} and not REFUSED.search(text):
        complaints.append(text)


def _wait_for(address: str, program: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        assert program.poll() is None, "the web program ended"
        try:
            urllib3.request("GET", address, timeout=2, retries=False)
        except urllib3.exceptions.HTTPError:
            time.sleep(0.05)  # noqa: TID251 - the pause between two looks
        else:
            return
    raise AssertionError(f"no answer within {_START_S} s: {address}")
