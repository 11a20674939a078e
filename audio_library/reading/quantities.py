"""Numbers as they stand in sentences: with a sign, a unit, as a range, in their place."""

import re

from audio_library.reading.fractions import scored
from audio_library.reading.numbers import NUMBER, cardinal, digits, ordinal, spoken, value, whole
from audio_library.reading.units import PER_UNIT, UNIT, per_said, unit_said
from audio_library.reading.values import Dialect, Kind, Rule, after, before

_DASH = r"\s?[-–—~÷]\s?"
_WITH_UNIT = re.compile(rf"\d\s?(?:{UNIT}|đồng|nghìn|triệu|tỷ|tỉ|lít|tấn|tạ|[tT])$")
_SCHOOL_YEAR = re.compile(r"\b(?:năm học|niên học|niên khóa|niên khoá|vụ)\s*$", re.IGNORECASE)
_HEADING = re.compile(
    r"\b(cấp|tháng|lớp|điều|mục|quý|thứ|tuần)\s*(?:\d{1,2}\s*(?:,|và)\s*)*$", re.IGNORECASE
)
_NUMBERED = re.compile(r"\b(?:số|mã|lô|phòng|tầng|cột|trạm)\s*$", re.IGNORECASE)
_SCALED = re.compile(r"\d\s?(?:nghìn|ngàn|vạn|triệu|tỷ|tỉ)\s$", re.IGNORECASE)
_RAIN = re.compile(r"\d\s?(?:mm|cm|m)$")
_SHORT = 2
_FOURTH = "4"

_BEFORE_NUMBERS = {
    ">=": "từ",
    "≥": "từ",
    "<=": "không quá",
    "≤": "không quá",
    ">": "trên",
    "<": "dưới",
    "~": "khoảng",
    "≈": "khoảng",
    "±": "cộng trừ",
    "+": "cộng",
    "-": "âm",
    "−": "âm",
}
_BETWEEN_NUMBERS = {"+": "cộng", "x": "nhân", "×": "nhân", "*": "nhân", "=": "bằng"}


def _chain(match: re.Match[str], dialect: Dialect) -> str:
    parts = re.split(r"[-–—]", match[0])
    heading = _HEADING.search(before(match))
    if heading:
        return ", ".join(_placed(part, heading[1].lower(), dialect) for part in parts)
    return ", ".join(whole(part, dialect) for part in parts)


def _range(match: re.Match[str], dialect: Dialect) -> str | None:
    first, second, unit = match["first"], match["second"], match["unit"]
    if match["own"] and not unit:
        return None  # "2m - 5 hộ": the dash goes on with something else
    tail = f" {unit_said(unit)}" if unit else ""
    if match["own"] and unit_said(match["own"]) != unit_said(unit):
        own = unit_said(match["own"])
        return f"{_counted(first, dialect)} {own} đến {_counted(second, dialect)}{tail}"
    if scored(match):
        return f"{spoken(first, dialect)} {spoken(second, dialect)}"
    low, high = value(first), value(second)
    if low is None or high is None or low >= high or _SCHOOL_YEAR.search(before(match)):
        return f"{spoken(first, dialect)}, {spoken(second, dialect)}{tail}"
    heading = _HEADING.search(before(match))
    if heading and not unit:
        name = heading[1].lower()
        one, other = (_placed(part, name, dialect) for part in (first, second))
        return f"{one} đến {name} {other}"
    return f"{_counted(first, dialect)} đến {_counted(second, dialect)}{tail}"


def _with_unit(match: re.Match[str], dialect: Dialect) -> str:
    return f"{_counted(match['number'], dialect)} {unit_said(match['unit'])}"


def _and_parts(match: re.Match[str], dialect: Dialect) -> str:
    """Say 1m57, and 1tr2 for a million and two hundred thousand."""
    name = "tỷ" if match[2] in {"tỷ", "tỉ"} else unit_said(match[2])
    return f"{whole(match[1], dialect)} {name} {whole(match[3], dialect)}"


def _over(match: re.Match[str], _dialect: Dialect) -> str | None:
    """Say the slash of 200ml/20 lít."""
    return " trên " if _WITH_UNIT.search(before(match)) else None


def _for_one(match: re.Match[str], _dialect: Dialect) -> str | None:
    """Say the slash of 25k/trẻ em."""
    return " một " if _WITH_UNIT.search(before(match)) else None


def _same_again(match: re.Match[str], _dialect: Dialect) -> str | None:
    """Say the dash of "cấp 4 - cấp 5"."""
    heading = _HEADING.search(re.sub(r"\d+$", "", before(match)))
    return " đến " if heading and heading[1].lower() == match[1].lower() else None


def _scaled(match: re.Match[str], _dialect: Dialect) -> str | None:
    """Say the unit of "2,26 tỷ m³", and one that only a unit can be."""
    certain = match["unit"][-1] in "23²³" or _SCALED.search(before(match))
    return unit_said(match["unit"]) if certain else None


def _within(match: re.Match[str], dialect: Dialect) -> str | None:
    """Say the rain of 150mm/24h."""
    if not _RAIN.search(before(match)):
        return None
    return f" trong {whole(match[1], dialect)} {'ngày' if match[2] == 'ngày' else 'giờ'}"


def _per(match: re.Match[str], _dialect: Dialect) -> str:
    return f" một {per_said(match['per'])}"


def _alone(match: re.Match[str], dialect: Dialect) -> str:
    text, context = match[0], before(match)
    if not text.isdecimal() or len(text) > _SHORT:
        return spoken(text, dialect)
    heading = _HEADING.search(context)
    if heading and not _lasting(match):
        return _placed(text, heading[1].lower(), dialect)
    if text == "1" and re.search(r"\b(?:hạng|giải)\s*$", context, re.IGNORECASE):
        return "nhất"
    if _NUMBERED.search(context):
        return digits(text) if text[0] == "0" else cardinal(int(text), dialect)
    # Offices write 06 households where they mean six.
    return _counted(text, dialect)


def _placed(text: str, heading: str, dialect: Dialect) -> str:
    """Say a number by the word before it: thứ nhất, tháng tư, quý tư, cấp bốn."""
    if not text.isdecimal():
        return spoken(text, dialect)
    if heading == "thứ":
        return ordinal(int(text), dialect)
    if heading in {"tháng", "quý"} and text.lstrip("0") == _FOURTH:
        return "tư"
    return cardinal(int(text), dialect)


def _lasting(match: re.Match[str]) -> bool:
    """Say whether it is a stretch of time: "3 tháng 4 ngày" has no fourth month."""
    counted = re.search(r"\d\s+(?:tháng|tuần)\s*$", before(match))
    return bool(counted and re.match(r"\s+(?:ngày|tuần)", after(match)))


def _counted(text: str, dialect: Dialect) -> str:
    padded = text.isdecimal() and len(text) == _SHORT and text != "00"
    return cardinal(int(text), dialect) if padded else spoken(text, dialect)


def _signed(match: re.Match[str], _dialect: Dialect) -> str:
    return f"{_BEFORE_NUMBERS[match[1] or match[2]]} "


def _operator(match: re.Match[str], _dialect: Dialect) -> str:
    return f" {_BETWEEN_NUMBERS[match[1]]} "


def _times(_match: re.Match[str], _dialect: Dialect) -> str:
    return " nhân "


def _percent(_match: re.Match[str], _dialect: Dialect) -> str:
    return " phần trăm"


def _plus(_match: re.Match[str], _dialect: Dialect) -> str:
    return " trở lên"


_AMOUNT = rf"(?:(?<!\w)|(?<=\dx))(?P<number>{NUMBER})"

RULES = (
    Rule(Kind.RANGE, re.compile(r"(?<!\w)\d{1,4}(?:[-–—]\d{1,4}){2,}(?![\w/])"), _chain),
    Rule(
        Kind.RANGE,
        re.compile(
            rf"(?<!\w)(?P<first>{NUMBER})(?:\s?(?P<own>{UNIT}))?{_DASH}(?P<second>{NUMBER})"
            rf"(?:\s?(?P<unit>{UNIT}))?"
        ),
        _range,
    ),
    Rule(
        Kind.UNIT, re.compile(r"(?<!\w)(\d{1,3})((?<!\d\d\d)m|tr|tỷ|tỉ)(\d{1,2})(?!\w)"), _and_parts
    ),
    Rule(Kind.UNIT, re.compile(rf"{_AMOUNT}\s?(?P<unit>{UNIT})"), _with_unit),
    Rule(Kind.UNIT, re.compile(rf"(?P<unit>[$€₫])\s?(?P<number>{NUMBER})"), _with_unit),
    Rule(Kind.UNIT, re.compile(rf"(?<!\w)(?P<unit>{UNIT})"), _scaled),
    Rule(Kind.UNIT, re.compile(r"(?<=m)/(\d{1,2})\s?(h|giờ|ngày)(?!\w)"), _within),
    Rule(Kind.UNIT, re.compile(rf"(?<=[^\W\d_]|[%'’′])\s?/\s?(?P<per>{PER_UNIT})"), _per),
    Rule(
        Kind.UNIT,
        re.compile(rf"(?<=\w)\s?/\s?(?={NUMBER}\s?(?:{UNIT}|(?:lít|tấn|tạ|sào)\b))"),
        _over,
    ),
    Rule(Kind.UNIT, re.compile(r"(?<=\w)\s?/\s?(?=[^\W\d_A-ZĐ]{2,}(?!\w|\s\d))"), _for_one),
    Rule(
        Kind.RANGE,
        re.compile(r"(?<=\d)\s?[-–—]\s?(?=(cấp|tháng|thứ|lớp|mức)\s?\d)", re.IGNORECASE),
        _same_again,
    ),
    Rule(
        Kind.SYMBOL,
        re.compile(r"(?<![\w.,)%])(?:(>=|<=|[≥≤><~≈±])\s?|([+−-]))(?=\d)"),
        _signed,
    ),
    Rule(Kind.SYMBOL, re.compile(r"(?<=\d)\s?([+x×*=])\s?(?=\d)"), _operator),
    Rule(Kind.SYMBOL, re.compile(r"(?<=[^\W\d_])\s?(=)\s?(?=[+−-]?\d)"), _operator),
    Rule(Kind.SYMBOL, re.compile(r"(?<=\w)\s[x×]\s(?=\d)"), _times),
    Rule(Kind.SYMBOL, re.compile(r"(?<=\d)\+(?!\w)"), _plus),
    Rule(Kind.UNIT, re.compile(r"(?<=[^\W\d_])\s%"), _percent),
    Rule(Kind.NUMBER, re.compile(NUMBER), _alone),
)
