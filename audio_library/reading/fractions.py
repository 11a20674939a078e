"""What a slash or a colon between numbers means once it is no date and no hour."""

import re

from audio_library.reading.numbers import NUMBER, cardinal, ordinal, spoken, value, whole
from audio_library.reading.units import UNIT, unit_said
from audio_library.reading.values import Dialect, Kind, Rule, before

_ADDRESS = re.compile(r"\b(?:nhà|ngõ|hẻm|ngách|kiệt|thửa|đường|lô|số|cấp|mức)\s*$", re.IGNORECASE)
_SCORE = re.compile(r"(?:tỷ số|tỉ số|thắng|thua|hòa|hoà|dẫn)\s*(?:là\s*)?$", re.IGNORECASE)
_QUARTERS = {
    "½": "một phần hai",
    "⅓": "một phần ba",
    "⅔": "hai phần ba",
    "¼": "một phần tư",
    "¾": "ba phần tư",
}
_MOST_PARTS = 10
_FOUR = 4


def scored(match: re.Match[str]) -> bool:
    """Say whether two numbers are a score, which is said without a word between."""
    return bool(_SCORE.search(before(match)))


def _slashes(match: re.Match[str], dialect: Dialect) -> str:
    parts = [part.strip().replace(".", "") for part in match[0].split("/")]
    if len(parts) == 2 and not _ADDRESS.search(before(match)):  # noqa: PLR2004 - one slash
        above, below = (int(part) for part in parts)
        if 0 < above < below and above <= _MOST_PARTS:
            named = ordinal(below, dialect) if below == _FOUR else cardinal(below, dialect)
            return f"{cardinal(above, dialect)} phần {named}"
    return " trên ".join(whole(part, dialect) for part in parts)


def _ratio(match: re.Match[str], dialect: Dialect) -> str:
    link = " " if scored(match) else " trên "
    return link.join(spoken(match[place], dialect) for place in (1, 2))


def _of_measures(match: re.Match[str], dialect: Dialect) -> str:
    """Say 119,85/120,00m, and the voltages 35/0,4kV."""
    unit = f" {unit_said(match['unit'])}" if match["unit"] else ""
    low, high = value(match[1]), value(match[2])
    over = low is not None and high is not None and low <= high
    link = " trên " if over else ", "  # 117,5/52,3m: the one, and the other
    return f"{spoken(match[1], dialect)}{link}{spoken(match[2], dialect)}{unit}"


def _quarter(match: re.Match[str], _dialect: Dialect) -> str:
    return _QUARTERS[match[0]]


_WHOLE = r"(?:\d{1,3}(?:\.\d{3})+(?!\d)|\d+)"

RULES = (
    Rule(Kind.FRACTION, re.compile(rf"(?<!\w){_WHOLE}(?:\s?/\s?{_WHOLE})+(?!,\d)"), _slashes),
    Rule(Kind.FRACTION, re.compile(rf"(?<!\w)({NUMBER})(?::|\s:\s)({NUMBER})(?!\w)"), _ratio),
    Rule(
        Kind.FRACTION,
        re.compile(rf"(?<!\w)({NUMBER})\s?/\s?({NUMBER})(?:\s?(?P<unit>{UNIT}))?"),
        _of_measures,
    ),
    Rule(Kind.FRACTION, re.compile("[½⅓⅔¼¾]"), _quarter),
)
