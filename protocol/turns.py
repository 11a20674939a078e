"""When a claim is heard at one cluster, where loudspeakers that overlap take turns; both ends."""

from datetime import timedelta

from msgspec.structs import replace

from protocol.messages import BulletinClass, Claim


def in_its_turn(claim: Claim, turn: int) -> Claim:
    """Give a claim as it is for a cluster that has this turn: with no time but the turn's own.

    An emergency never waits: whatever is said of turns, it sounds at once everywhere. A cluster
    whose turn the claim does not know goes with the first.
    """
    turns = claim.turns
    if turns is None or claim.bulletin_class is BulletinClass.EMERGENCY:
        return claim
    place = turns.order.index(turn) if turn in turns.order else 0
    start = claim.start + timedelta(seconds=place * turns.every_s)
    end = min(claim.end, start + timedelta(seconds=turns.lasts_s))
    return replace(claim, start=start, end=end, turns=None)
