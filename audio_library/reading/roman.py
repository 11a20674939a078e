"""Roman numerals, only behind a word that heads one: VI is also two letters of a word."""

import re

from audio_library.reading.numbers import cardinal, ordinal
from audio_library.reading.values import Dialect, Kind, Rule, before

_VALUES = {"I": 1, "V": 5, "X": 10}
# Up to XXXIX: a single C, D, L or M behind "loại", "khối" or "nhóm" is a letter.
_NUMERAL = r"X{0,3}(?:IX|IV|V?I{0,3})"
_HEADS = (
    "đại hội|hội nghị|khóa|khoá|kỳ họp|kỳ|thế kỷ|thế kỉ|quý|khu phố|khu|tổ|thôn|xóm|ấp|bản|chương"
    "|phần|mục|điều|phụ lục|lần thứ|thứ|đợt|cấp|hạng|loại|nhóm|vùng|quân khu|giai đoạn|tập|vòng"
    "|khối|bảng|tiểu khu|nhiệm kỳ|bậc|báo động|danh mục|mức|đội|khu vực|tuyến|bước|phân khu|cụm"
    "|nhà máy|trạm"
)
_HEAD = re.compile(
    rf"\b(?P<head>{_HEADS})\s+(?:{_NUMERAL}\s*(?:,|và|hoặc|-|–|/)\s*)*$", re.IGNORECASE
)
_CENTURIES = frozenset({"thế kỷ", "thế kỉ"})
_TENTH = 10


def _value(numeral: str) -> int:
    worth = [_VALUES[sign] for sign in numeral]
    pairs = zip(worth, [*worth[1:], 0], strict=True)
    return sum(-one if one < following else one for one, following in pairs)


def _headed(match: re.Match[str], dialect: Dialect) -> str | None:
    found = _HEAD.search(before(match))
    if not match[1] or found is None:
        return None
    head = found["head"].lower()
    if match[2]:
        return f"{_one(match[1], head, dialect)} đến {head} {_one(match[2], head, dialect)}"
    return _one(match[1], head, dialect)


def _one(numeral: str, head: str, dialect: Dialect) -> str:
    number = _value(numeral)
    if head in _CENTURIES and number <= _TENTH:
        return f"thứ {ordinal(number, dialect)}"
    if head in {"thứ", "lần thứ"} or (head == "quý" and number > 1):
        return ordinal(number, dialect)
    return cardinal(number, dialect)


def _quarter(match: re.Match[str], dialect: Dialect) -> str:
    number = _value(match[1])
    return f"quý {ordinal(number, dialect) if number > 1 else cardinal(number, dialect)}"


RULES = (
    Rule(
        Kind.ROMAN,
        re.compile(r"(?<!\w)Q\.?\s?(IV|I{1,3})(?=/[12]\d{3}(?!\d))"),
        _quarter,
    ),
    Rule(
        Kind.ROMAN,
        re.compile(
            rf"(?<!\w)({_NUMERAL})(?:\s?[-–]\s?(?=[IVX])({_NUMERAL}))?(?![\w.]\w|\w|\s+PHẠM)"
        ),
        _headed,
    ),
)
