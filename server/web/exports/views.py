"""The page that leads out, the week on paper, and spreadsheets to download."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from types import MappingProxyType

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from server.domain.authority import Action, demand, may
from server.domain.errors import ExportRefusedError, Finding
from server.domain.recurrence import day_bounds, local_day
from server.domain.units import Tree, Unit
from server.http.context import actor, here, now, reading
from server.services import exporting, subscriptions, units
from server.services.exporting import Whose
from server.services.tables import Table
from server.web.calendars.views import SHOWN_ONCE
from server.web.dashboard.presenters import plain
from server.web.exports.forms import ExportForm
from server.web.exports.sending import sent_sheet
from server.web.exports.sheets import as_run_table, occurrences_table, slots_table
from server.web.exports.week import DAYS, laid_out, monday_of
from server.web.fields import parsed_day
from server.web.frames.presenters import level_names

MOST_IN_WEEK = 2_000

_A_WEEK = timedelta(days=DAYS)

pages = Blueprint("exports", __name__)


@pages.get("/exports")
def any_ways_out() -> ResponseReturnValue:
    """Go to the unit that the person most likely means, with what was asked for."""
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
    cluster = request.args.get("cluster", "")
    seen = _seen(tree)
    if not seen:
        abort(404)
    unit_id = tree.clusters.get(cluster, seen[0].unit_id)
    page = url_for("exports.ways_out", unit_id=unit_id)
    return redirect(f"{page}?{request.query_string.decode()}".rstrip("?"), 303)


@pages.get("/units/<unit_id>/exports")
def ways_out(unit_id: str) -> ResponseReturnValue:
    """Show what can be taken elsewhere, and how."""
    return _page(unit_id, ())


@pages.get("/units/<unit_id>/week")
def week(unit_id: str) -> ResponseReturnValue:
    """Show a week, to be printed."""
    instant = now()
    form = ExportForm.sent(request.args, local_day(instant))
    monday = monday_of(parsed_day(request.args.get("day", "")) or local_day(instant))
    start, end = day_bounds(monday)[0], day_bounds(monday + _A_WEEK)[0]
    with reading() as db:
        planned = exporting.planned(db, unit_id, whose=form.whose, now=instant, actor=actor())
        levels = level_names(db)
    try:
        found = exporting.occurrences(planned.slots, start, end, most=MOST_IN_WEEK)
    except ExportRefusedError as refused:
        return _page(unit_id, refused.findings), 422
    return render_template(
        "exports/week.html",
        unit=planned.unit,
        whose=form.whose,
        choices=Whose,
        week=laid_out(found, monday),
        monday=monday,
        sunday=monday + _A_WEEK - timedelta(days=1),
        before=monday - _A_WEEK,
        after=monday + _A_WEEK,
        levels=levels,
    )


@pages.get(
    "/units/<unit_id>/exports/<any('slots','occurrences','as-run'):what>.<any('csv','xlsx'):kind>"
)
def sheet(unit_id: str, what: str, kind: str) -> ResponseReturnValue:
    """Give a table to download."""
    instant = now()
    form = ExportForm.sent(request.args, local_day(instant))
    days, findings = form.parsed()
    if days is None:
        return _page(unit_id, findings), 422
    make, word = _SHEETS[what]
    try:
        with reading() as db:
            table = make(db, unit_id, form, days, instant)
    except ExportRefusedError as refused:
        return _page(unit_id, refused.findings), 422
    of = f"{local_day(instant)}" if what == "slots" else f"{days[0]}_{days[1]}"
    return sent_sheet([table], kind, f"{word}_{unit_id}_{of}")


def _slots(
    db: Session, unit_id: str, form: ExportForm, _days: tuple[date, date], instant: datetime
) -> Table:
    return slots_table(exporting.planned(db, unit_id, whose=form.whose, now=instant, actor=actor()))


def _occurrences(
    db: Session, unit_id: str, form: ExportForm, days: tuple[date, date], instant: datetime
) -> Table:
    start, end = exporting.stretch(*days)
    planned = exporting.planned(db, unit_id, whose=form.whose, now=instant, actor=actor())
    return occurrences_table(exporting.occurrences(planned.slots, start, end))


def _as_run(
    db: Session, unit_id: str, form: ExportForm, days: tuple[date, date], instant: datetime
) -> Table:
    since, until = exporting.stretch(*days)
    return as_run_table(
        exporting.sounded(
            db,
            unit_id,
            since=since,
            until=until,
            now=instant,
            actor=actor(),
            cluster_id=form.cluster_id,
        )
    )


_Maker = Callable[[Session, str, ExportForm, tuple[date, date], datetime], Table]
_SHEETS: Mapping[str, tuple[_Maker, str]] = MappingProxyType(
    {
        "slots": (_slots, "khung-gio"),
        "occurrences": (_occurrences, "lich-phat"),
        "as-run": (_as_run, "nhat-ky-phat"),
    }
)


def _page(unit_id: str, findings: Sequence[Finding]) -> str:
    instant, person = now(), actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        demand(person, Action.VIEW, tree.chain(unit_id))
        made_at = subscriptions.made_at(db, unit_id, actor=person)
    of, secret = session.get(SHOWN_ONCE, ("", ""))
    path = ""
    if of == unit_id:
        session.pop(SHOWN_ONCE)
        path = url_for("calendars.subscribed", secret=secret)
    return render_template(
        "exports/ways_out.html",
        unit=tree.unit(unit_id),
        switch=_seen(tree),
        form=ExportForm.sent(request.args, local_day(instant)),
        what=request.args.get("what", "occurrences"),
        choices=Whose,
        findings=findings,
        most_days=exporting.MOST_DAYS,
        most_rows=exporting.MOST_ROWS,
        made_at=made_at,
        address=f"{here().settings.address}{path}" if path else "",
    )


def _seen(tree: Tree) -> list[Unit]:
    """List the units that the person may see, the highest first."""
    person = actor()
    seen = [
        unit for unit in tree.units.values() if may(person, Action.VIEW, tree.chain(unit.unit_id))
    ]
    return sorted(seen, key=lambda unit: (unit.level_rank, plain(unit.name)))
