"""Days of the week as notices shorten them: T2 to T7 and CN."""

import re

from audio_library.reading.numbers import ordinal
from audio_library.reading.units import UNIT
from audio_library.reading.values import Dialect, Kind, Rule, after, before

_DAY = r"(?:T[2-7]|CN)(?!\w)"
_MORE = r"(?:\s?(?:[,;/+–-]|và|đến|tới|hoặc|hay)\s?)"
_BEFORE = re.compile(
    rf"\b(?:sáng|trưa|chiều|tối|đêm|khuya|ngày|hôm|tuần|hàng tuần|lịch|trừ|nghỉ)(?:\s(?:nay|mai))?"
    rf"[\s,:(]*(?:{_DAY}{_MORE})*$",
    re.IGNORECASE,
)
_LISTED_BEFORE = re.compile(rf"{_DAY}{_MORE}$")
_LISTED_AFTER = re.compile(rf"{_MORE}{_DAY}")
_AFTER = re.compile(
    r"[\s,(]*(?:hàng tuần|hằng tuần|mỗi tuần|tuần (?:này|sau|tới)|cuối tuần"
    rf"|(?:ngày\s)?\d{{1,2}}[/.-]\d{{1,2}}(?!\d|\s?{UNIT})|(?:lúc\s|từ\s)?\d{{1,2}}(?:h|g|:\d\d))",
    re.IGNORECASE,
)
_TABLED = re.compile(rf"(?<!\w){_DAY}\s?:")


def _named(day: str, dialect: Dialect) -> str:
    return "Chủ nhật" if day == "CN" else f"thứ {ordinal(int(day[1]), dialect)}"


def _day(match: re.Match[str], dialect: Dialect) -> str | None:
    context, rest = before(match), after(match)
    tabled = _TABLED.match(match[0] + rest) and len(_TABLED.findall(match.string)) > 1
    listed = tabled or _LISTED_BEFORE.search(context) or _LISTED_AFTER.match(rest)
    if not (listed or _BEFORE.search(context) or _AFTER.match(rest)):
        return None
    return _named(match["day"], dialect)


def _days(match: re.Match[str], dialect: Dialect) -> str:
    last = match["last"] if match["last"] == "CN" else f"T{match['last'][-1]}"
    return f"{_named(match['day'], dialect)} đến {_named(last, dialect)}"


RULES = (
    Rule(
        Kind.DATE,
        re.compile(r"(?<![\w&])(?P<day>T[2-6])\s?[-–]\s?(?P<last>T?[3-7]|CN)(?![\w/]|[.,]\d)"),
        _days,
    ),
    Rule(Kind.DATE, re.compile(rf"(?<![\w&.])(?P<day>{_DAY})(?!/[12]\d{{3}})"), _day),
)
