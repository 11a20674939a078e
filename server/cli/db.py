"""``loa db``: bring the tables up to date, and make the secrets that belong to them."""

from pathlib import Path

import click

from server.cli.installation import prepare
from server.cli.options import example, settings_from, state_option


@click.group()
def db() -> None:
    """Look after the database."""


@db.command(epilog=example("loa db upgrade"))
@state_option
def upgrade(state: Path | None) -> None:
    """Bring the tables up to date; make keys and passwords where there are none yet."""
    settings = settings_from(state)
    prepare(settings)
    click.echo("the database is up to date")
