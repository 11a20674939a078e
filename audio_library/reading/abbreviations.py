"""Abbreviations of offices and notices, written out."""

import re

from audio_library.reading.values import Dialect, Kind, Rule, Say

ABBREVIATIONS = {
    "UBND": "Ủy ban nhân dân",
    "HĐND": "Hội đồng nhân dân",
    "UBMTTQ": "Ủy ban Mặt trận Tổ quốc",
    "MTTQ": "Mặt trận Tổ quốc",
    "UBTVQH": "Ủy ban Thường vụ Quốc hội",
    "ĐBQH": "đại biểu Quốc hội",
    "TTg": "Thủ tướng",
    "QĐ": "quyết định",
    "NĐ": "nghị định",
    "NQ": "nghị quyết",
    "TW": "Trung ương",
    "TƯ": "Trung ương",
    "BTV": "Ban Thường vụ",
    "BCĐ": "Ban Chỉ đạo",
    "BTC": "Ban Tổ chức",
    "BQL": "Ban Quản lý",
    "PCTT": "Phòng chống thiên tai",
    "PTDS": "Phòng thủ dân sự",
    "PCLB": "Phòng chống lụt bão",
    "TKCN": "tìm kiếm cứu nạn",
    "CNCH": "cứu nạn cứu hộ",
    "PCCC": "phòng cháy chữa cháy",
    "PCCCR": "phòng cháy chữa cháy rừng",
    "MNTL": "mực nước thượng lưu",
    "MNHL": "mực nước hạ lưu",
    "MNDBT": "mực nước dâng bình thường",
    "KTTV": "khí tượng thủy văn",
    "ATNĐ": "áp thấp nhiệt đới",
    "KKL": "không khí lạnh",
    "CSGT": "cảnh sát giao thông",
    "CAND": "Công an nhân dân",
    "QĐND": "Quân đội nhân dân",
    "BĐBP": "Bộ đội Biên phòng",
    "BCHQS": "Ban Chỉ huy Quân sự",
    "LLVT": "lực lượng vũ trang",
    "CBCS": "cán bộ, chiến sĩ",
    "ANTT": "an ninh trật tự",
    "ANTQ": "an ninh Tổ quốc",
    "TTATXH": "trật tự an toàn xã hội",
    "TTATGT": "trật tự an toàn giao thông",
    "ATGT": "an toàn giao thông",
    "TNGT": "tai nạn giao thông",
    "QPAN": "quốc phòng an ninh",
    "QP-AN": "quốc phòng an ninh",
    "NVQS": "nghĩa vụ quân sự",
    "DQTV": "dân quân tự vệ",
    "KTXH": "kinh tế xã hội",
    "KT-XH": "kinh tế xã hội",
    "ATTP": "an toàn thực phẩm",
    "VSATTP": "vệ sinh an toàn thực phẩm",
    "VSMT": "vệ sinh môi trường",
    "BVMT": "bảo vệ môi trường",
    "BVTV": "bảo vệ thực vật",
    "BHYT": "bảo hiểm y tế",
    "BHXH": "bảo hiểm xã hội",
    "BHTN": "bảo hiểm thất nghiệp",
    "CCCD": "căn cước công dân",
    "CMND": "chứng minh nhân dân",
    "GPLX": "giấy phép lái xe",
    "GCN": "giấy chứng nhận",
    "QSDĐ": "quyền sử dụng đất",
    "GPMB": "giải phóng mặt bằng",
    "TTHC": "thủ tục hành chính",
    "DVC": "dịch vụ công",
    "DVCTT": "dịch vụ công trực tuyến",
    "KNTC": "khiếu nại tố cáo",
    "CTV": "cộng tác viên",
    "TTYT": "trung tâm y tế",
    "TYT": "trạm y tế",
    "BVĐK": "bệnh viện đa khoa",
    "SXH": "sốt xuất huyết",
    "KHHGĐ": "kế hoạch hóa gia đình",
    "DS-KHHGĐ": "dân số kế hoạch hóa gia đình",
    "TH&THCS": "tiểu học và trung học cơ sở",
    "THCS": "trung học cơ sở",
    "THPT": "trung học phổ thông",
    "PTDTNT": "phổ thông dân tộc nội trú",
    "PTDTBT": "phổ thông dân tộc bán trú",
    "GDTX": "giáo dục thường xuyên",
    "GDĐT": "giáo dục và đào tạo",
    "GD&ĐT": "giáo dục và đào tạo",
    "TTTT": "thông tin và truyền thông",
    "TT&TT": "thông tin và truyền thông",
    "NN&PTNT": "nông nghiệp và phát triển nông thôn",
    "NN&MT": "nông nghiệp và môi trường",
    "TN&MT": "tài nguyên và môi trường",
    "KH&CN": "khoa học và công nghệ",
    "KH&ĐT": "kế hoạch và đầu tư",
    "VHTT": "văn hóa thông tin",
    "VHTT&DL": "văn hóa, thể thao và du lịch",
    "VH-TT&DL": "văn hóa, thể thao và du lịch",
    "TDTT": "thể dục thể thao",
    "LĐTBXH": "lao động, thương binh và xã hội",
    "LĐ-TB&XH": "lao động, thương binh và xã hội",
    "GTVT": "giao thông vận tải",
    "GTNT": "giao thông nông thôn",
    "HTX": "hợp tác xã",
    "KCN": "khu công nghiệp",
    "KDC": "khu dân cư",
    "TĐC": "tái định cư",
    "NTM": "nông thôn mới",
    "OCOP": "ô cốp",
    "DTTS": "dân tộc thiểu số",
    "LHPN": "Liên hiệp Phụ nữ",
    "CCB": "Cựu chiến binh",
    "TNCS": "Thanh niên Cộng sản",
    "TNXP": "Thanh niên xung phong",
    "TNTP": "Thiếu niên Tiền phong",
    "HCM": "Hồ Chí Minh",
    "XHCN": "xã hội chủ nghĩa",
    "CHXHCN": "Cộng hòa xã hội chủ nghĩa",
    "ĐCSVN": "Đảng Cộng sản Việt Nam",
    "TTXVN": "Thông tấn xã Việt Nam",
    "NHCSXH": "Ngân hàng Chính sách xã hội",
    "VPCP": "Văn phòng Chính phủ",
    "TDP": "tổ dân phố",
    "NVH": "nhà văn hóa",
    "TBA": "trạm biến áp",
    "ĐZ": "đường dây",
    "ĐVBC": "đơn vị bầu cử",
    "MTQG": "mục tiêu quốc gia",
    "CTMTQG": "chương trình mục tiêu quốc gia",
    "TBNN": "trung bình nhiều năm",
    "NCT": "người cao tuổi",
    "CMT8": "Cách mạng tháng Tám",
    "ÂL": "âm lịch",
    "SĐT": "số điện thoại",
    "ĐTDĐ": "điện thoại di động",
    "HTXNN": "hợp tác xã nông nghiệp",
    "STT": "số thứ tự",
    "STK": "số tài khoản",
    "MST": "mã số thuế",
    "PM2.5": "pê em hai phẩy năm",
    "PM2,5": "pê em hai phẩy năm",
    "PM10": "pê em mười",
    "VNeID": "vê nờ e i đi",
    "COVID-19": "cô vít mười chín",
    "Covid-19": "cô vít mười chín",
    "COVID": "cô vít",
    "Covid": "cô vít",
    "v.v.": "vân vân",
    "v.v": "vân vân",
    "vv.": "vân vân",
    "VD:": "ví dụ:",
    "Vd:": "ví dụ:",
    "TM.": "thay mặt",
    "KT.": "ký thay",
    "TL.": "thừa lệnh",
    "TUQ.": "thừa ủy quyền",
    "ThS.": "thạc sĩ",
    "TS.": "tiến sĩ",
    "PGS.": "phó giáo sư",
    "GS.": "giáo sư",
    "BS.": "bác sĩ",
    "KS.": "kỹ sư",
    "đ/c": "đồng chí",
    "Đ/c": "đồng chí",
    "đ/c:": "đồng chí",
    "ĐT:": "điện thoại:",
    "Tel:": "điện thoại:",
}
"""Written out only as they stand here: capitals tell an abbreviation from a word."""

_IN_FRONT_OF = (
    (r"BCH(?=\s(?:PCTT|PTDS|PCLB|TKCN|PCCC|[Pp]hòng|[Qq]uân sự|QS))", "Ban Chỉ huy"),
    (r"BCH", "Ban Chấp hành"),
    (r"CT(?=\s(?:UBND|HĐND|nước))", "Chủ tịch"),
    (r"PCT(?=\s(?:UBND|HĐND))", "Phó Chủ tịch"),
    (r"CA(?=\s(?:xã|phường|tỉnh|huyện|thành phố))", "Công an"),
    (r"TT(?=\s(?:UBND|HĐND))", "Thường trực"),
    (r"CV(?=\s(?:số\s)?\d)", "công văn"),
    (r"TT(?=\s(?:số\s)?\d)", "thông tư"),
    (r"CT(?=\s(?:số\s)?\d)", "chỉ thị"),
    (r"ĐU(?=\s(?:xã|phường|đặc khu))", "Đảng ủy"),
    (r"(?<=[Bb]í thư\s)ĐU", "Đảng ủy"),
    (r"(?<=\d\s)DL", "dương lịch"),
    (r"(?<=giải\s)KK", "khuyến khích"),
    (r"TH(?=[\s,]+(?:và\s)?THCS)", "tiểu học"),
)
_LEVELS = {"I": "một", "II": "hai", "III": "ba", "1": "một", "2": "hai", "3": "ba"}


def _known(match: re.Match[str], _dialect: Dialect) -> str:
    said = ABBREVIATIONS[match[0]]
    if match[0][0].islower():
        return said
    # At the head of the text, and after a full stop, a sentence begins.
    first = re.search(
        r"(?:^|[.!?:]\s+|\n\s*)$", match.string[max(0, match.start() - 5) : match.start()]
    )
    return said[0].upper() + said[1:] if first else said


def _fixed(said: str) -> Say:
    def say(_match: re.Match[str], _dialect: Dialect) -> str:
        return said

    return say


def _alarm(match: re.Match[str], _dialect: Dialect) -> str:
    levels = [level for level in match.groups() if level]
    return " đến ".join(f"báo động {_LEVELS[level]}" for level in levels)


def _pair(match: re.Match[str], _dialect: Dialect) -> str:
    return " và ".join(ABBREVIATIONS[form] for form in match.groups())


def _written(form: str) -> str:
    escaped = re.escape(form)
    return escaped if form[-1] in ".:" else rf"{escaped}(?![\w]|[.&]\w)"


_LEVEL = "(III|II|I|[123])"
_PLAIN = "|".join(sorted(filter(str.isalpha, ABBREVIATIONS), key=len, reverse=True))
_ANY = "|".join(_written(form) for form in sorted(ABBREVIATIONS, key=len, reverse=True))

RULES = (
    *(
        Rule(Kind.ABBREVIATION, re.compile(rf"(?<![\w&]){form}(?!\w)"), _fixed(said))
        for form, said in _IN_FRONT_OF
    ),
    Rule(
        Kind.ABBREVIATION,
        re.compile(rf"(?<!\w)BĐ\s?{_LEVEL}(?:\s?[-–]\s?(?:BĐ\s?)?{_LEVEL}(?![.,]\d))?(?!\w)"),
        _alarm,
    ),
    Rule(Kind.ABBREVIATION, re.compile(rf"(?<![\w&])(?:{_ANY})"), _known),
    Rule(Kind.ABBREVIATION, re.compile(rf"(?<![\w&])({_PLAIN})&({_PLAIN})(?![\w&])"), _pair),
)
