"""How often one person may do what costs the server much, or guess: counted for all processes.

Whoever has to wait is told, and for how long.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from server.domain.errors import Finding, TooOftenError
from server.http.context import actor, now, writing
from server.services import rate_counts
from server.services.factors import MOST_TRIES, TRIES_PER

MOST_SPOKEN = 30
SPOKEN_PER = timedelta(minutes=1)


def demand_speech() -> None:
    """Go on only while a person has not had too much spoken within a minute.

    Raises:
        TooOftenError: They have.
    """
    instant = now()
    with writing() as db:
        found = rate_counts.count(db, f"speech {actor().name}", per=SPOKEN_PER, now=instant)
    if found.hits > MOST_SPOKEN:
        facts = {"most": str(MOST_SPOKEN), "count": str(found.wait_s(instant))}
        raise TooOftenError([Finding("too-much-speech", facts)], wait_s=found.wait_s(instant))


@contextmanager
def password_try() -> Iterator[None]:
    """Count a password that whoever is logged in types; an error that leaves it says it is wrong.

    It is counted before it is judged, and given back when it was right: a hundred tried at once
    are not to be a hundred guesses.

    Raises:
        TooOftenError: Too many were wrong.
    """
    instant, key = now(), f"passwords typed by {actor().name}"
    with writing() as db:
        found = rate_counts.count(db, key, per=TRIES_PER, now=instant)
    if found.hits > MOST_TRIES:
        raise too_many("too-many-passwords", wait_s=found.wait_s(instant))
    yield
    with writing() as db:
        rate_counts.give_back(db, key, now=instant)


def too_many(code: str, *, wait_s: int) -> TooOftenError:
    """Say that something was tried too often, and for how many minutes it may not be again."""
    minutes = math.ceil(wait_s / 60)
    return TooOftenError([Finding(code, {"count": str(minutes)})], wait_s=wait_s)
