"""Orders to a cluster in signs and words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from server.domain.upkeep import (
    ANSWERED_WITHIN,
    TALK_AWAY_MIN,
    TALK_MOST_S,
    Deed,
    Standing,
    TalkWhen,
    talk_when,
)
from server.http.languages import gettext
from server.http.wording import N_, reason_sentence
from server.services.upkeep import Order
from server.store.models import ClusterRow, UpkeepRow
from server.web.words import Sign

VOLUMES_DB = (0.0, -2.0, -4.0, -6.0, -8.0, -10.0, -12.0, -15.0, -18.0, -24.0, -30.0)

_SIGNS: Mapping[Standing, Sign] = MappingProxyType(
    {
        Standing.SENT: Sign("waiting", "send-fill", N_("Sent")),
        Standing.RECEIVED: Sign("waiting", "check2", N_("Received")),
        Standing.SOUNDING: Sign("on-air", "broadcast", N_("Sounding")),
        Standing.DONE: Sign("here", "check2-all", N_("Done")),
        Standing.REFUSED: Sign("lost", "shield-exclamation", N_("Refused")),
        Standing.FAILED: Sign("lost", "x-octagon-fill", N_("Failed")),
        Standing.NO_ANSWER: Sign("lost", "wifi-off", N_("No answer")),
    }
)
_DEEDS: Mapping[str, str] = MappingProxyType(
    {
        Deed.SPOKEN: N_("Spoken test"),
        Deed.QUIET: N_("Quiet test"),
        Deed.IDENTIFY: N_("Blink the lamps"),
        Deed.RESTART: N_("Restart"),
        Deed.VOLUME: N_("Volume"),
        Deed.DELAY: N_("Delay"),
        Deed.TALK: N_("Talk key"),
    }
)
_HOW: Mapping[str, str] = MappingProxyType(
    {
        "lamps": N_("The lamps of the box blink for half a minute"),
        "no-lamps": N_("This box has no lamps; a test sound shows where it is"),
    }
)


_TALK: Mapping[str, str] = MappingProxyType(
    {
        TalkWhen.NEVER: N_("Never"),
        TalkWhen.CUT_OFF: N_("Once the network has been away for a while"),
        TalkWhen.ALWAYS: N_("Always"),
    }
)
_USUAL_AWAY_MIN = 10


@dataclass(frozen=True, slots=True)
class Talk:
    """When the talk key of a cluster's box may be used.

    Attributes:
        away_min: What stands in the form, also where it does not count.
    """

    when: TalkWhen
    away_min: int
    most_s: int

    @classmethod
    def of(cls, row: ClusterRow) -> "Talk":
        """Tell it of a cluster."""
        away_min = row.talk_away_min or _USUAL_AWAY_MIN
        return cls(talk_when(row.talk_away_min), away_min, row.talk_most_s)

    @property
    def sentence(self) -> str:
        """Say it in words."""
        if self.when is TalkWhen.CUT_OFF:
            return gettext("Once the network has been away for %(num)s min", num=self.away_min)
        return gettext(_TALK[self.when])

    @property
    def away_bounds(self) -> tuple[int, int]:
        """Least and most minutes."""
        return TALK_AWAY_MIN

    @property
    def length_bounds(self) -> tuple[int, int]:
        """Least and most seconds."""
        return TALK_MOST_S


@dataclass(frozen=True, slots=True)
class Line:
    """One order of the list."""

    order_id: str
    deed: str
    sign: Sign
    note: str
    by: str
    at: datetime
    answered_at: datetime | None


def lines(orders: Sequence[Order], people: Mapping[str, str]) -> list[Line]:
    """Put orders into words."""
    return [_line(one, people) for one in orders]


def _line(one: Order, people: Mapping[str, str]) -> Line:
    row = one.row
    name = gettext(_DEEDS[row.deed])
    if row.deed == Deed.VOLUME:
        name = f"{name}: {row.facts['volume_db']:g} dB"
    elif row.deed == Deed.DELAY:
        name = f"{name}: {row.facts['delay_ms']} ms"
    elif row.deed == Deed.TALK:
        name = f"{name}: {_told_talk(row)}"
    return Line(
        order_id=row.order_id,
        deed=name,
        sign=_SIGNS[one.standing],
        note=_note(one),
        by=people.get(row.created_by, row.created_by),
        at=row.created_at,
        answered_at=row.ended_at or row.started_at or row.received_at,
    )


def _told_talk(row: UpkeepRow) -> str:
    away_min = row.facts.get("away_min")
    return Talk(talk_when(away_min), away_min or 0, 0).sentence


def _note(one: Order) -> str:
    if one.standing is Standing.NO_ANSWER:
        seconds = int(ANSWERED_WITHIN.total_seconds())
        return gettext("The equipment has not answered within %(num)s seconds", num=seconds)
    if one.standing is Standing.RECEIVED and one.row.deed == Deed.RESTART:
        if one.row.facts["at_once"]:
            return gettext("It is starting again")
        return gettext("It waits until what sounds has ended")
    if one.row.reason in _HOW:
        return gettext(_HOW[one.row.reason])
    return reason_sentence(one.row.reason)
