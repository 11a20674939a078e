"""Days, months and years, and the ranges people write of them."""

import calendar
import re

from audio_library.reading.numbers import cardinal
from audio_library.reading.units import UNIT
from audio_library.reading.values import Dialect, Kind, Rule, after, before

_LAST_MUNG = 10
_MONTHS = 12
_APRIL = 4
_LEAP_YEAR = 2024

_NAMED = re.compile(r"\b(?:ngày|hôm|sáng|trưa|chiều|tối|đêm|khuya|rằm)\s*$", re.IGNORECASE)
_MUNG = re.compile(r"\b(?:mùng|mồng)\s*$", re.IGNORECASE)
_FEAST = re.compile(
    r"\b(?:lễ|tết|dịp|khánh|kỷ niệm|phóng|phố|đường|quảng trường)\s*"
    r"(?:\d+/\d+\s*(?:[-–,]|và)\s*)*$",
    re.IGNORECASE,
)
_MONTH = re.compile(r"\b(?:tháng|quý)\s*$", re.IGNORECASE)
_COUNTED = re.compile(r"\b(?:đợt|lần|kỳ|kì|số|khóa|khoá|vụ)\s*$", re.IGNORECASE)
_PART = re.compile(
    r"\b(?:chiếm|giảm|tăng|đạt|quá|hơn|gần|khoảng|được|có|mất|còn|thiếu|bằng|đã|mở|đóng"
    r"|vận hành|vòng)\s*$",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\s+(?:số|diện tích|tổng|dân số|hộ|thời gian|quân số|chiều|đoạn|đại biểu|người|thành viên"
    r"|thôn|xã|cụm|khối lượng|lượng|sản lượng|giá|cửa|tổ máy|hồ|đập|cống|trạm|công trình"
    r"|nhân khẩu|khẩu|trường hợp|hạng mục|tiêu chí|chỉ tiêu|nội dung|nhiệm vụ|phiếu)\b",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"\b(?:ngày|từ|đến|tới|trước|sau|hôm|sáng|trưa|chiều|tối|đêm|vào|giờ|phút|hạn|nay|mai|qua"
    r"|\d+[hg]\d*|\d+:\d+|thứ \w+|thứ \d|chủ nhật)[\s,(]*$",
    re.IGNORECASE,
)
_DEADLINE = re.compile(
    r"\b(?:ngày|sáng|trưa|chiều|tối|đêm|hạn(?:\s[^\W\d]+){0,6}|nghỉ|lễ|tết|dịp|quốc khánh|thứ \w+"
    r"|chủ nhật|CN|T[2-7]|từ|đến|tới|trước|sau|hết)[\s,:(]*"
    r"(?:\d{1,2}\.\d{1,2}\s*(?:,|-|–|và)\s*)*$",
    re.IGNORECASE,
)
_MEASURED = re.compile(
    r"\b(?:mức|mực nước|lượng|nhiệt độ|độ|khoảng|cao|sâu|dài|rộng|nặng|giá|tăng|giảm|lên|xuống|lãi"
    r"|điểm|mục|điều|khoản|phần|chương|bài|bước|phiên bản|chỉ số|tiêu chí|hạng mục|pH|tỷ lệ|tỉ lệ"
    r"|biên độ|cường độ|áp suất|tốc độ|công suất)\b[^.;\n]*(?:\d\.\d+[^.;\n]*)*$",
    re.IGNORECASE,
)
_OF_A_MEASURE = re.compile(
    rf"\s?(?:(?:-|–|đến|tới|và)\s?\d+\.\d+\s?)?(?:{UNIT}|[%°º]|(?:độ|triệu|nghìn|tỷ|tỉ|tấn|tạ|mét|lít"
    r"|điểm|phần trăm|lần|richter)\b)",
)
_ADDRESS = re.compile(r"\b(?:nhà|ngõ|hẻm|ngách|kiệt|thửa|lô|tỷ lệ|tỉ lệ|số)\s*$", re.IGNORECASE)
_SMALL = {(1, 2), (1, 3), (2, 3), (1, 4), (3, 4), (2, 5), (3, 5), (4, 5), (1, 10), (24, 7)}


def _day(day: int, dialect: Dialect) -> str:
    said = cardinal(day, dialect)
    return f"mùng {said}" if day <= _LAST_MUNG else said


def _month(month: int, dialect: Dialect) -> str:
    return "tư" if month == _APRIL else cardinal(month, dialect)


def _is_day(day: int, month: int, year: int = _LEAP_YEAR) -> bool:
    if not (1 <= month <= _MONTHS and year >= 1):
        return False
    return 1 <= day <= calendar.monthrange(year, month)[1]


def _told(
    match: re.Match[str], days: tuple[int, ...], month: int, year: int | None, dialect: Dialect
) -> str:
    """Say days of one month, with "ngày" where nothing before the date says it."""
    context = before(match)
    bare = _MUNG.search(context) or _FEAST.search(context)
    said = [cardinal(day, dialect) if bare else _day(day, dialect) for day in days]
    words = f"{' đến '.join(said)} tháng {_month(month, dialect)}"
    if year is not None:
        words += f" năm {cardinal(year, dialect)}"
    return words if bare or _NAMED.search(context) else f"ngày {words}"


def _full(match: re.Match[str], dialect: Dialect) -> str | None:
    day, month, year = int(match["d"]), int(match["m"]), int(match["y"])
    return _told(match, (day,), month, year, dialect) if _is_day(day, month, year) else None


def _span(match: re.Match[str], dialect: Dialect) -> str | None:
    first, last, month = int(match["a"]), int(match["d"]), int(match["m"])
    year = int(match["y"]) if match["y"] else None
    if not (_is_day(first, month) and _is_day(last, month, year or _LEAP_YEAR) and first < last):
        return None
    return _told(match, (first, last), month, year, dialect)


def _across(match: re.Match[str], dialect: Dialect) -> str | None:
    one, other = (int(match["a"]), int(match["am"])), (int(match["d"]), int(match["m"]))
    if not (_is_day(*one) and _is_day(*other)):
        return None
    first_year = int(match["ay"]) if match["ay"] else None
    start = _told(match, (one[0],), one[1], first_year, dialect)
    feast = _FEAST.search(before(match))
    day = cardinal(other[0], dialect) if feast else f"ngày {_day(other[0], dialect)}"
    year = f" năm {cardinal(int(match['y']), dialect)}" if match["y"] else ""
    return f"{start} đến {day} tháng {_month(other[1], dialect)}{year}"


def _day_and_month(match: re.Match[str], dialect: Dialect) -> str | None:
    day, month = int(match["d"]), int(match["m"])
    context, rest = before(match), after(match)
    if not _is_day(day, month) or _ADDRESS.search(context):
        return None
    dated = _DATED.search(context) or _NAMED.search(context) or _FEAST.search(context)
    shared = _PART.search(context) or _WHOLE.match(rest) or (day, month) in _SMALL
    if shared and not dated:
        return None
    return _told(match, (day,), month, None, dialect)


def _pointed(match: re.Match[str], dialect: Dialect) -> str | None:
    """Say the 30.9 of "hạn chót 30.9"."""
    day, month = int(match["d"]), int(match["m"])
    if not (_tells_of_days(match) and _is_day(day, month)):
        return None
    return _told(match, (day,), month, None, dialect)


def _pointed_days(match: re.Match[str], dialect: Dialect) -> str | None:
    """Say "nghỉ lễ 30.8-2.9" as the days that it is."""
    return _across(match, dialect) if _tells_of_days(match) else None


def _tells_of_days(match: re.Match[str]) -> bool:
    """Say whether the sentence tells of days, and not of measures."""
    context = before(match)
    is_measure = _MEASURED.search(context) or _OF_A_MEASURE.match(after(match))
    return bool(_DEADLINE.search(context) and not is_measure)


def _of_hour(match: re.Match[str], dialect: Dialect) -> str:
    """Say the 22 of "19h/22 đến 19h/23/10"."""
    return f" ngày {_day(int(match['d']), dialect)}"


def _first_of_two(match: re.Match[str], dialect: Dialect) -> str | None:
    """Say the 5 of "từ 5 đến 7/9" as a day."""
    day, month = int(match["d"]), int(match["m"])
    return _day(day, dialect) if _is_day(day, month) else None


def _month_and_year(match: re.Match[str], dialect: Dialect) -> str | None:
    month, year = int(match["m"]), int(match["y"])
    if not 1 <= month <= _MONTHS:
        return None
    if _COUNTED.search(before(match)):
        return f"{cardinal(month, dialect)} năm {cardinal(year, dialect)}"
    said = f"{_month(month, dialect)} năm {cardinal(year, dialect)}"
    return said if _MONTH.search(before(match)) else f"tháng {said}"


def _months_and_year(match: re.Match[str], dialect: Dialect) -> str | None:
    first, last, head = int(match["a"]), int(match["m"]), _MONTH.search(before(match))
    if head is None or not 1 <= first < last <= _MONTHS:
        return None
    name, year = head[0].strip().lower(), cardinal(int(match["y"]), dialect)
    return f"{_month(first, dialect)} đến {name} {_month(last, dialect)} năm {year}"


def _year_of_quarter(match: re.Match[str], dialect: Dialect) -> str:
    return f" năm {cardinal(int(match[1]), dialect)}"


def _bare_day(match: re.Match[str], dialect: Dialect) -> str | None:
    day = int(match["d"])
    return _day(day, dialect) if 1 <= day <= 31 else None  # noqa: PLR2004 - days of a month


def _mung(match: re.Match[str], dialect: Dialect) -> str:
    return cardinal(int(match["d"]), dialect)


def _date(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w])(?<![\d][/.,-]){pattern}(?![\w/]|[.,-]\d)", re.IGNORECASE)


_D = r"(?P<d>\d{1,2})"
_M = r"(?P<m>\d{1,2})"
_Y = r"(?P<y>[12]\d{3})"

RULES = (
    Rule(
        Kind.DATE,
        _date(
            rf"(?P<a>\d\d?)/(?P<am>\d\d?)(?:/(?P<ay>[12]\d{{3}}))?\s?[-–—]\s?{_D}/{_M}(?:/{_Y})?"
        ),
        _across,
    ),
    Rule(Kind.DATE, _date(rf"(?P<a>\d\d?)\s?[-–—]\s?{_D}/{_M}(?:/{_Y})?"), _span),
    Rule(Kind.DATE, _date(rf"{_D}\s?(?P<sep>[/.-])\s?{_M}\s?(?P=sep)\s?{_Y}"), _full),
    Rule(Kind.DATE, _date(rf"{_Y}-(?P<m>\d\d)-(?P<d>\d\d)"), _full),
    Rule(Kind.DATE, _date(rf"{_D}/{_M}"), _day_and_month),
    Rule(Kind.DATE, _date(rf"(?<=ngày\s){_D}[-.]{_M}"), _day_and_month),
    Rule(
        Kind.DATE,
        _date(rf"(?P<a>\d\d?)\.(?P<am>\d\d?)(?P<ay>)\s?[-–—]\s?{_D}\.{_M}(?P<y>)"),
        _pointed_days,
    ),
    Rule(Kind.DATE, _date(rf"{_D}\.{_M}"), _pointed),
    Rule(
        Kind.DATE,
        re.compile(rf"(?<=[hH])/{_D}(?=\s?(?:đến|tới|[-–])\s?\d{{1,2}}[hH]\d{{0,2}}/\d)"),
        _of_hour,
    ),
    Rule(Kind.DATE, _date(rf"(?P<a>\d\d?)\s?[-–]\s?{_M}/{_Y}"), _months_and_year),
    Rule(Kind.DATE, _date(rf"T?{_M}\s?[/-]\s?{_Y}"), _month_and_year),
    Rule(Kind.DATE, re.compile(r"(?<=[IVX])/([12]\d{3})(?!\w)"), _year_of_quarter),
    Rule(
        Kind.DATE,
        _date(rf"{_D}(?=\s(?:đến|tới|và|hoặc)\s(?:hết\s)?(?:ngày\s)?\d{{1,2}}/{_M}(?!\d))"),
        _first_of_two,
    ),
    Rule(
        Kind.DATE,
        _date(
            rf"(?<=\bngày\s)(?<!\bmột ngày\s)(?<!mỗi ngày\s)(?<!\d ngày\s){_D}"
            r"(?=\s*(?:$|[,.;:!?)\n]|-|–|(?:tháng|âm lịch|đến|tới|và|này|tết)\b))"
        ),
        _bare_day,
    ),
    Rule(Kind.DATE, _date(rf"(?<=\bm[ùồ]ng\s){_D}"), _mung),
)
