"""The record of one day."""

from datetime import date, timedelta

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from server.domain.authority import Action, may, seen_clusters
from server.domain.record_chains import RecordCheck
from server.domain.recurrence import day_bounds, local_day
from server.http.context import actor, now, reading
from server.services import as_run, monitoring, record_chains, units
from server.web.fields import parsed_day

pages = Blueprint("as_run", __name__)


@pages.get("/as-run")
def records() -> ResponseReturnValue:
    """Show what sounded on a day, and why something did not."""
    instant = now()
    day: date = parsed_day(request.args.get("day", "")) or local_day(instant)
    cluster_id = request.args.get("cluster") or None
    start, end = day_bounds(day)
    person = actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        states = {
            state.cluster_id: state
            for state in monitoring.overview(db, now=instant, units=tree)
            if may(person, Action.VIEW, tree.chain(state.unit_id))
        }
        rows = [
            row
            for row in as_run.records(
                db,
                since=start,
                until=end,
                clusters=seen_clusters(person, tree),
                cluster_id=cluster_id,
            )
            if row.cluster_id in states
        ]
        titles = monitoring.titles_of(db, {row.claim_id for row in rows})
        checks = record_chains.checked(db, rows)
        chains = record_chains.of_cluster(db, cluster_id) if cluster_id in states else None
    return render_template(
        "as_run/records.html",
        rows=sorted(rows, key=lambda row: row.start or row.recorded_at, reverse=True),
        sounded=as_run.sounded,
        proof_of=as_run.proof_of,
        titles=titles,
        altered={row for row, check in checks.items() if check is RecordCheck.ALTERED},
        chains=chains,
        states=states,
        units=tree.units,
        day=day,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        chosen=cluster_id,
    )
