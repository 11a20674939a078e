"""Judgement: what the loudspeakers do, from the claims that are held, the files and the time.

Pure: ``step`` takes the state, an event and the time, and returns the new state and the orders
that bring the player and the amplifier in line with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from edge.player import Ended as SoundEnded
from edge.player import Stalled as SoundStalled
from edge.player import Started as SoundStarted
from edge.runs import (
    UNNUMBERED,
    ClaimKey,
    CuedSound,
    Hearing,
    Run,
    brought_on,
    closed,
    final_record,
    heard_position_s,
    is_dropped,
    is_missed_now,
    is_ready,
    key_of,
    moved,
    patience_ends,
    pieces,
    put_aside,
    retimed,
    run_in,
    silenced,
    stalled,
    stretches,
    total_s,
    until,
)
from protocol.airtime import Airtime, airtimes
from protocol.messages import AsRun, Claim, ClaimKind, FrameTally, Outcome, Preempted, Started
from protocol.policy import Policy
from protocol.precedence import winner

CUE_AHEAD = timedelta(seconds=2)
"""How long before it begins a sound is handed to the player, so that it is decoded in time."""

TUNE_AHEAD = timedelta(seconds=6)
"""The same for a relay: a station must be found, must answer, and must fill a buffer."""

SETTLING = timedelta(seconds=1.1)
"""How long what is to sound now has to itself: the player holds one cue that waits for its files,
for at most a second, and another would take its place."""

REMEMBERED = timedelta(days=1)
"""How long after its end a claim that was missed by a node that was off is still reported."""

IDLE = timedelta(seconds=60)

SILENCE_KEY = "silence-key"
"""Names the silence that the key of the box orders, among those that units order."""


@dataclass(frozen=True, slots=True)
class Programme:
    """All that reached this node and still counts.

    Attributes:
        claims: Claims that target this cluster, those that were stopped too.
        ceiling_db: Loudest gain that the node's configuration allows.
        delay: How much later than by the clock the player sounds, and tells that it does.
        at_start: Whether this is what the disk held when the node started.
    """

    cluster: str = ""
    claims: Mapping[ClaimKey, Claim] = field(default_factory=lambda: MappingProxyType({}))
    policy: Policy = field(default_factory=Policy)
    ceiling_db: float = 0.0
    delay: timedelta = timedelta()
    at_start: bool = False


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Event: these are the files that are there, whole and verified."""

    digests: frozenset[str]


@dataclass(frozen=True, slots=True)
class Spoiled:
    """Event: a file of a cue did not decode."""

    key: ClaimKey
    digest: str


@dataclass(frozen=True, slots=True)
class LiveOver:
    """Event: a live broadcast is silent for good from ``at`` on.

    Attributes:
        cause: Why, unless it was spoken to its end.
        frames: How its frames came; None of what was spoken at the box.
    """

    key: ClaimKey
    at: datetime
    cause: str
    frames: FrameTally | None


@dataclass(frozen=True, slots=True)
class Clockwork:
    """Event: this is what is known of the time from now on.

    Attributes:
        keeps_schedule: Whether what begins by the clock may begin.
        since: When this program began, by the clock as it is now.
        by: How far the clock was moved; what does not go by it goes on where it is.
        programme: What counts by the clock as it is now, where that is told anew: times that
            somebody at the box has set are moved with it.
    """

    keeps_schedule: bool
    since: datetime
    by: timedelta = timedelta()
    programme: Programme | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """Event: time went on."""


Event = (
    Programme
    | OnDisk
    | Spoiled
    | LiveOver
    | Clockwork
    | Tick
    | SoundStarted
    | SoundStalled
    | SoundEnded
)


@dataclass(frozen=True, slots=True)
class Cue:
    """Order: let this sound from ``begins`` on; what sounds now goes on until then."""

    key: ClaimKey
    begins: datetime
    pieces: tuple[CuedSound, ...]
    length_s: float
    gain_db: float

    @property
    def ends(self) -> datetime:
        """First instant at which it is silent by itself."""
        return self.begins + timedelta(seconds=self.length_s)


@dataclass(frozen=True, slots=True)
class Hush:
    """Order: fall silent, and forget what was cued."""


@dataclass(frozen=True, slots=True)
class Amplifier:
    """Order: power the amplifier, or cut it."""

    on: bool


@dataclass(frozen=True, slots=True)
class Tell:
    """Order: report this; the report gets its id when it is put on disk."""

    word: Started | Preempted | AsRun


Order = Cue | Hush | Amplifier | Tell


@dataclass(frozen=True, slots=True)
class Playout:
    """Where the node stands.

    Attributes:
        lead: Time the amplifier needs before it passes sound.
        times: When each claim wants the loudspeakers.
        spoken: From when live broadcasts are silent for good that might have lasted longer.
        runs: Claims under way.
        done: Claims that have their as-run record (or need none), with their end.
        current: What the player was told to sound.
        upcoming: What it was told to sound after that, from a known instant.
        settled_at: When the player may be told of something upcoming again.
        wake_at: When to step again, if nothing happens before.
        keeps_schedule: Whether the time is known well enough to begin by it.
    """

    lead: timedelta = timedelta()
    programme: Programme = field(default_factory=Programme)
    times: Mapping[ClaimKey, Airtime] = field(default_factory=lambda: MappingProxyType({}))
    spoken: Mapping[ClaimKey, datetime] = field(default_factory=lambda: MappingProxyType({}))
    on_disk: frozenset[str] = frozenset()
    runs: Mapping[ClaimKey, Run] = field(default_factory=lambda: MappingProxyType({}))
    done: Mapping[ClaimKey, datetime] = field(default_factory=lambda: MappingProxyType({}))
    current: Cue | None = None
    upcoming: Cue | None = None
    settled_at: datetime | None = None
    amplified: bool = False
    wake_at: datetime | None = None
    keeps_schedule: bool = True

    @property
    def on_air(self) -> str:
        """Id of the claim that is heard, or nothing."""
        return next((run.claim.claim_id for run in self.runs.values() if run.hearing), "")

    def listens_to(self, now: datetime) -> dict[ClaimKey, Claim]:
        """Name the live broadcasts whose frames are wanted: those under way or about to begin."""
        return {
            key: claim
            for key, claim in self.programme.claims.items()
            if claim.content.live is not None
            and claim.kind is not ClaimKind.LOCAL
            and key not in self.done
            and claim.start - CUE_AHEAD <= now < claim.end
        }


def step(state: Playout, event: Event, now: datetime) -> tuple[Playout, tuple[Order, ...]]:
    """Take one event in, and bring the loudspeakers in line with the claims at ``now``."""
    turn = _Turn(state, now)
    # What ended before the event must be settled by the rules that held then; by another clock
    # nothing has ended.
    if not isinstance(event, Clockwork):
        turn.finish_what_is_over()
    turn.take(event)
    turn.finish_what_is_over()
    turn.judge()
    return turn.result()


class _Turn:
    """One step in the making."""

    def __init__(self, state: Playout, now: datetime) -> None:
        self.now = now
        self.state = state
        self.runs = dict(state.runs)
        self.done = dict(state.done)
        self.orders: list[Order] = []

    def result(self) -> tuple[Playout, tuple[Order, ...]]:
        state = replace(
            self.state,
            runs=MappingProxyType(self.runs),
            done=MappingProxyType(self.done),
            wake_at=min(self._changes(), default=self.now + IDLE),
        )
        return state, tuple(self.orders)

    def take(self, event: Event) -> None:
        match event:
            case Programme():
                self._take_programme(event)
            case OnDisk(digests):
                self.state = replace(self.state, on_disk=digests)
            case Spoiled(key, digest):
                if run := self.runs.get(key):
                    self.runs[key] = replace(run, damaged=run.damaged | {digest})
            case LiveOver():
                self._take_live_over(event)
            case Clockwork():
                self._take_clockwork(event)
            case SoundStarted():
                self._take_started(event)
            case SoundStalled() | SoundEnded():
                self._take_silence(event)
            case Tick():
                pass

    def finish_what_is_over(self) -> None:
        """Close every claim that was stopped, or whose time or content is over."""
        policy = self.state.programme.policy
        for key, claim in self.state.programme.claims.items():
            if key in self.done:
                continue
            if policy.stopped_at(claim) is not None:
                self._finish(key, self.now, ended_by=Outcome.STOPPED)
            elif self._waits_for_time(claim):
                continue
            elif claim.start <= self.now and self._known_at(key) <= self.now:
                self._finish(key, until(self._run(key)))
        for key in [key for key, end in self.done.items() if end + REMEMBERED < self.now]:
            if key not in self.state.programme.claims:
                del self.done[key]

    def _known_at(self, key: ClaimKey) -> datetime:
        """Tell when all is known of a claim that is over.

        One that was begun, and of which nothing was heard yet, may be shorter than the delay.
        """
        run = self._run(key)
        is_to_come = run.begins is not None and not run.heard
        return until(run) + (self.state.programme.delay if is_to_come else timedelta())

    def judge(self) -> None:
        """Decide who is heard now and next, and order what that changes."""
        chosen, current = self._chosen(self.now), None
        if chosen is not None:
            key = key_of(chosen)
            self.runs[key] = self._brought_on(key, self.now)
            current = self._cue(key, self.now)
        self._put_others_aside(chosen)
        was, cued = self._ordered()
        if current is not None and current != was:
            self.state = replace(self.state, settled_at=self.now + SETTLING)
        settled_at = self.state.settled_at
        is_settled = settled_at is None or settled_at <= self.now
        upcoming = self._upcoming(chosen) if is_settled or current is None else None
        self._follow_hearing(current, upcoming)
        amplified = current is not None or (
            upcoming is not None and upcoming.begins - self.state.lead <= self.now
        )
        if amplified and not self.state.amplified:
            self.orders.append(Amplifier(on=True))
        if (current, upcoming) != (was, cued):
            self._order_sound(current, upcoming, is_new=current != was)
        if self.state.amplified and not amplified:
            self.orders.append(Amplifier(on=False))
        self.state = replace(self.state, current=current, upcoming=upcoming, amplified=amplified)

    # -- taking events in

    def _take_programme(self, new: Programme) -> None:
        spoken = {key: at for key, at in self.state.spoken.items() if key in new.claims}
        times = _times(new, spoken)
        old, self.state = (
            self.state.programme,
            replace(self.state, programme=new, times=times, spoken=MappingProxyType(spoken)),
        )
        for key in old.claims.keys() - new.claims.keys():
            claim = old.claims[key]
            began = claim.start <= self.now and not self._waits_for_time(claim)
            if key in self.runs or (began and key not in self.done):
                self._withdraw(key, claim)
        for key, claim in new.claims.items():
            if key in self.runs:
                self.runs[key] = retimed(self.runs[key], times[key])
            elif self._waits_for_time(claim):
                continue
            elif claim.end <= self.now and key not in old.claims and key not in self.done:
                self._take_past(key, claim, at_start=new.at_start)
        if new.at_start:
            for key in self.runs.keys() - new.claims.keys():
                self._withdraw(key, self.runs[key].claim)

    def _take_past(self, key: ClaimKey, claim: Claim, *, at_start: bool) -> None:
        """Settle a claim that was over before this node could play it."""
        if at_start and claim.end > self.now - REMEMBERED:
            self.runs[key] = Run(claim, cause="node-off")
            self._finish(key, self.now)
        elif at_start or claim.kind is ClaimKind.SCHEDULED:
            self.done[key] = claim.end

    def _waits_for_time(self, claim: Claim) -> bool:
        return claim.kind is ClaimKind.SCHEDULED and not self.state.keeps_schedule

    def _take_clockwork(self, event: Clockwork) -> None:
        knew = self.state.keeps_schedule
        self.state = replace(self.state, keeps_schedule=event.keeps_schedule, settled_at=None)
        for key, run in self.runs.items():
            self.runs[key] = moved(run, event.by, self.now)
        spoken = {
            key: at + event.by if at > self.now - event.by else at
            for key, at in self.state.spoken.items()
        }
        self.state = replace(self.state, spoken=MappingProxyType(spoken))
        if event.programme is not None:
            self._take_programme(event.programme)
        if not event.keeps_schedule or knew:
            return
        for key, claim in self.state.programme.claims.items():
            if claim.kind is not ClaimKind.SCHEDULED or key in self.runs or key in self.done:
                continue
            if claim.end <= event.since:
                self._take_past(key, claim, at_start=True)
            elif claim.start <= self.now:
                self.runs[key] = replace(self._run(key), cause="clock-unknown")

    def _withdraw(self, key: ClaimKey, claim: Claim) -> None:
        run = closed(self.runs.get(key, Run(claim)), self.now)
        self.runs[key] = replace(run, cause="withdrawn")
        if run.heard or claim.start <= self.now:
            self._finish(key, self.now)
        else:
            del self.runs[key]

    def _take_started(self, event: SoundStarted) -> None:
        key = ClaimKey(event.claim_id)
        run = self.runs.get(key)
        if run is None or key in self.done or run.hearing is not None:
            return
        hearing = Hearing(event.at, event.position_s, stretches(run, self.state.on_disk))
        # A relay that came back by itself has been told of.
        is_news = not (run.stalled and run.segments)
        self.runs[key] = replace(run, hearing=hearing, stalled=False)
        if not is_news:
            return
        word = Started(
            report_id=UNNUMBERED,
            claim_id=run.claim.claim_id,
            at=event.at,
            position_s=heard_position_s(hearing),
        )
        self.orders.append(Tell(word))

    def _take_silence(self, event: SoundStalled | SoundEnded) -> None:
        key = ClaimKey(event.claim_id)
        run = self.runs.get(key)
        if run is None:
            return
        if isinstance(event, SoundStalled):
            self.runs[key] = stalled(run, event.at, event.reason)
        else:
            self.runs[key] = closed(run, event.at)

    def _take_live_over(self, event: LiveOver) -> None:
        key = event.key
        if key in self.state.programme.claims and key not in self.done:
            self.runs[key] = silenced(self._run(key), event.at, event.cause, event.frames)
            # Whoever waits for it need not wait until it would have had to end.
            spoken = {**self.state.spoken, key: event.at}
            times = _times(self.state.programme, spoken)
            for other in self.runs.keys() - {key}:
                if other in times:
                    self.runs[other] = retimed(self.runs[other], times[other])
            self.state = replace(self.state, times=times, spoken=MappingProxyType(spoken))

    # -- judging

    def _run(self, key: ClaimKey) -> Run:
        return self.runs.get(key) or run_in(self.state.times[key])

    def _due(self, at: datetime) -> Iterator[tuple[ClaimKey, Run]]:
        """Name the claims whose time ``at`` is and that are not over by then."""
        for key, claim in self.state.programme.claims.items():
            if key in self.done or not claim.covers(at) or self._waits_for_time(claim):
                continue
            run = self._run(key)
            if run.start <= at < until(run):
                yield key, run

    def _chosen(self, at: datetime) -> Claim | None:
        on_disk = self.state.on_disk
        ready = (run.claim for _key, run in self._due(at) if is_ready(run, on_disk, self.now))
        return winner(ready, at, self.state.programme.policy)

    def _brought_on(self, key: ClaimKey, at: datetime) -> Run:
        lead = timedelta() if self.state.amplified else self.state.lead
        run = brought_on(self._run(key), self.state.on_disk, at, lead)
        if is_missed_now(run, self.state.on_disk, self.now):
            run = replace(run, cause=run.cause or "audio-missing")
        return run

    def _cue(self, key: ClaimKey, at: datetime) -> Cue | None:
        """Make the cue of a claim that is on from ``at``; None when it has no sound by then."""
        run, programme = self.runs[key], self.state.programme
        begins = run.begins or run.start
        quiet_from = (
            quiet.start
            for quiet in programme.policy.closed
            if at < quiet.start and not programme.policy.permits(run.claim, quiet.start)
        )
        total = begins + timedelta(seconds=total_s(run))
        stops = min(total, run.claim.end, *quiet_from)
        at_s = (at - begins).total_seconds()
        length_s = (stops - begins).total_seconds()
        there = tuple(
            piece for piece in pieces(run, self.state.on_disk) if piece.offset_s < length_s
        )
        # Behind its last file a cue is over: a pause that leads to nothing is no content.
        length_s = min(length_s, max((p.offset_s + p.duration_s for p in there), default=0.0))
        if length_s <= max(at_s, 0.0):
            return None
        allowed_db = programme.policy.loudest_db(run.claim, begins, stops)
        gain_db = min(run.claim.gain_db, allowed_db, programme.ceiling_db)
        return Cue(key, begins, there, length_s, gain_db)

    def _put_others_aside(self, chosen: Claim | None) -> None:
        for key, run in list(self._due(self.now)):
            if chosen is not None and key == key_of(chosen):
                continue
            cued = self.state.upcoming
            if cued is not None and cued.key == key and cued.begins > self.now:
                # A relay is cued ahead of its return, and tells of it while the other still sounds.
                continue
            if run.hearing is not None and chosen is not None:
                self._tell_preempted(run, chosen)
            cut_at = self._switched_at(run, chosen)
            aside = put_aside(closed(run, cut_at), cut_at, self._cause(run, chosen))
            self.runs[key] = aside
            # What has to begin anew, and no time to, is over too; nothing else may wake this node.
            if is_dropped(aside) or until(aside) <= self.now:
                self._finish(key, self.now)

    def _cause(self, run: Run, chosen: Claim | None) -> str:
        policy = self.state.programme.policy
        silence = policy.hushed_by(run.claim, self.now)
        if silence is not None:
            return "silenced" if silence.hush_id == SILENCE_KEY else "hushed"
        if not policy.permits(run.claim, self.now):
            return "quiet-hours"
        if chosen is None or not is_ready(run, self.state.on_disk, self.now):
            return "audio-missing"
        return f"preempted:{chosen.claim_id}"

    def _switched_at(self, run: Run, chosen: Claim | None) -> datetime:
        """Tell when ``run`` lost the loudspeakers: the player switched at the instant cued."""
        cued = self.state.upcoming
        if chosen is None or cued is None or cued.key != key_of(chosen):
            return self.now
        began = run.hearing.since if run.hearing else run.start
        return min(self.now, max(cued.begins, began))

    def _tell_preempted(self, run: Run, chosen: Claim) -> None:
        self.orders.append(
            Tell(
                Preempted(
                    report_id=UNNUMBERED,
                    claim_id=run.claim.claim_id,
                    at=self._switched_at(run, chosen),
                    by=chosen.claim_id,
                )
            )
        )

    def _upcoming(self, chosen: Claim | None) -> Cue | None:
        """Find the sound that begins next, where that can be known; returns are not cued ahead."""
        for at in self._edges_ahead():
            following = self._chosen(at)
            if following is None or following == chosen:
                continue
            key = key_of(following)
            run = self._run(key)
            if not run.is_live and at > self.now + CUE_AHEAD:
                return None
            if not run.is_live and ((run.begins or run.start) != at or run.paused_s is not None):
                return None
            self.runs[key] = self._brought_on(key, at)
            return self._cue(key, at) if self.runs[key].begins == at else None
        return None

    def _edges_ahead(self) -> list[datetime]:
        """List the instants, up to the cueing horizon, at which the answer may change."""
        edges = {self._run(key).start for key in self.state.programme.claims.keys() - self.done}
        edges |= {until(run) for run in self.runs.values()}
        edges |= set(self._policy_edges())
        return sorted(edge for edge in edges if self.now < edge <= self.now + TUNE_AHEAD)

    def _policy_edges(self) -> Iterator[datetime]:
        policy = self.state.programme.policy
        for stretch in policy.closed:
            yield stretch.start
            yield stretch.end
        for frame in policy.frames:
            yield frame.start
            yield frame.end

    # -- what follows

    def _ordered(self) -> tuple[Cue | None, Cue | None]:
        """Tell what the player makes of its cues by now: what sounds, and what it will."""
        was, cued = self.state.current, self.state.upcoming
        if cued is not None and cued.begins <= self.now:
            was, cued = cued, None
        return (None if was is None or was.ends <= self.now else was), cued

    def _order_sound(self, current: Cue | None, upcoming: Cue | None, *, is_new: bool) -> None:
        if current is not None and (is_new or upcoming is None):
            # The same sound again is not cut, and drops what was cued to follow it.
            self.orders.append(current)
        elif current is None and (is_new or upcoming is None):
            self.orders.append(Hush())
        if upcoming is not None:
            self.orders.append(upcoming)

    def _follow_hearing(self, current: Cue | None, upcoming: Cue | None) -> None:
        """Note from which instant another set of files is heard, or nothing."""
        for key, run in self.runs.items():
            # A device tells of a first sample while that is still in its buffer.
            about_to = upcoming is not None and key == upcoming.key
            if run.hearing is None or about_to:
                continue
            laid = stretches(run, self.state.on_disk)
            is_current = current is not None and key == current.key
            if is_current and laid == run.hearing.stretches:
                continue
            since = max(self.now, run.hearing.since)
            offset_s = run.hearing.offset_s + (since - run.hearing.since).total_seconds()
            again = Hearing(since, offset_s, laid) if is_current else None
            self.runs[key] = replace(closed(run, since), hearing=again)

    def _finish(self, key: ClaimKey, at: datetime, ended_by: Outcome | None = None) -> None:
        run = closed(self._run(key), at)
        self.orders.append(
            Tell(final_record(run, self.state.programme.cluster, self.now, ended_by))
        )
        self.runs.pop(key, None)
        self.done[key] = run.claim.end

    def _changes(self) -> Iterator[datetime]:
        """Give every instant after now at which there may be something to do."""
        candidates = set(self._policy_edges())
        # A relay is tuned in ahead of its return too.
        returns = any(run.is_live for run in self.runs.values())
        for key in self.state.programme.claims.keys() - self.done:
            run = self._run(key)
            if run.start > self.now:
                ahead = TUNE_AHEAD if run.is_live else CUE_AHEAD
                candidates |= {run.start - ahead, run.start}
            else:
                candidates |= {until(run), self._known_at(key)}
                if returns:
                    candidates.add(until(run) - TUNE_AHEAD)
        for run in self.runs.values():
            if (gives_up := patience_ends(run)) is not None:
                candidates.add(gives_up)
        if self.state.upcoming is not None:
            candidates.add(self.state.upcoming.begins - self.state.lead)
        if self.state.settled_at is not None:
            candidates.add(self.state.settled_at)
        return (at for at in candidates if at > self.now)


def _times(programme: Programme, spoken: Mapping[ClaimKey, datetime]) -> Mapping[ClaimKey, Airtime]:
    """Work out when each claim wants the loudspeakers; who has spoken holds up nobody any more."""
    claims, policy = programme.claims, programme.policy
    ends = {(claims[key].unit, claims[key].claim_id): at for key, at in spoken.items()}
    times = airtimes(claims.values(), replace(policy, stops={**ends, **policy.stops}))
    return MappingProxyType(dict(zip(claims, times, strict=True)))
