"""``loa user``: add those who may log in."""

from datetime import UTC, datetime
from pathlib import Path

import click

from server.cli.operator import open_installation, operator
from server.cli.options import example, settings_from, state_option
from server.domain.authority import Role
from server.services import accounts, factors
from server.services.passwords import hashed_password

LEAST_PASSWORD = 10


@click.group()
def user() -> None:
    """Look after those who may log in."""


@user.command(
    epilog=example("loa user add nguyen-thi-hong --role commune-officer --unit xa-vi-xuyen")
)
@click.argument("username")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--unit", "unit_id", required=True, help="Where the role holds, and all under it.")
@click.option("--full-name", default="", help="What the person is called.")
@click.password_option(help="Asked for when not given; there is no default.")
@state_option
def add(
    username: str, role: str, unit_id: str, full_name: str, password: str, state: Path | None
) -> None:
    """Add the user USERNAME with one role at one unit."""
    if len(password) < LEAST_PASSWORD:
        raise click.BadParameter(f"at least {LEAST_PASSWORD} characters", param_hint="--password")
    with (
        open_installation(settings_from(state)) as installation,
        installation.sessions.begin() as db,
    ):
        accounts.create_user(
            db,
            username=username,
            password_hash=hashed_password(password),
            full_name=full_name,
            grants=((role, unit_id),),
            now=datetime.now(UTC),
            actor=operator(),
        )
    click.echo(f"{username} may log in")


@user.command("forget-factor", epilog=example("loa user forget-factor nguyen-thi-hong"))
@click.argument("username")
@state_option
def forget_factor(username: str, state: Path | None) -> None:
    """Forget the second factor of USERNAME, who has lost both phone and recovery codes."""
    with (
        open_installation(settings_from(state)) as installation,
        installation.sessions.begin() as db,
    ):
        row = accounts.find_login(db, username)
        if row is None:
            raise click.ClickException(f"no such user: {username}")
        factors.remove(db, row, now=datetime.now(UTC), actor=operator())
    click.echo(f"{username} has no second factor any more")
