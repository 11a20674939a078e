"""What a cluster will sound between two instants, laid out as one stream to listen to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from protocol.airtime import airtimes, begin_of
from protocol.content import layout, length_s
from protocol.messages import Claim, Content, WhenCut
from protocol.plan import Span, timeline
from protocol.policy import Policy

LONGEST = timedelta(hours=2)
PAUSE_S = 1.0
"""What is left of a silence that is skipped."""

Key = tuple[str, str]
"""A claim's unit and id."""

_LEAST_S = 0.001


class What(StrEnum):
    """What is heard in a stretch."""

    SOUND = "sound"
    RELAY = "relay"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Scene:
    """A stretch of the rehearsal.

    Attributes:
        start, end: When it is, by the clock.
        claim: Whose it is; None: nobody's.
        position_s: Place in the claim's content of its first sample.
        at_s: Where it begins in the stream.
        length_s: How long it lasts there; shorter than on the clock where silence is skipped.
    """

    start: datetime
    end: datetime
    what: What
    claim: Claim | None = None
    position_s: float = 0.0
    at_s: float = 0.0
    length_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of a file, and where in the stream it is heard."""

    digest: str
    from_s: float
    length_s: float
    at_s: float
    gain_db: float


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Everything that is heard, in order."""

    scenes: tuple[Scene, ...]
    cuts: tuple[Cut, ...]
    length_s: float


def rehearsed(
    claims: Sequence[Claim],
    *,
    policy: Policy,
    ceiling_db: float,
    since: datetime,
    until: datetime,
    skip_silence: bool = False,
) -> Rehearsal:
    """Lay out what sounds from ``since`` to ``until``.

    Args:
        claims: All that target the cluster and reach into this time, or into what does.
        policy: What holds there.
        ceiling_db: Loudest gain at this cluster.
        since: First instant.
        until: First instant that is not heard any more.
        skip_silence: Leave out pauses longer than a second in which nothing is to be heard.
    """
    spans = timeline(claims, policy, _reaching(claims, since, until), until)
    starts = {
        (time.claim.unit, time.claim.claim_id): time.start for time in airtimes(claims, policy)
    }
    scenes = tuple(
        _placed(_clipped(_scenes(spans, starts), since, until), skip_silence=skip_silence)
    )
    cuts = tuple(
        cut
        for scene in scenes
        if scene.claim is not None and scene.what is What.SOUND
        for cut in _cuts(scene, scene.claim, policy, ceiling_db)
    )
    return Rehearsal(scenes, cuts, sum(scene.length_s for scene in scenes))


def of_content(content: Content, *, gain_db: float) -> Rehearsal:
    """Lay out what one announcement sounds, wherever nothing else is in its way."""
    cuts = tuple(
        Cut(placed.asset.digest, 0.0, placed.asset.duration_s, placed.offset_s, gain_db)
        for placed in layout(content)
    )
    return Rehearsal((), cuts, length_s(content))


def _scenes(spans: Iterable[Span], starts: Mapping[Key, datetime]) -> Iterator[Scene]:
    heard_s: dict[Key, float] = {}
    begun: dict[Key, datetime] = {}
    for span in spans:
        claim = span.claim
        if claim is None:
            yield Scene(span.start, span.end, What.SILENCE)
            continue
        key = claim.unit, claim.claim_id
        if claim.when_cut is WhenCut.RESUME:
            position_s = heard_s.get(key, 0.0)
        else:
            began = begun.setdefault(key, begin_of(claim, starts[key], span.start))
            position_s = (span.start - began).total_seconds()
        heard_s[key] = position_s + (span.end - span.start).total_seconds()
        yield from _of_claim(span, claim, position_s)


def _of_claim(span: Span, claim: Claim, position_s: float) -> Iterator[Scene]:
    """Part a span into what comes from files and what comes from elsewhere, or from nowhere."""
    placed = layout(claim.content)
    files_s = placed[-1].offset_s + placed[-1].asset.duration_s if placed else 0.0
    left_s = max(0.0, files_s - position_s)
    files_end = min(span.end, span.start + timedelta(seconds=left_s))
    if span.start < files_end:
        yield Scene(span.start, files_end, What.SOUND, claim, position_s)
    if files_end < span.end:
        is_over = length_s(claim.content) <= files_s
        what = What.SILENCE if is_over else What.RELAY
        yield Scene(files_end, span.end, what, None if is_over else claim)


def _clipped(scenes: Iterable[Scene], since: datetime, until: datetime) -> Iterator[Scene]:
    last: Scene | None = None
    for scene in scenes:
        start, end = max(scene.start, since), min(scene.end, until)
        if start >= end:
            continue
        ahead_s = (start - scene.start).total_seconds()
        kept = replace(scene, start=start, end=end, position_s=scene.position_s + ahead_s)
        if last is not None and last.what is What.SILENCE and kept.what is What.SILENCE:
            last = replace(last, end=end)
            continue
        if last is not None:
            yield last
        last = kept
    if last is not None:
        yield last


def _placed(scenes: Iterable[Scene], *, skip_silence: bool) -> Iterator[Scene]:
    at_s = 0.0
    for scene in scenes:
        length = (scene.end - scene.start).total_seconds()
        if skip_silence and scene.what is not What.SOUND:
            length = min(length, PAUSE_S)
        yield replace(scene, at_s=at_s, length_s=length)
        at_s += length


def _cuts(scene: Scene, claim: Claim, policy: Policy, ceiling_db: float) -> Iterator[Cut]:
    loudest_db = policy.loudest_db(claim, scene.start, scene.end)
    gain_db = min(claim.gain_db, loudest_db, ceiling_db)
    first_s, last_s = scene.position_s, scene.position_s + scene.length_s
    for placed in layout(claim.content):
        begin_s = max(first_s, placed.offset_s)
        end_s = min(last_s, placed.offset_s + placed.asset.duration_s)
        if end_s - begin_s < _LEAST_S:
            continue
        yield Cut(
            placed.asset.digest,
            begin_s - placed.offset_s,
            end_s - begin_s,
            scene.at_s + begin_s - first_s,
            gain_db,
        )


def _reaching(claims: Sequence[Claim], since: datetime, until: datetime) -> datetime:
    """Tell from when the claims must be followed to know what sounds from ``since`` on."""
    over = (claim.start for claim in claims if claim.start < until and claim.end > since)
    return min((since, *over))
