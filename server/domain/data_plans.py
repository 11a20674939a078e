"""How much data a SIM's plan holds in a month, what of it is used, and whether it will last.

A GB is 1000 MB here, of 10^6 bytes each. Some networks count 1024 of each: by this count one is
warned earlier, never later.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache

from server.domain.zone import LOCAL

LEAST_PLAN_MB, MOST_PLAN_MB = 1, 10_000_000
FIRST_DAYS = range(1, 32)
NEAR_PERCENT, OVER_PERCENT = 80, 100
FORECAST_AFTER = timedelta(days=3)
"""Of less than that nobody can say how a month will go."""

MB_PER_GB = 1000
_GIGABYTES = re.compile(r"(\d{1,5})(?:[.,](\d{1,2}))?\s?gb?\Z", re.ASCII)
_MEGABYTES = re.compile(r"(\d{1,8}|\d{1,3}(?:[.,]\d{3}){1,2})\s?mb?\Z", re.ASCII)


class Standing(StrEnum):
    """How a plan stands."""

    FINE = "fine"
    NEAR = "near"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class DataPlan:
    """What a SIM may use.

    Attributes:
        monthly_mb: From one ``first_day`` to the next; None: nobody has said.
        first_day: Day of the month on which it starts anew; in shorter months their last.
    """

    monthly_mb: int | None
    first_day: int = 1

    @property
    def is_sensible(self) -> bool:
        """Whether there are such plans."""
        fits = self.monthly_mb is None or LEAST_PLAN_MB <= self.monthly_mb <= MOST_PLAN_MB
        return fits and self.first_day in FIRST_DAYS


@dataclass(frozen=True, slots=True)
class DataUse:
    """What of a plan is used in the month that runs.

    Attributes:
        first: Day on which this month of the plan began.
        after: Day on which the next one begins.
        counted_from: Day since which it has been counted; None: nothing has been told yet.
        forecast_mb: How much it will be by ``after`` if it goes on so; None: too early to say.
    """

    monthly_mb: int
    first_day: int
    used_mb: float
    first: date
    after: date
    counted_from: date | None
    forecast_mb: int | None

    @property
    def percent(self) -> int:
        """How much of the plan is used, rounded down: it is not full before it is."""
        return int(self.used_mb * 100 / self.monthly_mb)

    @property
    def standing(self) -> Standing:
        """Whether there is enough left."""
        if self.percent >= OVER_PERCENT:
            return Standing.OVER
        return Standing.NEAR if self.percent >= NEAR_PERCENT else Standing.FINE

    @property
    def is_short(self) -> bool:
        """Whether somebody should see to it."""
        return self.standing is not Standing.FINE


def read_volume(text: str) -> int | None:
    """Read an amount of data such as ``4 GB``, ``1,5 GB`` or ``500 MB``, in MB; None: it is none.

    The unit is needed: ``500`` alone would be a thousand times too much for some.
    """
    said = " ".join(text.split()).casefold()
    if whole := _GIGABYTES.match(said):
        return int(whole[1]) * MB_PER_GB + int((whole[2] or "0").ljust(2, "0")) * 10
    if whole := _MEGABYTES.match(said):
        return int(whole[1].replace(".", "").replace(",", ""))
    return None


def volume_text(amount_mb: float) -> str:
    """Write an amount as people do and ``read_volume`` reads: in GB where two places are enough."""
    whole = round(amount_mb)
    if whole < MB_PER_GB or whole % 10:
        return f"{whole} MB"
    return f"{whole // MB_PER_GB},{whole % MB_PER_GB // 10:02}".rstrip("0").rstrip(",") + " GB"


@lru_cache(maxsize=256)
def month_of_plan(first_day: int, today: date) -> tuple[date, date]:
    """Tell from which day to before which one the plan's month runs; thousands have the same."""
    begun = _begins(today.year, today.month, first_day)
    if begun > today:
        last = today.replace(day=1) - timedelta(days=1)
        return _begins(last.year, last.month, first_day), begun
    next_month = today.replace(day=1) + timedelta(days=31)
    return begun, _begins(next_month.year, next_month.month, first_day)


def data_use(plan: DataPlan, used_mb: float, counted_from: date | None, now: datetime) -> DataUse:
    """Say how a plan stands of which ``used_mb`` is used in the month that runs.

    Raises:
        ValueError: There is no plan.
    """
    if plan.monthly_mb is None:
        raise ValueError(plan)
    here = now.astimezone(LOCAL)
    first, after = month_of_plan(plan.first_day, here.date())
    forecast_mb = None
    if counted_from is not None:
        counted = here - _midnight(counted_from)
        if counted >= FORECAST_AFTER:
            forecast_mb = round(used_mb + used_mb * ((_midnight(after) - here) / counted))
    return DataUse(
        plan.monthly_mb, plan.first_day, used_mb, first, after, counted_from, forecast_mb
    )


def counted(told_mb: float | None, before_mb: float | None) -> float:
    """Say how much was used between two readings of a node's counter.

    Where there is no reading before, what was used is not known to be this cluster's. Where the
    counter has fallen, it goes on from there: either the node's disk has forgotten, or this reading
    is an older one that came late, and then the next counts what lies between once more.
    """
    if told_mb is None or before_mb is None:
        return 0.0
    return max(0.0, told_mb - before_mb)


def _begins(year: int, month: int, first_day: int) -> date:
    return date(year, month, min(first_day, monthrange(year, month)[1]))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL)
