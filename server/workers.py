"""Threads on which a program rests: when one of them ends by itself, the program ends too."""

from collections.abc import Callable, Iterable
from threading import Thread

from server.domain.errors import ServerError


class WorkerDiedError(ServerError):
    """A part of this program has ended; the whole program ends, to be started again."""

    def __init__(self, name: str) -> None:
        """Keep which part it was."""
        self.name = name
        super().__init__(f"{name} has ended by itself")


def worker(name: str, work: Callable[[], None]) -> Thread:
    """Make a thread; the interpreter does not wait for it, so that a program can always end."""
    return Thread(target=work, name=name, daemon=True)


def demand_alive(workers: Iterable[Thread]) -> None:
    """Go on only while all of them are at work.

    Raises:
        WorkerDiedError: One has ended.
    """
    for one in workers:
        if not one.is_alive():
            raise WorkerDiedError(one.name)
