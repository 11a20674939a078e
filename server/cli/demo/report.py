"""``report.json``: what was ordered in a headless run, and what the server says became of it."""

from datetime import datetime
from pathlib import Path

import msgspec

KIND_SLOT = "slot"
KIND_URGENT = "urgent"


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order given through the API.

    Attributes:
        id: Claim id, as it stands in the as-run records.
        kind: ``slot`` or ``urgent``.
        way: How an urgent one came to be; empty: a file was sent.
        source: WAV of what should sound from the first sample on, below the run's folder.
        speech_at: Seconds into the source at which its own words or music begin.
        planned_start: When a slot was to begin.
        posted_at: The moment before an urgent order was posted.
        stopped_at: The moment before its stop was posted.
        closing_s: For so long nodes close it with a tone of their own, after the source.
    """

    id: str
    kind: str
    way: str = ""
    bulletin_class: str = msgspec.field(name="class")
    source: str
    speech_at: float
    targets: tuple[str, ...]
    planned_start: datetime | None = None
    posted_at: datetime | None = None
    stopped_at: datetime | None = None
    closing_s: float = 0.0

    @property
    def earliest(self) -> datetime:
        """First instant at which it may sound.

        Raises:
            ValueError: The report gives neither a plan nor a posting.
        """
        instant = self.planned_start or self.posted_at
        if instant is None:
            raise ValueError(f"order {self.id} has neither planned_start nor posted_at")
        return instant

    def stopped(self, instant: datetime) -> "Order":
        """Note when its stop was posted."""
        return msgspec.structs.replace(self, stopped_at=instant)


class AsRunEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One as-run record, as the API gave it."""

    cluster: str
    order: str
    start: datetime | None
    end: datetime | None
    outcome: str
    reason: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is needed to judge the recordings."""

    orders: tuple[Order, ...]
    as_run: tuple[AsRunEntry, ...]


def write_report(folder: Path, report: Report) -> Path:
    """Write the report into a run's folder."""
    path = folder / "report.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    return path


def read_report(folder: Path) -> Report:
    """Read the report of a run's folder."""
    return msgspec.json.decode((folder / "report.json").read_bytes(), type=Report)
