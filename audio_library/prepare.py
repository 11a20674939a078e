"""From an untrusted file to Ogg/Opus, in a process of its own.

``python -m audio_library.prepare SOURCE OUT LIMITS`` prints one JSON object. Decoders are the
softest part of the server, so they run where memory and time are bounded and where there is
neither a secret in the environment nor a connection to steal.
"""

import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from audio_library.assets import RATE_HZ, Limits, Loudness
from audio_library.encode import encode
from audio_library.errors import PreparationError, Reason, RefusedAudioError
from audio_library.frames import MonoReader
from audio_library.loudness import Meter, gain_db, is_silent
from audio_library.probe import Probe, probe
from audio_library.verdict import Prepared, Refused, Verdict

_MAX_LOST_SHARE = 0.02
_MIN_DECODED_SHARE = 0.98
# Encoders pad the first and last frame, and count the padding in what they promise.
_PADDING_S = 0.25
# Measured need: 0.05 s of processor per second of audio; the rest is for slower machines.
_CPU_S_PER_S = 0.5
_CPU_S_AT_LEAST = 60
_LOWEST_BYTES_PER_S = 500


@dataclass(frozen=True, slots=True)
class _Measured:
    frames: int
    loudness: Loudness
    packets: int
    lost_packets: int
    gap_s: float


def prepare(source: Path, out: Path, limits: Limits) -> Prepared:
    """Probe, measure, level, encode and verify.

    Raises:
        RefusedAudioError: The file cannot go on air.
        PreparationError: What was encoded does not decode to what went in.
    """
    found = probe(source, limits)
    _allow_cpu_s(source, found, limits)
    left_only = False
    measured = _measure(source, limits, left_only=left_only)
    _check_damage(found, measured)
    if is_silent(measured.loudness) and found.channels > 1:
        # Channels in opposite phase cancel each other; one alone is then the better down-mix.
        left_only = True
        measured = _measure(source, limits, left_only=left_only)
    _check_content(measured, limits)
    gain = gain_db(measured.loudness)
    with MonoReader(source, left_only=left_only) as reader:
        encode(reader, out, gain_db=gain)
    check = _measure(out, limits, left_only=False)
    if check.lost_packets or check.frames != measured.frames:
        raise PreparationError(f"{measured.frames} samples in, {check.frames} out")
    return Prepared(
        frames=check.frames,
        container=found.container,
        codec=found.codec,
        rate_hz=found.rate_hz,
        channels=found.channels,
        lost_packets=measured.lost_packets,
        before=measured.loudness,
        after=check.loudness,
        gain_db=gain,
    )


def _measure(path: Path, limits: Limits, *, left_only: bool) -> _Measured:
    meter = Meter()
    with MonoReader(path, left_only=left_only) as reader:
        for _ in meter.listen(reader):
            if meter.frames > limits.max_duration_s * RATE_HZ:
                raise RefusedAudioError(Reason.TOO_LONG, f"over {limits.max_duration_s:.0f} s")
    return _Measured(
        frames=meter.frames,
        loudness=meter.loudness(),
        packets=reader.packets,
        lost_packets=reader.lost_packets,
        gap_s=reader.gap_s,
    )


def _check_damage(found: Probe, measured: _Measured) -> None:
    # One packet is always forgiven: the last of a file that was cut, of which a FLAC of a few
    # seconds has but twenty.
    if measured.lost_packets > max(1, _MAX_LOST_SHARE * measured.packets):
        lost = f"{measured.lost_packets} of {measured.packets} packets do not decode"
        raise RefusedAudioError(Reason.DAMAGED, lost)
    duration_s = measured.frames / RATE_HZ
    # A page of Ogg whose checksum fails vanishes before it is counted as a packet. Other
    # containers jump in time without harm, as a recording does that was paused.
    if found.container == "ogg" and measured.gap_s > _MAX_LOST_SHARE * duration_s:
        raise RefusedAudioError(Reason.DAMAGED, f"{measured.gap_s:.2f} s are missing")
    claimed_s = found.claimed_duration_s or 0.0
    if duration_s < _MIN_DECODED_SHARE * claimed_s - _PADDING_S:
        raise RefusedAudioError(Reason.DAMAGED, f"{duration_s:.2f} s of {claimed_s:.2f} s decode")


def _check_content(measured: _Measured, limits: Limits) -> None:
    duration_s = measured.frames / RATE_HZ
    if measured.frames == 0:
        raise RefusedAudioError(Reason.DAMAGED, "nothing decodes")
    if duration_s < limits.min_duration_s:
        raise RefusedAudioError(Reason.TOO_SHORT, f"{duration_s:.3f} s")
    if is_silent(measured.loudness):
        raise RefusedAudioError(Reason.SILENT, f"{measured.loudness.peak_dbtp:.0f} dBTP at most")


def _allow_cpu_s(source: Path, found: Probe, limits: Limits) -> None:
    longest_s = source.stat().st_size / _LOWEST_BYTES_PER_S
    duration_s = min(found.claimed_duration_s or longest_s, limits.max_duration_s)
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard != resource.RLIM_INFINITY:
        allowed = min(hard, _CPU_S_AT_LEAST + int(duration_s * _CPU_S_PER_S))
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, hard))


def _confine(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most_s = int(limits.wall_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (min(_CPU_S_AT_LEAST, most_s), most_s))


def main(arguments: list[str]) -> None:
    """Prepare one file under the limits and print the verdict."""
    source, out, limits_json = arguments
    limits = msgspec.json.decode(limits_json, type=Limits)
    _confine(limits)
    try:
        verdict = Verdict(prepared=prepare(Path(source), Path(out), limits))
    except RefusedAudioError as error:
        verdict = Verdict(refused=Refused(error.reason_code, error.detail))
    except MemoryError as error:
        verdict = Verdict(refused=Refused(Reason.DAMAGED, f"wants too much memory: {error}"))
    sys.stdout.buffer.write(msgspec.json.encode(verdict))


if __name__ == "__main__":
    main(sys.argv[1:])
