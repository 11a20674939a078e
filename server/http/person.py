"""Who a page was made for: scripts of ours say it, so that nothing is done in another's name."""

import hashlib

from flask import request
from flask_security import current_user

PERSON_HEADER = "X-Loa-Person"
"""Sent by scripts of our pages alone; they are answered as programs are."""


def person_key() -> str:
    """Name whoever is logged in, without saying who it is; empty: nobody."""
    if not current_user.is_authenticated:
        return ""
    named = f"{current_user.id} {current_user.username}"
    return hashlib.sha256(named.encode()).hexdigest()[:16]


def by_script() -> bool:
    """Say whether a script of one of our pages asks."""
    return PERSON_HEADER in request.headers


def is_another() -> bool:
    """Say whether the script's page was made for somebody else than who is logged in now."""
    said = request.headers.get(PERSON_HEADER)
    return said is not None and current_user.is_authenticated and said != person_key()
