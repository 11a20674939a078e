"""Names as people type them: compared without marks, and made into ids."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

MOST_NAMED = 10
"""Of more than these people read only how many there are."""

_MARKS = re.compile("[\u0300-\u036f]+")
_OTHER = re.compile(r"[^a-z0-9]+")


def folded(text: str) -> str:
    """Take case, marks and doubled spaces off a name, so that spellings of it are equal."""
    return " ".join(_plain(text).split())


def folded_all(texts: Iterable[str]) -> Mapping[str, str]:
    """Do so with very many names, each once and all together."""
    names = list(dict.fromkeys(texts))
    lines = _plain("\n".join(names)).split("\n")
    if len(lines) != len(names):  # some are of several lines
        return {name: folded(name) for name in names}
    return {name: " ".join(line.split()) for name, line in zip(names, lines, strict=True)}


def in_a_line(names: Sequence[str], between: str = ", ") -> str:
    """Put names into one line: the first of them, and a sign that there are more."""
    return between.join(names[:MOST_NAMED]) + ("…" if len(names) > MOST_NAMED else "")


def _plain(text: str) -> str:
    plain = text.casefold()
    if plain.isascii():
        return plain
    return _MARKS.sub("", unicodedata.normalize("NFD", plain.replace("đ", "d")))


def hyphenated(text: str) -> str:
    """Make of a name what may stand in an id; empty when nothing of it may."""
    return _OTHER.sub("-", folded(text)).strip("-")
