"""The spoken label of a drill, made the first time that one is announced."""

from audio_library.errors import AudioLibraryError
from audio_library.tts import PLAIN
from server.domain.authority import Action, demand
from server.domain.errors import BroadcastRefusedError, Finding
from server.domain.recurrence import local_day
from server.http.context import actor, here, now, reading, writing
from server.services import units
from server.services.drill_labels import TEXTS, drill_labels, keep_labels
from server.services.speaking import voiced


def make_labels(unit_id: str) -> None:
    """See that a unit has the labels; outside of any transaction, for speaking takes a second.

    Raises:
        UnknownThingError: No such unit.
        NotAllowedError: The person may not announce for it.
        BroadcastRefusedError: They cannot be spoken on this machine.
    """
    instant = now()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        chain = tree.chain(unit_id)
        demand(actor(), Action.ANNOUNCE, chain)
        if drill_labels(db, chain=chain) is not None:
            return
    try:
        made = {
            purpose: voiced(text, PLAIN, engines=here().engines, store=here().audio)[0].asset
            for purpose, text in TEXTS.items()
        }
    except AudioLibraryError as error:
        raise BroadcastRefusedError([Finding("drill-label-missing")]) from error
    with writing() as db:
        keep_labels(db, made, unit_id=unit_id, places=tree, now=instant)
