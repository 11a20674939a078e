"""A command group that imports a command only when it is asked for: ``--help`` stays quick."""

from collections.abc import Mapping
from importlib import import_module

import click
from typing_extensions import override


class LazyGroup(click.Group):
    """Commands by name: the module that holds each, and one line about it.

    In its module a command stands under its own name.
    """

    def __init__(self, name: str, *, help: str, targets: Mapping[str, tuple[str, str]]) -> None:  # noqa: A002 - click's own word
        super().__init__(name, help=help, context_settings={"help_option_names": ["-h", "--help"]})
        self.targets = dict(targets)

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.targets)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.targets:
            return None
        command = getattr(import_module(self.targets[cmd_name][0]), cmd_name)
        return command if isinstance(command, click.Command) else None

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_module, about) in self.targets.items()])
