"""Each cluster's sound along one ruler of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.domain.hearing import Heard
from server.services.dossiers import Dossier

_MARKS = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece that was heard, in hundredths of the ruler."""

    left: float
    width: float
    is_chime: bool
    piece: Heard


@dataclass(frozen=True, slots=True)
class Lanes:
    """All clusters along one ruler.

    Attributes:
        marks: Instants on the ruler, evenly spread; empty when nothing sounded.
        bars: Of each cluster, by its id.
    """

    marks: Sequence[datetime]
    bars: dict[str, tuple[Bar, ...]]


def lanes(found: Dossier) -> Lanes:
    """Lay what was heard along a ruler from the first sound to the last."""
    if found.span is None:
        return Lanes((), {})
    start, end = found.span
    whole = max(end - start, timedelta(milliseconds=1))
    chimes = {said.digest for said in found.said if said.purpose == "chime"}
    return Lanes(
        [start + whole * part / _MARKS for part in range(_MARKS + 1)],
        {
            one.cluster_id: tuple(
                Bar(
                    round(100 * ((piece.start - start) / whole), 2),
                    round(100 * ((piece.end - piece.start) / whole), 2),
                    piece.digest in chimes,
                    piece,
                )
                for piece in one.heard
            )
            for one in found.witnesses
        },
    )
