"""Whether the wall clock may be trusted: a board without a battery starts in the past."""

import ctypes
from datetime import UTC, datetime
from pathlib import Path

BUILT_AFTER = datetime(2026, 1, 1, tzinfo=UTC)
"""No node program is older than this; a clock that says so was never set."""

_SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")
_TIME_ERROR = 5
# Larger than struct timex on any machine; only the return value is read.
_TIMEX_BYTES = 512


def is_plausible(now: datetime) -> bool:
    """Say whether the clock was set at all."""
    return now >= BUILT_AFTER


def is_trusted(now: datetime) -> bool:
    """Say whether the clock was set and is kept."""
    return is_plausible(now) and is_synchronized()


def is_synchronized(flag: Path = _SYNCHRONIZED) -> bool:
    """Say whether the system keeps its clock by the network."""
    if flag.exists():
        return True
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        state = int(ctypes.CDLL(None).adjtimex(timex))
    except (AttributeError, OSError):
        return False
    return 0 <= state < _TIME_ERROR
