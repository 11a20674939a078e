"""Find a piece of sound inside a recording: normalised cross-correlation, to the sample.

The search runs at 8 kHz by FFT; the answer is then refined at the full rate.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

RATE_HZ = 48_000
STEP = 6
COARSE_HZ = RATE_HZ // STEP

_REFINE_SAMPLES = 3 * STEP
_LEAST_SHARE = 1e-4
"""Where the recording holds less than this share of the piece's energy, it is silence."""


@dataclass(frozen=True, slots=True)
class Match:
    """Where a piece was found, in samples of the recording, and how alike they are (0 to 1)."""

    at_sample: int
    score: float


@dataclass(frozen=True)
class Recording:
    """A recording at 48 kHz, with what a search in it needs again and again."""

    samples: Samples

    @cached_property
    def coarse(self) -> Samples:
        """The recording at 8 kHz."""
        return coarsened(self.samples)

    def find(self, piece: Samples, first_s: float = 0.0, last_s: float | None = None) -> Match:
        """Find where ``piece`` begins, between two moments of the recording."""
        sought = coarsened(piece)
        first = max(0, round(first_s * COARSE_HZ))
        last = len(self.coarse) if last_s is None else round(last_s * COARSE_HZ)
        heard = self.coarse[first : max(0, last) + len(sought)]
        if len(heard) < len(sought):
            return Match(0, 0.0)
        scores = _scores(heard, sought)
        best = int(np.argmax(scores))
        return self._refined(piece, Match((first + best) * STEP, float(scores[best])))

    def likeness(self, piece: Samples, at_sample: int, slack_s: float) -> float:
        """Say how alike ``piece`` is to what is heard at a place, give or take ``slack_s``."""
        sought = coarsened(piece)
        slack = round(slack_s * COARSE_HZ)
        first = round(at_sample / STEP) - slack
        heard = self.coarse[max(0, first) : first + len(sought) + 2 * slack]
        if len(heard) < len(sought):
            return 0.0
        products = np.correlate(heard, sought, "valid")
        return float(_normalised(products, _energies(heard, len(sought)), sought).max())

    def _refined(self, piece: Samples, rough: Match) -> Match:
        first = max(0, rough.at_sample - _REFINE_SAMPLES)
        last = min(len(self.samples) - len(piece), rough.at_sample + _REFINE_SAMPLES)
        if last < first:
            return rough
        heard = self.samples[first : last + len(piece)]
        products = np.correlate(heard, piece, "valid")
        scores = _normalised(products, _energies(heard, len(piece)), piece)
        best = int(np.argmax(scores))
        return Match(first + best, float(scores[best]))


def coarsened(samples: Samples) -> Samples:
    """Bring samples to 8 kHz by averaging; enough for speech and music to be found by."""
    whole = len(samples) // STEP * STEP
    means: Samples = samples[:whole].reshape(-1, STEP).mean(axis=1, dtype=np.float32)
    return means


def _scores(heard: Samples, sought: Samples) -> NDArray[np.float64]:
    """Say how alike ``sought`` is to what is heard from each place on."""
    size = _quick_size(len(heard))
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sought, size))
    # What wraps around lies behind the last place at which the piece fits.
    products = np.fft.irfft(spectrum, size)[: len(heard) - len(sought) + 1]
    return _normalised(products, _energies(heard, len(sought)), sought)


def _quick_size(least: int) -> int:
    """Find a length from ``least`` on of which an FFT is quick."""
    bits = least.bit_length()
    sizes = (odd << shift for odd in (1, 3, 5, 9) for shift in range(bits + 1))
    return min(size for size in sizes if size >= least)


def _energies(heard: Samples, length: int) -> NDArray[np.float64]:
    """Sum the energy of the ``length`` samples from each place on."""
    sums = np.concatenate(([0.0], np.cumsum(np.square(heard, dtype=np.float64))))
    energies: NDArray[np.float64] = sums[length:] - sums[:-length]
    return energies


def _normalised(
    products: NDArray[np.floating], energies: NDArray[np.float64], piece: Samples
) -> NDArray[np.float64]:
    own = float(np.square(piece, dtype=np.float64).sum())
    if own == 0.0:
        return np.zeros(len(products))
    return products / np.sqrt(own * np.maximum(energies, own * _LEAST_SHARE))
