"""What can go wrong while sound is prepared or kept."""

from enum import StrEnum

from protocol.ids import AssetDigest


class AudioLibraryError(Exception):
    """Root of this package's errors."""


class Reason(StrEnum):
    """Why a file was refused; stable, because pages translate from it."""

    EMPTY = "empty"
    NOT_AUDIO = "not_audio"
    DAMAGED = "damaged"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    SILENT = "silent"
    TIMEOUT = "timeout"


class RefusedAudioError(AudioLibraryError):
    """A file cannot go on air as it is; whoever brought it must bring another."""

    def __init__(self, reason_code: Reason, detail: str) -> None:
        """Keep the code, which people are told, and the detail, which is for the log."""
        self.reason_code = reason_code
        self.detail = detail
        super().__init__(f"{reason_code.value}: {detail}")


class PreparationError(AudioLibraryError):
    """Preparing failed for a reason that lies with this machine, not with the file."""

    def __init__(self, detail: str) -> None:
        """Keep what the tool said last."""
        self.detail = detail
        super().__init__(f"the audio could not be prepared: {detail}")


class StoreError(AudioLibraryError):
    """The disk did not take a file."""

    def __init__(self, detail: str) -> None:
        """Keep what the system said."""
        self.detail = detail
        super().__init__(f"the audio could not be stored: {detail}")


class MissingAssetError(AudioLibraryError):
    """No file is kept under this digest."""

    def __init__(self, digest: AssetDigest) -> None:
        """Keep the digest."""
        self.digest = digest
        super().__init__(f"no such asset: {digest}")


class BadManifestError(AudioLibraryError):
    """The description next to a file is not one this version wrote."""

    def __init__(self, digest: AssetDigest, detail: str) -> None:
        """Keep whose description it is and what is wrong with it."""
        self.digest = digest
        self.detail = detail
        super().__init__(f"manifest of {digest}: {detail}")


class SpeechError(AudioLibraryError):
    """A text could not be spoken."""

    def __init__(self, detail: str) -> None:
        """Keep what the engine said."""
        self.detail = detail
        super().__init__(f"the text could not be spoken: {detail}")


class CompositionError(AudioLibraryError):
    """Parts cannot be joined into one short piece."""

    def __init__(self, detail: str) -> None:
        """Keep what is wrong with them."""
        self.detail = detail
        super().__init__(f"the parts could not be joined: {detail}")


class TextTooLongError(AudioLibraryError):
    """A text is longer than an announcement may be."""

    def __init__(self, characters: int, most: int) -> None:
        """Keep both lengths."""
        self.characters = characters
        self.most = most
        super().__init__(f"{characters} characters; at most {most}")
