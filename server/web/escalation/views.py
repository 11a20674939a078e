"""The rules of a unit: what holds, by whom, and a form for each class."""

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.authority import demand_laying_down, may_lay_down, seen_above
from server.domain.errors import EscalationRefusedError, Finding, StaleError, UnknownThingError
from server.domain.recurrence import local_day
from server.http.context import actor, now, reading, writing
from server.services import contacts, escalation_rules, units
from server.services.escalation_rules import Held
from server.web.escalation.forms import RuleForm

pages = Blueprint("escalation", __name__)


@pages.get("/units/<unit_id>/escalation")
def rules(unit_id: str) -> ResponseReturnValue:
    """Show the rules that hold at a unit."""
    instant, person = now(), actor()
    with reading() as db:
        held = escalation_rules.listed(db, unit_id, actor=person, now=instant)
        tree = units.tree(db, today=local_day(instant))
        names = units.unit_names(db)
        people = contacts.names(db, _named(held))
    chain = tree.chain(unit_id)
    return render_template(
        "escalation/rules.html",
        unit=tree.unit(unit_id),
        above=tree.units.get(seen_above(person, chain) or ""),
        held=held,
        names=names,
        people=people,
        may_change=may_lay_down(person, chain),
    )


@pages.get("/units/<unit_id>/escalation/<bulletin_class>")
def rule(unit_id: str, bulletin_class: str) -> ResponseReturnValue:
    """Show the form of one class."""
    return _form_page(unit_id, bulletin_class)


@pages.post("/units/<unit_id>/escalation/<bulletin_class>")
def change(unit_id: str, bulletin_class: str) -> ResponseReturnValue:
    """Lay a rule down, or show the form again with what is wrong."""
    form = RuleForm.sent(request.form)
    try:
        with writing() as db:
            escalation_rules.lay_down(
                db,
                unit_id,
                bulletin_class,
                form.rule,
                version=form.version,
                now=now(),
                actor=actor(),
            )
    except EscalationRefusedError as refused:
        return _form_page(unit_id, bulletin_class, form, refused.findings), 422
    except StaleError:
        # As it is now: what was typed was meant for something else.
        return _form_page(unit_id, bulletin_class, None, [Finding("changed-meanwhile")]), 409
    return redirect(url_for("escalation.rules", unit_id=unit_id), 303)


@pages.post("/units/<unit_id>/escalation/<bulletin_class>/withdraw")
def withdraw(unit_id: str, bulletin_class: str) -> ResponseReturnValue:
    """Go by the rule above again."""
    version = request.form.get("version", "")
    try:
        with writing() as db:
            escalation_rules.withdraw(
                db, unit_id, bulletin_class, version=version, now=now(), actor=actor()
            )
    except StaleError:
        return _form_page(unit_id, bulletin_class, None, [Finding("changed-meanwhile")]), 409
    return redirect(url_for("escalation.rules", unit_id=unit_id), 303)


def _form_page(
    unit_id: str,
    bulletin_class: str,
    form: RuleForm | None = None,
    findings: Sequence[Finding] = (),
) -> str:
    instant, person = now(), actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        demand_laying_down(person, tree.chain(unit_id))
        held = escalation_rules.held_at(db, unit_id, units=tree)
        nameable = contacts.nameable(db, unit_id, now=instant)
    there = _of_class(held, bulletin_class)
    return render_template(
        "escalation/rule.html",
        unit=tree.unit(unit_id),
        held=there,
        form=form or RuleForm.of(there),
        nameable=nameable,
        tree=tree,
        findings=findings,
    )


def _of_class(held: Sequence[Held], bulletin_class: str) -> Held:
    for one in held:
        if one.bulletin_class == bulletin_class:
            return one
    raise UnknownThingError("class", bulletin_class)


def _named(held: Sequence[Held]) -> list[str]:
    return [person for one in held for step in one.rule.steps for person in step.contacts]
