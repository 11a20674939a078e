"""What can go wrong on the command line, in sentences for whoever typed the command."""

from collections.abc import Sequence
from pathlib import Path

from server.domain.errors import ServerError


class CommandError(ServerError):
    """A command cannot be carried out; shown as one sentence, without a trace."""


class ProgramFailedError(CommandError):
    """A program did not come up."""

    def __init__(self, program: str, what: str, last_lines: Sequence[str]) -> None:
        self.program = program
        self.what = what
        self.last_lines = tuple(last_lines)
        super().__init__("\n".join([f"{program} {what}; its last words:", *last_lines]))


class StateInUseError(CommandError):
    """Another process runs on the same state folder."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        super().__init__(f"another loa runs on {state_dir}; stop it first, or give another --state")


class NoFreePortError(CommandError):
    """Every port that was tried is taken."""

    def __init__(self, first: int, last: int) -> None:
        self.first = first
        self.last = last
        super().__init__(f"no free port from {first} to {last}; choose one with --port")


class OtherTablesError(CommandError):
    """The database is not of the shape that this program was written for."""

    def __init__(self, found: str, wanted: str) -> None:
        self.found = found
        self.wanted = wanted
        what = "loa db upgrade" if found < wanted else "a newer version of this program"
        super().__init__(
            f"the tables are at {found or 'nothing'}, this program needs {wanted}: use {what}"
        )


class SheetFaultsError(CommandError):
    """A spreadsheet cannot be taken in."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(["nothing was taken in:", *lines]))


class ReformFaultsError(CommandError):
    """A reform cannot be carried out."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(["nothing was changed:", *lines]))
