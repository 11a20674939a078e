"""What is done every so often, by one loop and without a thread of its own."""

from collections.abc import Callable
from typing import final


@final
class Rounds:
    """Tasks with a period, in monotonic seconds."""

    def __init__(self, now_s: float) -> None:
        self._started_s = now_s
        self._tasks: list[tuple[float, Callable[[], None]]] = []
        self._due_s: list[float] = []

    def every(self, period_s: float, task: Callable[[], None], *, first_s: float) -> None:
        """Do a task ``first_s`` from the beginning, and then once each period."""
        self._tasks.append((period_s, task))
        self._due_s.append(self._started_s + first_s)

    def next_s(self) -> float:
        """Tell when something is due."""
        return min(self._due_s)

    def take_due(self, now_s: float) -> tuple[Callable[[], None], ...]:
        """Give what is due; what was missed is done once, not many times."""
        due = []
        for number, (period_s, task) in enumerate(self._tasks):
            if self._due_s[number] <= now_s:
                self._due_s[number] = now_s + period_s
                due.append(task)
        return tuple(due)
