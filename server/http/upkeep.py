"""An order to a cluster, with the words of its test spoken first: that takes seconds."""

from audio_library.errors import AudioLibraryError
from audio_library.tts import PLAIN
from server.domain.errors import Finding, UpkeepRefusedError
from server.domain.upkeep import Deed
from server.http.context import actor, here, now, reading, writing
from server.services import upkeep
from server.services.speaking import reading as read_aloud
from server.services.speaking import voiced
from server.services.upkeep import Asked


def give(asked: Asked) -> str:
    """Give an order, and tell its id.

    Raises:
        UnknownThingError: No such cluster.
        NotAllowedError: The person may not look after it.
        UpkeepRefusedError: It cannot be ordered like that, or not be spoken on this machine.
        TooOftenError: The cluster was ordered too often.
        KeyMissingError: Its unit has no key.
    """
    if asked.deed == Deed.SPOKEN:
        _speak(asked.cluster_id)
    with writing() as db:
        row = upkeep.order(db, asked, now=now(), actor=actor(), keyring=here().keyring)
        return row.order_id


def _speak(cluster_id: str) -> None:
    instant = now()
    with reading() as db:
        text = upkeep.words_to_speak(db, cluster_id, now=instant, actor=actor())
    if not text:
        return
    said = read_aloud(text, PLAIN).said
    try:
        made, _failures = voiced(said, PLAIN, engines=here().engines, store=here().audio)
    except AudioLibraryError as error:
        raise UpkeepRefusedError([Finding("test-not-spoken")]) from error
    with writing() as db:
        upkeep.keep_spoken(db, cluster_id, made.asset, now=instant, actor=actor())
