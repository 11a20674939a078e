"""Where a slot is heard, in few words."""

from server.http.languages import gettext
from server.services.exporting import PlannedSlot

_MOST_NAMED = 3


def place_words(slot: PlannedSlot, most: int = _MOST_NAMED) -> str:
    """Name what a slot reaches, and what is left out."""
    said = _named(slot.where, most) or slot.unit.name
    if not slot.but:
        return said
    return gettext("%(places)s, not %(others)s", places=said, others=_named(slot.but, most))


def _named(names: tuple[str, ...], most: int) -> str:
    left = len(names) - most
    return ", ".join(names[:most]) + (f" +{left}" if left > 0 else "")
