"""Numbers of documents: 39/2020/TT-BTTTT is the circular 39 of 2020 of a ministry."""

import re

from audio_library.reading.letters import spelled
from audio_library.reading.numbers import cardinal, whole
from audio_library.reading.values import Dialect, Kind, Rule, before

_KINDS = {
    "NĐ": "nghị định",
    "QĐ": "quyết định",
    "TT": "thông tư",
    "TTLT": "thông tư liên tịch",
    "CT": "chỉ thị",
    "NQ": "nghị quyết",
    "CĐ": "công điện",
    "CV": "công văn",
    "KH": "kế hoạch",
    "TB": "thông báo",
    "BC": "báo cáo",
    "TTr": "tờ trình",
    "HD": "hướng dẫn",
    "KL": "kết luận",
    "CTr": "chương trình",
    "ĐA": "đề án",
    "PA": "phương án",
    "QC": "quy chế",
    "GM": "giấy mời",
    "GP": "giấy phép",
    "HĐ": "hợp đồng",
    "BB": "biên bản",
    "L": "luật",
    "PL": "pháp lệnh",
    "VBHN": "văn bản hợp nhất",
}
_ISSUERS = {
    "CP": "Chính phủ",
    "TTg": "Thủ tướng Chính phủ",
    "UBND": "Ủy ban nhân dân",
    "HĐND": "Hội đồng nhân dân",
    "CTUBND": "Chủ tịch Ủy ban nhân dân",
    "UBTVQH": "Ủy ban Thường vụ Quốc hội",
    "CTN": "Chủ tịch nước",
    "VPCP": "Văn phòng Chính phủ",
    "BCĐ": "Ban Chỉ đạo",
    "BCH": "Ban Chỉ huy",
    "PCTT": "Phòng chống thiên tai",
    "MTTQ": "Mặt trận Tổ quốc",
    "TW": "Trung ương",
    "TƯ": "Trung ương",
    "TU": "Tỉnh ủy",
    "HU": "Huyện ủy",
    "ĐU": "Đảng ủy",
    "BTTTT": "Bộ Thông tin và Truyền thông",
    "BTC": "Bộ Tài chính",
    "BYT": "Bộ Y tế",
    "BGDĐT": "Bộ Giáo dục và Đào tạo",
    "BCA": "Bộ Công an",
    "BQP": "Bộ Quốc phòng",
    "BNV": "Bộ Nội vụ",
    "BCT": "Bộ Công Thương",
    "BXD": "Bộ Xây dựng",
    "BGTVT": "Bộ Giao thông vận tải",
    "BNNPTNT": "Bộ Nông nghiệp và Phát triển nông thôn",
    "BNNMT": "Bộ Nông nghiệp và Môi trường",
    "BTNMT": "Bộ Tài nguyên và Môi trường",
    "BKHCN": "Bộ Khoa học và Công nghệ",
    "BVHTTDL": "Bộ Văn hóa, Thể thao và Du lịch",
    "BTP": "Bộ Tư pháp",
    "BHXH": "Bảo hiểm xã hội",
    "NHNN": "Ngân hàng Nhà nước",
    "BDTTG": "Bộ Dân tộc và Tôn giáo",
}
_ISSUERS |= {
    f"S{code[1:]}": f"Sở {name[3:]}" for code, name in _ISSUERS.items() if name.startswith("Bộ ")
}
_KIND = "|".join(sorted(_KINDS, key=len, reverse=True))
_ISSUER = "|".join(sorted(_ISSUERS, key=len, reverse=True))
_SAID_BEFORE = re.compile(
    r"\b(nghị định|quyết định|thông tư|chỉ thị|nghị quyết|công điện|công văn|kế hoạch|thông báo"
    r"|báo cáo|tờ trình|hướng dẫn|kết luận|chương trình|luật|lệnh|pháp lệnh|giấy phép|văn bản"
    r"|NĐ|QĐ|TT|CT|NQ|CĐ|CV|KH|TB)"
    r"\s*(?:liên tịch\s*)?(?:số\s*:?\s*)?$",
    re.IGNORECASE,
)


def _document(match: re.Match[str], dialect: Dialect) -> str:
    number, year, kind, issuer = match["n"], match["y"], match["kind"], match["by"]
    said = whole(number.lstrip("0") or "0", dialect) + match["letter"].lower()
    if year:
        said += f" năm {cardinal(int(year), dialect)}"
    if not _SAID_BEFORE.search(before(match)):
        said += f", {_KINDS[kind]}"
    return f"{said} của {_issuer(issuer)}" if issuer else said


def _law(match: re.Match[str], dialect: Dialect) -> str:
    number, year, term = (cardinal(int(part), dialect) for part in match.groups())
    return f"{number} năm {year} của Quốc hội khóa {term}"


def _letter(match: re.Match[str], dialect: Dialect) -> str:
    said = f"{whole(match['n'].lstrip('0') or '0', dialect)} của {_ISSUERS[match['who']]}"
    return f"{said}, {_issuer(match['room'])}" if match["room"] else said


def _series(match: re.Match[str], _dialect: Dialect) -> str:
    return f"{_KINDS[match['kind']]} của {_issuer(match['by'])}"


def _issuer(code: str) -> str:
    return " ".join(map(_named, re.split(r"[-.]", code)))


def _named(part: str) -> str:
    """Say BCHPCTT by what it is put together of; spell what nobody knows."""
    if re.fullmatch(rf"(?:{_ISSUER})+", part):
        return " ".join(_ISSUERS[known] for known in re.findall(_ISSUER, part))
    return spelled(part) if part.isupper() else part


_BY = r"(?P<by>[A-ZĐƯ][A-Za-zĐƯ]{1,9}(?:[-.][A-ZĐƯ]{2,9})?)"

RULES = (
    Rule(
        Kind.DOCUMENT,
        re.compile(r"(?<![\w/])(\d{1,3})/(\d{4})/(?:UBTV)?QH(\d{1,2})(?!\w)"),
        _law,
    ),
    Rule(
        Kind.DOCUMENT,
        re.compile(
            r"(?<![\w/])(?P<n>\d{1,5})(?P<letter>[a-z]?)"
            rf"(?:/(?P<y>\d{{4}}))?\s?[/-]\s?(?P<kind>{_KIND})(?:[-/]{_BY})?(?!\w)"
        ),
        _document,
    ),
    Rule(
        Kind.DOCUMENT,
        re.compile(
            rf"(?<![\w/])(?P<n>\d{{1,5}})/(?P<who>{_ISSUER})"
            r"(?:-(?P<room>[A-ZĐ]{1,8}))?(?!\w)"
        ),
        _letter,
    ),
    Rule(Kind.DOCUMENT, re.compile(rf"(?<![\w/-])(?P<kind>{_KIND})-{_BY}(?!\w)"), _series),
)
