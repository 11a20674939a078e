"""Hash passwords as the log-in page verifies them."""

from argon2 import PasswordHasher


def hashed_password(password: str) -> str:
    """Hash a password with argon2id, salted, in the form that the pages' log-in reads."""
    return PasswordHasher().hash(password)
