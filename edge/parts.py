"""What a node is made of, and all that can happen to it."""

from dataclasses import dataclass

from edge.cache import Cache
from edge.clock import Clock
from edge.delay import Delay
from edge.fetch import Fetched, Fetcher
from edge.gpio.amplifier import AmplifierRelay
from edge.gpio.box import Box, PinEvent
from edge.health import Health
from edge.inbox import Inbox
from edge.link import Link, LinkEvent
from edge.listening import Listening
from edge.live import LiveDesk, LiveWord
from edge.player import Player, PlayerEvent
from edge.store import Store
from edge.talk import TalkDesk
from edge.watchdog import Watchdog


@dataclass(frozen=True, slots=True)
class Stop:
    """Event: the program is to end."""


AgentEvent = LinkEvent | Fetched | PlayerEvent | LiveWord | PinEvent | Stop


@dataclass(frozen=True, slots=True)
class Parts:
    """What the agent wires together.

    Attributes:
        events: The one queue, on which every other part puts what happened.
        clock: What is known of the time.
        delay: The clock that the player sounds by.
        listening: What hears the loudspeaker.
    """

    events: Inbox[AgentEvent]
    store: Store
    cache: Cache
    player: Player
    amplifier: AmplifierRelay
    box: Box
    live: LiveDesk
    talk: TalkDesk
    link: Link
    fetcher: Fetcher
    watchdog: Watchdog
    clock: Clock
    delay: Delay
    health: Health
    listening: Listening
    software: str = ""
    equipment: tuple[str, ...] = ()
