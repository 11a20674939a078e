"""``loa unit``: add administrative units."""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec
from pydantic import ValidationError

from server.api.reforms import proposal_of
from server.api.schemas.reforms import ReformRequest
from server.cli.errors import ReformFaultsError
from server.cli.operator import open_installation, operator
from server.cli.options import example, settings_from, state_option
from server.domain.recurrence import local_day
from server.domain.reforms import Proposal
from server.domain.units import NewUnit
from server.http.wording import finding_in_english
from server.services import founding, reforming, units
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


@unit.command("propose", epilog=example("loa unit propose tinh-ha-giang ke-hoach.json"))
@click.argument("unit_id")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--from",
    "valid_from",
    type=click.DateTime(["%Y-%m-%d", "%d/%m/%Y"]),
    help="The day of the reform.  [default: tomorrow]",
)
@state_option
def propose(unit_id: str, file: Path, valid_from: datetime | None, state: Path | None) -> None:
    """Write to FILE what the reform of July 2025 does with the old communes under UNIT_ID.

    Look it through, change it where the decision says something else, and give it to
    `loa unit reform`.
    """
    now = datetime.now(UTC)
    day = local_day(now) + timedelta(days=1) if valid_from is None else valid_from.date()
    with (
        open_installation(settings_from(state)) as installation,
        installation.sessions.begin() as db,
    ):
        proposal = reforming.propose_july_2025(
            db, country(), under=unit_id, valid_from=day, now=now, actor=operator()
        )
    file.write_bytes(msgspec.json.format(msgspec.json.encode(proposal), indent=2))
    click.echo(f"{file}: {len(proposal.ways)} units change or end, {len(proposal.born)} come to be")


@unit.command("reform", epilog=example("loa unit reform ke-hoach.json --dry-run"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@state_option
def reform(file: Path, dry_run: bool, state: Path | None) -> None:  # noqa: FBT001 - click's flag
    """Carry out the reform of the tree that FILE (JSON or TOML) describes: all of it, or nothing.

    It takes effect by itself at midnight of its day. The file's fields are those that the API
    takes at /api/v1/reforms.
    """
    proposal = _proposal(file)
    now = datetime.now(UTC)
    with (
        open_installation(settings_from(state)) as installation,
        installation.sessions.begin() as db,
    ):
        keyring = installation.keyring
        verdict = reforming.examine(db, proposal, now=now, actor=operator(), keyring=keyring)
        if verdict.findings:
            raise ReformFaultsError([finding_in_english(one) for one in verdict.findings])
        if not dry_run:
            reforming.apply(
                db, proposal, seen=verdict.digest, now=now, actor=operator(), keyring=keyring
            )
    click.echo(_reformed(verdict, "would be " if dry_run else "are "))


def _proposal(file: Path) -> Proposal:
    content = file.read_bytes()
    try:
        said = (
            tomllib.loads(content.decode())
            if file.suffix.lower() == ".toml"
            else msgspec.json.decode(content)
        )
        return proposal_of(ReformRequest.model_validate(said))
    except ValidationError as error:
        raise ReformFaultsError(
            [
                f"{'.'.join(str(step) for step in one['loc']) or 'the file'}: {one['msg']}"
                for one in error.errors()
            ]
        ) from error
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ReformFaultsError([f"{file.name}: {error}"]) from error


def _reformed(verdict: reforming.Verdict, what: str) -> str:
    drawing, found = verdict.drawing, verdict.effects
    day = f"{verdict.proposal.valid_from:%d/%m/%Y}"
    passed = len(found.slots) - len(found.ending())
    return (
        f"on {day}: {len(drawing.born)} units come to be, {len(drawing.ended)} end, "
        f"{len(drawing.reparented)} change their place\n"
        f"{len(drawing.moves)} clusters {what}moved\n"
        f"{passed} slots {what}passed on, {len(found.ending())} {what}ended, "
        f"{len(found.silenced)} silent in quiet hours of other units\n"
        f"{len(found.frames)} hours, {len(found.grants)} rights and {len(found.groups)} groups "
        f"{what}concerned"
    )


def _told(founding: Founding, what: str) -> str:
    place = founding.province
    return (
        f"{place.name} ({place.unit_id}): {len(founding.new)} units {what}, "
        f"{founding.there} there already, {len(founding.groups)} groups {what}"
    )
