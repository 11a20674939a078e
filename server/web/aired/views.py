"""Planned against aired."""

from datetime import date, datetime, timedelta

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from server.domain.aired import Kind, Tally
from server.domain.authority import Action, demand
from server.domain.recurrence import day_bounds, local_day
from server.http.context import actor, now, reading
from server.services import aired, record_chains, units
from server.web.aired import presenters
from server.web.fields import parsed_day

pages = Blueprint("aired", __name__)


@pages.get("/units/<unit_id>/aired")
def unit_day(unit_id: str) -> ResponseReturnValue:
    """Show a day of a unit: each thing planned, and at how many clusters it sounded."""
    return render_template("aired/day.html", **_unit_day(unit_id))


@pages.get("/units/<unit_id>/aired/list")
def unit_day_list(unit_id: str) -> ResponseReturnValue:
    """Show the part of the page that changes."""
    return render_template("aired/list.html", **_unit_day(unit_id))


@pages.get("/units/<unit_id>/aired/<claim_id>")
def claim(unit_id: str, claim_id: str) -> ResponseReturnValue:
    """Show one thing of a day at each cluster."""
    instant = now()
    day = _day(instant)
    with reading() as db:
        demand(actor(), Action.VIEW, units.chain_now_or_then(db, unit_id, day=day, now=instant))
        entry, clusters = aired.claim_at_unit(db, unit_id, claim_id, day=day, now=instant)
        name = units.tree(db, today=day).unit(unit_id).name
    good = [one for one in clusters if one.outcome == "played"]
    return render_template(
        "aired/claim.html",
        unit_id=unit_id,
        unit_name=name,
        day=day,
        entry=entry,
        clusters=[one for one in clusters if one.outcome != "played"] + good,
        sign_at=presenters.sign_at,
    )


@pages.get("/clusters/<cluster_id>/aired")
def cluster_day(cluster_id: str) -> ResponseReturnValue:
    """Show one cluster's day: what was planned beside what was heard."""
    instant = now()
    day = _day(instant)
    with reading() as db:
        tree = units.tree(db, today=day)
        was_there = cluster_id in tree.clusters
        if not was_there:
            tree = units.tree(db, today=local_day(instant))
        chain = tree.chain_of_cluster(cluster_id)
        demand(actor(), Action.VIEW, units.chain_now_or_then(db, chain[-1], day=day, now=instant))
        found = aired.day_of_cluster(db, cluster_id, day=day, now=instant) if was_there else []
        cluster = aired.cluster_named(db, cluster_id)
        chains = record_chains.of_cluster(db, cluster_id)
    return render_template(
        "aired/cluster.html",
        cluster=cluster,
        unit=tree.unit(chain[-1]),
        was_there=was_there,
        day=day,
        today=local_day(instant),
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        found=found,
        chains=chains,
        bands=presenters.bands(found, day_bounds(day), instant),
        sign_at=presenters.sign_at,
    )


def _unit_day(unit_id: str) -> dict[str, object]:
    instant = now()
    day = _day(instant)
    problems = request.args.get("show") == "problems"
    first = max(0, request.args.get("from", 0, int))
    with reading() as db:
        demand(actor(), Action.VIEW, units.chain_now_or_then(db, unit_id, day=day, now=instant))
        was_there = unit_id in units.tree(db, today=day).units
        if was_there:
            found = aired.day_of_unit(db, unit_id, day=day, now=instant)
        else:
            found = aired.AiredDay(units.tree(db, today=local_day(instant)), (), Tally())
    troubled = [entry for entry in found.entries if entry.is_problem(instant)]
    listed = troubled if problems else found.entries
    return {
        "unit": found.units.unit(unit_id),
        "was_there": was_there,
        "day": day,
        "today": local_day(instant),
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "problems": problems,
        "total": found.total,
        "figures": presenters.FIGURES,
        "kinds": Kind,
        "lines": presenters.lines(listed[first : first + presenters.MOST_LISTED], instant),
        "first": first,
        "all": len(listed),
        "step": presenters.MOST_LISTED,
        "troubled": len(troubled),
    }


def _day(instant: datetime) -> date:
    return parsed_day(request.args.get("day", "")) or local_day(instant)
