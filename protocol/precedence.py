"""Which of several claims is heard: the one rule, used by both ends.

The classes and the commune's right to rank priority items come from Circular 39/2020/TT-BTTTT.
The key is a total order (it ends in the claim's id and its unit), so every node decides alike,
whatever the order in which things reached it.
"""

from collections.abc import Iterable
from datetime import datetime

from protocol.messages import BulletinClass, Claim, ClaimKind, Mode
from protocol.policy import Policy

Key = tuple[int | float | str, ...]

# Asked of every claim that meets another: to look them up there would take longer than all else.
_EMERGENCY, _PRIORITY = BulletinClass.EMERGENCY, BulletinClass.PRIORITY
_DRILL, _LOCAL, _CHECK = Mode.DRILL, ClaimKind.LOCAL, ClaimKind.CHECK


def winner(claims: Iterable[Claim], now: datetime, policy: Policy) -> Claim | None:
    """Choose, among the claims that target one cluster, the one that is heard at ``now``."""
    live = [claim for claim in claims if claim.start <= now < claim.end]
    if policy.forbids_any:
        live = [claim for claim in live if policy.permits(claim, now)]
    if len(live) > 1:
        return min(live, key=lambda claim: key(claim, now, policy))
    return live[0] if live else None


def key(claim: Claim, now: datetime, policy: Policy) -> Key:
    """Order claims; the smallest key is heard."""
    if claim.mode is _DRILL:
        # A rehearsal never displaces anything real of priority or above, whatever it rehearses.
        return 1, 1, *_priority_key(claim, policy)
    if claim.kind is _LOCAL:
        # Whoever speaks at the box has no order for it: every emergency of the network goes before
        # them, however slight, and they before all else.
        return 0, 1, -claim.issued_at.timestamp(), *_name(claim)
    if claim.bulletin_class is _EMERGENCY:
        return 0, -claim.severity, -claim.issued_at.timestamp(), *_name(claim)
    if claim.bulletin_class is _PRIORITY:
        return 1, 0, *_priority_key(claim, policy)
    if claim.kind is _CHECK:
        # Whoever tries the loudspeakers neither cuts nor holds up what people are to hear.
        return 3, claim.start.timestamp(), *_name(claim)
    owned = claim.unit == policy.owner(now)
    return 2, 0 if owned else 1, claim.level, claim.start.timestamp(), *_name(claim)


def _priority_key(claim: Claim, policy: Policy) -> Key:
    rank = policy.ranks.get(claim.claim_id)
    return (
        1 if rank is None else 0,
        0 if rank is None else rank,
        1 if claim.kind is ClaimKind.SCHEDULED else 0,
        claim.level,
        claim.start.timestamp(),
        *_name(claim),
    )


def _name(claim: Claim) -> tuple[str, str]:
    # The unit too: nothing keeps two units from using the same claim id.
    return claim.claim_id, claim.unit
