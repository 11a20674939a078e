"""The ways of saying something on the urgent page, in the order of its tabs.

One way is a line here, the partial ``live/ways/<name>.html`` and the module ``js/ways/<name>.js``,
which ``js/urgent.js`` imports; nothing else of the page knows of it.
"""

from dataclasses import dataclass

from server.http.languages import gettext
from server.http.wording import N_


@dataclass(frozen=True, slots=True)
class Way:
    """One tab.

    Attributes:
        sentence: What stands on the tab, not yet translated.
        own_bar: It brings its own button for what comes next, in place of the page's.
    """

    name: str
    icon: str
    sentence: str
    own_bar: bool = False

    @property
    def label(self) -> str:
        """What stands on the tab, in the reader's language."""
        return gettext(self.sentence)


WAYS = (
    Way("record", "mic-fill", N_("Record")),
    Way("speak", "broadcast", N_("Speak live"), own_bar=True),
    Way("text", "pencil", N_("Type text")),
    Way("warning", "exclamation-triangle-fill", N_("Warning")),
    Way("prepared", "shield-exclamation", N_("Prepared")),
    Way("file", "file-earmark-music", N_("File")),
)
