"""Claims and what surrounds them, with boring defaults."""

import hashlib
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from msgspec.structs import replace

from protocol.messages import (
    AssetRef,
    BulletinClass,
    Claim,
    ClaimKind,
    Content,
    Frame,
    Interval,
    Mode,
    Severity,
    Targets,
)
from protocol.plan import Place
from protocol.policy import EVER, Policy, Silence

NOON = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
"""Noon in Asia/Ho_Chi_Minh."""

PROVINCE, COMMUNE, VILLAGE = "tinh-1", "xa-1", "thon-1"
CLUSTER, NODE = "cum-1", "nut-1"
HERE = Place(CLUSTER, (PROVINCE, COMMUNE))
NO_RULES = Policy()


def at(minutes: float) -> datetime:
    """Tell the instant so many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def an_asset(name: str = "song", **overrides: object) -> AssetRef:
    """Make a reference to an audio file; other names give other digests."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return replace(AssetRef(digest=digest, duration_s=600.0, size_bytes=2_400_000), **overrides)


def a_content(**overrides: object) -> Content:
    """Make a content of one file."""
    return replace(Content(items=(an_asset(),)), **overrides)


def a_claim(**overrides: object) -> Claim:
    """Make an ordinary scheduled claim of the commune, from noon to ten past."""
    boring = Claim(
        claim_id="tin-1",
        unit=COMMUNE,
        level=1,
        bulletin_class=BulletinClass.ORDINARY,
        kind=ClaimKind.SCHEDULED,
        issued_at=at(-60),
        start=NOON,
        end=at(10),
        content=a_content(),
        targets=Targets(units=(COMMUNE,)),
    )
    return replace(boring, **overrides)


def an_announcement(**overrides: object) -> Claim:
    """Make an emergency announcement of the commune, given out and sounding at noon."""
    urgent = a_claim(
        claim_id="khan-1",
        bulletin_class=BulletinClass.EMERGENCY,
        kind=ClaimKind.ANNOUNCEMENT,
        severity=Severity.SEVERE,
        issued_at=NOON,
    )
    return replace(urgent, **overrides)


def an_interval(start_min: float, end_min: float) -> Interval:
    """Make a stretch of time, in minutes after noon."""
    return Interval(start=at(start_min), end=at(end_min))


def a_frame(owner: str, start_min: float, end_min: float) -> Frame:
    """Make a time frame of ``owner``, in minutes after noon."""
    return Frame(owner=owner, start=at(start_min), end=at(end_min))


instants = st.integers(-30, 30).map(at)
"""Whole minutes round noon: few enough that claims often begin and end together."""


intervals = st.builds(
    lambda start, minutes: Interval(start=start, end=start + timedelta(minutes=minutes)),
    instants,
    st.integers(1, 30),
)
"""Stretches of time that last at least a minute."""

claims = st.builds(
    lambda number, level, time, newer, **rest: a_claim(
        claim_id=f"tin-{number}",
        unit=(PROVINCE, COMMUNE)[level],
        level=level,
        issued_at=at(-59 if newer else -60),
        start=time.start,
        end=time.end,
        **rest,
    ),
    number=st.integers(0, 9),
    level=st.integers(0, 1),
    time=intervals,
    newer=st.booleans(),
    bulletin_class=st.sampled_from(BulletinClass),
    kind=st.sampled_from([kind for kind in ClaimKind if kind is not ClaimKind.LOCAL]),
    mode=st.sampled_from(Mode),
    severity=st.sampled_from(Severity),
)
"""Claims that often tie in everything but their names."""

several_claims = st.lists(claims, max_size=6, unique_by=lambda claim: (claim.claim_id, claim.unit))
"""Claims of which no two have the same id and unit, as at a receiver."""

silences = st.builds(
    lambda time, lasts, spares: Silence(
        "im-1", PROVINCE, time.start, EVER if lasts else time.end, spares_emergencies=spares
    ),
    intervals,
    st.booleans(),
    st.booleans(),
)
"""Hushes, of which some are never lifted."""

policies = st.builds(
    lambda frames, quiet, silences, ranks: Policy(
        frames=frames, quiet=quiet, silences=silences, ranks=ranks
    ),
    frames=st.lists(
        st.builds(
            lambda owner, time: Frame(owner=owner, start=time.start, end=time.end),
            st.sampled_from((PROVINCE, COMMUNE)),
            intervals,
        ),
        max_size=2,
    ).map(tuple),
    quiet=st.lists(intervals, max_size=2).map(tuple),
    silences=st.lists(silences, max_size=1).map(tuple),
    ranks=st.dictionaries(
        st.sampled_from([f"tin-{i}" for i in range(10)]), st.integers(0, 2), max_size=3
    ),
)
"""Frames, quiet hours, hushes and ranks round noon."""
