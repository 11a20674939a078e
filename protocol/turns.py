"""When a claim is heard at one cluster, where loudspeakers that overlap take turns; both ends."""

from datetime import timedelta

from msgspec.structs import replace

from protocol.messages import BulletinClass, Claim, Turns


def later_s(turns: Turns, turn: int) -> float:
    """Tell how much later than the first a turn begins; one that is not known goes with it."""
    place = turns.order.index(turn) if turn in turns.order else 0
    return place * turns.every_s


def in_its_turn(claim: Claim, turn: int) -> Claim:
    """Give a claim as it is for a cluster that has this turn: with no time but the turn's own.

    An emergency never waits: whatever is said of turns, it sounds at once everywhere.
    """
    turns = claim.turns
    if turns is None or claim.bulletin_class is BulletinClass.EMERGENCY:
        return claim
    start = claim.start + timedelta(seconds=later_s(turns, turn))
    end = min(claim.end, start + timedelta(seconds=turns.lasts_s))
    return replace(claim, start=start, end=end, turns=None)
