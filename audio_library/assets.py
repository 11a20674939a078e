"""The values of this package: what an asset is, what it came from, what is accepted."""

from dataclasses import dataclass

from protocol.ids import AssetDigest

RATE_HZ = 48_000
RECIPE = "opus-48k-mono-1"
"""Names the way assets are made; changes whenever the same source would give other bytes."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud a piece is, by EBU R 128, as one channel.

    Attributes:
        integrated_lufs: Gated loudness of the whole; -70 where nothing passed the gate.
        peak_dbtp: Highest true peak; -120 for digital silence.
    """

    integrated_lufs: float
    peak_dbtp: float


@dataclass(frozen=True, slots=True)
class Origin:
    """What the file was before it was prepared.

    Attributes:
        size_bytes: Length of the source as it was brought.
        container: Demuxer's name, such as ``mp3`` or ``matroska``.
        codec: Decoder's name.
        rate_hz: Sampling rate it declared.
        channels: Number of channels it declared.
        loudness: Loudness of its mono down-mix, before any gain.
        lost_packets: Packets that did not decode and are missing from the asset.
    """

    size_bytes: int
    container: str
    codec: str
    rate_hz: int
    channels: int
    loudness: Loudness
    lost_packets: int


@dataclass(frozen=True, slots=True)
class Asset:
    """An audio file ready for nodes: Ogg/Opus, mono, 48 kHz, levelled.

    Attributes:
        digest: SHA-256 of the file, and its name.
        frames: Samples that sound when it is decoded, at 48 kHz.
        size_bytes: Length of the file.
        loudness_lufs: Integrated loudness of what sounds.
        peak_dbtp: True peak of what sounds.
        gain_db: Gain that was applied to the down-mix.
        source_digest: SHA-256 of the file it was made from.
        recipe: How it was made.
        origin: What it was made from.
    """

    digest: AssetDigest
    frames: int
    size_bytes: int
    loudness_lufs: float
    peak_dbtp: float
    gain_db: float
    source_digest: str
    recipe: str
    origin: Origin

    @property
    def duration_s(self) -> float:
        """Tell how long it sounds, to the sample."""
        return self.frames / RATE_HZ


@dataclass(frozen=True, slots=True)
class Limits:
    """What is accepted, and what preparing it may cost.

    Attributes:
        max_size_bytes: Longer files are refused unread.
        min_duration_s: Shorter ones are slips of the finger.
        max_duration_s: Longer ones are no programme.
        memory_bytes: Address space of the child that decodes.
        wall_s: Seconds after which the child is ended, whatever it does.
    """

    max_size_bytes: int = 500_000_000
    min_duration_s: float = 0.2
    max_duration_s: float = 4 * 3600.0
    memory_bytes: int = 1_500_000_000
    wall_s: float = 1800.0


DEFAULT_LIMITS = Limits()
