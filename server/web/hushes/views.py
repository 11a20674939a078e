"""Silence by order: the form, its confirmation, the state of each cluster, and the lift by two."""

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.assent import ASKED_FOR, is_asked
from server.domain.authority import Action, demand, may, seen_units
from server.domain.errors import Finding, HushRefusedError, NotAllowedError
from server.domain.recurrence import local_day
from server.http.context import actor, here, now, reading, writing
from server.services import hush_deliveries, hushing, reaching, units
from server.store.models import HushRow
from server.store.queries import lists
from server.web.hushes.forms import HushForm
from server.web.hushes.presenters import progress
from server.web.targets import acting_units

pages = Blueprint("hushes", __name__)


@pages.get("/hush")
def hushes() -> ResponseReturnValue:
    """Show the silences that last, those that are over, and the form for another."""
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
    acting = acting_units(actor(), Action.HUSH, tree)
    asked = request.args.get("unit", "")
    unit_id = asked if asked in tree.units else next((unit.unit_id for unit in acting), "")
    return _form_page(HushForm(unit_id), ())


@pages.get("/hush/banner")
def banner() -> ResponseReturnValue:
    """Show the part of every page that tells of a silence."""
    return render_template("parts/hush_banner.html")


@pages.post("/hush/confirm")
def confirm() -> ResponseReturnValue:
    """Say whom it silences, before it does."""
    form, instant, person = HushForm.sent(request.form), now(), actor()
    if "back" in request.form:
        return _form_page(form, ())
    findings = hushing.wrong(form.new)
    if findings:
        return _form_page(form, findings), 422
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        demand(person, Action.HUSH, tree.chain(form.unit_id))
        reach = reaching.reach(
            db, unit_id=form.unit_id, units=[form.unit_id], clusters=(), now=instant
        )
    return render_template(
        "hushes/confirm.html", form=form, unit=tree.unit(form.unit_id), reach=reach
    )


@pages.post("/hush")
def hush() -> ResponseReturnValue:
    """Silence; pressed twice it is one silence."""
    form = HushForm.sent(request.form)
    try:
        with writing() as db:
            row = hushing.hush(
                db,
                form.new,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
            hush_id = row.hush_id
    except HushRefusedError as refused:
        return _form_page(form, refused.findings), 422
    return redirect(url_for("hushes.show", hush_id=hush_id), 303)


@pages.get("/hush/<hush_id>")
def show(hush_id: str) -> ResponseReturnValue:
    """Watch one silence."""
    return render_template("hushes/hush.html", **_state(hush_id), findings=())


@pages.get("/hush/<hush_id>/state")
def state(hush_id: str) -> ResponseReturnValue:
    """Show the part of the page that changes."""
    return render_template("hushes/state.html", **_state(hush_id))


@pages.post("/hush/<hush_id>/ask-lift")
def ask_lift(hush_id: str) -> ResponseReturnValue:
    """Ask for its end."""
    try:
        with writing() as db:
            hushing.ask_lift(db, hush_id, now=now(), actor=actor())
    except HushRefusedError as refused:
        return _again(hush_id, refused.findings), 422
    return redirect(url_for("hushes.show", hush_id=hush_id), 303)


@pages.post("/hush/<hush_id>/lift")
def lift(hush_id: str) -> ResponseReturnValue:
    """Approve its end."""
    try:
        with writing() as db:
            hushing.approve_lift(
                db,
                hush_id,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
    except HushRefusedError as refused:
        return _again(hush_id, refused.findings), 422
    return redirect(url_for("hushes.show", hush_id=hush_id), 303)


def _again(hush_id: str, findings: Sequence[Finding]) -> str:
    return render_template("hushes/hush.html", **_state(hush_id), findings=findings)


def _form_page(form: HushForm, findings: Sequence[Finding]) -> str:
    person = actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
        acting = acting_units(person, Action.HUSH, tree)
        if form.unit_id:
            demand(person, Action.HUSH, tree.chain(form.unit_id))
        seen = seen_units(person, tree)
        lasting, over = hushing.lasting(db, seen), hushing.recent(db, seen)
        names = lists.full_names(db, [name for row in (*lasting, *over) for name in _people(row)])
    if not acting and not lasting and not over:
        raise NotAllowedError(Action.HUSH.value, "*")
    return render_template(
        "hushes/form.html",
        form=form,
        findings=findings,
        acting=acting,
        lasting=lasting,
        over=over,
        people=names,
        tree=tree,
    )


def _state(hush_id: str) -> dict[str, object]:
    instant, person = now(), actor()
    with reading() as db:
        row = hushing.find(db, hush_id)
        tree = units.tree(db, today=local_day(instant))
        chain = tree.chain(row.unit_id)
        status = hush_deliveries.status(db, row, now=instant, actor=person, units=tree)
        names = lists.full_names(db, _people(row))
        held_back = [
            broadcast
            for broadcast in hush_deliveries.held_back(db, row, now=instant, units=tree)
            if may(person, Action.VIEW, tree.chain(broadcast.unit_id))
        ]
    may_lift = row.ended_at is None and may(person, Action.HUSH, chain)
    asked = row.ended_at is None and is_asked(row.lift_asked_at, instant)
    is_own = asked and row.lift_asked_by == person.name
    return {
        "hush": row,
        "people": names,
        "unit": tree.unit(row.unit_id),
        "progress": progress(status),
        "held_back": held_back,
        "asked": asked,
        "asked_until": row.lift_asked_at + ASKED_FOR if row.lift_asked_at else None,
        "is_own_wish": is_own,
        "may_ask": may_lift and not asked,
        "may_approve": may_lift and asked and not is_own,
    }


def _people(row: HushRow) -> list[str]:
    return [name for name in (row.created_by, row.lift_asked_by, row.ended_by) if name]
