"""Telephone numbers, digit by digit in the groups in which they are written."""

import re

from audio_library.reading.numbers import digits
from audio_library.reading.values import Dialect, Kind, Rule, before

_CALL = re.compile(
    r"\b(?:gọi|số|tổng đài|hotline|đường dây nóng|điện thoại|sđt|đt|bấm|zalo|alo|cảnh sát|công an"
    r"|cứu hỏa|cứu hoả|cứu nạn|cấp cứu|cứu thương|fax|máy lẻ|trực|trực ban|liên hệ"
    r"|liên lạc)(?:\s(?:ngay|tới|đến|theo|qua))*[\s:.]*(?:số[\s:]*)?"
    r"(?:\d{3,10}\s*(?:\([^()]*\)\s*)?(?:,|/|;|-|hoặc|và|hay)\s*)*$",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"\b(?:tài khoản|stk|tk|cccd|cmnd|định danh|mã số thuế|mst|mã số|số thẻ|biển số)\s*"
    r"(?:là|số)?[\s:]*$",
    re.IGNORECASE,
)
_TEN = 10
_ELEVEN = 11


def _groups(number: str) -> list[str]:
    """Group digits that stand without gaps as people say them: 4-3-3, 4-3-4, else threes."""
    if len(number) in {_TEN, _ELEVEN}:
        return [number[:4], number[4:7], number[7:]]
    return _threes(number)


def _national(match: re.Match[str], _dialect: Dialect) -> str | None:
    written = re.findall(r"\d+", match[0])
    if not _TEN <= sum(map(len, written)) <= _ELEVEN:
        return None
    return ", ".join(
        digits(group) for group in (_groups(written[0]) if written[1:] == [] else written)
    )


def _abroad(match: re.Match[str], _dialect: Dialect) -> str:
    rest = re.findall(r"\d+", match["rest"])
    groups = rest if rest[1:] else _threes(rest[0])
    return ", ".join([f"cộng {digits(match['country'])}", *(digits(group) for group in groups)])


def _threes(number: str) -> list[str]:
    return [number[at : at + 3] for at in range(0, len(number), 3)]


def _service(match: re.Match[str], _dialect: Dialect) -> str:
    written = re.findall(r"\d+", match[0])
    joined = "".join(written)
    return ", ".join(digits(group) for group in (joined[:4], joined[4:]) if group)


def _short(match: re.Match[str], _dialect: Dialect) -> str | None:
    return digits(match[0]) if _CALL.search(before(match)) else None


def _account(match: re.Match[str], _dialect: Dialect) -> str | None:
    if not _ACCOUNT.search(before(match)):
        return None
    written = re.findall(r"\d+", match[0])
    return ", ".join(map(digits, written if written[1:] else _threes(written[0])))


def _several(match: re.Match[str], _dialect: Dialect) -> str:
    return ", ".join(digits(number) for number in re.findall(r"\d+", match[0]))


_GAP = r"[ .\-]?"

RULES = (
    Rule(
        Kind.PHONE,
        re.compile(
            rf"(?<!\w)(?:\+|\(\+)(?P<country>84)\)?{_GAP}(?P<rest>\d(?:{_GAP}\d){{7,9}})(?!\d)"
        ),
        _abroad,
    ),
    Rule(
        Kind.PHONE,
        re.compile(rf"(?<![\w,.])(?:\(0\d{{1,4}}\)|0\d{{1,4}})(?:{_GAP}\d){{6,9}}(?!\w|/(?!0))"),
        _national,
    ),
    Rule(
        Kind.PHONE,
        re.compile(r"(?<![\w,.])1[89]00[ .\-]?\d{2,4}(?:[ .\-]?\d{2,4})?(?!\w)"),
        _service,
    ),
    Rule(Kind.PHONE, re.compile(r"(?<!\w)\d{3,19}(?:[ .-]\d{2,9})*(?![\w/]|[.,]\d)"), _account),
    Rule(Kind.PHONE, re.compile(r"(?<!\w)11[1-5](?:\s?[/\-–]\s?11[1-5])+(?![\w/])"), _several),
    Rule(Kind.PHONE, re.compile(r"(?<![\w,.])(?:11[1-5]|1022|\d{5,8})(?![\w/]|[.,]\d)"), _short),
)
