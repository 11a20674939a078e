"""Telling people that clusters do not answer: what becomes of one alert, and when it is tried."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MOST_TRIES = 5
_WAITS_S = (5, 15, 45, 120)


class Result(StrEnum):
    """What became of one try."""

    SENT = "sent"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    BAD_ADDRESS = "bad-address"
    PRIVATE_ADDRESS = "private-address"
    INTERRUPTED = "interrupted"


class AlertState(StrEnum):
    """Where an alert stands; ``to-call`` is for people who have no channel."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    GIVEN_UP = "given-up"
    DROPPED = "dropped"
    TO_CALL = "to-call"


UNSENT = frozenset({AlertState.WAITING.value, AlertState.SENDING.value})

_HOPELESS = frozenset({Result.BAD_ADDRESS, Result.PRIVATE_ADDRESS})
"""What no second try can change."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said of one try, in its own words without what is secret."""

    result: Result
    words: str = ""


def next_try(answer: Answer, tries: int, *, most: int, now: datetime) -> datetime | None:
    """Tell when to try again after so many tries; None: never."""
    if answer.result is Result.SENT or answer.result in _HOPELESS or tries >= most:
        return None
    return now + timedelta(seconds=_WAITS_S[min(tries, len(_WAITS_S)) - 1])


def scheme_of(url: str) -> str:
    """Read which service an address is of; empty: it is no such address."""
    scheme, sign, rest = url.partition("://")
    return scheme.lower() if sign and rest and scheme.isascii() and scheme.isalnum() else ""


def is_address(url: str, schemes: Collection[str]) -> bool:
    """Say whether an address may be kept: of an allowed service, and on one line."""
    return scheme_of(url) in schemes and url.isprintable() and " " not in url
