"""``loa hush`` and ``loa lift``: silence at once, and its end by two people with accounts."""

from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.orm import Session

from server.cli.operator import open_installation, operator
from server.cli.options import example, settings_from, state_option
from server.domain.assent import ASKED_FOR, is_asked
from server.domain.authority import Actor
from server.services import accounts, hushing
from server.services.hushing import NewHush


@click.command(epilog=example('loa hush tinh-tuyen-quang --reason "Tài khoản bị lộ"'))
@click.argument("unit_id")
@click.option("--reason", required=True, help="Why; everybody who looks at it reads this.")
@click.option("--spare-emergencies", is_flag=True, help="Real emergencies sound all the same.")
@click.option("--drill", is_flag=True, help="Rehearse: clusters answer, and none falls silent.")
@state_option
def hush(
    unit_id: str,
    reason: str,
    spare_emergencies: bool,  # noqa: FBT001 - click's flags
    drill: bool,  # noqa: FBT001
    state: Path | None,
) -> None:
    """Silence all loudspeakers under the unit UNIT_ID, at once, until two people lift it."""
    new = NewHush(unit_id, reason, spares_emergencies=spare_emergencies, mode=_mode(drill=drill))
    with (
        open_installation(settings_from(state)) as installation,
        installation.sessions.begin() as db,
    ):
        row = hushing.hush(
            db,
            new,
            now=datetime.now(UTC),
            actor=operator(),
            keyring=installation.keyring,
            plan_days=installation.plan_days,
        )
        click.echo(f"{unit_id} is hushed{' (drill)' if drill else ''}: {row.hush_id}")


@click.command(epilog=example("loa lift tinh-tuyen-quang --user phat-thanh"))
@click.argument("unit_id")
@click.option("--user", "username", required=True, help="Whose account speaks.")
@click.option("--drill", is_flag=True, help="End a rehearsed silence.")
@click.password_option(confirmation_prompt=False, help="Asked for when not given.")
@state_option
def lift(
    unit_id: str,
    username: str,
    drill: bool,  # noqa: FBT001 - click's flag
    password: str,
    state: Path | None,
) -> None:
    """Lift the silence of the unit UNIT_ID: the first person asks, a second one approves.

    Both speak with their own account and password, here or on the page: whoever may run commands on
    this machine is no second person.
    """
    now = datetime.now(UTC)
    with (
        open_installation(settings_from(state)) as installation,
        installation.sessions.begin() as db,
    ):
        person = _person(db, username, password)
        row = hushing.lasting_at(db, unit_id, mode=_mode(drill=drill))
        if row is None:
            raise click.ClickException(f"{unit_id} is not hushed")
        if not is_asked(row.lift_asked_at, now):
            hushing.ask_lift(db, row.hush_id, now=now, actor=person)
            minutes = int(ASKED_FOR.total_seconds() // 60)
            click.echo(f"asked; somebody else has {minutes} minutes to approve")
            return
        hushing.approve_lift(
            db,
            row.hush_id,
            now=now,
            actor=person,
            keyring=installation.keyring,
            plan_days=installation.plan_days,
        )
        click.echo(f"{unit_id} may sound again")


def _mode(*, drill: bool) -> str:
    return "drill" if drill else "real"


def _person(db: Session, username: str, password: str) -> Actor:
    user = accounts.authenticated(db, username, password)
    if user is None:
        raise click.ClickException("no such user, or another password")
    return accounts.actor_of(user)
