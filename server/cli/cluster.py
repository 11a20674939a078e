"""``loa cluster``: add clusters of loudspeakers."""

from datetime import UTC, datetime
from pathlib import Path

import click

from server.cli.operator import open_installation, operator
from server.cli.options import example, settings_from, state_option
from server.services import units


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
@state_option
def add(  # noqa: PLR0917 - one for each option
    cluster_id: str,
    name: str,
    unit_id: str,
    village: str,
    at: tuple[float, float] | None,
    people: int,
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
    )
    with (
        open_installation(settings_from(state)) as installation,
        installation.sessions.begin() as db,
    ):
        units.create_cluster(db, new, now=datetime.now(UTC), actor=operator())
    click.echo(f"{cluster_id} is there")
