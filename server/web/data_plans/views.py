"""The plan of one cluster's SIM: what it may use, what it has used, and whether it will last."""

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.data_plans import FIRST_DAYS, DataPlan, read_volume, volume_text
from server.domain.errors import Finding, UpkeepRefusedError
from server.http.context import actor, now, reading, writing
from server.services import data_plans, upkeep
from server.web.data_plans.presenters import shown

LONGEST = 40

pages = Blueprint("data_plans", __name__)


@pages.get("/clusters/<cluster_id>/data-plan")
def plan(cluster_id: str) -> ResponseReturnValue:
    """Show the plan and what of it is used."""
    return _page(cluster_id)


@pages.post("/clusters/<cluster_id>/data-plan")
def set_plan(cluster_id: str) -> ResponseReturnValue:
    """Say what the plan is; an empty amount: nobody knows."""
    monthly, day = (request.form.get(name, "").strip() for name in ("monthly", "first_day"))
    monthly_mb = read_volume(monthly)
    # What is no amount and what is no day are as wrong as those that no plan has.
    wanted = DataPlan(
        (0 if monthly_mb is None else monthly_mb) if monthly else None,
        int(day) if day.isdecimal() and day.isascii() else 0,
    )
    try:
        with writing() as db:
            data_plans.set_plan(db, cluster_id, wanted, now=now(), actor=actor())
    except UpkeepRefusedError as refused:
        typed = (monthly[:LONGEST], day[:LONGEST])
        return _page(cluster_id, refused.findings, typed), 422
    return redirect(url_for("data_plans.plan", cluster_id=cluster_id), 303)


def _page(
    cluster_id: str, findings: Sequence[Finding] = (), typed: tuple[str, str] | None = None
) -> str:
    instant = now()
    with reading() as db:
        row, node, units = upkeep.place(db, cluster_id, now=instant, actor=actor())
        use = data_plans.uses(db, now=instant, only=[cluster_id]).get(cluster_id)
        kept = volume_text(row.data_plan_mb) if row.data_plan_mb else ""
        monthly, first_day = typed or (kept, str(row.data_plan_day))
        return render_template(
            "data_plans/plan.html",
            cluster=row,
            unit=units.unit(units.clusters[cluster_id]),
            has_node=node is not None,
            data=shown(use) if use else None,
            monthly=monthly,
            first_day=first_day,
            first_days=FIRST_DAYS,
            findings=findings,
        )
