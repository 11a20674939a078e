"""``loa node``: run a node program here, or write the file with which a real box joins."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from server.cli.nodefile import node_file_bytes, write_private
from server.cli.operator import open_installation, operator
from server.cli.options import example, settings_from, state_option
from server.cli.remembered import recalled
from server.services import commissioning


@click.group(invoke_without_command=True, epilog=example("loa node --node-file node-ban-cap.json"))
@click.option(
    "--node-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file that `loa node add` wrote.",
)
@click.option("--state", type=click.Path(path_type=Path), help="Where the node keeps its things.")
@click.option("--output", help="alsa, alsa:NAME, pulse, record:FILE.wav or simulated.")
@click.option("--board", help="Board profile, or none.")
@click.pass_context
def node(
    ctx: click.Context,
    node_file: Path | None,
    state: Path | None,
    output: str | None,
    board: str | None,
) -> None:
    """Run one node on this machine, until stopped; or add one to the installation."""
    if ctx.invoked_subcommand is not None:
        return
    if node_file is None:
        raise click.UsageError("give --node-file, or the subcommand add")
    arguments = [sys.executable, "-m", "edge", "--node-file", str(node_file)]
    for name, value in (("--state", state), ("--output", output), ("--board", board)):
        if value is not None:
            arguments += [name, str(value)]
    os.execv(sys.executable, arguments)  # noqa: S606 - becomes the node, so that signals reach it


@node.command(epilog=example("loa node add ban-cap --out node-ban-cap.json"))
@click.argument("cluster_id")
@click.option("--node-id", help="Name of the node, never used before.  [default: made of the day]")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, readable by its owner alone.  [default: NODE.json]",
)
@state_option
def add(cluster_id: str, node_id: str | None, out: Path | None, state: Path | None) -> None:
    """Commission a new node at CLUSTER_ID and write the file with which it joins.

    The node that was there before is decommissioned at once. The file holds the node's password:
    bring it onto the box, and delete it here.
    """
    settings = recalled(settings_from(state))
    now = datetime.now(UTC)
    name = node_id or f"node-{cluster_id}-{now:%Y%m%d%H%M%S}"
    with open_installation(settings) as installation, installation.sessions.begin() as db:
        credentials = commissioning.commission(
            db,
            node_id=name,
            cluster_id=cluster_id,
            now=now,
            actor=operator(),
            keyring=installation.keyring,
            audio_urls=settings.audio_for_nodes,
        )
        path = out or Path(f"{name}.json")
        # Before the commit: a node whose password nobody has would be of no use.
        write_private(
            path, node_file_bytes(name, credentials.secret, credentials.root_key, settings)
        )
    click.echo(f"{name} is commissioned at {cluster_id}; its file: {path}")
