"""Tonnes as notices shorten them, 5t and 13T; beside a person, a t is a year of age."""

import re

from audio_library.reading.numbers import NUMBER, spoken
from audio_library.reading.values import Dialect, Kind, Rule, after, before

_LOAD = re.compile(
    r"\b(?:tải|trọng tải|xe|cầu|nặng|chở|gạo|muối|phân|hàng|xi măng|giống)\b", re.IGNORECASE
)
_GOODS = re.compile(r"\s(?:gạo|muối|phân|hàng|xi măng|giống|cát|đá|thóc|ngô)\b", re.IGNORECASE)
_PERSON = re.compile(
    r"\b(?:bé|cháu|em|trẻ|con|cụ|ông|bà|anh|chị|nam|nữ|người|học sinh)\b", re.IGNORECASE
)


def _tonnes(match: re.Match[str], dialect: Dialect) -> str | None:
    clause = re.split(r"[.;\n]\s", before(match))[-1]
    loaded = _LOAD.search(clause) or _GOODS.match(after(match))
    if match["unit"] == "T" and not loaded:
        return None  # a letter
    name = "tuổi" if _PERSON.search(clause) and not loaded else "tấn"
    said = (_plain(match[end], dialect) for end in ("first", "second") if match[end])
    return f"{' đến '.join(said)} {name}"


def _plain(number: str, dialect: Dialect) -> str:
    return spoken(
        number.lstrip("0") if number.isdecimal() and number.strip("0") else number, dialect
    )


RULES = (
    Rule(
        Kind.UNIT,
        re.compile(
            rf"(?<!\w)(?P<first>{NUMBER})(?:\s?[tT]?\s?[-–—]\s?(?P<second>{NUMBER}))?\s?(?P<unit>[tT])(?!\w)"
        ),
        _tonnes,
    ),
)
