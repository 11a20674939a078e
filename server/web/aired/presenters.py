"""A day's figures and lists, and one cluster's day drawn as two bands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from protocol.messages import Outcome
from server.domain.aired import Entry, Kind
from server.domain.recurrence import LOCAL
from server.http.languages import ngettext
from server.http.wording import N_, reason_sentence
from server.services.aired import AtCluster
from server.web import words
from server.web.words import Sign

MOST_LISTED = 100

COMING = Sign("waiting", "clock", N_("Still to come"))
WAITING = Sign("waiting", "hourglass-split", N_("No word yet"))
UNPLANNED = Sign("late", "question-circle", N_("Not planned"))
FIGURES = (
    (Outcome.PLAYED.value, "tile-here"),
    (Outcome.CUT.value, "tile-late"),
    (Outcome.MISSED.value, "tile-lost"),
    (Outcome.FAILED.value, "tile-lost"),
    (Outcome.STOPPED.value, "tile-none"),
)
_HOUR = timedelta(hours=1)
_LEAST_PERCENT = 0.4


@dataclass(frozen=True, slots=True)
class Count:
    """So many clusters ended something so."""

    sign: Sign
    clusters: int


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a day's list."""

    entry: Entry
    counts: tuple[Count, ...]
    why: tuple[str, ...]
    is_problem: bool


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch in one of the bands, in percent of the hours drawn."""

    x: float
    width: float
    title: str
    start: datetime
    end: datetime
    css: str


@dataclass(frozen=True, slots=True)
class Bands:
    """What was planned above what was heard, over the same hours."""

    hours: tuple[tuple[float, str], ...]
    planned: tuple[Block, ...]
    heard: tuple[Block, ...]
    now_x: float | None


def lines(entries: Sequence[Entry], now: datetime) -> list[Line]:
    """Put some entries of a day into words."""
    return [_line(entry, now) for entry in entries]


def sign_at(one: AtCluster, now: datetime) -> Sign:
    """Show what became of a claim at one cluster."""
    if one.outcome:
        return words.delivery(one.outcome)
    if one.entry.start > now:
        return COMING
    return WAITING


def bands(day: Sequence[AtCluster], bounds: tuple[datetime, datetime], now: datetime) -> Bands:
    """Draw one cluster's day: the hours in which anything was planned or heard."""
    planned = [
        (one.entry.start, one.entry.end, one) for one in day if one.entry.kind is not Kind.UNPLANNED
    ]
    heard = [(start, end, one) for one in day for start, end in one.heard]
    instants = [at for start, end, _ in (*planned, *heard) for at in (start, end) if at]
    first = max(bounds[0], min(instants, default=bounds[0]))
    last = min(bounds[1], max(instants, default=bounds[1]))
    first = bounds[0] + (first - bounds[0]) // _HOUR * _HOUR
    last = min(bounds[1], max(first + 2 * _HOUR, bounds[0] - (bounds[0] - last) // _HOUR * _HOUR))
    whole = last - first

    def x(at: datetime) -> float:
        return round(100 * (min(max(at, first), last) - first) / whole, 3)

    def block(start: datetime, end: datetime, one: AtCluster, css: str) -> Block:
        width = max(_LEAST_PERCENT, round(x(end) - x(start), 3))
        return Block(x(start), width, one.entry.title, start, end, css)

    hours = int(whole / _HOUR)
    step = 1 if hours <= 12 else 2  # noqa: PLR2004 - half a day still has room for each hour
    marks = (first + number * _HOUR for number in range(0, hours + 1, step))
    return Bands(
        tuple((x(at), f"{at.astimezone(LOCAL):%H}") for at in marks),
        tuple(block(start, end or start, one, "plan") for start, end, one in planned),
        tuple(block(start, end, one, one.outcome or "sounding") for start, end, one in heard),
        x(now) if first <= now < last else None,
    )


def _line(entry: Entry, now: datetime) -> Line:
    counts = [
        Count(words.delivery(outcome), entry.tally.outcomes[outcome])
        for outcome, _css in FIGURES
        if entry.tally.outcomes.get(outcome)
    ]
    if entry.tally.waiting:
        counts.append(Count(COMING if entry.start > now else WAITING, entry.tally.waiting))
    why = tuple(
        f"{sentence}: " + ngettext("%(num)d cluster", "%(num)d clusters", told.clusters)
        for told in entry.tally.reasons
        if (sentence := reason_sentence(told.reason))
    )
    return Line(entry, tuple(counts), why, entry.is_problem(now))
