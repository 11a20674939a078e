"""Slots, broadcasts and frames of one unit, made into the claims of its plan."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from operator import attrgetter

from protocol.messages import Claim, ClaimKind, Content, Relay, Turns
from server.domain.slots import ContentKind, Slot, claim_id
from server.domain.turn_taking import NO_TURNS, TurnOf, sharing

_PLACE = attrgetter("start", "claim_id")


@lru_cache(maxsize=4096)
def claims_of(
    slot: Slot, start: datetime, end: datetime, turns: Turns | None = None
) -> tuple[Claim, ...]:
    """Give a claim for each occurrence of a slot that touches ``start`` to ``end``.

    A live slot without files holds its time free for whoever goes live, and claims nothing. The
    slots of a province say the same to every cluster that is looked at.
    """
    content = _content(slot)
    if content is None:
        return ()
    return tuple(
        [
            Claim(
                claim_id=claim_id(slot.slot_id, begins),
                unit=slot.unit_id,
                level=slot.level,
                bulletin_class=slot.bulletin_class,
                kind=ClaimKind.SCHEDULED,
                issued_at=slot.created_at,
                start=begins,
                end=ends,
                content=content,
                targets=slot.targets,
                title=slot.title,
                gain_db=slot.gain_db,
                when_cut=slot.when_cut,
                start_mode=slot.start_mode,
                wait_s=slot.wait_s,
                turns=turns,
            )
            for begins, ends in slot.rule.occurrences(start, end)
        ]
    )


def _content(slot: Slot) -> Content | None:
    if slot.content_kind is ContentKind.RELAY:
        return Content(relay=Relay(url=slot.relay_url))
    return Content(items=slot.items) if slot.items else None


def claims_in_turns(slot: Slot, start: datetime, end: datetime, turns: TurnOf) -> tuple[Claim, ...]:
    """Give the same of a slot whose clusters have these turns."""
    shared = sharing(slot, turns)
    told = None if shared is None else shared.told()
    return claims_of(slot, start, end, told)


def compiled(
    slots: Iterable[Slot],
    announcements: Iterable[Claim],
    start: datetime,
    end: datetime,
    turns: TurnOf = NO_TURNS,
) -> tuple[Claim, ...]:
    """List the claims of one unit from ``start`` to ``end``, always in the same order."""
    claims = [claim for slot in slots for claim in claims_in_turns(slot, start, end, turns)]
    claims.extend(announcements)
    return tuple(sorted(claims, key=_PLACE))
