"""What may be kept of what people type."""

import unicodedata

LONGEST_LINE = 200


def is_line(text: str) -> bool:
    """Say whether ``text`` says something, fits its column, and can be stored on both engines."""
    # Zero characters and halves of surrogate pairs are beyond PostgreSQL.
    is_clean = all(unicodedata.category(character) not in ("Cc", "Cs") for character in text)
    return bool(text.strip()) and len(text) <= LONGEST_LINE and is_clean
