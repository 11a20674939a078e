"""``loa unit``: add administrative units."""

from datetime import UTC, datetime
from pathlib import Path

import click

from server.cli.operator import open_installation, operator
from server.cli.options import example, settings_from, state_option
from server.domain.recurrence import local_day
from server.domain.units import NewUnit
from server.services import founding, units
from server.services.country import country
from server.services.founding import Founding

LEVEL_NAMES = {0: ("Tỉnh", "Province"), 1: ("Xã", "Commune"), 2: ("Thôn", "Village")}


@click.group()
def unit() -> None:
    """Look after administrative units."""


@unit.command(
    epilog=example('loa unit add xa-dong-van --name "Xã Đồng Văn" --under tinh-tuyen-quang')
)
@click.argument("unit_id")
@click.option("--name", required=True, help="What it is called.")
@click.option("--under", help="The unit above it; none: it is the top.")
@click.option("--level", type=click.IntRange(0, 9), help="0 is the top.  [default: one below]")
@state_option
def add(unit_id: str, name: str, under: str | None, level: int | None, state: Path | None) -> None:
    """Add the unit UNIT_ID, with its signing key. Its id never changes."""
    now = datetime.now(UTC)
    with (
        open_installation(settings_from(state)) as installation,
        installation.sessions.begin() as db,
    ):
        rank = level if level is not None else 0
        if under is not None and level is None:
            rank = units.tree(db, today=local_day(now)).unit(under).level_rank + 1
        vietnamese, english = LEVEL_NAMES.get(rank, (f"Cấp {rank}", f"Level {rank}"))
        units.create_level(db, rank=rank, name_vi=vietnamese, name_en=english)
        units.create_unit(
            db,
            NewUnit(unit_id, name, rank, under),
            now=now,
            actor=operator(),
            keyring=installation.keyring,
        )
    click.echo(f"{unit_id} is there")


@unit.command("import", epilog=example('loa unit import --province "Tuyên Quang"'))
@click.option("--province", required=True, help="Its name, marks left out at will, or its code.")
@click.option(
    "--with-former-districts",
    "former_districts",
    is_flag=True,
    help="Keep the districts of before July 2025 as groups, without rank.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be added, and add nothing.")
@state_option
def import_(province: str, former_districts: bool, dry_run: bool, state: Path | None) -> None:  # noqa: FBT001 - click's flags
    """Add a province of Viet Nam and its communes as they are since 1 July 2025.

    Each gets its official code, its coordinates and a signing key. What is there already stays as
    it is, so the command may be run again.
    """
    with (
        open_installation(settings_from(state)) as installation,
        installation.sessions.begin() as db,
    ):
        if dry_run:
            added = founding.planned(
                db, country(), province=province, former_districts=former_districts
            )
        else:
            added = founding.found_province(
                db,
                country(),
                province=province,
                former_districts=former_districts,
                now=datetime.now(UTC),
                actor=operator(),
                keyring=installation.keyring,
            )
    click.echo(_told(added, "would be added" if dry_run else "added"))


def _told(founding: Founding, what: str) -> str:
    place = founding.province
    return (
        f"{place.name} ({place.unit_id}): {len(founding.new)} units {what}, "
        f"{founding.there} there already, {len(founding.groups)} groups {what}"
    )
