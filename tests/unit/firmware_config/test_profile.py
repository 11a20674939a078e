"""Board profiles that are delivered can be wired, and bad ones are refused."""

import pytest

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
        "not toml",
    ],
)
def test_a_profile_that_cannot_be_wired_is_refused(tmp_path, text):
    path = tmp_path / "board.toml"
    path.write_text(text)
    with pytest.raises(BadProfileError):
        checked(path)
