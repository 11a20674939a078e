"""What may be kept of what people type."""

import unicodedata

LONGEST_LINE = 200
LONGEST_TEXT = 10_000


def is_line(text: str) -> bool:
    """Say whether ``text`` says something, fits its column, and can be stored on both engines."""
    return bool(text.strip()) and len(text) <= LONGEST_LINE and _is_clean(text)


def is_text(text: str) -> bool:
    """Say whether ``text`` can be kept as several lines; it may be empty."""
    lines = text.replace("\r", "").replace("\t", " ").split("\n")
    return len(text) <= LONGEST_TEXT and all(map(_is_clean, lines))


def _is_clean(text: str) -> bool:
    # Zero characters and halves of surrogate pairs are beyond PostgreSQL.
    return all(unicodedata.category(character) not in ("Cc", "Cs") for character in text)
