"""What a node is told, and what it refuses to be told."""

import json
from pathlib import Path

import pytest

from edge.errors import BadSettingError
from edge.settings import (
    Endpoint,
    ListeningInput,
    Overrides,
    load,
    load_board,
    overrides_from,
    parse_endpoint,
    parse_node_file,
)
from protocol.signing import public_text
from tests.factories.messages import ROOT_KEY

ROOT_TEXT = public_text(ROOT_KEY.private.public_key())


def a_node_file(**overrides: object):
    boring = {
        "format": 1,
        "node": "nut-1",
        "secret": "0123456789abcdef",
        "root_key": ROOT_TEXT,
        "mqtt": ["mqtts://loa.example"],
        "audio": ["https://loa.example/api/v1/assets/"],
    }
    return json.dumps({**boring, **overrides}).encode()


def test_a_node_file_says_who_the_node_is_and_where_to_go():
    said = parse_node_file(a_node_file(state_dir="/data"))
    assert said.node == "nut-1"
    assert len(said.root_key) == 32
    assert said.mqtt == (Endpoint("loa.example", 8883, tls=True, mqtt5=True),)
    assert said.audio == ("https://loa.example/api/v1/assets",)
    assert said.state_dir == Path("/data")


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": 2},
        {"node": "Nút 1"},
        {"secret": "short"},
        {"root_key": "AAAA"},
        {"root_key": "?"},
        {"mqtt": []},
        {"mqtt": ["http://loa.example"]},
        {"audio": ["ftp://loa.example"]},
        {"volume": 11},
    ],
)
def test_a_node_file_with_anything_wrong_or_unknown_is_refused(wrong):
    with pytest.raises(BadSettingError):
        parse_node_file(a_node_file(**wrong))


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_what_is_no_node_file_is_refused(raw):
    with pytest.raises(BadSettingError):
        parse_node_file(raw)


def test_the_secret_is_not_shown():
    assert "0123456789abcdef" not in repr(parse_node_file(a_node_file()))


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("mqtt://a", Endpoint("a", 1883, tls=False, mqtt5=True)),
        ("mqtt://a:99?version=3", Endpoint("a", 99, tls=False, mqtt5=False)),
        ("mqtts://a/?version=5", Endpoint("a", 8883, tls=True, mqtt5=True)),
    ],
)
def test_a_broker_is_named_by_its_address(url, endpoint):
    assert parse_endpoint(url) == endpoint


@pytest.mark.parametrize(
    "url", ["mqtt://a?version=4", "mqtt://", "mqtt://a:x", "mqtt://a?q=1", "mqtt://u:p@a", "a:1883"]
)
def test_what_is_no_address_of_a_broker_is_refused(url):
    with pytest.raises(BadSettingError):
        parse_endpoint(url)


def test_a_node_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "node.json"
    path.write_bytes(a_node_file())
    path.chmod(0o640)
    with pytest.raises(BadSettingError, match="readable by others"):
        load(path, Overrides())


def test_what_is_said_on_the_spot_goes_before_the_environment_and_that_before_the_files(tmp_path):
    path = tmp_path / "node.json"
    path.write_bytes(a_node_file(state_dir="/data"))
    path.chmod(0o600)
    around = overrides_from({"LOA_NODE_OUTPUT": "pulse", "LOA_NODE_STATE": "/env", "PATH": "/bin"})
    settings = load(path, Overrides(output="simulated").over(around))
    assert (settings.output, settings.state_dir) == ("simulated", Path("/env"))
    assert settings.board.amplifier_pin is None
    assert load(path, Overrides()).output == "alsa"


@pytest.mark.parametrize(
    "environment",
    [
        {"LOA_NODE_VOLUME": "11"},
        {"LOA_NODE_CACHE_LIMIT_MB": "0"},
        {"LOA_NODE_NEAR_STATIONS": "true"},
    ],
)
def test_an_unknown_or_unusable_setting_in_the_environment_is_refused(environment):
    with pytest.raises(BadSettingError):
        overrides_from(environment)


def test_a_relay_near_by_is_allowed_by_a_plain_yes_alone(tmp_path):
    path = tmp_path / "node.json"
    path.write_bytes(a_node_file())
    path.chmod(0o600)
    assert not load(path, Overrides()).near_stations
    for said, allowed in (("yes", True), ("no", False)):
        overrides = overrides_from({"LOA_NODE_NEAR_STATIONS": said})
        assert load(path, overrides).near_stations is allowed


def test_a_board_profile_says_how_the_amplifier_is_wired(tmp_path):
    path = tmp_path / "board.toml"
    path.write_text(
        'format = 1\nname = "pi"\noutput = "alsa:hw:1"\n[amplifier]\npin = 26\nlead_s = 0.4\n'
    )
    board = load_board(path)
    assert (board.amplifier_pin, board.lead_s, board.output) == (26, 0.4, "alsa:hw:1")


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ('input = "pulse"\nhears = "line"', ListeningInput("pulse", None, -35.0)),
        ('input = "alsa:hw:1"\nhears = "microphone"', ListeningInput("alsa:hw:1", None, None)),
        (
            'input = "alsa"\nhears = "microphone"\ngain_db = -12.5\nunordered_db = -40',
            ListeningInput("alsa", -12.5, -40.0),
        ),
    ],
)
def test_a_board_profile_says_what_the_node_hears_with(tmp_path, said, heard):
    path = tmp_path / "board.toml"
    path.write_text(f'format = 1\nname = "pi"\n[listening]\n{said}\n')
    assert load_board(path).listening == heard


@pytest.mark.parametrize(
    "said", ['input = "pulse"', 'input = "wav:x"\nhears = "line"', 'hears = "line"']
)
def test_an_ear_with_anything_wrong_is_refused(tmp_path, said):
    path = tmp_path / "board.toml"
    path.write_text(f'format = 1\nname = "pi"\n[listening]\n{said}\n')
    with pytest.raises(BadSettingError):
        load_board(path)


@pytest.mark.parametrize("text", ["format = 2", "[", 'format = 1\nname = "pi"\nvolume = 3'])
def test_a_board_profile_with_anything_wrong_is_refused(tmp_path, text):
    path = tmp_path / "board.toml"
    path.write_text(text)
    with pytest.raises(BadSettingError):
        load_board(path)
