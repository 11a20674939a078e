"""Where a slot cannot be saved for others, work out what may be done instead."""

from collections.abc import Iterator
from contextlib import contextmanager

from server.domain.clashes import SlotClashError
from server.http.context import actor, now, reading
from server.services import offering
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
