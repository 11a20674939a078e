"""The server's README, its settings and its commands agree."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from server.cli import loa
from server.settings import Settings

README = (Path(__file__).parents[2] / "server" / "README.md").read_text("utf-8")


def rows(heading: str) -> dict[str, str]:
    """The first table after a heading: what is in the first column, and in the whole row."""
    text = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `([^`]+)` \|(.*)$", text, re.MULTILINE)
    return dict(found)


def commands(group: click.Group, words: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield f"{words} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{words} {name}")


COMMANDS = dict(commands(loa, "loa"))


def test_every_command_has_its_row():
    assert rows("Commands").keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_a_command_does_and_shows_an_example(name: str):
    command = COMMANDS[name]
    with click.Context(command, info_name=name) as context:
        shown = command.get_help(context)
    assert len(command.help or "") > 20
    example = re.search(r"Example:\s+(.*)", shown)
    assert example is not None
    assert name in example.group(1)


def test_the_one_line_about_a_command_is_how_its_help_begins():
    context = click.Context(loa)
    for name, (_module, about) in loa.targets.items():
        command = loa.get_command(context, name)
        assert command is not None
        assert about.split()[0] == (command.help or "").split()[0], name


def test_every_setting_has_its_row_with_its_default():
    table = rows("Settings")
    assert table.keys() == {f"LOA_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = f"`{default}`" if default not in {"", (), None} else "–"
        assert f" {shown} " in table[f"LOA_{name.upper()}"], name
