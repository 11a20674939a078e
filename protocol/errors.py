"""Everything that can be wrong with what came over the wire."""

from enum import StrEnum


class ProtocolError(Exception):
    """Root of this package's errors."""


class BadIdError(ProtocolError):
    """A text cannot name anything on the wire."""

    def __init__(self, text: str) -> None:
        """Keep the offending text, cut to a length that can be logged."""
        self.text = text[:80]
        super().__init__(f"not an identifier: {self.text!r}")


class BadTopicError(ProtocolError):
    """A topic is none of ours."""

    def __init__(self, topic: str) -> None:
        """Keep the topic."""
        self.topic = topic[:200]
        super().__init__(f"not one of our topics: {self.topic!r}")


class Refusal(StrEnum):
    """Why a receiver did not act on a message; the wire form of a refusal report's reason."""

    GARBLED = "garbled"
    TOO_LARGE = "too-large"
    UNKNOWN_KIND = "unknown-kind"
    UNSIGNED = "unsigned"
    UNKNOWN_KEY = "unknown-key"
    REVOKED_KEY = "revoked-key"
    FORGED = "forged"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    WRONG_AUDIENCE = "wrong-audience"
    OUT_OF_SCOPE = "out-of-scope"
    CLASS_NOT_ALLOWED = "class-not-allowed"
    QUIET_HOURS = "quiet-hours"
    HUSHED = "hushed"
    BUSY = "busy"
    UNABLE = "unable"
    REPLAYED = "replayed"
    STALE_VERSION = "stale-version"
    NO_CONFIG = "no-config"
    UNTRUSTED_CLOCK = "untrusted-clock"


class RefusedError(ProtocolError):
    """A message is not to be acted on."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        """Keep the reason, and the detail in a form that can be logged, reported and stored."""
        self.refusal = refusal
        # It may quote what an enemy wrote: half a surrogate pair could not be encoded again.
        self.detail = detail.encode(errors="replace").decode().replace("\0", "?")[:200]
        super().__init__(f"{refusal.value}: {self.detail}" if detail else refusal.value)
