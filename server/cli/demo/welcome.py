"""What the demo prints: where the pages are, and who may log in."""

import click

from server.cli.demo import province
from server.settings import Settings


def welcome(settings: Settings) -> None:
    """Print where the pages are, and who may log in."""
    click.echo(f"\nLoa Làng demo: {settings.address}\n")
    width = max(len(login.username) for login in province.LOGINS)
    for login in province.LOGINS:
        click.echo(
            f"  {login.username:<{width}}  {login.password:<16}  "
            f"{login.role.value} at {login.unit_id}"
        )
    click.echo(f"\nCtrl-C stops everything. Logs: {settings.state_dir / 'log'}")
