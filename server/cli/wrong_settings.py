"""What is wrong with the settings, in a sentence for whoever started the program."""

from pydantic import ValidationError
from pydantic_settings import SettingsError

from server.settings import PREFIX, Settings


def wrong_settings(error: ValueError) -> str | None:
    """Tell which variables are wrong, and how; None: it is not about settings."""
    if isinstance(error, SettingsError):
        return str(error)
    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        return "; ".join(
            f"{PREFIX}{str(one['loc'][0]).upper()}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        )
    return None
