"""Measurements of the machine, where it gives them; None stands for what it does not tell."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import final

from protocol.messages import NetworkKind

_MEGABYTE = 1_000_000
_DEFAULT_ROUTE = "00000000"
_LINKS = {1: NetworkKind.ETHERNET, 512: NetworkKind.MOBILE, 65534: NetworkKind.MOBILE}
"""What a link is by Linux' number for its kind: Ethernet, PPP, and the bare IP of most modems."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The interface by which the world is reached, and what went through it since boot.

    Attributes:
        name: The interface's own; empty where there is no way out.
        kind: What it is; None where there is no way out.
        total_bytes: Sent and received.
    """

    name: str = ""
    kind: NetworkKind | None = None
    total_bytes: int = 0


@final
class Sensors:
    """What Linux tells in files below ``root``."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def temperature_c(self) -> float | None:
        """Read the processor's temperature."""
        thousandths = self._number("sys/class/thermal/thermal_zone0/temp")
        return None if thousandths is None else thousandths / 1000

    def is_under_voltage(self) -> bool | None:
        """Tell whether the supply of a Raspberry Pi has sunk too low."""
        for monitor in sorted(self._root.glob("sys/class/hwmon/hwmon*")):
            if self._text(monitor / "name") == "rpi_volt":
                alarm = self._number(monitor / "in0_lcrit_alarm")
                return None if alarm is None else bool(alarm)
        return None

    def memory_free_mb(self) -> float | None:
        """Tell how much memory programs can still have without anything being put out."""
        for line in self._text("proc/meminfo").splitlines():
            name, _, rest = line.partition(":")
            if name == "MemAvailable":
                return round(int(rest.split()[0]) * 1024 / _MEGABYTE, 1)
        return None

    def card_wear_percent(self) -> int | None:
        """Tell how much of its life the memory card has behind it, in steps of ten (JEDEC eMMC).

        Most SD cards do not tell.
        """
        told = self._text("sys/block/mmcblk0/device/life_time").split()
        try:
            steps = [int(step, 16) for step in told]
        except ValueError:
            return None
        return min(100, 10 * max(steps)) if any(steps) else None

    def traffic(self) -> Traffic:
        """Find the way out into the world, and count what went through it."""
        name = self._way_out()
        if not name:
            return Traffic()
        counted = [
            self._number(f"sys/class/net/{name}/statistics/{way}_bytes") for way in ("rx", "tx")
        ]
        return Traffic(name, self._kind(name), sum(count or 0 for count in counted))

    def signal_dbm(self, interface: str) -> float | None:
        """Tell how strongly a wireless network is received."""
        for line in self._text("proc/net/wireless").splitlines():
            name, _, rest = line.strip().partition(":")
            if name == interface:
                return float(rest.split()[2])
        return None

    def _way_out(self) -> str:
        routes = [line.split() for line in self._text("proc/net/route").splitlines()[1:]]
        found = [(int(one[6]), one[0]) for one in routes if one[1] == _DEFAULT_ROUTE]
        return min(found)[1] if found else ""

    def _kind(self, name: str) -> NetworkKind:
        folder = self._root / "sys/class/net" / name
        if (folder / "wireless").is_dir():
            return NetworkKind.WIFI
        if "DEVTYPE=wwan" in self._text(folder / "uevent").splitlines():
            return NetworkKind.MOBILE
        return _LINKS.get(self._number(folder / "type") or 0, NetworkKind.OTHER)

    def _text(self, path: str | Path) -> str:
        try:
            return (self._root / path).read_text("ascii").strip()
        except (OSError, ValueError):
            return ""

    def _number(self, path: str | Path) -> int | None:
        try:
            return int(self._text(path))
        except ValueError:
            return None


def disk_free_mb(folder: Path) -> float | None:
    """Tell how much room is left beside ``folder``."""
    try:
        return round(shutil.disk_usage(folder).free / _MEGABYTE, 1)
    except OSError:
        return None
