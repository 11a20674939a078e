"""Going on air, as programs ask for it."""

from typing import Annotated

from pydantic import Field

from server.api.schemas.broadcasts import MeantRequest
from server.api.schemas.common import Answer, Instant


class MicrophoneRequest(MeantRequest):
    """What is going to be spoken live; the same ``request_id`` goes on air once."""


class TicketAnswer(Answer):
    """A ticket: the first thing that is said over a connection to ``microphone``."""

    ticket: str
    expires_at: Instant
    microphone: Annotated[str, Field(description="Address of the WebSocket.")]
    delay_s: Annotated[float, Field(description="Every word is heard so long after it is spoken.")]
    max_length_s: float
