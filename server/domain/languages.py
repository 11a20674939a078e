"""The languages of Viet Nam in which something may be said, by BCP 47 tag."""

from collections.abc import Mapping
from types import MappingProxyType

from server.domain.names import folded

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


_BY_NAME = {
    **{folded(name).removeprefix("tieng "): tag for tag, name in NAMES.items()},
    **{tag: tag for tag in NAMES},
}


def language_named(text: str) -> str | None:
    """Find the tag of a language by tag or name, marks and case apart; None: there is none."""
    return _BY_NAME.get(folded(text).removeprefix("tieng "))


def is_language(tag: str) -> bool:
    """Say whether a tag names a language that clusters and recordings may have."""
    return tag in NAMES
