"""A unit's calendar: for who is logged in, and at a secret address for programs, which cannot."""

from datetime import datetime

from flask import Blueprint, Response, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from server.domain.authority import Actor
from server.domain.recurrence import day_bounds, local_day
from server.http.context import actor, now, reading, writing
from server.services import exporting, subscriptions
from server.services.exporting import Planned, Whose
from server.web.calendars.calendar_file import (
    CANCELLED_FOR,
    calendar_file,
    changed_at,
    entries,
    tag,
)

SHOWN_ONCE = "calendar-secret"

pages = Blueprint("calendars", __name__)


@pages.get("/units/<unit_id>/calendar.ics")
def download(unit_id: str) -> ResponseReturnValue:
    """Give the calendar to somebody who is logged in."""
    instant = now()
    answer = _calendar(_planned(unit_id, instant, actor()), instant)
    name = f'attachment; filename="lich-phat_{unit_id}.ics"'
    answer.headers["Content-Disposition"] = name
    return answer


@pages.get("/calendar/<secret>.ics")
def subscribed(secret: str) -> ResponseReturnValue:
    """Give the calendar to a program of somebody who may see the unit."""
    instant = now()
    with reading() as db:
        found = subscriptions.subscription(db, secret, now=instant)
    return _calendar(_planned(found.unit_id, instant, found.actor), instant)


@pages.post("/units/<unit_id>/calendar")
def make(unit_id: str) -> ResponseReturnValue:
    """Make a new secret address, and show it once."""
    with writing() as db:
        secret = subscriptions.make_address(db, unit_id, now=now(), actor=actor())
    session[SHOWN_ONCE] = [unit_id, secret]
    return redirect(url_for("exports.ways_out", unit_id=unit_id, _anchor="calendar"), 303)


@pages.post("/units/<unit_id>/calendar/revoke")
def revoke(unit_id: str) -> ResponseReturnValue:
    """Let the address be worth nothing any more; twice is once."""
    with writing() as db:
        subscriptions.revoke_address(db, unit_id, now=now(), actor=actor())
    return redirect(url_for("exports.ways_out", unit_id=unit_id, _anchor="calendar"), 303)


def _planned(unit_id: str, instant: datetime, person: Actor) -> Planned:
    with reading() as db:
        return exporting.planned(
            db,
            unit_id,
            whose=Whose.HEARD,
            now=instant,
            actor=person,
            withdrawn_since=instant - CANCELLED_FOR,
        )


def _calendar(planned: Planned, instant: datetime) -> Response:
    """Answer with the calendar, or that nothing has changed."""
    today = local_day(instant)
    told = entries(planned, today)
    answer = make_response()
    answer.set_etag(tag(planned, told))
    answer.last_modified = changed_at(planned, day_bounds(today)[0])
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.make_conditional(request)
    if answer.status_code == 200:  # noqa: PLR2004 - not 304: the program has something else
        answer.data = calendar_file(planned, told)
        answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
    return answer
