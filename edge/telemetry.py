"""Measurements of the board, where it gives them."""

import shutil
from pathlib import Path

_THERMAL = Path("/sys/class/thermal/thermal_zone0/temp")
_MEGABYTE = 1_000_000


def temperature_c(source: Path = _THERMAL) -> float | None:
    """Read the processor's temperature; None where there is no such file or it cannot be read."""
    try:
        return int(source.read_text("ascii")) / 1000
    except (OSError, ValueError):
        return None


def disk_free_mb(folder: Path) -> float | None:
    """Tell how much room is left beside ``folder``; None when that cannot be told."""
    try:
        return round(shutil.disk_usage(folder).free / _MEGABYTE, 1)
    except OSError:
        return None
