"""Short compositions, such as chime and speech: the only module that imports pydub.

pydub keeps everything in memory (3.3 GB for an hour), so what it may join is limited to a few
minutes; whatever is longer streams through ``prepare``.
"""

import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from audio_library.assets import RATE_HZ, Loudness
from audio_library.decode import pcm16
from audio_library.errors import CompositionError
from audio_library.loudness import CEILING_DBTP, TARGET_LUFS, is_silent, measure

with warnings.catch_warnings():
    # pydub 0.25.1 warns when it finds no ffmpeg of the system (ours is set below), and its
    # regular expressions warn when they are compiled for the first time.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment

MAX_LENGTH_S = 300.0
FORMATS = frozenset({"wav", "flac", "mp3"})
"""What a composition may be written as, by its suffix; only WAV needs no ffmpeg program."""


@dataclass(frozen=True, slots=True)
class Composition:
    """A joined piece.

    Attributes:
        path: Where it was written.
        starts_s: Where each part begins in it.
        duration_s: Its length.
    """

    path: Path
    starts_s: tuple[float, ...]
    duration_s: float


def compose(parts: Sequence[Path], gaps_s: Sequence[float], out: Path) -> Composition:
    """Join parts with silences between them, all brought to one loudness.

    Args:
        parts: Files of any accepted kind; trusted ones, since they are decoded right here.
        gaps_s: Silence after each part but the last; rounded to whole samples.
        out: The file to write; its suffix names the format.

    Raises:
        CompositionError: Too long, no parts, or not one gap between each two.
    """
    if not parts or len(gaps_s) != len(parts) - 1:
        raise CompositionError(f"{len(parts)} parts with {len(gaps_s)} gaps")
    if out.suffix[1:] not in FORMATS:
        raise CompositionError(f"no format {out.suffix}")
    gains = shared_gains_db([measure(part) for part in parts])
    whole = _segment(b"")
    starts_s: list[float] = []
    for part, gain, gap_s in zip(parts, gains, (*gaps_s, 0.0), strict=True):
        starts_s.append(whole.frame_count() / RATE_HZ)
        whole += _loaded(part).apply_gain(gain)
        whole += _segment(bytes(2 * round(gap_s * RATE_HZ)))
        if whole.frame_count() > MAX_LENGTH_S * RATE_HZ:
            raise CompositionError(f"longer than {MAX_LENGTH_S:.0f} s")
    AudioSegment.converter = str(ffmpeg_program())
    whole.export(str(out), format=out.suffix[1:]).close()
    return Composition(out, tuple(starts_s), whole.frame_count() / RATE_HZ)


def shared_gains_db(parts: Sequence[Loudness]) -> tuple[float, ...]:
    """Decide the gain of each part, so that all are equally loud and none needs a limiter.

    They meet at the target, or at the loudest that the part with the sharpest peaks reaches.
    """
    heard = [part for part in parts if not is_silent(part)]
    reach = [part.integrated_lufs + CEILING_DBTP - part.peak_dbtp for part in heard]
    common_lufs = min([TARGET_LUFS, *reach])
    return tuple(0.0 if is_silent(part) else common_lufs - part.integrated_lufs for part in parts)


@cache
def ffmpeg_program() -> Path:
    """Find ffmpeg: the system's, else the one inside the imageio-ffmpeg package."""
    return Path(shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe())


def _loaded(part: Path) -> AudioSegment:
    blocks: list[bytes] = []
    size = 0
    for block in pcm16(part):
        size += len(block)
        if size > MAX_LENGTH_S * RATE_HZ * 2:
            raise CompositionError(f"longer than {MAX_LENGTH_S:.0f} s")
        blocks.append(block)
    return _segment(b"".join(blocks))


def _segment(pcm: bytes) -> AudioSegment:
    return AudioSegment(data=pcm, sample_width=2, frame_rate=RATE_HZ, channels=1)
