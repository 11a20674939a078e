"""What can go wrong between the gateway and the broker."""

from server.domain.errors import ServerError


class PublishRefusedError(ServerError):
    """The link did not take a message; it stays in the outbox."""

    def __init__(self, topic: str, reason: str) -> None:
        """Keep where it was to go, and why not."""
        self.topic = topic
        self.reason = reason
        super().__init__(f"not published on {topic}: {reason}")


class NoMosquittoError(ServerError):
    """Mosquitto was asked for and is not installed."""

    def __init__(self) -> None:
        super().__init__("mosquitto is not installed: apt-get install mosquitto, or choose amqtt")


class BrokerAwayError(ServerError):
    """There is no broker to speak to."""

    def __init__(self) -> None:
        super().__init__("no broker")
