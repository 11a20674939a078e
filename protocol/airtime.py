"""When each claim of a cluster wants the loudspeakers; used by both ends.

A claim wants them from its start, or from when its start mode lets it begin, until its content
has ended, at the latest until its own end. Who of those that want them is heard is for
``protocol.precedence``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import final

from protocol.content import lasts_as_its_claim, layout, length_s, opening_s
from protocol.messages import (
    BulletinClass,
    Claim,
    ClaimKind,
    Content,
    Interval,
    Mode,
    StartMode,
    WhenCut,
)
from protocol.policy import Policy, Silence
from protocol.precedence import key, winner

_LONGEST_S = 1e10
"""Three centuries: a relay's length is infinite, and no instant is that far away."""
_BY_THE_CLOCK = ClaimKind.SCHEDULED, WhenCut.REJOIN, StartMode.CUT
TOLERANCE_S = 0.5
"""What may be lacking of a content that counts as whole: fades, clocks, a late wake."""


@dataclass(frozen=True, slots=True)
class Airtime:
    """The stretch in which a claim wants the loudspeakers; empty when it never may begin.

    Attributes:
        start: Instant from which it wants them.
        end: First instant at which it does not any more.
        behind: Claim that it was held back for by its start mode, if it was.
    """

    claim: Claim
    start: datetime
    end: datetime
    behind: str = ""


def airtimes(claims: Iterable[Claim], policy: Policy) -> tuple[Airtime, ...]:
    """Tell for each claim, in the order given, when it wants the loudspeakers.

    The answer rests on nothing but the claims and the policy: on every node under the same claims,
    and on the server, it is the same. It supposes that all files are there in time. A claim that
    was stopped is given all the same: until then it held up others, and these do not begin sooner.
    """
    given = tuple(claims)
    held_up = _held_up(given, policy)
    return tuple(
        held_up[number]
        if number in held_up
        else Airtime(claim, claim.start, _clock_ends(claim, length_s(claim.content)))
        for number, claim in enumerate(given)
    )


def apart(claims: Iterable[Claim], policy: Policy) -> list[Airtime]:
    """List the airtimes that are not just their claims' own time.

    Nearly all are, of thousands; those of one slot share their content, which is added up once.
    """
    given = tuple(claims)
    held_up = _held_up(given, policy)
    lengths: dict[int, timedelta] = {}
    found = []
    for number, claim in enumerate(given):
        if number in held_up:
            airtime = held_up[number]
            if (airtime.start, airtime.end) != (claim.start, claim.end):
                found.append(airtime)
            continue
        start, content = claim.start, claim.content
        lasts = lengths.get(id(content))
        if lasts is None:
            lasts = lengths[id(content)] = _lasts(content)
        if claim.end - start > lasts:
            found.append(Airtime(claim, start, start + lasts))
    return found


def _lasts(content: Content) -> timedelta:
    return timedelta(seconds=min(length_s(content), _LONGEST_S))


def content_ends(claim: Claim, begins: datetime) -> datetime:
    """Tell when the sound of a claim that began at ``begins`` is over."""
    return _ends(claim, begins, length_s(claim.content))


def _ends(claim: Claim, begins: datetime, lasts_s: float) -> datetime:
    # Seconds first: a relay's length is infinite, and no instant is that far away.
    if (claim.end - begins).total_seconds() <= lasts_s:
        return claim.end
    return begins + timedelta(seconds=lasts_s)


def latest_begin(claim: Claim, start: datetime, *, sounded_s: float = 0.0) -> datetime:
    """Tell until when an announcement may begin: one that cannot end in its time is not begun.

    Args:
        claim: The announcement.
        start: From when it wants the loudspeakers.
        sounded_s: How much of its content need not sound any more.
    """
    if lasts_as_its_claim(claim.content):
        return claim.end
    rest = timedelta(seconds=length_s(claim.content) - sounded_s - TOLERANCE_S)
    return min(claim.end, max(start, claim.end - rest))


def begin_of(claim: Claim, start: datetime, at: datetime) -> datetime:
    """Tell where the first sample of a claim lies that gets the loudspeakers at ``at``.

    What is scheduled goes by the clock. An announcement does too while that costs no more than a
    part of its opening, so that neighbours are in step; a later one is heard from its beginning.
    """
    if claim.kind is ClaimKind.SCHEDULED or at <= start:
        return start
    in_step = at - start < timedelta(seconds=opening_s(claim.content))
    return start if in_step else at


def _held_up(given: Sequence[Claim], policy: Policy) -> dict[int, Airtime]:
    """Work out the airtimes, by their numbers, of what does not all go by the clock."""
    by_the_clock = [_goes_by_the_clock(claim, policy) for claim in given]
    found: dict[int, Airtime] = {}
    if all(by_the_clock):
        return found
    for together in _islands(given):
        if not all(by_the_clock[number] for number in together):
            lives = {
                number: _Life(given[number], policy.stopped_at(given[number]))
                for number in together
            }
            _Course(tuple(lives.values()), policy).run()
            found.update((number, life.airtime()) for number, life in lives.items())
    return found


def _islands(claims: Sequence[Claim]) -> Iterator[list[int]]:
    """Part the claims into groups that do not touch in time: one cannot hold another up."""
    together: list[int] = []
    last: datetime | None = None
    for number in sorted(range(len(claims)), key=lambda number: claims[number].start):
        if last is not None and claims[number].start >= last:
            yield together
            together, last = [], None
        together.append(number)
        last = claims[number].end if last is None else max(last, claims[number].end)
    if together:
        yield together


def _goes_by_the_clock(claim: Claim, policy: Policy) -> bool:
    """Tell whether a claim's time rests on nothing but its own words."""
    how = claim.kind, claim.when_cut, claim.start_mode
    return how == _BY_THE_CLOCK and (not policy.stops or policy.stopped_at(claim) is None)


def _clock_ends(claim: Claim, lasts_s: float) -> datetime:
    """Tell when a claim that goes by the clock does not want the loudspeakers any more."""
    return max(claim.start, _ends(claim, claim.start, lasts_s))


@dataclass(slots=True)
class _Hold:
    """A claim waits for what another one sounds."""

    holder: "_Life"
    until: datetime


@final
@dataclass(slots=True, eq=False)
class _Life:
    """What becomes of one claim.

    Attributes:
        stopped_at: From when it is over by order; None: it was not stopped.
        start: From when it wants the loudspeakers; None while it does not yet.
        begins: Where its first sample lies; None while it was never heard.
        paused_s: The place in its content at which one that resumes was cut.
        over_at: From when it does not want them any more.
    """

    claim: Claim
    stopped_at: datetime | None = None
    start: datetime | None = None
    begins: datetime | None = None
    paused_s: float | None = None
    over_at: datetime | None = None
    hold: _Hold | None = None
    behind: str = ""

    def airtime(self) -> Airtime:
        """Sum it up."""
        never = self.claim.end if self.behind else self.claim.start
        start = self.start or never
        return Airtime(self.claim, start, max(start, self.over_at or start), self.behind)

    @property
    def wants(self) -> bool:
        """Whether it wants the loudspeakers."""
        return self.start is not None and self.over_at is None

    @property
    def _is_scheduled(self) -> bool:
        return self.claim.kind is ClaimKind.SCHEDULED

    def ends(self) -> datetime:
        """Tell when it is over as things stand."""
        ends = self.claim.end if self.start is None else self._sounds_until(self.start)
        return ends if self.stopped_at is None else min(ends, self.stopped_at)

    def _sounds_until(self, start: datetime) -> datetime:
        if self.paused_s is not None:
            return self.claim.end
        if self.begins is None and not self._is_scheduled:
            return latest_begin(self.claim, start)
        return content_ends(self.claim, self.begins or start)

    def take_over(self, at: datetime) -> None:
        """Be heard from an instant on."""
        start = self.start or at
        if self.paused_s is not None:
            self.begins, self.paused_s = at - timedelta(seconds=self.paused_s), None
        elif self.begins is None:
            self.begins = begin_of(self.claim, start, at)

    def step_aside(self, at: datetime) -> None:
        """Not be heard from an instant on, although it wants to be."""
        if self.begins is None and not self._is_scheduled:
            return
        if self.claim.when_cut is WhenCut.DROP:
            self.over_at = at
        elif self.claim.mode is Mode.DRILL and not self._is_scheduled:
            # Never in its middle, where nobody could tell it from the real thing.
            self.begins = None
        elif self.claim.when_cut is WhenCut.RESUME and self.paused_s is None:
            begins = self.begins or self.start or at
            self.paused_s = max(0.0, (at - begins).total_seconds())

    def file_ends(self, at: datetime) -> datetime | None:
        """Tell when what sounded of it just before an instant ends; None in a pause."""
        begins, content = self.begins or at, self.claim.content
        for placed in layout(content):
            start = begins + timedelta(seconds=placed.offset_s)
            end = begins + timedelta(seconds=placed.offset_s + placed.asset.duration_s)
            if start < at <= end:
                return end
        return self.claim.end if lasts_as_its_claim(content) else None


@final
class _Course:
    """Goes through the changes of one group of claims, from the first to the last."""

    def __init__(self, lives: tuple[_Life, ...], policy: Policy) -> None:
        self._lives = lives
        start = min(life.claim.start for life in lives)
        end = max(life.claim.end for life in lives)
        frames = tuple(frame for frame in policy.frames if _touches(frame, start, end))
        quiet = tuple(stretch for stretch in policy.quiet if _touches(stretch, start, end))
        silences = tuple(silence for silence in policy.silences if _touches(silence, start, end))
        self._policy = replace(policy, frames=frames, quiet=quiet, silences=silences)
        stretches: tuple[Interval | Silence, ...] = (*frames, *quiet, *silences)
        self._edges = sorted(
            {at for each in stretches for at in (each.start, each.end)}
            | {at for life in lives for at in (life.claim.start, life.ends())}
        )
        self._sounding: _Life | None = None

    def run(self) -> None:
        """Let all of it happen."""
        at: datetime | None = self._edges[0]
        while at is not None:
            self._pass_to(at)
            at = min((change for change in self._changes() if change > at), default=None)

    def _changes(self) -> Iterator[datetime]:
        yield from self._edges
        for life in self._lives:
            if life.wants:
                yield life.ends()
            elif life.hold is not None:
                yield life.hold.until

    def _pass_to(self, at: datetime) -> None:
        self._finish(at)
        self._begin(at)
        heard = self._release(at)
        if heard is not None:
            heard.take_over(at)
        for life in self._lives:
            if life.wants and life is not heard:
                life.step_aside(at)
        self._sounding = heard

    def _finish(self, at: datetime) -> None:
        for life in self._lives:
            if life.over_at is None and life.ends() <= at:
                life.over_at, life.hold = at, None

    def _begin(self, at: datetime) -> None:
        """Let begin what is due, or hold it back for what sounds."""
        for life in self._lives:
            is_due = life.claim.start <= at and life.start is None and life.over_at is None
            if not is_due or life.hold is not None:
                continue
            life.hold = self._hold(life, at)
            if life.hold is None:
                life.start = at
            else:
                life.behind = life.hold.holder.claim.claim_id

    def _hold(self, life: _Life, at: datetime) -> _Hold | None:
        claim, holder = life.claim, self._sounding
        # Nobody waits in an emergency, and nobody but what would be cut is waited for; nobody
        # waits for whoever tries the loudspeakers.
        if claim.start_mode is StartMode.CUT or claim.bulletin_class is BulletinClass.EMERGENCY:
            return None
        if holder is None or not holder.wants or not self._policy.permits(claim, at):
            return None
        if holder.claim.kind is ClaimKind.CHECK:
            return None
        if key(holder.claim, at, self._policy) < key(claim, at, self._policy):
            return None
        until = holder.file_ends(at)
        if until is not None and claim.start_mode is StartMode.WAIT:
            until = min(until, at + timedelta(seconds=claim.wait_s))
        return _Hold(holder, until) if until is not None and until > at else None

    def _release(self, at: datetime) -> _Life | None:
        """Let go of those who have waited long enough, or in vain; give who is heard then."""
        while True:
            # An announcement that cannot end in its time is over before it has begun.
            self._finish(at)
            heard = self._winner(at)
            freed = [
                life
                for life in self._lives
                if life.hold is not None and (life.hold.until <= at or life.hold.holder != heard)
            ]
            if not freed:
                return heard
            for life in freed:
                life.start, life.hold = at, None
                if at == life.claim.start:  # who was to be waited for was cut in that very instant
                    life.behind = ""

    def _winner(self, at: datetime) -> _Life | None:
        wanting = {id(life.claim): life for life in self._lives if life.wants}
        claim = winner((life.claim for life in wanting.values()), at, self._policy)
        return None if claim is None else wanting[id(claim)]


def _touches(stretch: Interval | Silence, start: datetime, end: datetime) -> bool:
    return stretch.start < end and start < stretch.end
