"""The horns of a unit that overlap: a map and a list, and whether they take turns on air."""

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.authority import Action, may
from server.domain.errors import Finding, UpkeepRefusedError
from server.domain.recurrence import local_day
from server.domain.turn_taking import PAUSE_S
from server.domain.turns import ASSUMED_REACH_M, LEAST_REACH_M, MOST_REACH_M
from server.http.context import actor, here, now, reading, writing
from server.services import neighbours, units
from server.web.neighbours.presenters import lines

pages = Blueprint("neighbours", __name__)


@pages.get("/units/<unit_id>/neighbours")
def overlaps(unit_id: str) -> ResponseReturnValue:
    """Show who overlaps whom."""
    return _page(unit_id, ())


@pages.post("/units/<unit_id>/neighbours")
def set_reach(unit_id: str) -> ResponseReturnValue:
    """Say how far one reaches."""
    typed = request.form.get("reach_m", "").strip()
    # What is no number is as wrong as one that no horn reaches.
    reach_m = None if not typed else int(typed) if typed.isdecimal() else -1
    cluster_id = request.form.get("cluster_id", "")
    try:
        with writing() as db:
            neighbours.set_reach(db, cluster_id, reach_m, now=now(), actor=actor())
    except UpkeepRefusedError as refused:
        return _page(unit_id, refused.findings), 422
    there = url_for("neighbours.overlaps", unit_id=unit_id, _anchor=f"horn-{cluster_id}")
    return redirect(there, 303)


@pages.post("/units/<unit_id>/turns")
def take_turns(unit_id: str) -> ResponseReturnValue:
    """Say whether they take turns."""
    with writing() as db:
        neighbours.take_turns(
            db,
            unit_id,
            on=request.form.get("on") == "yes",
            now=now(),
            actor=actor(),
            keyring=here().keyring,
            plan_days=here().settings.plan_days,
        )
    return redirect(url_for("neighbours.overlaps", unit_id=unit_id), 303)


def _page(unit_id: str, findings: Sequence[Finding]) -> str:
    instant, person = now(), actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        found = neighbours.overlaps(db, unit_id, now=instant, actor=person)
        shown = lines(found)
    return render_template(
        "neighbours/overlaps.html",
        unit=tree.unit(unit_id),
        lines=shown,
        takes_turns=found.takes_turns,
        too_short=found.too_short,
        may_schedule=may(person, Action.SCHEDULE, tree.chain(unit_id)),
        map_tiles=here().settings.map_tiles,
        pause_s=PAUSE_S,
        turn_count=len(set(found.turns.values())),
        placeless=len(found.clusters) - len(found.near),
        may_tend=may(person, Action.TEND, tree.chain(unit_id)),
        assumed_m=ASSUMED_REACH_M,
        least_m=LEAST_REACH_M,
        most_m=MOST_REACH_M,
        findings=findings,
    )
