"""The rule of a province on one page: a table of level, hours, clusters and people."""

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.assent import HOURS
from server.domain.authority import Action, demand, may, may_somewhere, touches
from server.domain.errors import Finding, NotAllowedError, RuleRefusedError, StaleError
from server.domain.recurrence import local_day
from server.http.context import actor, now, reading, writing
from server.services import assenting, units
from server.store.queries import lists
from server.web.assent.forms import Row, parsed, rows_of, sent_rows
from server.web.frames.presenters import level_names

pages = Blueprint("assent", __name__)


@pages.get("/assent")
def any_rule() -> ResponseReturnValue:
    """Go to the rule that binds the person."""
    person = actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
    mine = [unit for unit in tree.roots if touches(person, unit, tree)]
    if not mine or not may_somewhere(person, Action.VIEW):
        raise NotAllowedError(Action.VIEW.value, "*")
    return redirect(url_for("assent.rule", unit_id=mine[0]), 303)


@pages.get("/units/<unit_id>/assent")
def rule(unit_id: str) -> ResponseReturnValue:
    """Show what it says, with the fields to change it for whoever may."""
    return _page(unit_id, None, ())


@pages.post("/units/<unit_id>/assent")
def lay_down(unit_id: str) -> ResponseReturnValue:
    """Lay it down, or show the table again with what is wrong."""
    rows = sent_rows(request.form)
    lines, findings = parsed(rows)
    if findings:
        return _page(unit_id, rows, findings), 422
    try:
        with writing() as db:
            assenting.lay_down(db, unit_id, lines, version=_version(), now=now(), actor=actor())
    except RuleRefusedError as refused:
        return _page(unit_id, rows, refused.findings), 422
    except StaleError:
        return _page(unit_id, None, [Finding("changed-meanwhile")]), 409
    return redirect(url_for("assent.rule", unit_id=unit_id, saved="yes"), 303)


def _version() -> int:
    said = request.form.get("version", "")
    return int(said) if said.isdecimal() and len(said) < 9 else -1  # noqa: PLR2004 - digits of a sane number


def _page(unit_id: str, rows: Sequence[Row] | None, findings: Sequence[Finding]) -> str:
    person = actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
        chain = tree.chain(unit_id)
        if not touches(person, unit_id, tree):
            demand(person, Action.VIEW, chain)
        found = assenting.rule_of(db, tree, unit_id)
        people = lists.full_names(db, [found.changed_by])
        levels = {
            rank: name for rank, name in level_names(db).items() if rank in assenting.ranks(tree)
        }
    return render_template(
        "assent/rule.html",
        unit=tree.unit(found.unit_id),
        rule=found,
        rows=rows_of(found.lines) if rows is None else rows,
        levels=levels,
        hours=range(HOURS),
        people=people,
        findings=findings,
        saved=request.args.get("saved") == "yes",
        may_change=may(person, Action.ADMINISTER, tree.chain(found.unit_id)),
    )
