"""The values of a reading: what was written, how it is said, and in whose way of speaking."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a stretch of text was taken for; stable, because pages translate from it."""

    NUMBER = "number"
    RANGE = "range"
    UNIT = "unit"
    FRACTION = "fraction"
    DATE = "date"
    HOUR = "hour"
    PHONE = "phone"
    ROMAN = "roman"
    DOCUMENT = "document"
    ABBREVIATION = "abbreviation"
    PLACE = "place"
    LINK = "link"
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True)
class Dialect:
    """The few words of numbers in which north and south differ."""

    thousand: str = "nghìn"
    empty_tens: str = "linh"


NORTHERN = Dialect()
SOUTHERN = Dialect(thousand="ngàn", empty_tens="lẻ")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text that is said otherwise than it is written.

    Attributes:
        start: Where it begins in the reading's text.
        end: First character after it.
        written: The stretch itself.
        said: What is said for it; empty for what is passed over in silence.
        kind: What it was taken for.
    """

    start: int
    end: int
    written: str
    said: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it is read aloud.

    Attributes:
        text: The text as it was understood: composed letters, no control characters. Spans
            point into it.
        said: What an engine is given.
        spans: What was changed, in order, without overlaps.
    """

    text: str
    said: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """How one form of writing is read.

    Attributes:
        kind: What it is.
        pattern: What it looks like; tried where a word, a number or a sign begins.
        say: Its words, or None when it is something else after all.
    """

    kind: Kind
    pattern: re.Pattern[str]
    say: "Say"


Say = Callable[[re.Match[str], Dialect], "str | None"]


def before(match: re.Match[str]) -> str:
    """Give the text before a match, as far as context reaches."""
    return match.string[max(0, match.start() - 60) : match.start()]


def after(match: re.Match[str]) -> str:
    """Give the text behind a match, as far as context reaches."""
    return match.string[match.end() : match.end() + 30]
