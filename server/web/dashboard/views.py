"""The first page."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from server.domain.authority import Action, may_somewhere
from server.domain.recurrence import local_day
from server.http.context import actor, now, reading
from server.services import monitoring, units
from server.web.dashboard.presenters import (
    MOST_CARDS,
    Asked,
    figures,
    grouped,
    lines,
    tended,
    visible,
)

LONGEST_SEARCH = 100

pages = Blueprint("dashboard", __name__)


@pages.get("/")
def clusters() -> ResponseReturnValue:
    """Show all clusters that the person may see; of very many the units, and what is asked for."""
    return render_template(
        "dashboard/clusters.html",
        **_clusters(),
        may_import=may_somewhere(actor(), Action.ADMINISTER),
    )


@pages.get("/clusters/list")
def cluster_list() -> ResponseReturnValue:
    """Show the part of the page that changes."""
    return render_template("dashboard/list.html", **_clusters())


def _clusters() -> dict[str, object]:
    instant = now()
    told = request.args
    asked = Asked(told.get("unit", ""), told.get("q", "")[:LONGEST_SEARCH], told.get("show", ""))
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        seen = visible(monitoring.glances(db, now=instant, units=tree), actor(), tree)
        are_many = len(seen) > MOST_CARDS
        chosen = asked.chosen(seen) if are_many else seen
        listed = chosen[:MOST_CARDS] if are_many and not asked.unit else chosen
        only = [one.cluster_id for one in listed]
        data = {one.cluster_id: one.data for one in listed if one.data is not None}
        states = (
            monitoring.overview(db, now=instant, units=tree, only=only, data=data) if only else []
        )
    return {
        "are_many": are_many,
        "asked": asked,
        "lines": lines(seen) if are_many and not asked.address else (),
        "groups": grouped(states),
        "left_out": len(chosen) - len(listed),
        "figures": figures(seen),
        "tended": tended(states, actor(), tree),
    }
