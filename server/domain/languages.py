"""The languages of Viet Nam in which something may be said, by BCP 47 tag."""

from collections.abc import Mapping
from types import MappingProxyType

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "vi": "Tiếng Việt",
        "bdq": "Ba Na",
        "bru": "Bru – Vân Kiều",
        "cjm": "Chăm",
        "cmo": "M’Nông",
        "cua": "Co",
        "hmn": "Mông",
        "hre": "Hrê",
        "ium": "Dao",
        "jra": "Gia Rai",
        "km": "Khmer",
        "kpm": "Cơ Ho",
        "ktv": "Cơ Tu",
        "lbt": "La Chí",
        "lo": "Lào",
        "mlc": "Cao Lan",
        "mtq": "Mường",
        "nut": "Nùng",
        "pcc": "Giáy",
        "pha": "Pà Thẻn",
        "rad": "Ê Đê",
        "rog": "Ra Glai",
        "sed": "Xơ Đăng",
        "tai": "Thái",
        "tyz": "Tày",
        "yue": "Hoa",
        "en": "Tiếng Anh",
    }
)
"""Names in Vietnamese; the codes are those of ISO 639, the shortest that there is."""


def is_language(tag: str) -> bool:
    """Say whether a tag names a language that clusters and recordings may have."""
    return tag in NAMES
