"""The timeline of a unit, and its slots."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from server.domain.authority import Action, demand, may
from server.domain.errors import Finding, SlotRefusedError
from server.domain.plan_versions import LATE
from server.domain.recurrence import day_bounds, local_day
from server.domain.units import Tree, Unit
from server.http.context import actor, here, now, reading, writing
from server.services import catalogue, framing, monitoring, plan_states, scheduling, units
from server.store.queries import lists
from server.web import rule_words
from server.web.dashboard.presenters import plain
from server.web.fields import parsed_day
from server.web.formats import weekday_marks
from server.web.frames.presenters import clipped, level_names, week
from server.web.plans.presenters import beforehand
from server.web.plans.views import after_edit
from server.web.schedule import recurrence_fields
from server.web.schedule.forms import SlotForm
from server.web.schedule.presenters import ClusterDay, drawn
from server.web.targets import acting_units, communes

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
        days = [
            ClusterDay(
                names[cluster_id],
                tuple(scheduling.day_timeline(db, cluster_id=cluster_id, day=day, now=instant)),
            )
            for cluster_id in drawable
        ]
        hours = week(unit_id, framing.frames_at(db, unit_id, units=tree), tree, level_names(db))
    drawing = drawn(days, tree, day_bounds(day), instant, merge=merge)
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


@pages.get("/units/<unit_id>/slots")
def slots(unit_id: str) -> ResponseReturnValue:
    """List a unit's slots."""
    person = actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
        demand(person, Action.VIEW, tree.chain(unit_id))
        rows = lists.slots_of(db, unit_id)
    instant = now()
    stakes = {row.slot_id: plan_states.at_stake(row, instant) for row in rows}
    return render_template(
        "schedule/slots.html",
        unit=tree.unit(unit_id),
        rows=rows,
        tree=tree,
        rule_words=rule_words.rule_words,
        late={
            slot_id: " ".join(beforehand(begins, instant, ()))
            for slot_id, begins in stakes.items()
            if begins is not None
        },
        may_add=may(person, Action.SCHEDULE, tree.chain(unit_id)),
    )


@pages.get("/units/<unit_id>/slots/new")
def new_slot(unit_id: str) -> ResponseReturnValue:
    """Show the empty form."""
    return _slot_page(SlotForm.fresh(unit_id, local_day(now())), ()), 200


@pages.get("/units/<unit_id>/slots/coming")
def coming(unit_id: str) -> ResponseReturnValue:
    """Show when the slot in the form would come next; nothing is saved."""
    instant = now()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        demand(actor(), Action.SCHEDULE, tree.chain(unit_id))
    new, findings = SlotForm.sent(unit_id, request.args).parsed()
    starts: list[datetime] = []
    warnings: list[str] = []
    try:
        if new is not None:
            starts = scheduling.foreseen(new, now=instant, most=MOST_FORESEEN)
            with reading() as db:
                warnings = _late_warnings(db, new, starts[0], instant, tree)
    except SlotRefusedError as refused:
        findings = refused.findings
    return render_template(
        "schedule/coming.html", starts=starts, findings=findings, warnings=warnings
    )


def _late_warnings(
    db: Session, new: scheduling.NewSlot, begins: datetime, instant: datetime, tree: Tree
) -> list[str]:
    if begins >= instant + LATE:
        return []
    missing = plan_states.would_miss(db, new, now=instant, units=tree)
    return beforehand(begins, instant, missing)


@pages.post("/units/<unit_id>/slots/new")
def add_slot(unit_id: str) -> ResponseReturnValue:
    """Add the slot, or show the form again with what is wrong."""
    form = SlotForm.sent(unit_id, request.form)
    new, findings = form.parsed()
    if new is None:
        return _slot_page(form, findings), 422
    try:
        with writing() as db:
            row = scheduling.add_slot(
                db,
                new,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
            version = plan_states.newest_version(db, unit_id)
    except SlotRefusedError as refused:
        clash = any(finding.code == "overlap" for finding in refused.findings)
        return _slot_page(form, refused.findings), 409 if clash else 422
    if watched := after_edit(row, version, plan_states.at_stake(row, now())):
        return redirect(watched, 303)
    day = f"{local_day(scheduling.foreseen(new, now=now(), most=1)[0]):%Y-%m-%d}"
    return redirect(url_for("schedule.timeline", unit_id=unit_id, day=day), 303)


@pages.post("/slots/<slot_id>/withdraw")
def withdraw_slot(slot_id: str) -> ResponseReturnValue:
    """Withdraw a slot."""
    with writing() as db:
        row = scheduling.withdraw_slot(
            db,
            slot_id,
            now=now(),
            actor=actor(),
            keyring=here().keyring,
            plan_days=here().settings.plan_days,
        )
        version = plan_states.newest_version(db, row.unit_id)
    watched = after_edit(row, version, plan_states.at_stake(row, now()))
    return redirect(watched or url_for("schedule.slots", unit_id=row.unit_id), 303)


def _slot_page(form: SlotForm, findings: Sequence[Finding]) -> str:
    instant, person = now(), actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        chain = tree.chain(form.unit_id)
        demand(person, Action.SCHEDULE, chain)
        states = monitoring.overview(db, now=instant, units=tree, under=form.unit_id)
        assets = catalogue.usable_assets(db, chain=chain)
    return render_template(
        "schedule/new_slot.html",
        form=form,
        findings=findings,
        unit=tree.unit(form.unit_id),
        acting=acting_units(person, Action.SCHEDULE, tree),
        communes=communes(states, tree, form.unit_id),
        assets=[asset for asset in assets if asset.purpose != catalogue.CHIME],
        marks=weekday_marks(),
        fields=recurrence_fields,
        names=rule_words,
    )


def _with_clusters(tree: Tree) -> list[Unit]:
    """List the units that have clusters of their own and that the person may see."""
    person = actor()
    shown = [
        unit
        for unit_id, unit in tree.units.items()
        if tree.own_clusters(unit_id) and may(person, Action.VIEW, tree.chain(unit_id))
    ]
    return sorted(shown, key=lambda unit: plain(unit.name))
