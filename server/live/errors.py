"""What can be wrong with a microphone."""

from server.domain.errors import ServerError


class GarbledMicrophoneError(ServerError):
    """What came over a microphone's connection cannot be read; the connection ends."""

    def __init__(self, reason: str) -> None:
        """Keep what was wrong."""
        self.reason = reason
        super().__init__(f"microphone: {reason}")
