"""What a command chose reaches the programs it starts, and the commands that come after it."""

from pathlib import Path

import pytest

from edge.settings import parse_node_file
from protocol.signing import public_text
from server.cli.demo.stage import demo_settings
from server.cli.nodefile import node_file_bytes, readdressed, write_private
from server.cli.options import environment_of, settings_from
from server.cli.remembered import recalled, remember
from server.cli.wrong_settings import wrong_settings
from server.settings import Settings
from tests.factories.messages import a_key


def test_a_child_makes_equal_settings_of_its_environment(monkeypatch: pytest.MonkeyPatch):
    chosen = settings_from(
        Path("elsewhere"), port=9001, mqtt_for_nodes=("mqtts://a?version=5", "mqtts://b?version=5")
    )
    for name, value in environment_of(chosen).items():
        monkeypatch.setenv(name, value)
    assert Settings() == chosen


def test_what_was_typed_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOA_PORT", "9002")
    monkeypatch.setenv("LOA_HOST", "0.0.0.0")  # noqa: S104 - only a value
    chosen = settings_from(None, port=9003)
    assert (chosen.host, chosen.port) == ("0.0.0.0", 9003)  # noqa: S104 - as above


def test_a_later_command_finds_the_server_where_it_was_started(tmp_path: Path):
    remember(settings_from(tmp_path, port=9004, mqtt_version=3))
    assert recalled(settings_from(tmp_path)).mqtt_urls == ("mqtt://127.0.0.1:1883?version=3",)
    assert recalled(settings_from(tmp_path)).address == "http://127.0.0.1:9004"
    assert recalled(settings_from(tmp_path, port=9005)).port == 9005


def test_the_node_program_reads_the_file_that_is_written_for_it():
    root_key = public_text(a_key().private.public_key())
    raw = node_file_bytes("node-ban-cap", "s" * 32, root_key, Settings(port=9006))
    read = parse_node_file(readdressed(raw, Settings(port=9007, mqtt_version=3)))
    assert (read.node, read.secret) == ("node-ban-cap", "s" * 32)
    assert read.audio == ("http://127.0.0.1:9007/api/v1/assets",)
    assert not read.mqtt[0].mqtt5


def test_a_node_file_is_for_its_owner_alone(tmp_path: Path):
    path = tmp_path / "node.json"
    write_private(path, b"secret")
    write_private(path, b"newer")
    assert path.read_bytes() == b"newer"
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_demo_never_touches_the_database_of_an_installation(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOA_DATABASE_URL", "postgresql+psycopg:///production")
    monkeypatch.setenv("LOA_HOST", "0.0.0.0")  # noqa: S104 - only a value
    settings = demo_settings(Path("demo"), 8080, 1883)
    assert settings.database.startswith("sqlite:///")
    assert settings.host == "127.0.0.1"
    assert environment_of(settings)["LOA_DATABASE_URL"] == ""


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LOA_ALERT_SCHEMES", '["zalo", "zal0"]', "LOA_ALERT_SCHEMES: not known: zal0; known are "),
        ("LOA_PORT", "cong-80", "LOA_PORT: Input should be a valid integer"),
        ("LOA_ALERT_SCHEMES", "zalo", 'error parsing value for field "alert_schemes"'),
    ],
)
def test_no_program_starts_with_a_wrong_setting_and_it_says_which(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - of two kinds; what it says is asked
        Settings()
    assert sentence in (wrong_settings(caught.value) or "")


def test_what_is_wrong_with_something_else_is_not_taken_for_settings():
    assert wrong_settings(ValueError("Settings")) is None


def test_no_setting_of_the_server_looks_like_one_of_a_node():
    """A node refuses what it does not know under its own prefix, and inherits our environment."""
    assert not [name for name in Settings.model_fields if name.startswith("node_")]
