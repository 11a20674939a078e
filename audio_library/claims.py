"""What the first bytes of a file claim: which kind it is, and how long it promises to be.

FFmpeg drops a promise that the file's size contradicts, which is exactly when a truncated upload
has to be noticed; so the promises of MP3 and WAV are read here.
"""

from enum import Enum

HEAD_BYTES = 64

_ID3_HEADER_BYTES = 10
_WAV_HEADER_BYTES = 32
_NO_PROMISE_BYTES = 0x7F000000

_ACCEPTED_AT = (
    (0, b"ID3"),
    (0, b"OggS"),
    (0, b"fLaC"),
    (0, b"\x1a\x45\xdf\xa3"),
    (4, b"ftyp"),
    (8, b"WAVE"),
)
_FOREIGN_AT = (
    (0, b"#!AMR"),
    (0, b"caff"),
    (0, b"MThd"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),  # ASF, which carries WMA
    (0, b".RMF"),
    (8, b"AIFF"),
    (8, b"AIFC"),
    (8, b"AVI "),
)


class Kind(Enum):
    """What a file looks like before any decoder has seen it."""

    ACCEPTED = "accepted"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


def kind_of(head: bytes) -> Kind:
    """Judge a file by its first bytes, to tell damaged audio from what never was audio."""
    if _matches(head, _FOREIGN_AT):
        return Kind.FOREIGN
    if _matches(head, _ACCEPTED_AT):
        return Kind.ACCEPTED
    return Kind.UNKNOWN


def xing_frames(head: bytes) -> int | None:
    """Read the number of MPEG frames an MP3's Xing header promises."""
    for tag in (b"Xing", b"Info"):
        at = head.find(tag)
        if 0 <= at <= len(head) - 12 and head[at + 7] & 1:
            return int.from_bytes(head[at + 8 : at + 12], "big")
    return None


def wav_duration_s(head: bytes) -> float | None:
    """Read how long a WAV's RIFF header promises it to be.

    Programs that write into a pipe promise nothing, 4 GB or (eSpeak NG) 2 GB.
    """
    if head[:4] != b"RIFF" or head[12:16] != b"fmt " or len(head) < _WAV_HEADER_BYTES:
        return None
    size_bytes = int.from_bytes(head[4:8], "little")
    bytes_per_s = int.from_bytes(head[28:32], "little")
    if bytes_per_s == 0 or not 0 < size_bytes < _NO_PROMISE_BYTES:
        return None
    return size_bytes / bytes_per_s


def after_id3(head: bytes) -> int:
    """Tell where the audio begins behind an ID3v2 tag, whose length is in 7-bit bytes."""
    if len(head) < _ID3_HEADER_BYTES or not head.startswith(b"ID3"):
        return 0
    length = 0
    for byte in head[6:10]:
        length = length << 7 | byte & 0x7F
    return _ID3_HEADER_BYTES + length


def _matches(head: bytes, table: tuple[tuple[int, bytes], ...]) -> bool:
    return any(head[at : at + len(magic)] == magic for at, magic in table)
