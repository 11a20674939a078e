"""How much went through a network, this month and in all: what a SIM card's plan is spent on."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, final

import msgspec

from edge.disk import remember, remembered
from edge.telemetry import Traffic

_Bytes = Annotated[int, msgspec.Meta(ge=0)]


class _Kept(msgspec.Struct, kw_only=True):
    """What stands on disk.

    Attributes:
        month: Year and month that ``used_bytes`` belongs to; empty until the time was known.
        total_bytes: All that was ever counted; no month begins it anew.
        boot_id: The boot in which ``seen_bytes`` was counted.
        seen_bytes: What each interface had counted since that boot when it was last looked at.
    """

    month: str = ""
    used_bytes: _Bytes = 0
    total_bytes: _Bytes = 0
    boot_id: str = ""
    seen_bytes: dict[str, _Bytes] = msgspec.field(default_factory=dict)


@final
class DataUse:
    """Adds up what interfaces count, over restarts, boots and months."""

    def __init__(self, path: Path, boot_id: str) -> None:
        self._path = path
        self._kept = remembered(path, _Kept) or _Kept()
        # What a machine sent before it was a node is not counted.
        self._is_new = not self._kept.boot_id
        if self._kept.boot_id != boot_id:
            self._kept.boot_id, self._kept.seen_bytes = boot_id, {}

    def count(self, traffic: Traffic, now: datetime | None) -> float:
        """Add what was counted since the last look, and give the month's sum in MB.

        Args:
            traffic: What the interface has counted since boot.
            now: The time on the wall; None where it is not known: then no month begins.
        """
        kept = self._kept
        before = kept.seen_bytes.get(traffic.name, traffic.total_bytes if self._is_new else 0)
        self._is_new = False
        # An interface that was taken out and put in again counts from nothing.
        fresh = (
            traffic.total_bytes - before if traffic.total_bytes >= before else traffic.total_bytes
        )
        kept.seen_bytes[traffic.name] = traffic.total_bytes
        month = f"{now:%Y-%m}" if now is not None else kept.month
        if kept.month and month != kept.month:
            kept.used_bytes = 0
        kept.month = month
        kept.used_bytes += fresh
        kept.total_bytes += fresh
        return round(kept.used_bytes / 1e6, 1)

    @property
    def total_mb(self) -> float:
        """All that was ever counted."""
        return round(self._kept.total_bytes / 1e6, 1)

    def keep(self) -> None:
        """Put the sum on disk; a disk that takes nothing costs the sum and nothing else."""
        remember(self._path, self._kept)
