"""The machine's clocks, and who keeps them. Implemented by ``Machine`` and ``FakeMachine``."""

import ctypes
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, final

from edge.timekeeping import Reading

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_BATTERY_CLOCKS = Path("/sys/class/rtc")
_TIME_ERROR = 5
_TRIES = 5


class Clocks(Protocol):
    """What is asked of a machine."""

    boot_id: str
    has_battery: bool

    def ticks_s(self) -> float:
        """Count seconds since boot."""

    def read(self) -> Reading:
        """Look at all clocks at one instant."""


class _Timex(ctypes.Structure):
    """The beginning of the kernel's ``struct timex``, with room for the rest of it."""

    _fields_: ClassVar = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),
    ]


@final
class Machine:
    """The machine that the program runs on (Linux)."""

    def __init__(self) -> None:
        self.boot_id = _text(_BOOT_ID)
        self.has_battery = any(
            _text(each / "hctosys") == "1" for each in _BATTERY_CLOCKS.glob("rtc*")
        )
        self._libc = ctypes.CDLL(None)

    def ticks_s(self) -> float:
        """Count seconds since boot."""
        return time.monotonic()

    def read(self) -> Reading:
        """Look at both clocks with as little between as can be had, and at what the kernel says."""
        wall_s, ticks_s, narrowest_s = 0.0, 0.0, float("inf")
        for _ in range(_TRIES):
            before_s, now_s, after_s = time.monotonic(), time.time(), time.monotonic()
            if after_s - before_s < narrowest_s:
                narrowest_s = after_s - before_s
                wall_s, ticks_s = now_s, (before_s + after_s) / 2
        return Reading(wall_s, ticks_s, self._ntp_error_s())

    def _ntp_error_s(self) -> float | None:
        told = _Timex()
        try:
            state = int(self._libc.adjtimex(ctypes.byref(told)))
        except AttributeError:
            return None
        return told.maxerror / 1e6 if 0 <= state < _TIME_ERROR else None


@final
@dataclass(slots=True)
class FakeMachine:
    """Clocks that a test sets; time passes when it says so."""

    wall_s: float
    since_boot_s: float = 100.0
    ntp_error_s: float | None = None
    boot_id: str = "boot-1"
    has_battery: bool = False

    def ticks_s(self) -> float:
        """Count seconds since boot."""
        return self.since_boot_s

    def read(self) -> Reading:
        """Look at all clocks."""
        return Reading(self.wall_s, self.since_boot_s, self.ntp_error_s)

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.wall_s += seconds
        self.since_boot_s += seconds

    def reboot(self, off_s: float = 0.0) -> None:
        """Start anew after some time without power; the system's clock goes on where it was."""
        self.boot_id = f"{self.boot_id}+"
        self.since_boot_s = 10.0
        if self.has_battery:
            self.wall_s += off_s


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return ""
