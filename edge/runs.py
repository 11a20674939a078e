"""How one claim fares on this node: where its sound lies in time, and what of it was heard.

A run is opened when its claim falls due and closed by exactly one as-run record.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NewType

from msgspec import structs

from protocol.airtime import TOLERANCE_S, Airtime, begin_of, latest_begin
from protocol.content import lasts_as_its_claim, layout, length_s, opening_s
from protocol.messages import (
    AsRun,
    Claim,
    ClaimKind,
    FrameTally,
    Mode,
    Outcome,
    Segment,
    WhenCut,
)

ClaimKey = NewType("ClaimKey", str)
"""A claim's unit and id: a unit must not reach another's claim by using its id."""

PATIENCE = timedelta(seconds=20)
"""How long an announcement keeps the loudspeakers after its opening while its speech is fetched."""

PIECE_LEAD = timedelta(milliseconds=150)
"""Late speech goes this much later than it came: the decoder must be ready for it, and the player's
buffer may hold a tenth of a second that was decided before."""

CUE_LEAD = timedelta(milliseconds=100)
"""What comes late begins this much later: 60 ms are in the player's buffer, 20 ms in its hands, and
to open a file takes some 10 ms. On a slower board it is joined a little later, with a fade."""

TONE_S = 1.0
"""Time in which a live broadcast is closed by a tone, the player's own delay included."""

UNNUMBERED = "-"
"""Stands for the report's id until the outbox gives it one."""

# No file has this name.
_MICROPHONE = ""


@dataclass(frozen=True, slots=True)
class CuedPiece:
    """One file of a cue: ``offset_s`` from the cue's zero."""

    digest: str
    offset_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class CuedRelay:
    """A radio station in a cue: ``offset_s`` from the cue's zero."""

    url: str
    offset_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class CuedMicrophone:
    """Somebody who speaks, in a cue: ``offset_s`` from the cue's zero."""

    key: ClaimKey
    offset_s: float
    duration_s: float


CuedSound = CuedPiece | CuedRelay | CuedMicrophone


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a cue in which content sounds without a hole.

    Attributes:
        start_s: Where it begins, from the cue's zero.
        end_s: Where it ends.
        position_s: Place in the content of its first sample.
    """

    start_s: float
    end_s: float
    position_s: float


@dataclass(frozen=True, slots=True)
class Hearing:
    """What sounds now: since when, from which offset of the cue, and what the cue holds."""

    since: datetime
    offset_s: float
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One claim under way.

    Attributes:
        held_to: Instant from which its start mode lets it want the loudspeakers.
        begins: Instant of the content's first sample; None while that is not decided.
        paused_s: Position at which a claim that resumes was cut; None when it is not cut.
        speech_s: Where an announcement's items begin in its cue; None until they are on disk.
        label_s: How long a drill that is joined late says what it is, before it is listened to.
        hearing: What is heard at this moment, if anything.
        segments: What was heard before.
        settled: How many of these are of an earlier life, whose clock is moved no more.
        cause: The first reason for which some part was not heard.
        damaged: Files that did not decode.
        stalled: Whether its relay has fallen silent by itself.
        over_at: When a live broadcast is silent for good; None while it goes on.
        frames: How its frames came.
    """

    claim: Claim
    held_to: datetime | None = None
    begins: datetime | None = None
    paused_s: float | None = None
    speech_s: float | None = None
    label_s: float = 0.0
    hearing: Hearing | None = None
    segments: tuple[Segment, ...] = ()
    settled: int = 0
    cause: str = ""
    damaged: frozenset[str] = frozenset()
    stalled: bool = False
    over_at: datetime | None = None
    frames: FrameTally | None = None

    @property
    def start(self) -> datetime:
        """Instant from which it wants the loudspeakers."""
        return self.held_to or self.claim.start

    @property
    def is_live(self) -> bool:
        """Whether no place in its content is tied to an instant, so that it is joined anywhere."""
        return self.claim.content.relay is not None and self.claim.content.opening is None

    @property
    def follows_clock(self) -> bool:
        """Whether it begins when planned, and not when it first can."""
        return self.claim.kind is ClaimKind.SCHEDULED

    @property
    def heard(self) -> bool:
        """Whether any of it has sounded."""
        return self.hearing is not None or bool(self.segments)

    @property
    def end(self) -> datetime:
        """First instant at which it may no longer sound."""
        return self.claim.end if self.over_at is None else min(self.claim.end, self.over_at)


def key_of(claim: Claim) -> ClaimKey:
    """Name a claim on this node."""
    return ClaimKey(f"{claim.unit}/{claim.claim_id}")


def run_in(time: Airtime) -> Run:
    """Open the run of a claim that has its time on air."""
    waited = f"waited-for:{time.behind}" if time.behind and time.start >= time.claim.end else ""
    held_to = time.start if time.start > time.claim.start else None
    return Run(time.claim, held_to=held_to, cause=waited)


def retimed(run: Run, time: Airtime) -> Run:
    """Go by what a claim says now, and by the time it has now, unless it was heard already."""
    was, run, held_to = run.start, replace(run, claim=time.claim), run_in(time).held_to
    # One that resumes was given its beginning when what held it up ended; it keeps that.
    same_time = was == (held_to or time.claim.start)
    if run.heard or run.paused_s is not None or not run.follows_clock or same_time:
        return run
    return replace(run, held_to=held_to, begins=None)


def total_s(run: Run) -> float:
    """Tell how long the cue lasts, the wait for late speech included."""
    left_s = (run.end - (run.begins or run.start)).total_seconds()
    content = run.claim.content
    if content.live is not None:
        left_s = min(left_s, opening_s(content) + content.live.max_length_s + TONE_S)
    # A relay lasts for as long as its claim does.
    return min(left_s, length_s(content) + _shift_s(run))


def until(run: Run) -> datetime:
    """Tell when the claim is over: no sound of it may come at or after this."""
    claim = run.claim
    if run.paused_s is not None or (run.over_at is not None and run.over_at <= run.start):
        return run.end
    if run.follows_clock or run.speech_s is not None:
        begins = run.begins or run.start
        return min(run.end, begins + timedelta(seconds=total_s(run)))
    # Its opening may have been heard, and only the speech be lacking.
    sounded_s = opening_s(claim.content) if run.heard and run.begins is not None else 0.0
    return min(run.end, latest_begin(claim, run.start, sounded_s=sounded_s))


def is_ready(run: Run, on_disk: Collection[str], now: datetime) -> bool:
    """Say whether a claim may take the loudspeakers, its files considered.

    A scheduled one may always: its time is its own, and it is joined when its file is there. An
    announcement needs its opening or its speech, and gives way when the speech does not come. A
    drill that is joined late needs what says that it is one.
    """
    if _lacks_label(run, on_disk, now):
        return False
    if run.follows_clock or _speech_is_there(run, on_disk):
        return True
    opening = run.claim.content.opening
    if opening is None or opening.digest not in on_disk:
        return False
    return run.begins is None or now < _patience_ends(run, run.begins)


def patience_ends(run: Run) -> datetime | None:
    """Tell when a begun announcement stops waiting for its speech."""
    if run.begins is None or run.follows_clock or run.speech_s is not None:
        return None
    return _patience_ends(run, run.begins)


def brought_on(run: Run, on_disk: Collection[str], now: datetime, lead: timedelta) -> Run:
    """Decide when a claim that has the loudspeakers begins, and where late speech goes.

    Args:
        run: The claim's run.
        on_disk: Digests of the files that are there.
        now: The instant at which it gets the loudspeakers, or will.
        lead: Time the amplifier needs before it passes sound; zero when it is on.
    """
    if run.paused_s is not None:
        run = replace(run, begins=now - timedelta(seconds=run.paused_s), paused_s=None)
    if run.is_live and run.begins is not None and run.begins > now:
        # What it was to follow has ended early.
        run = replace(run, begins=None)
    planned_s = opening_s(run.claim.content)
    speech_s = planned_s
    if run.begins is None:
        run = replace(run, begins=_first_begin(run, now, lead))
        run = replace(run, label_s=_label_s(run, on_disk))
    else:
        # What it already sounds cannot be moved: late speech goes where the clock is by then.
        speech_s = max(planned_s, (now + PIECE_LEAD - run.begins).total_seconds())
    if run.follows_clock or run.speech_s is not None or not _speech_is_there(run, on_disk):
        return run
    return replace(run, speech_s=speech_s)


def put_aside(run: Run, now: datetime, cause: str) -> Run:
    """Note that a claim that is due does not have the loudspeakers, and why."""
    if not run.heard and not run.follows_clock:
        return replace(run, begins=None, speech_s=None, cause=run.cause or cause)
    run = replace(run, cause=run.cause or cause, stalled=False)
    if run.is_live:
        return replace(run, begins=None)
    if _says_first_what_it_is(run):
        return replace(run, begins=None, speech_s=None)
    if run.claim.when_cut is not WhenCut.RESUME or run.paused_s is not None:
        return run
    begins = run.begins or run.start
    return replace(run, paused_s=max(0.0, (now - begins).total_seconds()))


def moved(run: Run, by: timedelta, now: datetime) -> Run:
    """Tell of what was heard by a clock that was moved, and let go on what does not go by it.

    Args:
        run: The run, by the clock of before.
        by: How far the clock was moved.
        now: The time, by the clock as it is now.
    """
    if not by:
        return run
    heard = run.hearing
    if run.follows_clock and heard is not None:
        # It jumps to where the clock says now.
        offset_s = heard.offset_s + (now - heard.since).total_seconds()
        run = closed(run, now - by)
        heard = replace(heard, since=now, offset_s=offset_s) if offset_s >= 0 else None
    elif heard is not None:
        heard = replace(heard, since=heard.since + by)
    segments = run.segments[: run.settled] + tuple(
        Segment(start=part.start + by, end=part.end + by, position_s=part.position_s)
        for part in run.segments[run.settled :]
    )
    over_at = run.over_at
    if over_at is not None and over_at > now - by:
        over_at += by
    run = replace(run, hearing=heard, segments=segments, over_at=over_at)
    if run.follows_clock or run.begins is None:
        return run
    if not run.heard and run.begins == run.start:
        # It was to begin by the clock: by which that is decided anew.
        return replace(run, begins=None, speech_s=None)
    if run.hearing is None and 0 < run.settled == len(run.segments):
        # What an earlier life began, and this one has not sounded, began by the clock of then.
        return run
    return replace(run, begins=run.begins + by)


def moved_claim(claim: Claim, by: timedelta) -> Claim:
    """Tell what somebody at the box has begun by a clock that was moved."""
    return structs.replace(
        claim, issued_at=claim.issued_at + by, start=claim.start + by, end=claim.end + by
    )


def stalled(run: Run, at: datetime, reason: str) -> Run:
    """Note that the relay of a claim fell silent by itself, or has not been heard at all."""
    known = "" if run.cause.startswith("relay-") and not run.heard else run.cause
    return replace(closed(run, at), stalled=True, cause=known or f"relay-{reason}")


def silenced(run: Run, at: datetime, cause: str, frames: FrameTally | None) -> Run:
    """Note that a live broadcast is over at ``at``, and why unless it was spoken to its end."""
    return replace(run, over_at=at, cause=run.cause or cause, frames=frames)


def is_dropped(run: Run) -> bool:
    """Say whether a claim that lost the loudspeakers does not come back to them."""
    return run.claim.when_cut is WhenCut.DROP and (run.follows_clock or run.heard)


def pieces(run: Run, on_disk: Collection[str]) -> tuple[CuedSound, ...]:
    """List what of the cue can sound, in order."""
    return tuple(
        _cued(run, name, offset_s, duration_s)
        for name, offset_s, duration_s, there in _laid(run, on_disk)
        if there
    )


def _cued(run: Run, name: str, offset_s: float, duration_s: float) -> CuedSound:
    content = run.claim.content
    if name == _MICROPHONE:
        return CuedMicrophone(key_of(run.claim), offset_s, duration_s)
    if content.relay is not None and name == content.relay.url:
        return CuedRelay(name, offset_s, duration_s)
    return CuedPiece(name, offset_s, duration_s)


def is_missed_now(run: Run, on_disk: Collection[str], now: datetime) -> bool:
    """Say whether a file is missing that should be heard at this instant."""
    if run.begins is None:
        return False
    at_s = (now - run.begins).total_seconds()
    return any(
        not there and offset_s <= at_s < offset_s + duration_s
        for _digest, offset_s, duration_s, there in _laid(run, on_disk)
    )


def stretches(run: Run, on_disk: Collection[str]) -> tuple[Stretch, ...]:
    """Tell where content will sound: a pause between two files that are there is content too."""
    shift_s, opening = _shift_s(run), opening_s(run.claim.content)
    # Of a relay the place is the time since its start: it has no other.
    if run.is_live and run.begins is not None:
        shift_s -= (run.begins - run.start).total_seconds()
    found: list[Stretch] = []
    broken = True
    for _digest, offset_s, duration_s, there in _laid(run, on_disk):
        position_s = offset_s - (shift_s if offset_s >= opening else 0.0)
        end_s = offset_s + duration_s
        last = found[-1] if found else None
        # Late speech is shifted: the wait before it is not content.
        moved = last is not None and last.position_s - last.start_s != position_s - offset_s
        if not there:
            broken = True
        elif last is None or broken or moved:
            found.append(Stretch(offset_s, end_s, position_s))
            broken = False
        else:
            found[-1] = replace(last, end_s=end_s)
    return tuple(found)


def closed(run: Run, at: datetime) -> Run:
    """End what is heard at ``at``, and keep it as segments."""
    if run.hearing is None:
        return run
    segments = list(run.segments)
    for segment in _segments(run.hearing, at):
        if segments and segments[-1].end == segment.start and _continues(segments[-1], segment):
            segments[-1] = Segment(
                start=segments[-1].start, end=segment.end, position_s=segments[-1].position_s
            )
        else:
            segments.append(segment)
    return replace(run, hearing=None, segments=tuple(segments))


def restored(run: Run, alive_at: datetime) -> Run:
    """Take up a run that an earlier life of the program left open.

    Args:
        run: As it was kept.
        alive_at: Last instant at which the program is known to have lived.
    """
    run = replace(closed(run, alive_at), cause=run.cause or "restarted")
    run = replace(run, settled=len(run.segments))
    if (run.heard and not _says_first_what_it_is(run)) or run.follows_clock:
        return run
    return replace(run, begins=None, speech_s=None)


def heard_position_s(hearing: Hearing) -> float:
    """Tell which place of the content the first sample of a hearing is."""
    for stretch in hearing.stretches:
        if hearing.offset_s < stretch.end_s:
            into_s = max(0.0, hearing.offset_s - stretch.start_s)
            return stretch.position_s + into_s
    return hearing.offset_s


def final_record(run: Run, cluster: str, at: datetime, ended_by: Outcome | None = None) -> AsRun:
    """Make the one record of a run that is over and closed.

    Args:
        run: The run, with nothing heard any more.
        cluster: Where it sounded.
        at: When it was found to be over.
        ended_by: ``STOPPED`` by order, or None when it ended by itself.
    """
    outcome, reason = _outcome(run)
    if ended_by is not None and outcome is not Outcome.PLAYED:
        outcome, reason = ended_by, "stopped"
    return AsRun(
        report_id=UNNUMBERED,
        claim_id=run.claim.claim_id,
        cluster=cluster,
        at=at,
        outcome=outcome,
        reason=reason,
        segments=() if outcome is Outcome.FAILED else run.segments,
        frames=run.frames,
    )


def _outcome(run: Run) -> tuple[Outcome, str]:
    if run.damaged:
        needed = {asset.digest for asset in run.claim.content.items}
        if (needed and needed <= run.damaged) or not run.segments:
            return Outcome.FAILED, "audio-damaged"
        return Outcome.CUT, "audio-damaged"
    if not run.segments:
        failed = run.cause.startswith("relay-")
        return (Outcome.FAILED if failed else Outcome.MISSED), run.cause or "late"
    if run.claim.content.live is not None and run.over_at is None:
        return Outcome.CUT, run.cause or "live-too-long"
    if _unheard_s(run) <= TOLERANCE_S and not run.cause.startswith("live-"):
        return Outcome.PLAYED, ""
    return Outcome.CUT, run.cause or "late"


def _unheard_s(run: Run) -> float:
    # An announcement is its speech: the part of a shared opening that a late node lost is no cut.
    content = run.claim.content
    first_s = 0.0 if run.follows_clock else opening_s(content)
    whole_s = length_s(content) - first_s
    if run.follows_clock or lasts_as_its_claim(content):
        # More than its time on air nobody has asked of it.
        whole_s = min(whole_s, (run.end - run.start).total_seconds() - first_s)
    heard_s, reached_s = 0.0, first_s
    # What was heard a second time, because it began anew, was not more of it.
    for segment in sorted(run.segments, key=lambda one: one.position_s):
        end_s = segment.position_s + (segment.end - segment.start).total_seconds()
        heard_s += max(0.0, end_s - max(reached_s, segment.position_s))
        reached_s = max(reached_s, end_s)
    return whole_s - heard_s


def _segments(hearing: Hearing, at: datetime) -> Iterator[Segment]:
    zero = hearing.since - timedelta(seconds=hearing.offset_s)
    for stretch in hearing.stretches:
        start = max(hearing.since, zero + timedelta(seconds=stretch.start_s))
        end = min(at, zero + timedelta(seconds=stretch.end_s))
        if start < end:
            into_s = (start - zero).total_seconds() - stretch.start_s
            yield Segment(start=start, end=end, position_s=round(stretch.position_s + into_s, 6))


def _continues(before: Segment, after: Segment) -> bool:
    end_s = before.position_s + (before.end - before.start).total_seconds()
    return abs(end_s - after.position_s) < 0.001  # noqa: PLR2004 - a millisecond: rounding


def _laid(run: Run, on_disk: Collection[str]) -> Iterator[tuple[str, float, float, bool]]:
    """Place all that is in the cue: name, offset, length, whether it can sound."""
    content = run.claim.content
    shift_s = _shift_s(run)
    speech_known = run.follows_clock or run.speech_s is not None
    for number, placed in enumerate(layout(content)):
        is_opening = number == 0 and content.opening is not None
        offset_s = placed.offset_s if is_opening else placed.offset_s + shift_s
        there = placed.asset.digest in on_disk and (is_opening or speech_known)
        yield placed.asset.digest, offset_s, placed.asset.duration_s, there
    if content.relay is not None:
        offset_s = opening_s(content)
        yield content.relay.url, offset_s, max(0.0, total_s(run) - offset_s), True
    if content.live is not None:
        offset_s = opening_s(content)
        if run.label_s and content.live.label is not None:
            label = content.live.label
            yield label.digest, offset_s, run.label_s, label.digest in on_disk
        # As long as it may get, whatever is known by now: the player must not take it for another.
        length_s = content.live.max_length_s + TONE_S
        yield _MICROPHONE, offset_s + run.label_s, length_s, True


def _shift_s(run: Run) -> float:
    return 0.0 if run.speech_s is None else run.speech_s - opening_s(run.claim.content)


def _speech_is_there(run: Run, on_disk: Collection[str]) -> bool:
    return all(asset.digest in on_disk for asset in run.claim.content.items)


def _patience_ends(run: Run, begins: datetime) -> datetime:
    return begins + timedelta(seconds=opening_s(run.claim.content)) + PATIENCE


def _says_first_what_it_is(run: Run) -> bool:
    """Say whether it never goes on in its middle: nobody could tell a drill there from the real."""
    return run.claim.mode is Mode.DRILL and not run.follows_clock


def _lacks_label(run: Run, on_disk: Collection[str], now: datetime) -> bool:
    """Say whether a live drill would be joined in its middle, and could not be told from real."""
    live = run.claim.content.live
    if live is None or live.label is None or run.begins is not None:
        return False
    is_late = _first_begin(run, now, timedelta()) != run.start
    return is_late and live.label.digest not in on_disk


def _label_s(run: Run, on_disk: Collection[str]) -> float:
    """Tell how long a live drill says what it is on a node that has missed it; 0 for all else."""
    live = run.claim.content.live
    if live is None or live.label is None or run.begins == run.start:
        return 0.0
    return live.label.duration_s if live.label.digest in on_disk else 0.0


def _first_begin(run: Run, now: datetime, lead: timedelta) -> datetime:
    """Begin by the clock, or when it first can; what comes late needs a moment."""
    if run.is_live:
        return max(run.start, now)
    begins = begin_of(run.claim, run.start, now + lead)
    return begins if begins == run.start else now + max(lead, CUE_LEAD)
