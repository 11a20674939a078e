"""``loa unit``: add administrative units."""

from datetime import UTC, datetime
from pathlib import Path

import click

from server.cli.operator import open_installation, operator
from server.cli.options import example, settings_from, state_option
from server.domain.recurrence import local_day
from server.services import units

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
            units.NewUnit(unit_id, name, rank, under),
            now=now,
            actor=operator(),
            keyring=installation.keyring,
        )
    click.echo(f"{unit_id} is there")
