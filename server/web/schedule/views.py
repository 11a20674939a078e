"""The timeline of a unit, and its slots."""

from datetime import timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.authority import Action, demand, may
from server.domain.recurrence import day_bounds, local_day
from server.domain.units import Tree, Unit
from server.http.context import actor, now, reading
from server.services import framing, monitoring, scheduling, units
from server.web.dashboard.presenters import plain
from server.web.fields import parsed_day
from server.web.frames.presenters import clipped, level_names, week
from server.web.schedule.presenters import ClusterDay, drawn

MOST_CLUSTERS_DRAWN = 60
MOST_FORESEEN = 5

pages = Blueprint("schedule", __name__)


@pages.get("/timeline")
def any_timeline() -> ResponseReturnValue:
    """Go to the timeline that the person most likely wants."""
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
    shown = _with_clusters(tree)
    if not shown:
        abort(404)
    return redirect(url_for("schedule.timeline", unit_id=shown[0].unit_id), 303)


@pages.get("/units/<unit_id>/timeline")
def timeline(unit_id: str) -> ResponseReturnValue:
    """Draw one day of a unit's clusters."""
    return render_template("schedule/timeline.html", **_timeline(unit_id))


@pages.get("/units/<unit_id>/timeline/day")
def timeline_day(unit_id: str) -> ResponseReturnValue:
    """Show the part of the page that changes."""
    return render_template("schedule/day.html", **_timeline(unit_id))


def _timeline(unit_id: str) -> dict[str, object]:
    instant, person = now(), actor()
    day = parsed_day(request.args.get("day", "")) or local_day(instant)
    merge = request.args.get("rows") != "each"
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        demand(person, Action.VIEW, tree.chain(unit_id))
        names = {
            state.cluster_id: state.village or state.name
            for state in monitoring.overview(db, now=instant, units=tree, under=unit_id)
        }
        drawable = sorted(names, key=lambda one: plain(names[one]))[:MOST_CLUSTERS_DRAWN]
        start, end = day_bounds(day)
        then = tree if day == local_day(instant) else units.tree(db, today=day)
        played = scheduling.timelines(db, drawable, start=start, end=end, now=instant, units=then)
        days = [ClusterDay(names[one], tuple(spans)) for one, spans in played.items()]
        hours = week(unit_id, framing.frames_at(db, unit_id, units=tree), tree, level_names(db))
    drawing = drawn(days, tree, (start, end), instant, merge=merge)
    return {
        "unit": tree.unit(unit_id),
        "drawing": drawing,
        "bands": clipped(hours[day.weekday()], drawing.start, drawing.end) if hours else (),
        "not_drawn": len(names) - len(drawable),
        "day": day,
        "today": local_day(instant),
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "merge": merge,
        "switch": _with_clusters(tree),
        "may_add": may(person, Action.SCHEDULE, tree.chain(unit_id)),
        "tree": tree,
    }


def _with_clusters(tree: Tree) -> list[Unit]:
    """List the units that have clusters of their own and that the person may see."""
    person = actor()
    shown = [
        unit
        for unit_id, unit in tree.units.items()
        if tree.own_clusters(unit_id) and may(person, Action.VIEW, tree.chain(unit_id))
    ]
    return sorted(shown, key=lambda unit: plain(unit.name))
