"""Load and check the board profiles; ``edge.settings`` owns their format."""

from pathlib import Path

from edge.errors import BadSettingError
from edge.settings import Board, load_board
from firmware_config.errors import BadProfileError, UnknownProfileError

PROFILES = Path(__file__).parent / "profiles"

RESERVED_PINS = {
    0: "identification of the HAT",
    1: "identification of the HAT",
    14: "the serial console",
    15: "the serial console",
    18: "the sound of an I2S card",
    19: "the sound of an I2S card",
    20: "the sound of an I2S card",
    21: "the sound of an I2S card",
}
"""Pins of the 40-pin header that something else on such a board uses."""


def names() -> tuple[str, ...]:
    """List the profiles that are delivered."""
    return tuple(sorted(path.stem for path in PROFILES.glob("*.toml")))


def profile(name: str) -> Board:
    """Load a delivered profile by its name, and check that it can be wired.

    Raises:
        UnknownProfileError: There is none of that name.
        BadProfileError: It cannot be read or wired.
    """
    if name not in names():
        raise UnknownProfileError(name, names())
    return checked(PROFILES / f"{name}.toml")


def checked(path: Path) -> Board:
    """Load a profile and check what the format alone does not tell.

    Raises:
        BadProfileError: It cannot be read or wired.
    """
    try:
        board = load_board(path)
    except BadSettingError as error:
        raise BadProfileError(path.stem, error.reason) from error
    if board.name != path.stem:
        raise BadProfileError(path.stem, f"calls itself {board.name}")
    for name, pin in board.pins:
        if pin in RESERVED_PINS:
            raise BadProfileError(path.stem, f"{name}: pin {pin} is {RESERVED_PINS[pin]}")
    return board
