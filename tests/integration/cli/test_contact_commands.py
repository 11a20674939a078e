"""People who are told, from the command line: entered, given a channel, tested."""

from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest
from click.testing import CliRunner

from server.cli import loa
from server.cli.operator import open_installation
from server.domain.alerts import Answer, Result
from server.integrations.fake_messenger import FakeMessenger
from server.scheduler.couriers import Courier
from server.settings import Settings

URL, FULL = "zalo://123456:secret-token/789", "zalo://123456:secret-token/987"


@pytest.fixture
def run(tmp_path: Path):
    """Type a command on an installation with one unit."""
    state = tmp_path / "state"
    runner = CliRunner()

    def typed(*words: str, answer: str = ""):
        return runner.invoke(loa, [*words, "--state", str(state)], input=f"{answer}\n")

    assert typed("db", "upgrade").exit_code == 0
    assert typed("unit", "add", "tinh", "--name", "Tỉnh", "--level", "0").exit_code == 0
    typed.state = state
    return typed


def sending(state: Path, messenger: FakeMessenger, stop: Event) -> None:
    with open_installation(Settings(state_dir=state)) as place:
        clock = lambda: datetime.now(UTC)  # noqa: E731 - one expression
        Courier(place.sessions, place.sessions, place.keyring, messenger, clock).run(stop)


@pytest.mark.slow
def test_somebody_is_entered_given_a_channel_and_told_what_became_of_a_test(run):
    refused = run("contact", "add", "tinh", "Ông Páo", "--phone", "gọi tôi")
    assert (refused.exit_code, "bad-phone" in refused.output) == (1, True)
    contact = run("contact", "add", "tinh", "Ông Páo", "--phone", "0912 345 678").output.strip()
    nobody = run("contact", "account", contact, "nobody")
    assert (nobody.exit_code, "account-may-not" in nobody.output) == (1, True)
    assert run("contact", "account", contact).exit_code == 0
    wrong = run("contact", "channel", contact, "Tệp", answer="file:///etc/passwd")
    assert (wrong.exit_code, "bad-channel-address" in wrong.output) == (1, True)
    made = [run("contact", "channel", contact, "Zalo", answer=url) for url in (URL, FULL)]
    assert not any("token" in one.output for one in (*made, wrong))
    good, full = (one.output.split()[-1] for one in made)
    messenger, stop = FakeMessenger({FULL: Answer(Result.FAILED, "quota")}), Event()
    courier = Thread(target=sending, args=(run.state, messenger, stop))
    courier.start()
    try:
        tested, again, failed = (run("contact", "test", one) for one in (good, good, full))
    finally:
        stop.set()
        courier.join()
    assert (tested.output.splitlines()[-1], tested.exit_code) == ("sent", 0)
    assert ("tested-just-now" in again.output, again.exit_code) == (True, 1)
    assert ("failed quota" in failed.output, failed.exit_code) == (True, 1)
    assert [letter.url for letter in messenger.sent] == [URL, FULL]
