"""Names as people type them: compared without marks, and made into ids."""

import re
import unicodedata

_MARKS = re.compile("[\u0300-\u036f]+")
_OTHER = re.compile(r"[^a-z0-9]+")


def folded(text: str) -> str:
    """Take case, marks and doubled spaces off a name, so that spellings of it are equal."""
    plain = text.casefold()
    if not plain.isascii():
        plain = _MARKS.sub("", unicodedata.normalize("NFD", plain.replace("đ", "d")))
    return " ".join(plain.split())


def hyphenated(text: str) -> str:
    """Make of a name what may stand in an id; empty when nothing of it may."""
    return _OTHER.sub("-", folded(text)).strip("-")
