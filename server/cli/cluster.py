"""``loa cluster``: add clusters of loudspeakers."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from server.cli.errors import SheetFaultsError
from server.cli.operator import open_installation, operator
from server.cli.options import example, settings_from, state_option
from server.cli.remembered import recalled
from server.domain.clashes import WideningRefusedError
from server.domain.cluster_import import Verdict
from server.domain.cluster_sheets import Faults, SheetRefusedError
from server.domain.languages import NAMES
from server.http.wording import finding_in_english
from server.services import importing, units
from server.services.sheets import read_sheet, template
from server.settings import Settings


@click.group()
def cluster() -> None:
    """Look after clusters of loudspeakers."""


@cluster.command(
    epilog=example('loa cluster add ban-cap --name "Bản Cáp" --unit xa-vi-xuyen --people 615')
)
@click.argument("cluster_id")
@click.option("--name", required=True, help="What it is called.")
@click.option("--unit", "unit_id", required=True, help="Commune that it belongs to.")
@click.option("--village", default="", help="Village that it stands in.")
@click.option("--at", nargs=2, type=float, help="Latitude and longitude.")
@click.option("--people", type=click.IntRange(0), default=0, help="How many it reaches.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    type=click.Choice(tuple(NAMES)),
    metavar="CODE",
    help="Spoken there, for example vi, hmn, tyz; may be given several times.",
)
@state_option
def add(  # noqa: PLR0917 - one for each option
    cluster_id: str,
    name: str,
    unit_id: str,
    village: str,
    at: tuple[float, float] | None,
    people: int,
    languages: tuple[str, ...],
    state: Path | None,
) -> None:
    """Add the cluster CLUSTER_ID. Its id never changes; `loa node add` gives it a node."""
    latitude, longitude = at or (None, None)
    new = units.NewCluster(
        cluster_id,
        name,
        village or name,
        unit_id,
        latitude=latitude,
        longitude=longitude,
        people=people,
        languages=languages,
    )
    with (
        open_installation(settings_from(state)) as installation,
        installation.sessions.begin() as db,
    ):
        units.create_cluster(db, new, now=datetime.now(UTC), actor=operator())
    click.echo(f"{cluster_id} is there")


@cluster.command("import", epilog=example("loa cluster import cum-loa.xlsx --dry-run"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@state_option
def import_(file: Path, dry_run: bool, state: Path | None) -> None:  # noqa: FBT001 - click's flag
    """Add and change clusters as the spreadsheet FILE (XLSX or CSV) says: all of it, or nothing.

    `loa cluster template` writes the sheet to fill in.
    """
    try:
        verdict = _verdict(file, recalled(settings_from(state)), is_dry=dry_run)
    except SheetRefusedError as refused:
        raise SheetFaultsError(_lines(refused.faults)) from refused
    except WideningRefusedError as refused:
        lines = [finding_in_english(finding) for finding in refused.findings]
        raise SheetFaultsError(lines) from refused
    if verdict.faults or verdict.clashes:
        lines = [*_lines(verdict.faults), *map(finding_in_english, verdict.clashes)]
        raise SheetFaultsError(lines)
    click.echo(_told(verdict, "would be " if dry_run else ""))


@cluster.command("template", epilog=example("loa cluster template cum-loa.xlsx"))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@state_option
def template_(file: Path, state: Path | None) -> None:
    """Write the spreadsheet FILE to fill in, with the codes of the communes that are there."""
    with (
        open_installation(settings_from(state)) as installation,
        installation.sessions.begin() as db,
    ):
        communes = importing.communes(db, now=datetime.now(UTC), actor=operator())
    file.write_bytes(template(communes))
    click.echo(f"{file}: the template, with {len(communes)} communes")


def _verdict(file: Path, settings: Settings, *, is_dry: bool) -> Verdict:
    rows = read_sheet(file.read_bytes())
    now = datetime.now(UTC)
    with open_installation(settings) as installation, installation.sessions.begin() as db:
        if is_dry:
            return importing.examine(db, rows, now=now, actor=operator())
        return importing.import_clusters(
            db,
            rows,
            file_name=file.name[:200],
            now=now,
            actor=operator(),
            keyring=installation.keyring,
            audio_urls=settings.audio_for_nodes,
        )


def _told(verdict: Verdict, what: str) -> str:
    return (
        f"{len(verdict.new)} clusters {what}added, {len(verdict.changed)} {what}changed, "
        f"{verdict.same} stay as they are"
    )


def _lines(faults: Sequence[Faults]) -> list[str]:
    return [finding_in_english(finding) for kind in faults for finding in kind.told]
