"""Roads, kilometre posts, coordinates, and the short names of units before a place's name."""

import re

from audio_library.reading.letters import spelled
from audio_library.reading.numbers import NUMBER, spoken, whole
from audio_library.reading.values import Dialect, Kind, Rule, before

_ROADS = {
    "QL": "quốc lộ",
    "ĐT": "đường tỉnh",
    "TL": "tỉnh lộ",
    "ĐH": "đường huyện",
    "HL": "hương lộ",
    "ĐX": "đường xã",
    "CT": "cao tốc",
    "QK": "quân khu",
}
_UNITS = {
    "TP": "thành phố",
    "TX": "thị xã",
    "TT": "thị trấn",
    "P": "phường",
    "Q": "quận",
    "H": "huyện",
    "X": "xã",
    "KP": "khu phố",
    "TDP": "tổ dân phố",
    "HK": "học kỳ",
}
_SIDES = {
    "N": "vĩ bắc",
    "B": "vĩ bắc",
    "S": "vĩ nam",
    "E": "kinh đông",
    "Đ": "kinh đông",
    "W": "kinh tây",
}


def _road(match: re.Match[str], dialect: Dialect) -> str:
    kind = _ROADS[match[1]]
    named = before(match).rstrip().lower().endswith(kind)
    said = f"{'' if named else kind} {whole(match[2], dialect)}"
    return f"{said} {spelled(match[3])}" if match[3] else said


def _post(match: re.Match[str], dialect: Dialect) -> str:
    said = f"ki lô mét {spoken(match[1], dialect)}"
    said += f" cộng {whole(match[2].lstrip('0') or '0', dialect)}" if match[2] else ""
    return f"{said} đến" if match[3] else said


def _unit(match: re.Match[str], _dialect: Dialect) -> str:
    name = _UNITS[match[1].upper()]
    return f"{name.capitalize() if match.start() == 0 else name} "


def _unit_number(match: re.Match[str], dialect: Dialect) -> str:
    return f"{_UNITS[match[1].upper()]} {whole(match[2].lstrip('0') or '0', dialect)}"


def _ho_chi_minh(_match: re.Match[str], _dialect: Dialect) -> str:
    return "Thành phố Hồ Chí Minh"


def _degrees(match: re.Match[str], dialect: Dialect) -> str | None:
    minutes, seconds, side = match["m"], match["s"], match["side"]
    if not (minutes or side):
        return None
    words = [spoken(match["d"], dialect), "độ"]
    words += [spoken(minutes.lstrip("0") or "0", dialect), "phút"] if minutes else []
    words += [spoken(seconds.lstrip("0") or "0", dialect), "giây"] if seconds else []
    words += [_SIDES[side]] if side else []
    return " ".join(words) + (", " if match["next"] else "")


def _latitude(match: re.Match[str], dialect: Dialect) -> str:
    return f"{spoken(match[1], dialect)} độ {_SIDES[match[2]]}{', ' if match[3] else ''}"


RULES = (
    Rule(
        Kind.PLACE, re.compile(r"(?<!\w)(?:TP\.?\s?HCM|TPHCM)(?!\w)", re.IGNORECASE), _ho_chi_minh
    ),
    Rule(
        Kind.PLACE,
        re.compile(r"(?<!\w)(QL|ĐT|TL|ĐH|HL|ĐX|QK|CT(?!\s))[.\s]?(\d{1,3})([A-Z])?(?!\w)"),
        _road,
    ),
    Rule(
        Kind.PLACE,
        re.compile(
            rf"(?<!\w)[Kk][Mm]\s?({NUMBER})(?:\s?\+\s?(\d{{1,4}}))?(?!\w)(\s?[-–÷]\s?(?=[Kk][Mm]\s?\d))?"
        ),
        _post,
    ),
    Rule(
        Kind.PLACE,
        re.compile(
            rf"(?<!\w)(?P<d>{NUMBER})\s?[°º˚]\s?(?:(?P<m>{NUMBER})\s?['’′]\s?)?"
            rf"(?:(?P<s>{NUMBER})\s?(?:''|[\"”″])\s?)?(?P<side>[NSEWBĐ])?(?!\w)"
            r"(?P<next>\s?[-–]\s?(?=\d))?"
        ),
        _degrees,
    ),
    Rule(
        Kind.PLACE,
        re.compile(r"(?<!\w)(\d{1,3}[.,]\d{1,4})([NSEWBĐ])(\s?[-–]\s?(?=\d))?(?!\w(?<!\d))"),
        _latitude,
    ),
    Rule(
        Kind.PLACE,
        re.compile(r"(?<!\w)(TP|TX|TT|KP|TDP|HK|P|Q|H|X)\.?\s?(\d{1,2})(?!\w)(?![.,:/]\d|[%°])"),
        _unit_number,
    ),
    Rule(
        Kind.PLACE,
        re.compile(r"(?<!\w)(TP|Tp|TX|Tx|TT|Tt|P|Q|H|X|KP|TDP)\.\s?(?=[A-ZĐÀ-Ỹ][a-zđà-ỹ])"),
        _unit,
    ),
    Rule(Kind.PLACE, re.compile(r"(?<!\w)(TP|TX|KP|TDP)\s(?=[A-ZĐÀ-Ỹ][a-zđà-ỹ])"), _unit),
)
