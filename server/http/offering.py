"""Where a slot cannot be saved for others, work out what may be done instead."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from server.domain.clashes import SlotClashError
from server.domain.offers import Offer, OfferKind, second
from server.http.context import actor, now, reading
from server.services import answers, desk_changes, offering
from server.services.answers import Airing
from server.services.slot_moves import Move
from server.services.slot_requests import NewSlot


@contextmanager
def ways_out(new: NewSlot, replacing: str = "") -> Iterator[None]:
    """Put offers beside the clashes for which a slot is refused.

    They are sought after the transaction that saves has ended: nobody else waits for them.
    """
    try:
        yield
    except SlotClashError as refused:
        with reading() as db:
            refused.offers = offering.offers(
                db, new, refused.clashes, now=now(), actor=actor(), replacing=replacing
            )
        raise


@contextmanager
def ways_out_of_move(slot_id: str, wanted: Move, version: int) -> Iterator[None]:
    """Put offers beside the clashes for which a change at the desk is refused, in its own words."""
    try:
        yield
    except SlotClashError as refused:
        with reading() as db:
            found = desk_changes.ways_out(
                db,
                slot_id,
                wanted,
                refused.clashes,
                version=version,
                now=now(),
                actor=actor(),
            )
        refused.offers = tuple(_in_seconds(offer) for offer in found)
        raise


@contextmanager
def ways_out_of_airing(bulletin_id: str, unit_id: str, airing: Airing) -> Iterator[None]:
    """Offer another time where a bulletin cannot be taken: it is aired whole, on each of its days.

    A commune does not lie over others, either.
    """
    try:
        yield
    except SlotClashError as refused:
        with reading() as db:
            new = answers.asked_for(db, bulletin_id, unit_id, airing, now=now())
            found = offering.offers(db, new, refused.clashes, now=now(), actor=actor())
        refused.offers = tuple(one for one in found if one.kind is OfferKind.NEXT_GAP)
        raise


def _in_seconds(offer: Offer) -> Offer:
    """Tell the begin as the desk asks for it."""
    changes: dict[str, Any] = dict(offer.changes)
    if "local_start" in changes:
        changes["start_s"] = int(second(changes.pop("local_start")))
    return replace(offer, changes=changes)
