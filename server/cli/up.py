"""``loa up``: the whole server on one machine, as child processes of one command."""

from pathlib import Path

import click
from sqlalchemy import select

from server.cli.installation import prepare
from server.cli.options import example, settings_from, state_option
from server.cli.programs import server_programs, stop_on_signals
from server.cli.remembered import remember
from server.cli.state import hold_state
from server.cli.supervisor import Supervisor
from server.mqtt.broker import choose_broker
from server.observability import set_up_logging
from server.settings import Settings
from server.store.engine import open_engine, open_sessions
from server.store.models.accounts import UserRow

FIRST_STEPS = """Nobody can log in yet. Make a province and its first administrator:
  loa unit add tinh-tuyen-quang --name "Tỉnh Tuyên Quang" --level 0
  loa user add thu-quan-tri --role admin --unit tinh-tuyen-quang"""


@click.command(epilog=example("loa up --state /var/lib/loalang --port 8080"))
@state_option
@click.option("--host", help="Address to listen on.  [default: LOA_HOST, else 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on.  [default: LOA_PORT, else 8080]")
@click.option(
    "--broker",
    type=click.Choice(["auto", "mosquitto", "amqtt"]),
    default="auto",
    show_default=True,
    help="auto: Debian's mosquitto where it is found, else amqtt.",
)
def up(state: Path | None, host: str | None, port: int | None, broker: str) -> None:
    """Run broker, gateway, scheduler and web on this machine, until Ctrl-C.

    The database is brought up to date first. A program that dies is started again.
    """
    set_up_logging()
    kind = choose_broker(broker)
    settings = settings_from(state, host=host, port=port, mqtt_version=kind.mqtt_version)
    stop = stop_on_signals()
    with hold_state(settings.state_dir):
        prepare(settings)
        remember(settings)
        with Supervisor(settings.state_dir / "log") as supervisor:
            for program in server_programs(settings, kind):
                supervisor.start(program)
            supervisor.wait_ready(stop)
            if not stop.is_set():
                greet(settings)
            supervisor.watch(stop)


def greet(settings: Settings) -> None:
    """Say where the pages are, and what is to be done on an empty database."""
    click.echo(f"Loa Làng: {settings.address}   (Ctrl-C stops; logs in {settings.state_dir}/log)")
    engine = open_engine(settings.database)
    with open_sessions(engine, reads_only=True).begin() as db:
        if db.scalar(select(UserRow.id).limit(1)) is None:
            click.echo(FIRST_STEPS)
    engine.dispose()
