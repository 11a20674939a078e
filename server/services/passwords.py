"""Hash and verify passwords as the log-in page does."""

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


def hashed_password(password: str) -> str:
    """Hash a password with argon2id, salted, in the form that the pages' log-in reads."""
    # Flask-Security normalises what is typed at the log-in, and so must we.
    return PasswordHasher().hash(unicodedata.normalize("NFKD", password))


def is_password(password: str, hashed: str) -> bool:
    """Say whether ``password`` is the one that was hashed, here or by the pages."""
    try:
        return PasswordHasher().verify(hashed, unicodedata.normalize("NFKD", password))
    except (VerificationError, InvalidHashError):
        return False
