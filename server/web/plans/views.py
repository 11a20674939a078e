"""Pages about plans on their way to the clusters."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from server.domain.authority import Action, demand
from server.domain.plan_versions import TakeOver
from server.domain.recurrence import local_day
from server.http.context import actor, now, reading
from server.services import plan_states, units
from server.web.fields import parsed_instant
from server.web.plans import presenters

FEW = 60
"""Up to so many clusters are all shown at first."""

pages = Blueprint("plans", __name__)


@pages.get("/units/<unit_id>/plans")
def plans(unit_id: str) -> ResponseReturnValue:
    """Show which clusters hold which plans."""
    return render_template("plans/plans.html", **_plans(unit_id))


@pages.get("/units/<unit_id>/plans/list")
def plan_list(unit_id: str) -> ResponseReturnValue:
    """Show the part of the page that changes."""
    return render_template("plans/list.html", **_plans(unit_id))


@pages.get("/slots/<slot_id>/taken-over")
def taken_over(slot_id: str) -> ResponseReturnValue:
    """Show what a late edit of a slot has reached."""
    return render_template("plans/taken_over.html", **_taken_over(slot_id))


@pages.get("/slots/<slot_id>/taken-over/state")
def taken_over_state(slot_id: str) -> ResponseReturnValue:
    """Show the part of the page that changes."""
    return render_template("plans/taken_over_state.html", **_taken_over(slot_id))


def _plans(unit_id: str) -> dict[str, object]:
    instant, person = now(), actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        demand(person, Action.VIEW, tree.chain(unit_id))
        view = plan_states.plans_in_view(db, unit_id, now=instant, units=tree)
    chosen = request.args.get("show") or ("all" if len(view.clusters) <= FEW else "behind")
    return {
        "unit": tree.unit(unit_id),
        "view": view,
        "show": chosen,
        "listed": presenters.listed(view.clusters, everyone=chosen == "all"),
    }


def _taken_over(slot_id: str) -> dict[str, object]:
    instant, person = now(), actor()
    version = request.args.get("version", 0, int)
    begins = parsed_instant(request.args.get("begins", "")) or instant
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        edit = plan_states.late_edit(
            db, slot_id, version=version, begins=begins, now=instant, units=tree
        )
        demand(person, Action.VIEW, tree.chain(edit.slot.unit_id))
    return {
        "edit": edit,
        "unit": tree.unit(edit.slot.unit_id),
        "sentences": presenters.sentences(edit, instant),
        "sign": presenters.sign,
        "watching": edit.count(TakeOver.TAKEN) < len(edit.clusters) and instant < begins,
        "good": edit.count(TakeOver.TAKEN) == len(edit.clusters),
        "bad": edit.count(TakeOver.UNREACHABLE, TakeOver.TOO_LATE) > 0,
    }
