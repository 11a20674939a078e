"""Web and e-mail addresses: said so that a listener could write them down."""

import re

from audio_library.reading.letters import spelled
from audio_library.reading.numbers import digits
from audio_library.reading.values import Dialect, Kind, Rule

_SAID = {
    "www": "vê kép vê kép vê kép",
    "vn": "vê nờ",
    "com": "com",
    "gov": "gốp",
    "edu": "e đu",
    "org": "o rờ gờ",
    "net": "nét",
    "info": "in phô",
    "@": "a còng",
    ".": "chấm",
    "/": "gạch chéo",
    "-": "gạch ngang",
    "_": "gạch dưới",
    "+": "cộng",
    "?": "hỏi chấm",
    "=": "bằng",
    "&": "và",
    "#": "thăng",
    "%": "phần trăm",
    ":": "hai chấm",
    "~": "ngã",
}
_ENDS = "vn|com|net|org|gov|edu|info|io|asia"


def _address(match: re.Match[str], _dialect: Dialect) -> str:
    text = re.sub(r"^https?://", "", match[0], flags=re.IGNORECASE).rstrip("/")
    parts = re.findall(r"\d+|[^\W\d_]+|_|[^\w\s]", text)
    return " ".join(_part(part) for part in parts)


def _part(part: str) -> str:
    if part.isdecimal():
        return digits(part)
    known = _SAID.get(part.lower())
    if known is not None:
        return known
    letters = part.isalpha() and (len(part) == 1 or not re.search("[aeiouyAEIOUY]", part))
    return spelled(part) if letters and part.isascii() else part


RULES = (
    Rule(
        Kind.LINK,
        re.compile(r"(?<!\w)https?://[^\s<>\"“”()]*[^\s<>\"“”().,;:!?]", re.IGNORECASE),
        _address,
    ),
    Rule(
        Kind.LINK,
        re.compile(r"(?<!\w)[A-Za-z0-9][\w.+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
        _address,
    ),
    Rule(
        Kind.LINK,
        re.compile(
            rf"(?<!\w)(?:[a-z0-9-]+\.)+(?:{_ENDS})(?![\w.]\w|\w)(?:/[\w./?=&%~+#-]*[\w/])?",
            re.IGNORECASE,
        ),
        _address,
    ),
)
