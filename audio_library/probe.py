"""What a file is, before anything else touches it.

The only module that opens untrusted containers. FFmpeg is told which demuxers and protocols it
may use: a playlist renamed to .mp3 could otherwise make it read other files of the server.
"""

from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from audio_library.assets import Limits
from audio_library.claims import (
    HEAD_BYTES,
    Kind,
    after_id3,
    kind_of,
    wav_duration_s,
    xing_frames,
)
from audio_library.errors import Reason, RefusedAudioError

_CONTAINERS = "mp3,ogg,wav,flac,aac,mov,matroska"
_CODECS = frozenset(
    {"mp3", "mp3float", "vorbis", "opus", "libopus", "flac", "aac", "alac"},
)
_MIN_RATE_HZ = 8_000
_MAX_RATE_HZ = 192_000
_MAX_CHANNELS = 8
_FIRST_FRAME_BYTES = 4096
_MPEG1_MIN_RATE_HZ = 32_000


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file claims to be; nothing of it has been decoded.

    Attributes:
        container: Demuxer's first name.
        codec: Decoder's name.
        rate_hz: Declared sampling rate.
        channels: Declared number of channels.
        claimed_duration_s: Promised length, or None where the container promises none
            (recordings of a browser's MediaRecorder do not).
    """

    container: str
    codec: str
    rate_hz: int
    channels: int
    claimed_duration_s: float | None


def open_audio(path: Path) -> tuple[InputContainer, AudioStream]:
    """Open a file with every door but the file itself shut; the caller closes it.

    Raises:
        RefusedAudioError: No accepted container, or no sound in it.
    """
    try:
        container = av.open(
            str(path.resolve()),
            options={"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except av.FFmpegError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if not container.streams.audio:
        others = len(container.streams)
        container.close()
        if others:
            raise RefusedAudioError(Reason.NOT_AUDIO, "the file has no audio stream")
        raise _unreadable(path, "no stream at all")
    stream = container.streams.audio[0]
    if stream.codec_context.sample_rate == 0:
        container.close()
        raise _unreadable(path, "no frame with a sampling rate")
    stream.codec_context.thread_count = 1
    return container, stream


def probe(path: Path, limits: Limits) -> Probe:
    """Tell what a file claims to be, or refuse it by what it claims.

    Raises:
        RefusedAudioError: Too large, too long, or of a kind that is not accepted.
    """
    _check_size(path, limits)
    container, stream = open_audio(path)
    with container:
        found = Probe(
            container=container.format.name.partition(",")[0],
            codec=stream.codec_context.name,
            rate_hz=stream.codec_context.sample_rate,
            channels=stream.codec_context.channels,
            claimed_duration_s=_claimed_duration_s(path, container, stream),
        )
    _check(found, limits)
    return found


def _check_size(path: Path, limits: Limits) -> None:
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise RefusedAudioError(Reason.EMPTY, "the file has no bytes")
    if size_bytes > limits.max_size_bytes:
        raise RefusedAudioError(Reason.TOO_LARGE, f"{size_bytes} bytes")


def _check(found: Probe, limits: Limits) -> None:
    if found.codec not in _CODECS and not found.codec.startswith("pcm_"):
        raise RefusedAudioError(Reason.UNSUPPORTED, f"codec {found.codec}")
    if not _MIN_RATE_HZ <= found.rate_hz <= _MAX_RATE_HZ:
        raise RefusedAudioError(Reason.UNSUPPORTED, f"sampling rate {found.rate_hz} Hz")
    if not 1 <= found.channels <= _MAX_CHANNELS:
        raise RefusedAudioError(Reason.UNSUPPORTED, f"{found.channels} channels")
    if (found.claimed_duration_s or 0.0) > limits.max_duration_s:
        raise RefusedAudioError(Reason.TOO_LONG, f"{found.claimed_duration_s:.0f} s claimed")


def _unreadable(path: Path, detail: str) -> RefusedAudioError:
    with path.open("rb") as file:
        kind = kind_of(file.read(HEAD_BYTES))
    match kind:
        case Kind.ACCEPTED:
            return RefusedAudioError(Reason.DAMAGED, detail)
        case Kind.FOREIGN:
            return RefusedAudioError(Reason.UNSUPPORTED, detail)
        case Kind.UNKNOWN:
            return RefusedAudioError(Reason.NOT_AUDIO, detail)


def _claimed_duration_s(path: Path, container: InputContainer, stream: AudioStream) -> float | None:
    name = container.format.name
    if name == "mp3":
        return _xing_duration_s(path, stream.codec_context.sample_rate)
    if name == "aac":
        # Raw AAC promises nothing; FFmpeg guesses from the bit rate.
        return None
    promised_s = None if container.duration is None else container.duration / av.time_base
    if name == "wav":
        with path.open("rb") as file:
            return wav_duration_s(file.read(HEAD_BYTES)) or promised_s
    return promised_s


def _xing_duration_s(path: Path, rate_hz: int) -> float | None:
    with path.open("rb") as file:
        file.seek(after_id3(file.read(HEAD_BYTES)))
        frames = xing_frames(file.read(_FIRST_FRAME_BYTES))
    if frames is None or rate_hz <= 0:
        return None
    return frames * (1152 if rate_hz >= _MPEG1_MIN_RATE_HZ else 576) / rate_hz
