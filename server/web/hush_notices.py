"""What every page says of silences that last where the person has something to do."""

from dataclasses import dataclass
from datetime import datetime

from flask import g

from server.domain.assent import is_asked
from server.domain.authority import Actor, touches
from server.domain.recurrence import local_day
from server.http.context import actor, now, reading
from server.services import hushing, units


@dataclass(frozen=True, slots=True)
class HushNotice:
    """One silence in a line."""

    hush_id: str
    unit_name: str
    since: datetime
    spares_emergencies: bool
    is_drill: bool
    asked: bool


def hush_notices() -> list[HushNotice]:
    """List the silences that touch a unit of the person's, above or below; once for a page."""
    if "hush_notices" not in g:
        g.hush_notices = _found(actor(), now())
    found: list[HushNotice] = g.hush_notices
    return found


def _found(person: Actor, instant: datetime) -> list[HushNotice]:
    with reading() as db:
        rows = hushing.lasting(db)
        if not rows:
            return []
        tree = units.tree(db, today=local_day(instant))
        return [
            HushNotice(
                row.hush_id,
                tree.unit(row.unit_id).name,
                row.since,
                spares_emergencies=row.spares_emergencies,
                is_drill=row.mode == "drill",
                asked=is_asked(row.lift_asked_at, instant),
            )
            for row in rows
            if row.unit_id in tree.units and touches(person, row.unit_id, tree)
        ]
