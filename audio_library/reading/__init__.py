"""Vietnamese as it is read aloud: what a speech engine would get wrong, in words.

Pure: text in, words out. ``read`` is the one door; each kind of writing has a module with its
rules, tried in the order below wherever a word, a number or a sign begins. What no rule knows
passes through unchanged.
"""

import re
import unicodedata
from functools import lru_cache

from audio_library.errors import TextTooLongError
from audio_library.reading import (
    abbreviations,
    dates,
    documents,
    fractions,
    hours,
    letters,
    links,
    loads,
    phones,
    places,
    quantities,
    roman,
    symbols,
    weekdays,
)
from audio_library.reading.values import (
    NORTHERN,
    SOUTHERN,
    Dialect,
    Kind,
    Reading,
    Rule,
    Span,
)

__all__ = ["MAX_CHARACTERS", "NORTHERN", "SOUTHERN", "Dialect", "Kind", "Reading", "Span", "read"]

MAX_CHARACTERS = 6000
"""About ten minutes of speech: what is longer is a programme, not an announcement."""

_RULES: tuple[Rule, ...] = (
    *links.RULES,
    *documents.RULES,
    *phones.RULES,
    *hours.RULES,
    *weekdays.RULES,
    *dates.RULES,
    *places.RULES,
    *abbreviations.RULES,
    *roman.RULES,
    *loads.RULES,
    *letters.RULES,
    *fractions.RULES,
    *quantities.RULES,
    *symbols.RULES,
)
_SPACES = str.maketrans(dict.fromkeys("\u00a0\u2007\u2009\u202f\u3000\t", " "))
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")


@lru_cache(maxsize=512)  # the same warnings are read for every page that offers them
def read(text: str, dialect: Dialect = NORTHERN) -> Reading:
    """Tell how a text is read aloud.

    Letters are composed (NFC), and control and invisible characters taken out, before anything is
    looked at. No digit of 0 to 9 is left in what is said.

    Raises:
        TextTooLongError: It has more than ``MAX_CHARACTERS``.
    """
    if len(text) > MAX_CHARACTERS:
        raise TextTooLongError(len(text), MAX_CHARACTERS)
    plain = _plain(text)
    spans: list[Span] = []
    place = 0
    while place < len(plain):
        span = _span_at(plain, place, dialect)
        if span is None:
            place += 1
        else:
            spans.append(span)
            place = span.end
    return Reading(plain, _joined(plain, spans), tuple(spans))


def _plain(text: str) -> str:
    composed = unicodedata.normalize("NFC", text).translate(_FULL_WIDTH).translate(_SPACES)
    lines = _LINE_ENDS.sub("\n", composed)
    kept = "".join(_seen(sign) for sign in lines)
    return re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", kept)).strip()


def _seen(sign: str) -> str:
    """Leave out what nobody sees, and write the digits of all scripts alike."""
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    return "" if sign != "\n" and unicodedata.category(sign) in _UNSEEN else sign


def _span_at(text: str, place: int, dialect: Dialect) -> Span | None:
    if not _begins(text, place):
        return None
    for rule in _RULES:
        match = rule.pattern.match(text, place)
        if match is None or match.end() == place:
            continue
        said = rule.say(match, dialect)
        if said is not None:
            return Span(place, match.end(), match[0], said.strip(), rule.kind)
    return None


def _begins(text: str, place: int) -> bool:
    """Say whether a word, a number or a sign begins here, rather than goes on."""
    here = text[place]
    if place == 0 or not here.isalnum():
        return True
    last = text[place - 1]
    return here.isdecimal() != last.isdecimal() or not last.isalnum()


def _joined(text: str, spans: list[Span]) -> str:
    """Put the pieces together, with one space where words would touch or nothing is said."""
    said = ""
    place = 0
    for span in spans:
        said = _and_then(said, text[place : span.start])
        said = _and_then(said, span.said)
        place = span.end
        if not span.said:
            said = said.rstrip(" ") if text[place : place + 1] in {*",.;:!?\n"} else said
    return _and_then(said, text[place:]).strip()


def _and_then(said: str, piece: str) -> str:
    if piece[:1].isalnum() and (said[-1:].isalnum() or said[-1:] == ","):
        return f"{said} {piece}"
    return said + (piece.lstrip(" ") if said[-1:] in {"", " "} else piece)
