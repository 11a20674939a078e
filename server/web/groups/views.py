"""Groups of clusters that people choose together; they have no rank."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.authority import Action, demand
from server.domain.clashes import WideningRefusedError
from server.domain.errors import Finding, GroupRefusedError, TakenError
from server.domain.offers import Offer
from server.domain.recurrence import local_day
from server.domain.targeting import chosen
from server.domain.units import Tree
from server.http.context import actor, now, reading, writing
from server.services import grouping, monitoring, units
from server.web.groups.presenters import entries, members
from server.web.targets import Picked, acting_units, communes, picked

pages = Blueprint("groups", __name__)


@dataclass(frozen=True, slots=True)
class GroupForm:
    """A group as it was typed; without an id it is new."""

    name: str
    unit_id: str
    picked: Picked
    group_id: str = ""
    version: str = ""


@pages.get("/groups")
def groups() -> ResponseReturnValue:
    """List the groups that the person may see."""
    person = actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
        shown = grouping.visible(grouping.groups(db), person, tree)
        slots = {one.group_id: grouping.targeting(db, one.group_id) for one in shown}
    return render_template(
        "groups/list.html",
        entries=entries(shown, slots, tree, person),
        acting=acting_units(person, Action.ADMINISTER, tree),
        done=request.args.get("done", ""),
    )


@pages.get("/groups/new")
def new_group() -> ResponseReturnValue:
    """Show the empty form."""
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
    asked = request.args.get("unit", "")
    acting = acting_units(actor(), Action.ADMINISTER, tree)
    unit_id = asked if asked in tree.units else next((one.unit_id for one in acting), "")
    return _page(GroupForm("", unit_id, Picked()), ())


@pages.post("/groups/new")
def create_group() -> ResponseReturnValue:
    """Create a group, or show the form again with what is wrong."""
    form = _sent()
    instant = now()
    try:
        with writing() as db:
            tree = units.tree(db, today=local_day(instant))
            grouping.create_group(
                db,
                group_id=grouping.free_id(db, unit_id=form.unit_id, name=form.name),
                name=form.name,
                unit_id=form.unit_id,
                clusters=_clusters(form, tree),
                now=instant,
                actor=actor(),
            )
    except GroupRefusedError as refused:
        return _page(form, refused.findings), 422
    except TakenError as taken:
        return _page(form, [Finding("group-taken", {"id": taken.ref})]), 409
    return redirect(url_for("groups.groups", done="created"), 303)


@pages.get("/groups/<group_id>")
def group(group_id: str) -> ResponseReturnValue:
    """Show the form of one group."""
    with reading() as db:
        there = grouping.group(db, group_id)
    form = GroupForm(there.name, there.unit_id, Picked((), there.clusters), group_id, there.version)
    return _page(form, ())


@pages.post("/groups/<group_id>")
def change_group(group_id: str) -> ResponseReturnValue:
    """Change a group, or show the form again with what is wrong."""
    instant = now()
    with reading() as db:
        there = grouping.group(db, group_id)
    form = _sent(there)
    try:
        with writing() as db:
            tree = units.tree(db, today=local_day(instant))
            # Members that belong nowhere today cannot be shown, so they are kept.
            unseen = tuple(one for one in there.clusters if one not in tree.clusters)
            grouping.change_group(
                db,
                group_id,
                name=form.name,
                clusters=(*_clusters(form, tree), *unseen),
                version=form.version,
                lie_over=request.form.get("lie_over") == "yes",
                now=instant,
                actor=actor(),
            )
    except WideningRefusedError as refused:
        return _page(form, refused.findings, offers=refused.offers), 409
    except GroupRefusedError as refused:
        changed = any(finding.code == "group-changed" for finding in refused.findings)
        return _page(form, refused.findings), 409 if changed else 422
    return redirect(url_for("groups.groups", done="changed"), 303)


@pages.post("/groups/<group_id>/delete")
def delete_group(group_id: str) -> ResponseReturnValue:
    """Forget a group, or say what still targets it."""
    try:
        with writing() as db:
            grouping.delete_group(db, group_id, now=now(), actor=actor())
    except GroupRefusedError as refused:
        with reading() as db:
            there = grouping.group(db, group_id)
        form = GroupForm(
            there.name, there.unit_id, Picked((), there.clusters), group_id, there.version
        )
        return _page(form, refused.findings), 409
    return redirect(url_for("groups.groups", done="deleted"), 303)


def _sent(there: grouping.Group | None = None) -> GroupForm:
    return GroupForm(
        request.form.get("name", "").strip(),
        request.form.get("unit_id", "") if there is None else there.unit_id,
        picked(request.form.getlist("unit"), request.form.getlist("village")),
        "" if there is None else there.group_id,
        request.form.get("version", ""),
    )


def _clusters(form: GroupForm, tree: Tree) -> tuple[str, ...]:
    found = chosen(tree, units=form.picked.units, clusters=form.picked.clusters)
    return tuple(sorted(found))


def _page(form: GroupForm, findings: Sequence[Finding], *, offers: Sequence[Offer] = ()) -> str:
    instant, person = now(), actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        demand(person, Action.ADMINISTER, tree.chain(form.unit_id) if form.unit_id else ())
        states = monitoring.overview(db, now=instant, units=tree, under=form.unit_id)
        slots = grouping.targeting(db, form.group_id) if form.group_id else []
    names = {state.cluster_id: state.name for state in states}
    shown = members(communes(states, tree, form.unit_id), form.picked, names)
    return render_template(
        "groups/group.html",
        form=form,
        findings=findings,
        unit=tree.unit(form.unit_id),
        communes=shown,
        slots=slots,
        can_lie_over=bool(offers),
        acting=acting_units(person, Action.ADMINISTER, tree),
    )
