"""Codes of an app that shows one every half minute, which no chance makes right or wrong."""

import random
from datetime import datetime, timedelta

import pytest
from passlib.totp import TOTP

from tests.factories.claims import NOON

STEP = timedelta(seconds=30)


def give_known_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the secrets that are made be the same in every run.

    Of two by chance, one shows what the other shows within its three steps once in 300,000 times.
    """
    monkeypatch.setattr("passlib.totp.rng", random.Random(7))  # noqa: S311 - for tests alone


def shown(phone: TOTP, now: datetime = NOON) -> str:
    """What the app shows."""
    return phone.generate(time=now).token


def wrong(phone: TOTP, now: datetime = NOON) -> str:
    """A code that is of no step near."""
    near = {shown(phone, now + step * STEP) for step in range(-2, 3)}
    return next(code for code in map("{:06}".format, range(10)) if code not in near)
