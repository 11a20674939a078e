"""The first page."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from server.domain.authority import Action, may_somewhere
from server.domain.recurrence import local_day
from server.http.context import actor, now, reading
from server.services import monitoring, units
from server.web.dashboard.presenters import Group, figures, grouped, visible

pages = Blueprint("dashboard", __name__)


@pages.get("/")
def clusters() -> ResponseReturnValue:
    """Show all clusters that the person may see."""
    groups = _groups()
    return render_template(
        "dashboard/clusters.html",
        groups=groups,
        figures=figures(groups),
        may_import=may_somewhere(actor(), Action.ADMINISTER),
    )


@pages.get("/clusters/list")
def cluster_list() -> ResponseReturnValue:
    """Show the part of the page that changes."""
    groups = _groups()
    return render_template("dashboard/list.html", groups=groups, figures=figures(groups))


def _groups() -> list[Group]:
    instant = now()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        states = monitoring.overview(db, now=instant, units=tree)
    return grouped(visible(states, actor(), tree))
