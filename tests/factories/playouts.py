"""A node's judgement in a world made by hand: a player that obeys, and time that is told."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import strategies as st

from edge.player import Ended, Started
from edge.playout import Amplifier, Cue, Event, Hush, OnDisk, Playout, Programme, Tell, Tick, step
from edge.runs import key_of, restored
from protocol.content import assets
from protocol.messages import (
    AsRun,
    BulletinClass,
    Claim,
    ClaimKind,
    Content,
    Interval,
    Mode,
    Severity,
    StartMode,
    WhenCut,
)
from protocol.policy import EVER, Policy, Silence
from tests.factories.claims import CLUSTER, NO_RULES, NOON, PROVINCE, a_claim, an_asset

TELLS_EARLY = timedelta(seconds=0.06)
"""A device tells of a first sample while it is still in its buffer."""

EXCHANGES = timedelta(seconds=1)
"""How long a player may take to exchange the files of what sounds."""


def after_noon(seconds: float) -> datetime:
    """Tell the instant so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


@dataclass
class World:
    """A node from its events to what is heard.

    Attributes:
        now: The time.
        heard: What sounded: claim, from, to; silence between files left out.
        powered: When the amplifier was switched, and how.
        told: Reports, oldest first.
    """

    now: datetime = field(default_factory=lambda: after_noon(-10))
    lead: timedelta = timedelta()
    heard: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    powered: list[tuple[datetime, bool]] = field(default_factory=list)
    told: list[object] = field(default_factory=list)
    cues: list[Cue] = field(default_factory=list)
    hushes: int = 0

    def __post_init__(self) -> None:
        self.state = Playout(lead=self.lead)
        self.sounding: Cue | None = None
        self.waiting: Cue | None = None
        self._since = self.now
        self._exchanged: tuple[datetime, Cue | None] = (self.now - EXCHANGES, None)
        self._starts = self.now
        self._told_start = self._told_end = False

    # -- what a test does

    def take(self, event: Event) -> None:
        """Let the node take an event now."""
        self.state, orders = step(self.state, event, self.now)
        for order in orders:
            match order:
                case Cue():
                    self._cue(order)
                case Hush():
                    self._hush()
                case Amplifier(on):
                    self.powered.append((self.now, on))
                case Tell(word):
                    self.told.append(word)

    def hold(self, *claims: Claim, **facts: object) -> None:
        """Let the node hold these claims, and nothing else; what is stopped is so from now on."""
        self.take(a_programme_of(*claims, **{"stopped_at": self.now, **facts}))

    def have(self, *claims: Claim) -> None:
        """Put the files of these claims on disk, and no others."""
        self.take(OnDisk(files_of(*claims)))

    def run_to(self, end: datetime) -> None:
        """Let time pass, stepping whenever the node or the player has something."""
        while (at := min(self._next(), end)) < end:
            self._pass_to(at)
        self._pass_to(end)
        self._note(end)

    def restart(self, off: timedelta, alive: timedelta = timedelta()) -> None:
        """Kill the node, and start it again a while later from what it had kept."""
        killed_at, kept = self.now, self.state
        self._hush()
        self.waiting = None
        self.now += off
        runs = {key: restored(run, killed_at - alive) for key, run in kept.runs.items()}
        self.state = Playout(lead=self.lead, runs=runs, done=kept.done)
        self.take(OnDisk(kept.on_disk))
        self.take(replace(kept.programme, at_start=True))

    # -- what a test asks

    def at(self, moment: datetime) -> str:
        """Name the claim heard at a moment."""
        return next((claim for claim, start, end in self.heard if start <= moment < end), "")

    def records(self) -> list[AsRun]:
        """The as-run records so far."""
        return [word for word in self.told if isinstance(word, AsRun)]

    def record(self, claim_id: str) -> AsRun:
        """The one as-run record of a claim."""
        (found,) = [record for record in self.records() if record.claim_id == claim_id]
        return found

    # -- the player

    def _cue(self, cue: Cue) -> None:
        self.cues.append(cue)
        if self.sounding is not None and _same(self.sounding, cue):
            self._note(self.now)
            self._exchanged = self.now, self.sounding
            self.sounding, self.waiting = cue, None
            self._told_end = False
        else:
            exchanged_at, before = self._exchanged
            if self.sounding is not None and self.now - exchanged_at < EXCHANGES:
                # The files had not been exchanged yet, and now they never are.
                self.sounding = before
            self.waiting, self._starts = cue, max(cue.begins, self.now)
            self._told_start = False

    def _hush(self) -> None:
        self.hushes += 1
        self._note(self.now)
        self.sounding = self.waiting = None

    def _next(self) -> datetime:
        times = [self.state.wake_at or datetime.max.replace(tzinfo=NOON.tzinfo)]
        if self.waiting is not None:
            times.append(self._starts if self._told_start else self._starts - TELLS_EARLY)
        if self.sounding is not None:
            early = timedelta() if self._told_end else TELLS_EARLY
            times.append(self.sounding.ends - early)
        return max(self.now, min(times))

    def _pass_to(self, at: datetime) -> None:
        self.now = at
        waiting, sounding = self.waiting, self.sounding
        if waiting is not None and not self._told_start and self._starts - TELLS_EARLY <= at:
            self._told_start = True
            position_s = max(0.0, (self._starts - waiting.begins).total_seconds())
            self.take(Started(waiting.key, self._starts, position_s))
        if self.waiting is not None and self._starts <= at:
            self._note(self._starts)
            self.sounding, self.waiting = self.waiting, None
            self._since, self._told_end = self._starts, False
        is_ending = sounding is not None and sounding is self.sounding and not self._told_end
        if is_ending and sounding.ends - TELLS_EARLY <= at:
            self._told_end = True
            self.take(Ended(sounding.key, sounding.ends))
        if self.sounding is not None and self.sounding.ends <= at:
            self._note(at)
            self.sounding = None
        if self.state.wake_at is not None and self.state.wake_at <= at:
            self.take(Tick())

    def _note(self, until: datetime) -> None:
        """Write down what was heard up to ``until``."""
        cue = self.sounding
        if cue is None:
            return
        for piece in cue.pieces:
            start = max(self._since, cue.begins + timedelta(seconds=piece.offset_s))
            end = cue.begins + timedelta(seconds=piece.offset_s + piece.duration_s)
            end = min(end, cue.ends, until)
            name = cue.key.partition("/")[2]
            if start < end and self.heard and self.heard[-1][::2] == (name, start):
                self.heard[-1] = (name, self.heard[-1][1], end)
            elif start < end:
                self.heard.append((name, start, end))
        self._since = max(self._since, until)


def a_programme_of(
    *claims: Claim,
    stopped: Iterable[Claim] = (),
    stopped_at: datetime = NOON,
    policy: Policy = NO_RULES,
    **facts: object,
) -> Programme:
    """Make what is held from claims, some of them stopped."""
    stops = {(claim.unit, claim.claim_id): stopped_at for claim in stopped}
    return Programme(
        **{
            "cluster": CLUSTER,
            "claims": {key_of(claim): claim for claim in claims},
            "policy": replace(policy, stops=stops),
            **facts,
        }
    )


def files_of(*claims: Claim) -> frozenset[str]:
    """Name the files of claims."""
    return frozenset(asset.digest for claim in claims for asset in assets(claim.content))


def _same(one: Cue, other: Cue) -> bool:
    return one.key == other.key and one.begins == other.begins


claims_of_files = st.builds(
    lambda number, start_s, lengths_s, opening_s, spare_s, turns, gap_s, **rest: a_claim(
        claim_id=f"tin-{number}",
        start=after_noon(start_s),
        end=after_noon(
            start_s + max(1, opening_s + sum(lengths_s) * turns + gap_s * (turns - 1) + spare_s)
        ),
        content=Content(
            items=tuple(
                an_asset(f"bai {number} {k}", duration_s=float(length_s))
                for k, length_s in enumerate(lengths_s)
            ),
            opening=an_asset(f"chuong {opening_s}", duration_s=float(opening_s))
            if opening_s
            else None,
            repeat=turns,
            gap_s=float(gap_s),
        ),
        **rest,
    ),
    number=st.integers(0, 9),
    start_s=st.integers(0, 50),
    lengths_s=st.lists(st.integers(2, 12), min_size=1, max_size=3),
    opening_s=st.sampled_from([0, 0, 3]),
    # Shorter than its content, as long, or longer.
    spare_s=st.integers(-10, 20),
    turns=st.integers(1, 2),
    gap_s=st.sampled_from([0, 4]),
    level=st.integers(0, 1),
    bulletin_class=st.sampled_from(BulletinClass),
    kind=st.sampled_from([ClaimKind.SCHEDULED, ClaimKind.SCHEDULED, ClaimKind.ANNOUNCEMENT]),
    mode=st.sampled_from(Mode),
    severity=st.sampled_from(Severity),
    when_cut=st.sampled_from(WhenCut),
    start_mode=st.sampled_from(StartMode),
    wait_s=st.integers(0, 15).map(float),
)

courses = st.lists(claims_of_files, min_size=1, max_size=5, unique_by=lambda claim: claim.claim_id)
"""Claims of several files in the two minutes after noon, of every class, kind and start mode."""

rules = st.builds(
    lambda times, hushes: Policy(
        quiet=tuple(
            Interval(start=after_noon(start_s), end=after_noon(start_s + length_s))
            for start_s, length_s in times
        ),
        silences=tuple(
            Silence(
                "im-1",
                PROVINCE,
                after_noon(start_s),
                after_noon(start_s + length_s) if length_s else EVER,
                spares_emergencies=spares,
            )
            for start_s, length_s, spares in hushes
        ),
    ),
    st.lists(st.tuples(st.integers(0, 80), st.integers(1, 40)), max_size=2),
    st.lists(st.tuples(st.integers(0, 80), st.sampled_from([0, 3, 30]), st.booleans()), max_size=1),
)
"""Quiet hours and hushes in the same time."""
