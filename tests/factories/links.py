"""A link to no broker: remembers what was published, confirms when the test says so."""

import queue
from dataclasses import dataclass, field

from server.mqtt.gateway import Confirmed, Connected, Signal


@dataclass(frozen=True, slots=True)
class Published:
    number: int
    topic: str
    payload: bytes
    retained: bool
    expiry_s: int | None


@dataclass
class FakeLink:
    """Refuses a topic with a wildcard, as the real one does."""

    signals: queue.SimpleQueue[Signal] = field(default_factory=queue.SimpleQueue)
    published: list[Published] = field(default_factory=list)

    def publish(
        self, topic: str, payload: bytes, *, retained: bool, expiry_s: int | None = None
    ) -> int:
        if "+" in topic or "#" in topic:
            raise ValueError(topic)
        number = len(self.published) + 1
        self.published.append(Published(number, topic, payload, retained, expiry_s))
        return number

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.published]

    def connect(self, *, state_kept: bool = True) -> None:
        self.signals.put(Connected(state_kept=state_kept))

    def confirm(self, *numbers: int) -> None:
        for number in numbers:
            self.signals.put(Confirmed(number))

    def refuse(self, number: int) -> None:
        self.signals.put(Confirmed(number, "Quota exceeded"))
