"""Options that several commands share, and how settings are made of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from server.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])


def example(text: str) -> str:
    """Write an example so that click leaves its line alone."""
    return f"\b\nExample:\n  {text}"


def state_option(function: F) -> F:
    """Add ``--state``."""
    return click.option(
        "--state",
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder of database, audio and secrets.  [default: LOA_STATE_DIR, else var]",
    )(function)


def settings_from(state: Path | None, **chosen: object) -> Settings:
    """Make settings of the environment and of what was typed, which goes first."""
    typed = {name: value for name, value in chosen.items() if value is not None}
    if state is not None:
        typed["state_dir"] = state
    return Settings.model_validate({**Settings().model_dump(exclude_unset=True), **typed})


def environment_of(settings: Settings) -> dict[str, str]:
    """Write down what was chosen, as the variables from which a child makes equal settings."""
    chosen = settings.model_dump(mode="json", exclude_unset=True)
    return {
        f"LOA_{name.upper()}": value
        if isinstance(value, str)
        else msgspec.json.encode(value).decode()
        for name, value in chosen.items()
    }
