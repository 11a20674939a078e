"""The command ``loa``: every act that has no page, and the programs themselves."""

import sys

from server.cli.lazy import LazyGroup
from server.domain.errors import ServerError

loa = LazyGroup(
    "loa",
    help="Loa Làng: the public loudspeakers of a province.",
    targets={
        "demo": ("server.cli.demo.command", "Run a small province on this machine."),
        "up": ("server.cli.up", "Run the whole server on this machine."),
        "web": ("server.cli.programs", "Run pages and API."),
        "scheduler": ("server.cli.programs", "Run the program that plans ahead."),
        "gateway": ("server.cli.programs", "Run the link between database and broker."),
        "live": ("server.cli.programs", "Run the program that takes microphones."),
        "broker": ("server.cli.programs", "Run the embedded broker."),
        "node": ("server.cli.node", "Run a node, or add one."),
        "db": ("server.cli.db", "Look after the database."),
        "unit": ("server.cli.unit", "Look after administrative units."),
        "cluster": ("server.cli.cluster", "Look after clusters of loudspeakers."),
        "warning": ("server.cli.warning", "Look after prepared warnings."),
        "contact": ("server.cli.contact", "Look after people who are told of silent clusters."),
        "hush": ("server.cli.hush", "Silence the loudspeakers of a unit, at once."),
        "lift": ("server.cli.hush", "Lift a silence; that takes two people."),
        "user": ("server.cli.user", "Look after those who may log in."),
    },
)


def main() -> None:
    """Carry out what was typed; what is wrong is said in one sentence."""
    try:
        loa(prog_name="loa")
    except ServerError as error:
        _refuse(str(error))
    except ValueError as error:
        # Imported late: whoever only asks for help needs no settings.
        from server.cli.wrong_settings import wrong_settings  # noqa: PLC0415 - as said

        sentence = wrong_settings(error)
        if sentence is None:
            raise
        _refuse(sentence)


def _refuse(sentence: str) -> None:
    print(f"loa: {sentence}", file=sys.stderr)  # noqa: T201 - for whoever typed the command
    sys.exit(1)
