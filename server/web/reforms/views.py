"""The steps of a reform's draft: the day, new units, units that change, and where they go."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.authority import Action
from server.domain.errors import Finding, ReformRefusedError, UnknownThingError
from server.domain.recurrence import local_day
from server.domain.reforms import Ground, Proposal, Way
from server.http.context import actor, here, now, reading, writing
from server.services import framing, reform_ground, reforming, units
from server.services.country import country
from server.store.models import ReformRow
from server.web.fields import parsed_day
from server.web.reforms import forms
from server.web.reforms.presenters import choices, names, villages, way_entries
from server.web.targets import acting_units

pages = Blueprint("reforms", __name__)

Change = Callable[[Proposal], tuple[Proposal, Sequence[Finding]]]


@pages.get("/reforms")
def reforms() -> ResponseReturnValue:
    """List reforms and drafts, and ask for a new one."""
    return _list_page({}, ())


@pages.post("/reforms")
def start() -> ResponseReturnValue:
    """Keep a new draft, empty or as the mapping of July 2025 proposes."""
    day, instant, person = parsed_day(request.form.get("valid_from", "")), now(), actor()
    if day is None:
        return _list_page(request.form, [Finding("bad-day", {"at": "valid_from"})]), 422
    under = request.form.get("under", "")
    try:
        with writing() as db:
            proposal = Proposal(
                request.form.get("title", "").strip(),
                day,
                under,
                request.form.get("legal_reference", "").strip(),
            )
            if request.form.get("propose") == "yes":
                found = reforming.propose_july_2025(
                    db, country(), under=under, valid_from=day, now=instant, actor=person
                )
                proposal = Proposal(
                    proposal.title or found.title,
                    day,
                    under,
                    proposal.legal_reference or found.legal_reference,
                    found.born,
                    found.ways,
                )
            row = reforming.start(db, proposal, now=instant, actor=person)
    except ReformRefusedError as refused:
        return _list_page(request.form, refused.findings), 422
    return redirect(url_for("reforms.reform", reform_id=row.reform_id), 303)


@pages.get("/reforms/<reform_id>")
def reform(reform_id: str) -> ResponseReturnValue:
    """Show a draft to go on with, with what is wrong if asked, or what was approved."""
    return _plan_page(reform_id, _wrong(reform_id) if "checked" in request.args else ())


@pages.post("/reforms/<reform_id>/basics")
def save_basics(reform_id: str) -> ResponseReturnValue:
    """Change title, day or legal reference."""
    return _changed(reform_id, lambda before: forms.basics(before, request.form))


@pages.post("/reforms/<reform_id>/born")
def add_born(reform_id: str) -> ResponseReturnValue:
    """Add a new unit."""
    return _changed(reform_id, lambda before: forms.with_born(before, request.form))


@pages.post("/reforms/<reform_id>/born/<unit_id>/remove")
def remove_born(reform_id: str, unit_id: str) -> ResponseReturnValue:
    """Take a new unit out again."""
    return _changed(reform_id, lambda before: (forms.without_born(before, unit_id), ()))


@pages.post("/reforms/<reform_id>/units")
def add_units(reform_id: str) -> ResponseReturnValue:
    """Add units that change."""
    chosen = request.form.getlist("unit")
    return _changed(reform_id, lambda before: (forms.with_units(before, chosen), ()))


@pages.post("/reforms/<reform_id>/units/<unit_id>/remove")
def remove_unit(reform_id: str, unit_id: str) -> ResponseReturnValue:
    """Leave a unit as it is after all."""
    return _changed(reform_id, lambda before: (forms.without_unit(before, unit_id), ()))


@pages.get("/reforms/<reform_id>/units/<unit_id>")
def way(reform_id: str, unit_id: str) -> ResponseReturnValue:
    """Ask where the clusters of one unit go, and all that is its."""
    instant = now()
    with reading() as db:
        row = reforming.find(db, reform_id, now=instant, actor=actor())
        proposal = reforming.asked(row)
        ground = reform_ground.ground(db, valid_from=proposal.valid_from, now=instant)
    found = next((one for one in proposal.ways if one.unit_id == unit_id), None)
    if found is None:
        raise UnknownThingError("unit", unit_id)
    return render_template(
        "reforms/way.html",
        row=row,
        way=found,
        **_way_facts(ground, proposal, found),
    )


@pages.post("/reforms/<reform_id>/units/<unit_id>")
def save_way(reform_id: str, unit_id: str) -> ResponseReturnValue:
    """Keep what becomes of one unit."""
    return _changed(reform_id, lambda before: (forms.with_way(before, unit_id, request.form), ()))


@pages.post("/reforms/<reform_id>/discard")
def discard(reform_id: str) -> ResponseReturnValue:
    """Forget a draft."""
    with writing() as db:
        reforming.discard(db, reform_id, now=now(), actor=actor())
    return redirect(url_for("reforms.reforms"), 303)


@pages.post("/reforms/<reform_id>/cancel")
def cancel(reform_id: str) -> ResponseReturnValue:
    """Take an approval back before the day; it is a draft again."""
    try:
        with writing() as db:
            reforming.cancel(db, reform_id, now=now(), actor=actor())
    except ReformRefusedError as refused:
        return _plan_page(reform_id, refused.findings), 409
    return redirect(url_for("reforms.reform", reform_id=reform_id), 303)


def version_sent() -> int:
    """Read which version of the draft the form was made from."""
    text = request.form.get("version", "")
    return int(text) if text.isdecimal() and len(text) < len("1000000000") else 0


def _changed(reform_id: str, change: Change) -> ResponseReturnValue:
    """Change a draft and go back to it, or show it with what is wrong."""
    instant, person = now(), actor()
    try:
        with writing() as db:
            row = reforming.find(db, reform_id, now=instant, actor=person)
            proposal, findings = change(reforming.asked(row))
            if not findings:
                reforming.save(
                    db, reform_id, proposal, version=version_sent(), now=instant, actor=person
                )
    except ReformRefusedError as refused:
        findings = refused.findings
    if findings:
        return _plan_page(reform_id, findings), 422
    return redirect(url_for("reforms.reform", reform_id=reform_id), 303)


def _wrong(reform_id: str) -> Sequence[Finding]:
    """Examine a draft; of what was approved there is nothing to say."""
    instant, person = now(), actor()
    with reading() as db:
        row = reforming.find(db, reform_id, now=instant, actor=person)
        if row.approved_at is not None:
            return ()
        proposal = reforming.asked(row)
        return reforming.examine(
            db, proposal, now=instant, actor=person, keyring=here().keyring
        ).findings


def _plan_page(reform_id: str, findings: Sequence[Finding]) -> str:
    instant = now()
    with reading() as db:
        row = reforming.find(db, reform_id, now=instant, actor=actor())
        proposal = reforming.asked(row)
        ground = reform_ground.ground(db, valid_from=proposal.valid_from, now=instant)
        levels = framing.levels(db)
    if row.approved_at is not None:
        return _done_page(row, proposal, ground, findings)
    called = names(ground, proposal)
    mine = {one.unit_id for one in proposal.ways}
    under = ground.tree.subtree(proposal.under) if proposal.under in ground.tree.units else ()
    others = [one for one in under if one != proposal.under and one not in mine]
    return render_template(
        "reforms/plan.html",
        row=row,
        proposal=proposal,
        findings=findings,
        names=called,
        ways=way_entries(ground, proposal, called),
        others=sorted((ground.tree.unit(one) for one in others), key=lambda unit: unit.name),
        tree=ground.tree,
        parents=choices(ground, proposal),
        levels=[level for level in levels if level.rank > _rank(ground, proposal.under)],
        sent=request.form,
    )


def _done_page(
    row: ReformRow, proposal: Proposal, ground: Ground, findings: Sequence[Finding]
) -> str:
    called = names(ground, proposal)
    with reading() as db:
        known = units.unit_names(db)
    return render_template(
        "reforms/done.html",
        row=row,
        proposal=proposal,
        known=known,
        names=called,
        findings=findings,
        can_be_cancelled=reforming.can_be_cancelled(row, now()),
    )


def _way_facts(ground: Ground, proposal: Proposal, found: Way) -> dict[str, object]:
    called = names(ground, proposal)
    tree = ground.tree
    return {
        "proposal": proposal,
        "name": called.unit(found.unit_id),
        "clusters": len(tree.own_clusters(found.unit_id)),
        "children": [tree.unit(child).name for child in tree.children(found.unit_id)],
        "choices": choices(ground, proposal),
        "villages": villages(ground, found.unit_id),
        "told": {one.village: one.to for one in found.villages},
    }


def _rank(ground: Ground, unit_id: str) -> int:
    return ground.tree.unit(unit_id).level_rank if unit_id in ground.tree.units else 0


def _list_page(sent: object, findings: Sequence[Finding]) -> str:
    instant, person = now(), actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        rows = reforming.listed(db, actor=person, units=tree)
    above = [
        unit
        for unit in acting_units(person, Action.ADMINISTER, tree)
        if tree.children(unit.unit_id)
    ]
    return render_template(
        "reforms/list.html",
        rows=rows,
        above=above,
        tree=tree,
        sent=sent,
        findings=findings,
        tomorrow=local_day(instant) + timedelta(days=1),
    )
