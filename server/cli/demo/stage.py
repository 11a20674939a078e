"""Where the demo runs: its settings, and the server's programs and twelve nodes as processes.

Light to import: on a second run the web program is started before anything heavy is loaded here.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import msgspec

from server.cli.demo import province
from server.cli.nodefile import readdressed, write_private
from server.cli.programs import held_port, server_programs, web_program
from server.cli.remembered import remember
from server.cli.state import hold_state
from server.cli.supervisor import Program, Supervisor
from server.settings import Settings
from server.store.migrations import FOLDER as MIGRATIONS

HOST = "127.0.0.1"
MQTT_PORT = 1883

_BUILT = "demo-built"
"""Marks a state folder in which the province was built whole, with tables of which shape."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A demo whose pages answer.

    Attributes:
        settings: Of every program of it.
        supervisor: Keeps the programs.
        broker: Which broker was asked for.
    """

    settings: Settings
    supervisor: Supervisor
    broker: str

    def bring_all(self, heard: Path | None, stop: Event) -> None:
        """Start everything that is not running yet, the nodes last.

        Args:
            heard: Folder in which each node records what it sounds; None: nothing is recorded.
            stop: Set while waiting: whoever asked no longer wants it.
        """
        readdress_nodes(self.settings)
        for program in server_programs(self.settings, self.broker)[1:]:
            self.supervisor.start(program)
        # Nodes that find no broker would wait before they try again.
        self.supervisor.wait_ready(stop)
        if stop.is_set():
            return
        for program in node_programs(self.settings, heard):
            self.supervisor.start(program)


@contextmanager
def open_stage(state: Path, port: int, broker: str, stop: Event) -> Iterator[Stage]:
    """Build the demo where it is not built yet, and open its pages; on leaving, all ends."""
    with (
        hold_state(state),
        held_port(port) as found,
        held_port(found + 1) as live_port,
        held_port(MQTT_PORT) as mqtt_port,
        Supervisor(state / "log") as supervisor,
    ):
        settings = demo_settings(state, found, mqtt_port, live_port)
        _build(settings)
        supervisor.start(web_program(settings))
        from server.mqtt.broker import choose_broker  # noqa: PLC0415 - heavy: while web starts

        version = choose_broker(broker).mqtt_version
        settings = settings.model_copy(update={"mqtt_version": version})
        remember(settings)
        supervisor.wait_ready(stop)
        yield Stage(settings, supervisor, broker)


def demo_settings(state: Path, port: int, mqtt_port: int, live_port: int = 0) -> Settings:
    """Choose settings that keep the demo to this machine and away from any real installation.

    Everything that the environment might say about one is overruled: the demo's passwords are
    known to everybody.
    """
    return Settings(
        state_dir=state,
        database_url="",
        host=HOST,
        port=port,
        live_port=live_port,
        live_url="",
        public_url="",
        mqtt_host=HOST,
        mqtt_port=mqtt_port,
        mqtt_for_nodes=(),
        audio_for_nodes=(),
        demo=True,
    )


def node_programs(settings: Settings, heard: Path | None) -> tuple[Program, ...]:
    """List the twelve nodes; with ``heard`` each records there what its loudspeaker sounds."""
    files = province.node_files(settings.state_dir)
    programs = []
    for cluster in province.CLUSTERS:
        name = cluster.cluster_id
        output = "simulated" if heard is None else f"record:{heard / name}.wav"
        command = (
            *(sys.executable, "-m", "edge", "--node-file", str(files[name])),
            *("--state", str(_own_folder(settings.state_dir, name)), "--output", output),
            *("--fetch-spread", "0"),  # twelve nodes on this machine may ask at once
        )
        programs.append(Program(cluster.node_id, command, rank=2))
    return tuple(programs)


def keeps(state: Path, cluster: str, digest: str) -> bool:
    """Say whether the node of a cluster has a file on its own disk."""
    return (_own_folder(state, cluster) / "audio" / digest).exists()


def _own_folder(state: Path, cluster: str) -> Path:
    return state / "nodes" / cluster


def _build(settings: Settings) -> None:
    """Build the province, unless it is known to be there with the newest tables."""
    _show_logins(settings)
    mark = settings.state_dir / _BUILT
    shape = newest_migration()
    if mark.exists() and mark.read_text() == shape:
        return
    # Loads the audio library and the whole store, which a second run does not need so early.
    from server.cli.demo.seed import build  # noqa: PLC0415 - see above

    build(settings)
    mark.write_text(shape)


def _show_logins(settings: Settings) -> None:
    """Leave the log-ins where the first page finds them; only a demo's page shows any."""
    names = {one.unit_id: one.name for one in province.COMMUNES}
    names[province.PROVINCE] = province.PROVINCE_NAME
    shown = [
        {
            "username": login.username,
            "password": login.password,
            "full_name": login.full_name,
            "role": login.role.value,
            "unit_name": names[login.unit_id],
        }
        for login in province.LOGINS
    ]
    settings.demo_logins.write_bytes(msgspec.json.encode(shown))


def readdress_nodes(settings: Settings) -> None:
    """Tell the nodes where broker and audio are in this run; ports may have changed."""
    for path in province.node_files(settings.state_dir).values():
        write_private(path, readdressed(path.read_bytes(), settings))


def newest_migration() -> str:
    """Name the newest step of the tables' history; its files are numbered."""
    return max(path.stem for path in (MIGRATIONS / "versions").glob("*.py"))
