"""Hash passwords as the log-in page verifies them."""

import unicodedata

from argon2 import PasswordHasher


def hashed_password(password: str) -> str:
    """Hash a password with argon2id, salted, in the form that the pages' log-in reads."""
    # Flask-Security normalises what is typed at the log-in, and so must we.
    return PasswordHasher().hash(unicodedata.normalize("NFKD", password))
