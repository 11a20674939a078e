"""Judge a headless run by its recordings: did every loudspeaker sound what it should have?

Nothing the programs say is believed but the as-run records, and those are themselves compared
with what is heard.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from server.cli.demo.expectation import SETTLE_S, Stretch, stretches
from server.cli.demo.matching import RATE_HZ, Match, Recording, Samples
from server.cli.demo.records import record_faults
from server.cli.demo.report import KIND_SLOT, Order, Report, read_report
from server.cli.demo.waves import Heard, read_heard, read_wav

PROGRAMME_TOLERANCE_S = 0.060
SPREAD_TOLERANCE_S = 0.020
URGENT_WITHIN_S = 1.5
AS_RUN_TOLERANCE_S = 0.5

LIKE = 0.7
"""Found: nothing but the piece itself, faded and at another level, comes near."""
UNLIKE = 0.4
"""Not there: other speech and music stays far below."""
LEAST_COVERAGE = 0.95
QUIET_DBFS = -60.0

_AUDIBLE_DBFS = -45.0
_WINDOW_S = 0.5
_WINDOW_SLACK_S = 0.02
_OWN_WORDS_S = 6.0
_SEARCH_BEFORE_S = 2.0
_SEARCH_AFTER_S = 12.0
_FADE_S = 0.1
_FRAME_S = 0.02


@dataclass(frozen=True, slots=True)
class Line:
    """What was found of one order at one of its targets.

    Attributes:
        order: The order.
        cluster: The target.
        start: When its first sample sounded.
        score: How alike its own words are to the source, 0 to 1.
        coverage: Share of what should have sounded that did.
    """

    order: Order
    cluster: str
    start: datetime
    score: float
    coverage: float

    @property
    def late_s(self) -> float:
        """Tell how long after its plan, or after its posting, it began."""
        return (self.start - self.order.earliest).total_seconds()


@dataclass(slots=True)
class Verdict:
    """All that was found, and all that was wrong."""

    lines: list[Line] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Listener:
    """One cluster's recording, held against the run's orders and their sources."""

    cluster: str
    heard: Heard
    recording: Recording
    orders: Sequence[Order]
    sources: Mapping[str, Samples]

    def judge(self, verdict: Verdict) -> None:
        verdict.faults.extend(self._strangers())
        matches: dict[str, Match] = {}
        for order in self._mine():
            match = self._found(order)
            if match.score < LIKE:
                verdict.faults.append(f"{order.id} was not heard at {self.cluster}")
            else:
                matches[order.id] = match
        zeros = {name: self.heard.instant(match.at_sample) for name, match in matches.items()}
        expected = stretches(self.orders, self.cluster, zeros, lengths_s(self.sources))
        for order in self._mine():
            if order.id in matches:
                mine = [stretch for stretch in expected if stretch.order is order]
                score, coverage = matches[order.id].score, self._coverage(mine)
                verdict.lines.append(Line(order, self.cluster, zeros[order.id], score, coverage))
        verdict.faults.extend(self._strays(expected))

    def _mine(self) -> list[Order]:
        return [order for order in self.orders if self.cluster in order.targets]

    def _strangers(self) -> Iterator[str]:
        for order in self.orders:
            if self.cluster in order.targets:
                continue
            match = self.recording.find(own_words(order, self.sources[order.id]))
            if match.score > UNLIKE:
                at = self.heard.instant(match.at_sample)
                yield f"{order.id} sounded at {self.cluster}, which is no target, at {at:%T}"

    def _found(self, order: Order) -> Match:
        """Find an order's first sample by its own words: what comes before, others may share."""
        earliest_s = self.heard.position_s(order.earliest) + order.speech_at
        match = self.recording.find(
            own_words(order, self.sources[order.id]),
            earliest_s - _SEARCH_BEFORE_S,
            earliest_s + _SEARCH_AFTER_S,
        )
        return Match(match.at_sample - round(order.speech_at * RATE_HZ), match.score)

    def _coverage(self, mine: Sequence[Stretch]) -> float:
        """Say which share of what must sound is heard, window by window, where it belongs."""
        window = round(_WINDOW_S * RATE_HZ)
        alike = total = 0
        for stretch in mine:
            source = self.sources[stretch.order.id]
            zero = self.heard.sample(stretch.zero)
            fade = round(_FADE_S * RATE_HZ)
            first = self.heard.sample(stretch.sure_start) - zero + fade
            last = self.heard.sample(stretch.sure_end) - zero - fade
            for at in range(max(0, first), last - window, window):
                piece = source[at : at + window]
                if level_dbfs(piece) > _AUDIBLE_DBFS:
                    total += 1
                    alike += self.recording.likeness(piece, zero + at, _WINDOW_SLACK_S) >= LIKE
        return alike / total if total else 1.0

    def _strays(self, expected: Sequence[Stretch]) -> Iterator[str]:
        """Name sound at times at which nothing should have sounded."""
        frame = round(_FRAME_S * RATE_HZ)
        samples = self.heard.samples
        whole = samples[: len(samples) // frame * frame].reshape(-1, frame)
        loud = np.square(whole).mean(axis=1) > 10 ** (QUIET_DBFS / 10)
        for stretch in expected:
            first = self.heard.position_s(stretch.start) - _FADE_S
            last = self.heard.position_s(stretch.end) + _FADE_S
            loud[max(0, int(first / _FRAME_S)) : max(0, int(last / _FRAME_S) + 1)] = False
        places = np.flatnonzero(loud)
        if len(places):
            at = self.heard.instant(int(places[0]) * frame)
            length_s = len(places) * _FRAME_S
            yield f"{self.cluster} sounded {length_s:.2f} s that nobody ordered, from {at:%T.%f}"


def judge(folder: Path) -> Verdict:
    """Judge the run whose recordings, sources and report are in ``folder``."""
    report = read_report(folder)
    verdict = Verdict()
    sources = {order.id: read_wav(folder / order.source) for order in report.orders}
    recordings = {path.stem: path for path in sorted((folder / "heard").glob("*.wav"))}
    for cluster, path in recordings.items():
        heard = read_heard(path)
        recording = Recording(heard.samples)
        _Listener(cluster, heard, recording, report.orders, sources).judge(verdict)
    targets = {cluster for order in report.orders for cluster in order.targets}
    verdict.faults += [f"no recording of {name}" for name in sorted(targets - recordings.keys())]
    for line in verdict.lines:
        verdict.faults.extend(_line_faults(line, report))
    for order in report.orders:
        verdict.faults.extend(_spread_faults(order, verdict.lines))
    verdict.faults.extend(record_faults(report, lengths_s(sources)))
    return verdict


def own_words(order: Order, source: Samples) -> Samples:
    """Cut out the first seconds of what no other order sounds."""
    first = round(order.speech_at * RATE_HZ)
    return source[first : first + round(_OWN_WORDS_S * RATE_HZ)]


def level_dbfs(samples: Samples) -> float:
    """Tell how loud samples are, as the level of their mean square."""
    power = float(np.square(samples, dtype=np.float64).mean()) if len(samples) else 0.0
    return float(10 * np.log10(max(power, 1e-12)))


def lengths_s(sources: Mapping[str, Samples]) -> dict[str, float]:
    """Tell how long each source is."""
    return {order_id: len(source) / RATE_HZ for order_id, source in sources.items()}


def _line_faults(line: Line, report: Report) -> Iterator[str]:
    where = f"{line.order.id} at {line.cluster}"
    if line.order.kind == KIND_SLOT:
        if abs(line.late_s) > PROGRAMME_TOLERANCE_S:
            yield f"{where} began {line.late_s * 1000:+.1f} ms off its plan"
    elif not 0 <= line.late_s <= URGENT_WITHIN_S:
        yield f"{where} began {line.late_s:.3f} s after its posting"
    if line.coverage < LEAST_COVERAGE:
        yield f"{where}: only {line.coverage:.0%} sounded as it should, give or take {SETTLE_S} s"
    for row in report.as_run:
        if (row.order, row.cluster) != (line.order.id, line.cluster):
            continue
        if row.start is None or abs((row.start - line.start).total_seconds()) > AS_RUN_TOLERANCE_S:
            yield f"{where} began at {line.start:%T.%f}, but its record says {row.start}"


def _spread_faults(order: Order, lines: Sequence[Line]) -> Iterator[str]:
    late = {line.cluster: line.late_s for line in lines if line.order is order}
    if order.kind != KIND_SLOT or not late:
        return
    first, last = min(late, key=late.__getitem__), max(late, key=late.__getitem__)
    if late[last] - late[first] > SPREAD_TOLERANCE_S:
        yield f"{order.id}: {(late[last] - late[first]) * 1000:.1f} ms between {first} and {last}"
