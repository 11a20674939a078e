"""Changes made at the desk, in sentences for people."""

from collections.abc import Mapping
from types import MappingProxyType

from server.http.languages import gettext
from server.http.wording import N_
from server.store.models import SlotChangeRow

_DONE: Mapping[str, str] = MappingProxyType(
    {
        "move": N_("“%(title)s” has its new time."),
        "withdraw": N_("“%(title)s” was withdrawn."),
        "copy": N_("%(num)s slots were copied."),
    }
)
_UNDONE: Mapping[str, str] = MappingProxyType(
    {
        "move": N_("“%(title)s” is back at its time."),
        "withdraw": N_("“%(title)s” is back."),
        "copy": N_("The %(num)s copied slots are gone again."),
    }
)


def change_sentence(row: SlotChangeRow) -> str:
    """Say what a change has done, or that it was taken back."""
    sentences = _DONE if row.undone_at is None else _UNDONE
    return gettext(sentences[row.kind], title=row.title, num=len(row.steps["steps"]))
