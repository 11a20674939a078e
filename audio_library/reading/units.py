"""Units of measure and money, and how they are said."""

import re
from collections.abc import Iterable

UNITS = {
    "km": "ki lô mét",
    "m": "mét",
    "dm": "đề xi mét",
    "cm": "xăng ti mét",
    "mm": "mi li mét",
    "km2": "ki lô mét vuông",
    "m2": "mét vuông",
    "cm2": "xăng ti mét vuông",
    "m3": "mét khối",
    "cm3": "xăng ti mét khối",
    "dm3": "đề xi mét khối",
    "ha": "héc ta",
    "kg": "ki lô gam",
    "g": "gam",
    "mg": "mi li gam",
    "µg": "mi crô gam",
    "l": "lít",
    "ml": "mi li lít",
    "mL": "mi li lít",
    "s": "giây",
    "km/h": "ki lô mét trên giờ",
    "km/giờ": "ki lô mét trên giờ",
    "m/s": "mét trên giây",
    "m/h": "mét trên giờ",
    "m/giây": "mét trên giây",
    "mm/h": "mi li mét trên giờ",
    "mm/giờ": "mi li mét trên giờ",
    "mm/ngày": "mi li mét một ngày",
    "cm/h": "xăng ti mét trên giờ",
    "cm/giờ": "xăng ti mét trên giờ",
    "m3/s": "mét khối trên giây",
    "m3/giây": "mét khối trên giây",
    "m3/h": "mét khối trên giờ",
    "m3/ngày": "mét khối một ngày",
    "l/s": "lít trên giây",
    "l/phút": "lít một phút",
    "mg/l": "mi li gam trên lít",
    "mg/L": "mi li gam trên lít",
    "µg/m3": "mi crô gam trên mét khối",
    "kg/ha": "ki lô gam một héc ta",
    "m2/người": "mét vuông một người",
    "°C": "độ xê",
    "°F": "độ ép",
    "°": "độ",
    "%": "phần trăm",
    "‰": "phần nghìn",
    "V": "vôn",
    "kV": "ki lô vôn",
    "KV": "ki lô vôn",
    "W": "oát",
    "kW": "ki lô oát",
    "KW": "ki lô oát",
    "MW": "mê ga oát",
    "kWh": "ki lô oát giờ",
    "KWh": "ki lô oát giờ",
    "kVA": "ki lô vôn am pe",
    "Hz": "héc",
    "kHz": "ki lô héc",
    "MHz": "mê ga héc",
    "GHz": "gi ga héc",
    "Mbps": "mê ga bít trên giây",
    "Gbps": "gi ga bít trên giây",
    "GB": "gi ga bai",
    "MB": "mê ga bai",
    "dB": "đề xi ben",
    "hPa": "héc tô pát can",
    "mb": "mi li ba",
    "mmHg": "mi li mét thủy ngân",
    "đ": "đồng",
    "₫": "đồng",
    "VNĐ": "đồng",
    "VND": "đồng",
    "vnđ": "đồng",
    "USD": "đô la Mỹ",
    "$": "đô la",
    "€": "ơ rô",
    "tr": "triệu",
    "k": "nghìn",
}
"""How units are said; written with plain digits, ``°`` and straight marks."""

PER = {
    "ngày": "ngày",
    "giờ": "giờ",
    "phút": "phút",
    "giây": "giây",
    "tuần": "tuần",
    "tháng": "tháng",
    "quý": "quý",
    "năm": "năm",
    "vụ": "vụ",
    "ca": "ca",
    "người": "người",
    "hộ": "hộ",
    "khẩu": "khẩu",
    "lần": "lần",
    "suất": "suất",
    "lượt": "lượt",
    "đợt": "đợt",
    "con": "con",
    "chiếc": "chiếc",
    "sào": "sào",
    "tạ": "tạ",
    "tấn": "tấn",
    "kg": "ki lô gam",
    "km": "ki lô mét",
    "m": "mét",
    "m2": "mét vuông",
    "km2": "ki lô mét vuông",
    "m3": "mét khối",
    "ha": "héc ta",
    "l": "lít",
    "lít": "lít",
    "kWh": "ki lô oát giờ",
}
"""What stands behind a slash: "đồng/tháng" is "đồng một tháng"."""

_SPELLINGS = {
    "oC": "°C",
    "° C": "°C",
    "℃": "°C",
    "Km": "km",
    "KM": "km",
    "Km/h": "km/h",
    "Kg": "kg",
    "KG": "kg",
    "Ha": "ha",
    "HA": "ha",
    "MM": "mm",
}
_PLAIN = str.maketrans({"²": "2", "³": "3", "º": "°", "˚": "°", "μ": "µ"})
_LOOSE = {"2": "[2²]", "3": "[3³]", "°": "[°º˚]", "µ": "[µμ]"}


def unit_said(written: str) -> str:
    """Say a unit that ``UNIT`` has matched."""
    plain = written.translate(_PLAIN)
    return UNITS[_SPELLINGS.get(plain, plain)]


def per_said(written: str) -> str:
    """Say what ``PER_UNIT`` has matched."""
    return PER[written.translate(_PLAIN)]


def _any_of(forms: Iterable[str]) -> str:
    longest_first = sorted(forms, key=len, reverse=True)
    return "|".join(
        "".join(_LOOSE.get(sign, re.escape(sign)) for sign in form) for form in longest_first
    )


UNIT = rf"(?:{_any_of([*UNITS, *_SPELLINGS])})(?![\w²³])"
"""Any unit with nothing of a word behind it; it has no group."""

PER_UNIT = rf"(?:{_any_of(PER)})(?![\w²³])"
"""What may stand behind a slash; it has no group."""
