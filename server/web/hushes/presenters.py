"""A silence in signs and sums: what to say first, and whom to call."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from server.domain.hushes import Standing
from server.http.wording import N_
from server.services.hush_deliveries import ClusterSilence, HushStatus
from server.web.words import Sign

_SIGNS: Mapping[Standing, Sign] = MappingProxyType(
    {
        Standing.SILENT: Sign("here", "check2-all", N_("Silent")),
        Standing.WAITING: Sign("waiting", "hourglass-split", N_("No answer yet")),
        Standing.AWAY: Sign("lost", "wifi-off", N_("Not reachable")),
        Standing.REFUSED: Sign("lost", "shield-exclamation", N_("Refused")),
        Standing.LIFTED: Sign("here", "volume-up-fill", N_("May sound again")),
        Standing.NO_NODE: Sign("away", "dash-circle", N_("No equipment yet")),
    }
)
_WOULD_BE = Sign("here", "check2-all", N_("Would be silent"))
_UNSETTLED = (Standing.REFUSED, Standing.AWAY, Standing.WAITING)


@dataclass(frozen=True, slots=True)
class Line:
    """One cluster of the list."""

    cluster: ClusterSilence
    sign: Sign


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a silence stands.

    Attributes:
        total: Clusters that have equipment.
        confirmed: Those that have confirmed the newest: the silence, or its end.
        unreached: Those that do not answer or refuse, each with whom to call.
    """

    total: int
    confirmed: int
    lines: tuple[Line, ...]
    unreached: tuple[ClusterSilence, ...]


def progress(status: HushStatus) -> Progress:
    """Sum up, and put first what needs somebody."""
    is_drill = status.hush.mode == "drill"
    lines = sorted((_line(cluster, is_drill) for cluster in status.clusters), key=_urgency)
    confirmed = status.counts[Standing.SILENT] + status.counts[Standing.LIFTED]
    return Progress(
        total=len(lines) - status.counts[Standing.NO_NODE],
        confirmed=confirmed,
        lines=tuple(lines),
        unreached=tuple(
            line.cluster
            for line in lines
            if line.cluster.standing in {Standing.AWAY, Standing.REFUSED}
        ),
    )


def _line(cluster: ClusterSilence, is_drill: bool) -> Line:  # noqa: FBT001 - the only fact besides
    if is_drill and cluster.standing is Standing.SILENT:
        return Line(cluster, _WOULD_BE)
    return Line(cluster, _SIGNS[cluster.standing])


def _urgency(line: Line) -> tuple[int, str, str]:
    standing = line.cluster.standing
    order = _UNSETTLED.index(standing) if standing in _UNSETTLED else len(_UNSETTLED)
    return order, line.cluster.village, line.cluster.cluster_name
