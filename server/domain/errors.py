"""Every rule that can be broken, one class for each different reaction of a caller."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with what was asked for; pages translate ``code`` with ``fields``."""

    code: str
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class ServerError(Exception):
    """Root of the server's errors."""


class NotAllowedError(ServerError):
    """The actor holds no grant for this, here."""

    def __init__(self, action: str, unit_id: str) -> None:
        """Keep what was tried, and where."""
        self.action = action
        self.unit_id = unit_id
        super().__init__(f"not allowed: {action} at {unit_id}")


class UnknownThingError(ServerError):
    """There is no such thing."""

    def __init__(self, kind: str, ref: str) -> None:
        """Keep what was looked for."""
        self.kind = kind
        self.ref = ref
        super().__init__(f"unknown {kind}: {ref}")


class TakenError(ServerError):
    """The name is already somebody's."""

    def __init__(self, kind: str, ref: str) -> None:
        """Keep the name."""
        self.kind = kind
        self.ref = ref
        super().__init__(f"{kind} already exists: {ref}")


class StaleError(ServerError):
    """Somebody else has changed it meanwhile; nothing was changed now."""

    def __init__(self, kind: str, ref: str) -> None:
        """Keep what has moved on."""
        self.kind = kind
        self.ref = ref
        super().__init__(f"changed meanwhile: {kind} {ref}")


class KeyMissingError(ServerError):
    """A unit has no valid signing key, or the root key is not on this machine."""

    def __init__(self, owner: str) -> None:
        """Keep whose key is missing."""
        self.owner = owner
        super().__init__(f"no valid signing key: {owner}")


class SealBrokenError(ServerError):
    """A sealed secret cannot be opened: it was sealed with another seal, or is damaged."""


class RefusedRequestError(ServerError):
    """A request broke one or more rules; nothing was changed."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        """Keep everything that was found wrong."""
        self.findings = tuple(findings)
        super().__init__("; ".join(finding.code for finding in self.findings))


class PatternError(ServerError):
    """The text of a recurrence cannot be used."""

    def __init__(self, finding: Finding) -> None:
        """Keep what is wrong with it."""
        self.finding = finding
        super().__init__(finding.code)


class SlotRefusedError(RefusedRequestError):
    """A slot cannot be saved."""


class WarningRefusedError(RefusedRequestError):
    """A prepared warning cannot be filled or recorded like that."""


class SpeechRefusedError(RefusedRequestError):
    """A text cannot be spoken as it is."""


class DeskRefusedError(RefusedRequestError):
    """The desk does not show, take back or copy that."""


class BroadcastRefusedError(RefusedRequestError):
    """A broadcast cannot be made."""


class SecondFactorNeededError(RefusedRequestError):
    """Whoever sends must first prove their second factor, or have somebody else confirm."""


class FactorRefusedError(RefusedRequestError):
    """A second factor cannot be set up, changed or proven like that."""


class TooOftenError(RefusedRequestError):
    """Something was tried more often than it may be; after a while it may be again."""

    def __init__(self, findings: Sequence[Finding], *, wait_s: int) -> None:
        """Keep how long to wait."""
        super().__init__(findings)
        self.wait_s = wait_s


class SecondPersonNeededError(RefusedRequestError):
    """Somebody else has to confirm before it sounds."""


class WaitingRefusedError(RefusedRequestError):
    """An announcement that waits for a second person cannot be confirmed or refused like that."""


class RuleRefusedError(RefusedRequestError):
    """A rule of who has to assent cannot be laid down like that."""


class HushRefusedError(RefusedRequestError):
    """A hush cannot be ordered or lifted."""


class UpkeepRefusedError(RefusedRequestError):
    """A cluster cannot be tried or set like that."""


class EscalationRefusedError(RefusedRequestError):
    """It cannot be laid down like that when clusters count as not answering."""


class ContactRefusedError(RefusedRequestError):
    """Somebody to be told, or a channel of theirs, cannot be entered or tested like that."""


class ExportRefusedError(RefusedRequestError):
    """More is asked for at once than is given out."""


class PreviewRefusedError(RefusedRequestError):
    """Nothing can be rehearsed of what was asked for."""


class FrameRefusedError(RefusedRequestError):
    """A time frame cannot be laid down or withdrawn."""


class GroupRefusedError(RefusedRequestError):
    """A group cannot be named, changed or forgotten."""


class ReformRefusedError(RefusedRequestError):
    """A reform of the tree cannot be approved, or its draft cannot be kept."""


class BulletinRefusedError(RefusedRequestError):
    """A bulletin cannot be saved, approved, sent, taken or declined."""
