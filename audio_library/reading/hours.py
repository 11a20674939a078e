"""Hours of the day, and how long something lasts."""

import re

from audio_library.reading.numbers import cardinal, whole
from audio_library.reading.values import Dialect, Kind, Rule, after, before

_END_OF_DAY = 24
_AT = re.compile(
    r"\b(?:lúc|từ|đến|tới|khoảng|trước|sau|hồi|vào|sáng|trưa|chiều|tối|đêm|hôm nay|ngày mai)\s*$",
    re.IGNORECASE,
)
_PART_OF_DAY = re.compile(r"\s+(?:sáng|trưa|chiều|tối|đêm|ngày|hôm|mai)\b", re.IGNORECASE)
_RATIO = re.compile(r"\b(?:pha|tỷ lệ|tỉ lệ|tỷ số|tỉ số)\s*(?:là\s*)?$", re.IGNORECASE)
_DASH = r"\s?[-–—]\s?"


def _time(mark: str) -> str:
    """Build the pattern of one hour; ``mark`` tells the groups of two apart."""
    return (
        rf"(?P<h{mark}>\d{{1,2}})"
        rf"(?:\s?(?:[hHg]|giờ)\s?(?P<m{mark}>[0-5]\d)(?:\s?(?:['’′]|phút\b|ph\b|p\b))?"
        rf"(?:(?<=['’′])\s?(?P<z{mark}>[0-5]\d)\s?(?:''|[\"”″]))?"
        rf"|:(?P<c{mark}>[0-5]\d)(?::(?P<s{mark}>[0-5]\d))?\s?h?|\s?(?:[hHg]|giờ)(?!\w))(?!\w|\.\d{{3}})"
    )


def _said(match: re.Match[str], mark: str, dialect: Dialect) -> str:
    minutes = match[f"m{mark}"] or match[f"c{mark}"]
    seconds = match[f"s{mark}"] or match[f"z{mark}"]
    words = [cardinal(int(match[f"h{mark}"]), dialect), "giờ"]
    if minutes and (int(minutes) or (seconds and int(seconds))):
        words += [cardinal(int(minutes), dialect), "phút"]
    if seconds and int(seconds):
        words += [cardinal(int(seconds), dialect), "giây"]
    return " ".join(words)


def _possible(match: re.Match[str], mark: str) -> bool:
    return not match[f"c{mark}"] or int(match[f"h{mark}"]) <= _END_OF_DAY


def _one(match: re.Match[str], dialect: Dialect) -> str | None:
    # Seven grams, unless something says that it is a time of day.
    if match["c"] and _RATIO.search(before(match)):
        return None
    grams = match[0].endswith("g")
    timed = _AT.search(before(match)) or _PART_OF_DAY.match(after(match))
    if grams and not (timed and int(match["h"]) <= _END_OF_DAY):
        return None
    return _said(match, "", dialect) if _possible(match, "") else None


def _two(match: re.Match[str], dialect: Dialect) -> str | None:
    if not (_possible(match, "1") and _possible(match, "2")):
        return None
    return f"{_said(match, '1', dialect)} đến {_said(match, '2', dialect)}"


def _shared(match: re.Match[str], dialect: Dialect) -> str:
    return f"{whole(str(int(match['a'])), dialect)} đến {_said(match, '', dialect)}"


def _all_day(match: re.Match[str], _dialect: Dialect) -> str:
    day = "hai mươi tư trên hai mươi tư giờ"
    return f"{day}, bảy trên bảy ngày" if match[1] else day


def _minutes(match: re.Match[str], dialect: Dialect) -> str | None:
    if sum(match.string[: match.start()].count(sign) for sign in "'’‘") % 2:
        return None  # the mark closes a quotation
    return f"{whole(match[1], dialect)} {'giây' if match[2] else 'phút'}"


RULES = (
    Rule(Kind.HOUR, re.compile(r"(?<!\w)24/24(?:h|\s?giờ)?(/7)?(?![\w/])"), _all_day),
    Rule(Kind.HOUR, re.compile(rf"(?<![\w:])(?<!\d[.,/]){_time('1')}{_DASH}{_time('2')}"), _two),
    Rule(Kind.HOUR, re.compile(rf"(?<!\w)(?<!\d[.,/])(?P<a>\d{{1,2}}){_DASH}{_time('')}"), _shared),
    Rule(Kind.HOUR, re.compile(rf"(?<![\w:])(?<!\d[.,/]){_time('')}"), _one),
    Rule(Kind.HOUR, re.compile(r"(?<!\w)(\d{1,3})['’′](['’′])?(?!\w)"), _minutes),
)
