"""Waiting for what another thread or process does."""

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import TypeVar

Answer = TypeVar("Answer")

PATIENCE_S = 20.0
"""For what is done in a moment, also while the machine has much else to do."""


def wait_until(met: Callable[[], Answer], *, within_s: float = PATIENCE_S) -> Answer:
    """Wait for a condition and give what it gave; fail when it never comes true."""
    pause, deadline_s = Event(), monotonic() + within_s
    while not (answer := met()):
        assert monotonic() < deadline_s, f"not within {within_s} s: {met}"
        pause.wait(0.005)
    return answer
