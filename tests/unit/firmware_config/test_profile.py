"""Board profiles that are delivered can be wired, and bad ones are refused."""

import pytest

from edge.settings import Contact, Fan, Lamp, SilenceKey, TalkInput
from firmware_config.errors import BadProfileError, UnknownProfileError
from firmware_config.profile import checked, names, profile


@pytest.mark.parametrize("name", names())
def test_every_profile_that_is_delivered_can_be_wired(name):
    assert profile(name).name == name


def test_an_unknown_profile_is_refused_with_the_known_ones_named():
    with pytest.raises(UnknownProfileError, match="pi-relay-hat"):
        profile("pi-9")


@pytest.mark.parametrize(
    "text",
    [
        'format = 1\nname = "another"',
        'format = 1\nname = "board"\n[amplifier]\npin = 14',
        'format = 1\nname = "board"\n[amplifier]\npin = 40',
        'format = 1\nname = "board"\nvolume = 3',
        'format = 1\nname = "board"\n[lamps]\nalarm = 15',
        'format = 1\nname = "board"\n[lamps]\nweather = 22',
        'format = 1\nname = "board"\n[contacts.door]\npin = 5',
        'format = 1\nname = "board"\n[fan]\npin = 24\non_c = 50\noff_c = 50',
        'format = 1\nname = "board"\n[silence_key]\npin = 13\nminutes = 0',
        'format = 1\nname = "board"\n[talk_key]\npin = 16',
        'format = 1\nname = "board"\n[talk_key]\npin = 16\ninput = "wav:talk.wav"',
        'format = 1\nname = "board"\n[talk_key]\npin = 20\ninput = "alsa"',
        "not toml",
    ],
)
def test_a_profile_that_cannot_be_wired_is_refused(tmp_path, text):
    path = tmp_path / "board.toml"
    path.write_text(text)
    with pytest.raises(BadProfileError):
        checked(path)


def test_two_things_at_one_pin_are_both_named(tmp_path):
    path = tmp_path / "board.toml"
    path.write_text(
        'format = 1\nname = "board"\n[amplifier]\npin = 26\n[lamps]\nalarm = 22\nsound = 26\n'
    )
    with pytest.raises(BadProfileError, match=r"pin 26 is both lamps\.sound and amplifier"):
        checked(path)


def test_a_talk_key_at_the_pin_of_the_silence_key_is_refused_with_both_named(tmp_path):
    path = tmp_path / "board.toml"
    keys = '[silence_key]\npin = 13\n[talk_key]\npin = 13\ninput = "alsa"\n'
    path.write_text(f'format = 1\nname = "board"\n{keys}')
    with pytest.raises(BadProfileError, match="pin 13 is both silence_key and talk_key"):
        checked(path)


def test_all_that_a_box_may_have_is_read(tmp_path):
    path = tmp_path / "board.toml"
    path.write_text(
        'format = 1\nname = "board"\n'
        '[contacts.mains-lost]\npin = 5\nalarm_when = "open"\n'
        "[silence_key]\npin = 13\nminutes = 20\n"
        '[talk_key]\npin = 16\ninput = "alsa:plughw:1"\ngain_db = 12\n'
        "[lamps]\nnetwork = 22\n"
        "[fan]\npin = 24\n"
    )
    board = checked(path)
    assert board.contacts == (Contact("mains-lost", 5, open_is_alarm=True),)
    assert board.silence_key == SilenceKey(13, 20)
    assert board.talk_key == TalkInput(16, "alsa:plughw:1", 12.0)
    assert board.lamps == (Lamp("network", 22),)
    assert board.fan == Fan(24, on_c=65.0, off_c=55.0)
    assert board.equipment == ("fan", "lamps", "mains-lost", "silence-key", "talk-key")
