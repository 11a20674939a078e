"""Signs that are said, and pictures that are passed over in silence."""

import re

from audio_library.reading.values import Dialect, Kind, Rule

_PICTURES = (
    "[\U0001f000-\U0001faff\U00002600-\U000027bf\U00002b00-\U00002bff\U0000fe00-\U0000fe0f"
    "\U000020e3\U00002190-\U000021ff\U00002500-\U000025ff\U00002022\U0000200d\U000e0020-\U000e007f]+"
)


def _silence(_match: re.Match[str], _dialect: Dialect) -> str:
    return ""


def _and(_match: re.Match[str], _dialect: Dialect) -> str:
    return " và "


def _pause(_match: re.Match[str], _dialect: Dialect) -> str:
    return ","


RULES = (
    Rule(Kind.SYMBOL, re.compile(_PICTURES), _silence),
    Rule(Kind.SYMBOL, re.compile(r"\s?&\s?"), _and),
    Rule(Kind.SYMBOL, re.compile(r"(?<=\w)/(?=\w)"), _pause),
    Rule(Kind.SYMBOL, re.compile(r"[*_#|\\^`{}\[\]<>]+"), _silence),
)
