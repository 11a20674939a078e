"""Orders to the one node of a cluster, for whoever looks after it: how they stand."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from protocol.ids import TALK_PREFIX
from protocol.messages import Outcome

PREFIX = "kt-"
"""How the name of such an order begins, and that of no broadcast, silence or occurrence."""

ORDER_LIFE = timedelta(minutes=1)
"""Nobody is served by a test sound an hour later."""

ANSWERED_WITHIN = timedelta(seconds=15)
"""A node that is there answers within a second or two."""

MOST_ORDERS, ORDERS_PER = 6, timedelta(minutes=1)
"""At one cluster, whoever gives them: people live beside it."""

CHECK_TITLE = "Thử loa"
BLINKS_S = 30.0
QUIET_DB = -24.0
"""Heard by whoever stands below the horn, and not across the fields."""


class Deed(StrEnum):
    """What is ordered."""

    SPOKEN = "spoken"
    QUIET = "quiet"
    IDENTIFY = "identify"
    RESTART = "restart"
    VOLUME = "volume"
    DELAY = "delay"
    TALK = "talk"


SOUNDS = frozenset({Deed.SPOKEN, Deed.QUIET})
SETTINGS = frozenset({Deed.VOLUME, Deed.DELAY, Deed.TALK})
"""What lasts, and stands in the node's configuration."""

MOST_DELAY_MS = 1000


class TalkWhen(StrEnum):
    """When whoever stands at the box may speak by its talk key."""

    NEVER = "never"
    CUT_OFF = "cut-off"
    ALWAYS = "always"


TALK_AWAY_MIN = (1, 1440)
TALK_MOST_S = (10, 900)
"""Least and most that may be asked for."""

TALK_TITLE = "Nói tại cụm loa"


class Standing(StrEnum):
    """How an order stands."""

    SENT = "sent"
    RECEIVED = "received"
    SOUNDING = "sounding"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    NO_ANSWER = "no-answer"


ENDED = frozenset({Standing.DONE, Standing.REFUSED, Standing.FAILED})


@dataclass(frozen=True, slots=True)
class Told:
    """What a node has said of an order.

    Attributes:
        end: ``done``, ``refused`` or ``failed``; empty while that is open.
    """

    received_at: datetime | None = None
    started_at: datetime | None = None
    end: str = ""


def is_upkeep_id(name: str) -> bool:
    """Say whether a report about ``name`` may be about such an order."""
    return name.startswith(PREFIX)


def is_talk_id(name: str) -> bool:
    """Say whether a report about ``name`` is about what was spoken by the key of a box."""
    return name.startswith(TALK_PREFIX)


def talk_when(away_min: int | None) -> TalkWhen:
    """Say when a talk key may be used, as a cluster has it."""
    if away_min is None:
        return TalkWhen.NEVER
    return TalkWhen.CUT_OFF if away_min else TalkWhen.ALWAYS


def standing(told: Told, *, sent_at: datetime, now: datetime) -> Standing:
    """Sum up what a node has said; whoever answers late has answered."""
    if told.end:
        return Standing(told.end)
    if told.started_at is not None:
        return Standing.SOUNDING
    if told.received_at is not None:
        return Standing.RECEIVED
    return Standing.SENT if now < sent_at + ANSWERED_WITHIN else Standing.NO_ANSWER


def end_of(outcome: Outcome) -> Standing:
    """Say what the record of a test sound means for the order."""
    return Standing.DONE if outcome is Outcome.PLAYED else Standing.FAILED


def outweighs(end: Standing, before: str) -> bool:
    """Say whether one word of a node counts over what it said before, in whatever order they come.

    A node may refuse the first copy of an order and take the second; what came of it is final.
    """
    return not before or (before == Standing.REFUSED and end is not Standing.REFUSED)


def spoken_text(cluster: str, unit: str) -> str:
    """Write what a spoken test says: whoever hears it below can tell which loudspeaker it is."""
    name = cluster if cluster.casefold().startswith("cụm") else f"cụm {cluster}"
    return f"Thử loa, {name}, {unit}. Xin nhắc lại: thử loa."
