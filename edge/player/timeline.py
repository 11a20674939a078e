"""The sound of one claim as samples by position: tracks, and silence between them."""

import bisect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import final

import numpy as np

from edge.player import Microphone, Piece, Sound, Station
from edge.player.decoder import decode
from edge.player.reader import Audio
from edge.player.spoken import Speaking, Spoken
from edge.player.track import Decoder, Track
from edge.player.tuner import Receive, Tuned

# The name of a live broadcast -> what is heard of it; None when it is not known.
Listen = Callable[[str], Speaking | None]
AnyTrack = Track | Tuned | Spoken


@final
class Timeline:
    """All tracks of one sound, read by position from the sound's own zero.

    Attributes:
        sound: What was asked for.
        position: Where the reader is; the decoding thread works towards it.
    """

    def __init__(
        self,
        sound: Sound,
        trouble: Callable[[Path, str], None],
        *,
        position: int = 0,
        inherits: "Timeline | None" = None,
        decoder: Decoder = decode,
        receive: Receive | None = None,
        listen: Listen | None = None,
    ) -> None:
        """Lay out the pieces.

        Args:
            sound: What is to be heard.
            trouble: Told once for each piece that does not decode.
            position: Where reading is expected to begin.
            inherits: A timeline of the same claim and begin: what it has decoded stays decoded.
            decoder: How a file becomes samples.
            receive: How a station's address does; without it, stations are silent.
            listen: How a live broadcast is heard; without it, they are silent.
        """
        self.sound = sound
        self.position = position
        old = inherits.tracks if inherits else ()
        known: dict[Piece | Station | Microphone, AnyTrack] = {
            track.piece: track for track in old if not track.failed
        }
        made: list[AnyTrack] = []
        for piece in sound.pieces:
            if (track := known.get(piece)) is not None:
                made.append(track)
            elif isinstance(piece, Piece):
                made.append(Track(piece, trouble, decoder))
            elif isinstance(piece, Microphone):
                speech = listen(piece.name) if listen else None
                made.append(Spoken(piece, sound.begins.timestamp(), speech))
            elif receive is not None:
                made.append(Tuned(piece, receive))
        self.tracks: tuple[AnyTrack, ...] = tuple(made)
        self._ends = [track.end for track in self.tracks]
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether nobody will read this timeline any more."""
        return self._closed

    def ready(self, first: int, count: int) -> bool:
        """Tell whether everything there is to hear in ``[first, first + count)`` is decoded."""
        return all(track.ready(first, first + count) for track in self._within(first, count))

    def read(self, start: int, count: int) -> Audio:
        """Read samples; silence where no piece lies or its samples are not decoded yet."""
        self.position = start
        block = np.zeros(count, dtype=np.float32)
        for track in self._within(start, count):
            track.add_to(block, start)
        return block

    def close(self) -> None:
        """Let the decoding thread drop what only this timeline needs."""
        self._closed = True

    def station_at(self, first: int, count: int) -> Tuned | None:
        """Give the station that is heard in ``[first, first + count)``, if one is."""
        tracks = (each for each in self._within(first, count) if isinstance(each, Tuned))
        return next(tracks, None)

    def _within(self, start: int, count: int) -> Iterator[AnyTrack]:
        for track in self.tracks[bisect.bisect_right(self._ends, start) :]:
            if track.start >= start + count:
                return
            yield track
