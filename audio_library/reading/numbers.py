"""Numbers in words, by the rules of Vietnamese schoolbooks."""

import re

from audio_library.reading.values import NORTHERN, Dialect

_DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_MOST_DIGITS = 16
_MOST_DECIMALS = 3
_BILLION = 10**9

NUMBER = (
    r"(?:\d{1,3}(?:\.\d{3})+(?:,\d+)?(?![.,]?\d)"  # 1.234.567,8
    r"|\d{1,3}(?:,\d{3}){2,}(?:\.\d+)?(?![.,]?\d)"  # 1,234,567.8: only English has two commas
    r"|\d+(?:,\d+)+(?![.,]?\d)"  # 3,5, and a list without spaces
    r"|\d+(?:\.\d+)+"  # 3.5, 2.0.1
    r"|\d+)"
)
"""A number as Vietnamese texts write it, for use in patterns; it has no group."""

_VIETNAMESE = re.compile(r"(\d{1,3}(?:\.\d{3})+)(?:,(\d+))?")
_ENGLISH = re.compile(r"(\d{1,3}(?:,\d{3}){2,})(?:\.(\d+))?")
_DECIMAL = re.compile(r"(\d+),(\d+)")
_POINTED = re.compile(r"\d+\.\d{1,2}")
"""As instruments and hurried people write 0.5."""


def cardinal(number: int, dialect: Dialect = NORTHERN) -> str:
    """Say a whole number: ``2026`` is "hai nghìn không trăm hai mươi sáu"."""
    if number < 0:
        return f"âm {cardinal(-number, dialect)}"
    if number == 0:
        return _DIGITS[0]
    words: list[str] = []
    billions, rest = divmod(number, _BILLION)
    if billions:
        words += [cardinal(billions, dialect), "tỷ"]
    groups = (rest // 10**6, "triệu"), (rest // 1000 % 1000, dialect.thousand), (rest % 1000, "")
    for group, name in groups:
        if group:
            words += _three_digits(group, dialect, full=bool(words))
            words += [name] if name else []
    return " ".join(words)


def digits(text: str) -> str:
    """Say digits one by one; anything else in the text is left out."""
    return " ".join(_DIGITS[int(sign)] for sign in text if sign in "0123456789")


def ordinal(number: int, dialect: Dialect = NORTHERN) -> str:
    """Say what comes after "thứ": nhất, hai, ba, tư, năm."""
    return {1: "nhất", 4: "tư"}.get(number) or cardinal(number, dialect)


def spoken(text: str, dialect: Dialect = NORTHERN) -> str:
    """Say what ``NUMBER`` matches."""
    if found := _VIETNAMESE.fullmatch(text):
        return _with_decimals(found[1].replace(".", ""), found[2], dialect)
    if found := _ENGLISH.fullmatch(text):
        return _with_decimals(found[1].replace(",", ""), found[2], dialect)
    if found := _DECIMAL.fullmatch(text):
        return _with_decimals(found[1], found[2], dialect)
    if "," in text:
        return ", ".join(whole(part, dialect) for part in text.split(","))
    return " chấm ".join(whole(part, dialect) for part in text.split("."))


def whole(text: str, dialect: Dialect = NORTHERN) -> str:
    """Say a run of digits: a number, or a code when it has a leading zero or is endless."""
    if (text[0] == "0" and len(text) > 1) or len(text) > _MOST_DIGITS:
        return digits(text)
    return cardinal(int(text), dialect)


def value(text: str) -> float | None:
    """Tell how much a number is; None for what is a list or a chapter."""
    if _VIETNAMESE.fullmatch(text) or _DECIMAL.fullmatch(text):
        return float(text.replace(".", "").replace(",", "."))
    return float(text) if text.isdecimal() or _POINTED.fullmatch(text) else None


def _with_decimals(integer: str, decimals: str | None, dialect: Dialect) -> str:
    said = whole(integer, dialect)
    if decimals is None:
        return said
    if len(decimals) > _MOST_DECIMALS:
        return f"{said} phẩy {digits(decimals)}"
    rest = decimals.lstrip("0")
    zeros = [_DIGITS[0]] * (len(decimals) - len(rest))
    return " ".join([said, "phẩy", *zeros, *([cardinal(int(rest), dialect)] if rest else [])])


def _three_digits(number: int, dialect: Dialect, *, full: bool) -> list[str]:
    hundreds, tens, ones = number // 100, number // 10 % 10, number % 10
    words = [_DIGITS[hundreds], "trăm"] if hundreds or full else []
    if tens == 0:
        if ones:
            words += [dialect.empty_tens] if words else []
            words.append(_DIGITS[ones])
        return words
    words += ["mười"] if tens == 1 else [_DIGITS[tens], "mươi"]
    if ones:
        words.append(_after_tens(ones, tens))
    return words


def _after_tens(ones: int, tens: int) -> str:
    if ones == 5:  # noqa: PLR2004 - mười lăm, hai mươi lăm
        return "lăm"
    changed = {1: "mốt", 4: "tư"} if tens > 1 else {}
    return changed.get(ones) or _DIGITS[ones]
