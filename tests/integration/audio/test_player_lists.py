"""Files of a list follow each other to the sample, as their lengths say."""

from datetime import UTC, datetime
from itertools import accumulate, pairwise

import numpy as np
import pytest

from audio_library.ingest import ingest
from audio_library.store import Store
from edge.player import Piece, Sound
from edge.player.timeline import Timeline
from tests.factories.sounds import RATE_HZ, encode, lag_s, noise, rms

pytestmark = pytest.mark.sound

# None is a whole number of packets of the codec.
COUNTS = [70_001, 48_000, 99_999]
BLOCK = 960


def test_prepared_files_follow_each_other_to_the_sample_without_a_hole(tmp_path):
    song, store = noise(5.0, level=0.2), Store(tmp_path / "store")
    starts = [0, *accumulate(COUNTS)]
    pieces, troubles = [], []
    for start, count in zip(starts, COUNTS, strict=False):
        part = song[start : start + count]
        asset = ingest(encode(tmp_path / f"{start}.flac", part, codec="flac"), store)
        assert asset.frames == count
        piece = Piece(store.path(asset.digest), start / RATE_HZ, asset.frames / RATE_HZ)
        pieces.append(piece)
    sound = Sound("a", datetime.now(UTC), tuple(pieces), starts[-1] / RATE_HZ)
    timeline = Timeline(sound, lambda path, reason: troubles.append((path, reason)))
    heard = []
    for at in range(0, starts[-1], BLOCK):
        for track in timeline.tracks:
            while track.margin(at) is not None:
                track.advance(at)
        heard.append(timeline.read(at, BLOCK))
    whole = np.concatenate(heard)[: starts[-1]]
    assert not troubles
    for start, end in pairwise(starts):
        for first in (start, end - RATE_HZ // 4):
            found = lag_s(song, whole[first : first + RATE_HZ // 4])
            assert found * RATE_HZ == pytest.approx(first, abs=0.5)
    for seam in starts[1:-1]:
        around = whole[seam - RATE_HZ // 100 : seam + RATE_HZ // 100]
        assert min(rms(part) for part in np.array_split(around, 10)) > 0.05
