"""How often a calendar may be read without logging in."""

import hashlib
from typing import Any

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

READINGS = "30 per minute; 300 per hour"
"""Of one address: several programs of one person, each asking every few minutes."""
GUESSES = "20 per minute"
"""Of addresses that are nobody's, from one machine; many people may share it."""
ENDPOINT = "calendars.subscribed"


def slow_down_readings(app: Flask) -> None:
    """Limit the readings of each secret address, and the guessing at them."""
    limiter: Limiter = next(iter(app.extensions["limiter"]))
    limited: Any = limiter.limit(READINGS, key_func=_secret)(app.view_functions[ENDPOINT])
    limited = limiter.limit(GUESSES, key_func=get_remote_address, deduct_when=_is_nobodys)(limited)
    app.view_functions[ENDPOINT] = limited


def _secret() -> str:
    secret = str((request.view_args or {}).get("secret", ""))
    return hashlib.sha256(secret.encode()).hexdigest()


def _is_nobodys(response: Response) -> bool:
    return response.status_code == 404  # noqa: PLR2004 - not found
