"""What can go wrong on a node: one class for each different reaction of a caller."""

from datetime import datetime
from pathlib import Path


class EdgeError(Exception):
    """Anything a node refuses or cannot do."""


class NaiveInstantError(EdgeError):
    """A sound was asked for at an instant that says no time zone."""

    def __init__(self, claim_id: str, begins: datetime) -> None:
        super().__init__(f"sound {claim_id} begins at {begins.isoformat()}, which has no time zone")
        self.claim_id = claim_id
        self.begins = begins


class PieceOrderError(EdgeError):
    """The pieces of a sound overlap or stand in the wrong order."""

    def __init__(self, claim_id: str, path: Path, offset_s: float) -> None:
        super().__init__(
            f"sound {claim_id}: {path.name} at {offset_s:.3f} s begins before the piece ahead ends"
        )
        self.claim_id = claim_id
        self.path = path
        self.offset_s = offset_s


class SoundLengthError(EdgeError):
    """A sound or one of its pieces has a length, offset or gain that is no usable number."""

    def __init__(self, claim_id: str, field: str, value: float) -> None:
        super().__init__(f"sound {claim_id}: {field} cannot be {value}")
        self.claim_id = claim_id
        self.field = field
        self.value = value


class PlayerClosedError(EdgeError):
    """The player was closed, or its thread has ended, and plays nothing any more."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the player plays nothing any more: {reason}")
        self.reason = reason


class OutputError(EdgeError):
    """A sound device cannot be opened or stopped taking sound."""

    def __init__(self, device: str, reason: str) -> None:
        super().__init__(f"sound device {device}: {reason}")
        self.device = device
        self.reason = reason
