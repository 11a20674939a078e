"""Trees that have been read, kept for the next request of this process.

A tree is known by what it rests on (``state_of_trees``) and by the days between which it does not
change. Every transaction asks what *it* sees resting there: one that has changed the tree itself,
and one that began before somebody else did, are both given the tree of their own view.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date
from threading import Lock

from sqlalchemy.orm import Session

from server.domain.units import Tree
from server.store.queries.trees import days_of_change, read_tree, state_of_trees

MOST_KEPT = 4
"""Of a country with 100,000 clusters each takes some 60 MB; today's, and those of other days."""

TRIES = 3


class KeptTrees:
    """The trees asked for last; may be asked by several threads at once."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._lock = Lock()
        self._days: tuple[str, Sequence[date]] = ("", ())
        self._trees: OrderedDict[int, Tree] = OrderedDict()

    def tree(self, db: Session, day: date) -> Tree:
        """Give the tree as it is on a day, from memory if it is there and still right."""
        state = state_of_trees(db)
        if state is None:
            return read_tree(db, day)
        known = self._kept(state, day)
        return self._read(db, day, state) if known is None else known

    def _kept(self, state: str, day: date) -> Tree | None:
        with self._lock:
            if self._days[0] != state:
                return None
            place = bisect_right(self._days[1], day)
            if place not in self._trees:
                return None
            self._trees.move_to_end(place)
            return self._trees[place]

    def _read(self, db: Session, day: date, state: str, tries: int = TRIES) -> Tree:
        """Read a tree of one view; as it is after a few tries when somebody keeps changing it."""
        days = days_of_change(db)
        tree = read_tree(db, day)
        seen = state_of_trees(db)
        # On PostgreSQL each question sees what others have committed by then: what was read
        # around such a moment may be half of the one and half of the other.
        if seen == state:
            self._keep(state, days, day, tree)
        elif seen is not None and tries > 1:
            return self._read(db, day, seen, tries - 1)
        return tree

    def _keep(self, state: str, days: Sequence[date], day: date, tree: Tree) -> None:
        with self._lock:
            if self._days[0] != state:
                self._days = (state, days)
                self._trees.clear()
            self._trees[bisect_right(days, day)] = tree
            while len(self._trees) > self._most:
                self._trees.popitem(last=False)
