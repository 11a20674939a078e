"""What every page says of announcements that wait for a second person."""

from dataclasses import dataclass
from datetime import datetime

from flask import g

from server.domain.authority import Actor
from server.domain.recurrence import local_day
from server.http.context import actor, now, reading
from server.services import units, waiting
from server.store.queries import lists


@dataclass(frozen=True, slots=True)
class WaitingNotice:
    """One that waits, in a line.

    Attributes:
        is_own: Whoever reads it has asked for it; they wait, and cannot confirm.
    """

    broadcast_id: str
    title: str
    bulletin_class: str
    asked_by: str
    ends_at: datetime
    is_own: bool
    is_drill: bool


def waiting_notices() -> list[WaitingNotice]:
    """List what the person may confirm or has asked for; once for a page."""
    if "waiting_notices" not in g:
        g.waiting_notices = _found(actor(), now())
    found: list[WaitingNotice] = g.waiting_notices
    return found


def _found(person: Actor, instant: datetime) -> list[WaitingNotice]:
    with reading() as db:
        rows = waiting.open_ones(db, now=instant)
        if not rows:
            return []
        tree = units.tree(db, today=local_day(instant))
        mine = [
            row
            for row in rows
            if row.asked_by == person.name or waiting.may_confirm(row, tree, person)
        ]
        people = lists.full_names(db, [row.asked_by for row in mine])
    notices = []
    for row in mine:
        wanted = waiting.wanted_of(row)
        notices.append(
            WaitingNotice(
                row.broadcast_id,
                wanted.title,
                wanted.bulletin_class,
                people[row.asked_by],
                row.ends_at,
                is_own=row.asked_by == person.name,
                is_drill=wanted.mode == "drill",
            )
        )
    return notices
