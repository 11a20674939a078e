"""The prepared warnings, out of the file beside this one: words, and slots to fill."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from server.domain.errors import UnknownThingError
from server.domain.filling import Template


@cache
def templates() -> Mapping[str, Template]:
    """Read the file, once in a process."""
    text = files(__package__).joinpath("templates.toml").read_text("utf-8")
    found = msgspec.convert(tomllib.loads(text)["templates"], tuple[Template, ...])
    return {template.code: template for template in found}


def template(code: str) -> Template:
    """Find a warning.

    Raises:
        UnknownThingError: There is none of that code.
    """
    found = templates().get(code)
    if found is None:
        raise UnknownThingError("warning", code[:64])
    return found
