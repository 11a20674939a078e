"""One node: ``python -m edge --node-file FILE``."""

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.agent import Agent, state_paths
from edge.cache import Cache
from edge.certificates import Certificates
from edge.clock import Clock
from edge.delay import Delay
from edge.errors import EdgeError
from edge.fetch import Fetcher
from edge.gpio.amplifier import AmplifierRelay
from edge.gpio.box import Box
from edge.health import Health
from edge.inbox import Inbox
from edge.link import Delivery, Identity, Link, LinkEvent
from edge.listening import Listening, NoEar
from edge.live import LiveDesk
from edge.machine import Machine
from edge.observability import configure
from edge.parts import AgentEvent, Parts, Stop
from edge.player.engine import MixerPlayer
from edge.player.output import Output, open_output
from edge.player.reception import Receiver
from edge.player.spoken import Speaking
from edge.player.web import Web
from edge.schedule import Holdings
from edge.settings import NodeSettings, Overrides, environment, load, overrides_from
from edge.store import Store
from edge.talk import TalkDesk
from edge.watchdog import Watchdog
from protocol.ids import NodeId
from protocol.messages import Presence, PresenceState, encode
from protocol.topics import node_presence

_log = structlog.get_logger()

STARTED_AGAIN = 75
"""Exit status by which the program asks to be started again; BSD calls it a temporary failure."""

_TURN_S = 0.001
_NICE = -5


def main(arguments: list[str] | None = None) -> int:
    """Run one node until it is told to stop, and give the exit status."""
    said = _parser().parse_args(arguments)
    configure(json=not sys.stderr.isatty())
    _put_sound_first()
    around = environment()
    here = Overrides(
        state_dir=said.state,
        output=said.output,
        board=said.board,
        tls_ca=said.tls_ca,
        fetch_spread_s=said.fetch_spread,
    )
    try:
        settings = load(said.node_file, here.over(overrides_from(around)))
        agent = build(settings, Inbox(), Watchdog(around.get("NOTIFY_SOCKET", "")))
        return STARTED_AGAIN if agent.run() else 0
    except EdgeError as error:
        _log.error("node_failed", error=str(error))
        return 1


def build(settings: NodeSettings, events: Inbox[AgentEvent], watchdog: Watchdog) -> Agent:
    """Make the parts of a node, and let the signals end it.

    Raises:
        EdgeError: A device or a file that it needs is not to be had.
    """
    database, audio = state_paths(settings.state_dir)
    cache = Cache(audio)
    machine = Machine()
    clock = Clock(machine, settings.state_dir / "clock.json")
    delay = Delay(clock.now_s)
    certificates = Certificates(settings.tls_ca, lambda: clock.system_is_right)
    receiver = Receiver(Web(near=settings.near_stations))
    lost = Presence(node=settings.node, state=PresenceState.LOST)
    identity = Identity(
        settings.node, settings.secret, node_presence(NodeId(settings.node)), encode(lost)
    )
    desk = LiveDesk(events.put, clock=clock.now_s)
    talk = TalkDesk(settings.board.talk_key, settings.board.lead_s, clock.ticks_s)

    def came(event: LinkEvent) -> None:
        if not (isinstance(event, Delivery) and desk.takes(event)):
            events.put(event)

    amplifier = AmplifierRelay(settings.board)

    def listen(name: str) -> Speaking | None:
        return talk.speech(name) or desk.speech(name)

    def player(output: Output) -> MixerPlayer:
        return MixerPlayer(output, events, clock=delay.now_s, receive=receiver, listen=listen)

    output = open_output(settings.output, clock=clock.now_s)
    sounding, listening = _with_ear(settings, output, player, amplifier)
    parts = Parts(
        events=events,
        store=Store(database),
        cache=cache,
        amplifier=amplifier,
        box=Box(settings.board, events.put),
        live=desk,
        talk=talk,
        link=Link(identity, settings.mqtt, came, certificates),
        fetcher=Fetcher(
            cache,
            settings.node,
            settings.secret,
            events.put,
            certificates,
            spread_s=settings.fetch_spread_s,
        ),
        watchdog=watchdog,
        clock=clock,
        delay=delay,
        health=Health(settings.state_dir, machine.boot_id),
        listening=listening,
        software=_software(),
        equipment=settings.board.equipment,
        player=sounding,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: events.put(Stop()))
    root = Ed25519PublicKey.from_public_bytes(settings.root_key)
    return Agent(settings, Holdings(settings.node, root), parts)


def _with_ear(
    settings: NodeSettings,
    output: Output,
    player: Callable[[Output], MixerPlayer],
    amplifier: AmplifierRelay,
) -> tuple[MixerPlayer, Listening]:
    """Make the player, and what hears it where the board has an ear."""
    setup = settings.board.listening
    if setup is None:
        return player(output), NoEar()
    # A board without an ear does not pay for one.
    from edge.listening.listener import Listener  # noqa: PLC0415 - 1 MB, for those who need it
    from edge.listening.tap import TappedOutput  # noqa: PLC0415 - with the listener
    from edge.listening.tone import Loudspeaker  # noqa: PLC0415 - with the listener

    tapped = TappedOutput(output)
    sounding = player(tapped)
    loudspeaker = Loudspeaker(settings.node, sounding, amplifier, settings.board.lead_s)
    return sounding, Listener(setup, tapped, loudspeaker, settings.state_dir / "listening.json")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m edge",
        description="Run one node: decide, play and report.",
        epilog="Example: python -m edge --node-file node.json --output alsa",
    )
    parser.add_argument(
        "--node-file", type=Path, required=True, help="the file with which the node joins"
    )
    parser.add_argument("--state", type=Path, help="folder for what must not be forgotten")
    parser.add_argument("--output", help="alsa, alsa:DEVICE, pulse, record:FILE.wav or simulated")
    parser.add_argument("--board", help="board profile (TOML), or none")
    parser.add_argument("--tls-ca", type=Path, help="certificates that vouch for the servers")
    parser.add_argument(
        "--fetch-spread", type=int, metavar="S", help="longest random wait before a download"
    )
    return parser


def _put_sound_first() -> None:
    """Let the audio thread have its turn soon, whatever else runs here and on the board.

    A thread that decodes or reports may hold the interpreter for 5 ms by default, and the kernel
    may take the processor from it meanwhile: then the audio thread waits, whatever its own rank.
    """
    sys.setswitchinterval(_TURN_S)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)


def _software() -> str:
    try:
        return f"loalang {version('loalang')}"
    except PackageNotFoundError:
        return "loalang, not installed"


if __name__ == "__main__":
    sys.exit(main())
