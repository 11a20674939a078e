"""What can go wrong on a node: one class for each different reaction of a caller."""

from datetime import datetime
from enum import StrEnum


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

    def __init__(self, claim_id: str, piece: str, offset_s: float) -> None:
        super().__init__(
            f"sound {claim_id}: {piece} at {offset_s:.3f} s begins before the piece ahead ends"
        )
        self.claim_id = claim_id
        self.piece = piece
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


class Stall(StrEnum):
    """Why a station is not heard."""

    NO_ANSWER = "no-answer"
    REFUSED = "refused"
    FORBIDDEN = "forbidden"
    NOT_AUDIO = "not-audio"
    LOST = "lost"


class StationError(EdgeError):
    """A radio station cannot be heard: it does not answer, may not be asked, or sends no sound."""

    def __init__(self, stall: Stall, reason: str) -> None:
        super().__init__(f"station: {stall.value}: {reason}")
        self.stall = stall
        self.reason = reason


class BadSettingError(EdgeError):
    """A node cannot start with what it was told."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class FetchError(EdgeError):
    """An audio file could not be had from one address; another or a later try may do."""

    def __init__(self, digest: str, reason: str) -> None:
        super().__init__(f"audio {digest[:12]}: {reason}")
        self.digest = digest
        self.reason = reason


class FetchOutrankedError(EdgeError):
    """A download gave way to a more urgent one; what it has is kept."""


class StoreError(EdgeError):
    """The disk keeps nothing; what is in memory still counts.

    Attributes:
        trouble: ``disk-full``, ``disk-read-only`` or ``disk-failing``.
    """

    def __init__(self, trouble: str, reason: str) -> None:
        super().__init__(f"{trouble}: {reason}")
        self.trouble = trouble


class ThreadDiedError(EdgeError):
    """A thread ended by itself: the node program must end, to be started again."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"thread {name} ended: {reason}")
        self.name = name
        self.reason = reason


class PinError(EdgeError):
    """The board has no such pin, or it cannot be driven."""

    def __init__(self, pin: int, reason: str) -> None:
        super().__init__(f"pin {pin}: {reason}")
        self.pin = pin
        self.reason = reason
