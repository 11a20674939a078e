"""Letters by their names, and codes made of letters and digits."""

import re

from audio_library.reading.numbers import digits, whole
from audio_library.reading.values import Dialect, Kind, Rule

_NAMES = {
    "A": "a",
    "B": "bê",
    "C": "xê",
    "D": "dê",
    "Đ": "đê",
    "E": "e",
    "F": "ép",
    "G": "gờ",
    "H": "hát",
    "I": "i",
    "J": "gi",
    "K": "ca",
    "L": "lờ",
    "M": "mờ",
    "N": "nờ",
    "O": "o",
    "P": "pê",
    "Q": "quy",
    "R": "rờ",
    "S": "ét",
    "T": "tê",
    "U": "u",
    "V": "vê",
    "W": "vê kép",
    "X": "ích",
    "Y": "i dài",
    "Z": "dét",
}


def spelled(letters: str) -> str:
    """Say letters one by one; what has no name is left as it is."""
    return " ".join(_NAMES.get(letter.upper(), letter) for letter in letters)


def _code(match: re.Match[str], dialect: Dialect) -> str:
    """Say A/H5N1, 4G, A4, 12B: letters by name, numbers as numbers."""
    return ", ".join(_mixed(part, dialect) for part in match[0].split("/"))


def _plate(match: re.Match[str], dialect: Dialect) -> str:
    """Say the number plate of a vehicle, 23C-123.45."""
    return f"{_mixed(match[1] + match[2], dialect)}, {digits(match[3])}"


def _file(match: re.Match[str], _dialect: Dialect) -> str | None:
    """Say the number of a file, H19.12-260923-0012, so that it can be written down."""
    parts = re.findall(r"[A-ZĐ]+|\d+", match[0])
    if not any(map(str.isalpha, parts)):
        return None
    return ", ".join(digits(part) if part.isdecimal() else spelled(part) for part in parts)


def _mixed(code: str, dialect: Dialect) -> str:
    parts = re.findall(r"\d+|[^\W\d_]+", code)
    return " ".join(whole(part, dialect) if part.isdecimal() else spelled(part) for part in parts)


RULES = (
    Rule(
        Kind.NUMBER,
        re.compile(r"(?<!\w)(\d{2})([A-Z][A-Z\d]?)\s?[-–]\s?(\d{3}\.?\d{2}|\d{4})(?!\w)"),
        _plate,
    ),
    Rule(
        Kind.NUMBER,
        re.compile(
            r"(?<!\w)(?:(?:[A-ZĐ]{0,4}\d{1,12}[.-]){1,6}\d{4,12}|[A-ZĐ]{1,4}\d{6,12}[A-Z]{0,3})(?!\w)"
        ),
        _file,
    ),
    Rule(
        Kind.NUMBER,
        re.compile(r"(?<!\w)(?:[A-Z]/)?[A-ZĐ]{1,2}\d{1,4}(?:[A-ZĐ]\d{0,3})*(?!\w)"),
        _code,
    ),
    # 220V and 40W are no codes.
    Rule(
        Kind.NUMBER,
        re.compile(r"(?<!\w)\d{1,4}(?![VW]\b)[A-ZĐ](?:\d{1,2}(?:[A-ZĐ]\d?)*)?(?!\w)"),
        _code,
    ),
)
