"""The hours of a unit: the week as it is, a form to lay down more, a button to withdraw."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.authority import (
    Action,
    demand,
    demand_laying_down,
    may_lay_down,
    seen_above,
)
from server.domain.errors import Finding, FrameRefusedError, StaleError, UnknownThingError
from server.domain.recurrence import local_day
from server.domain.units import Tree, Unit
from server.http.context import actor, here, now, reading, writing
from server.services import framing, units
from server.web.formats import weekday_marks, weekday_names
from server.web.frames.forms import FrameForm
from server.web.frames.presenters import entries, level_names, week

pages = Blueprint("frames", __name__)


@pages.get("/units/<unit_id>/frames")
def frames(unit_id: str) -> ResponseReturnValue:
    """Show whose time it is in a unit's week."""
    return _page(FrameForm(unit_id), ())


@pages.post("/units/<unit_id>/frames")
def add_frame(unit_id: str) -> ResponseReturnValue:
    """Lay a frame down, or show the form again with what is wrong."""
    form = FrameForm.sent(unit_id, request.form)
    new, findings = form.parsed()
    if new is None:
        return _page(form, findings), 422
    try:
        with writing() as db:
            framing.add_frame(
                db,
                new,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                confirmed=_is_confirmed(),
                plan_days=here().settings.plan_days,
            )
    except FrameRefusedError as refused:
        return _page(form, refused.findings), _status(refused)
    return redirect(url_for("frames.frames", unit_id=unit_id), 303)


@pages.get("/units/<unit_id>/frames/<frame_id>")
def edit_frame(unit_id: str, frame_id: str) -> ResponseReturnValue:
    """Show hours as they are, to be changed."""
    with reading() as db:
        there = framing.listed(db, unit_id, actor=actor(), now=now())
    wanted = (one for one in there if one.is_own and one.frame.frame_id == frame_id)
    laid_down = next(wanted, None)
    if laid_down is None:
        raise UnknownThingError("frame", frame_id)
    return _edit_page(FrameForm.of(laid_down), frame_id, ())


@pages.post("/units/<unit_id>/frames/<frame_id>")
def change_frame(unit_id: str, frame_id: str) -> ResponseReturnValue:
    """Change hours, or show the form again with what is wrong or what would be left outside."""
    form = FrameForm.sent(unit_id, request.form)
    new, findings = form.parsed()
    if new is None:
        return _edit_page(form, frame_id, findings), 422
    try:
        with writing() as db:
            framing.change_frame(
                db,
                frame_id,
                new,
                version=form.version,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                confirmed=_is_confirmed(),
                plan_days=here().settings.plan_days,
            )
    except FrameRefusedError as refused:
        return _edit_page(form, frame_id, refused.findings), _status(refused)
    except StaleError:
        return _edit_page(form, frame_id, [Finding("changed-meanwhile")]), 409
    return redirect(url_for("frames.frames", unit_id=unit_id), 303)


@pages.post("/units/<unit_id>/frames/<frame_id>/withdraw")
def withdraw_frame(unit_id: str, frame_id: str) -> ResponseReturnValue:
    """Withdraw a frame, or ask again when slots would be left outside."""
    try:
        with writing() as db:
            row = framing.withdraw_frame(
                db,
                frame_id,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                confirmed=_is_confirmed(),
                plan_days=here().settings.plan_days,
            )
    except FrameRefusedError as refused:
        page = _page(FrameForm(unit_id), refused.findings, withdrawing=frame_id)
        return page, _status(refused)
    return redirect(url_for("frames.frames", unit_id=row.unit_id), 303)


def _is_confirmed() -> bool:
    return request.form.get("confirmed") == "yes"


def _status(refused: FrameRefusedError) -> int:
    return 409 if _strands(refused.findings) else 422


def _strands(findings: Sequence[Finding]) -> bool:
    return any(finding.code == "slots-left-outside" for finding in findings)


def _edit_page(form: FrameForm, frame_id: str, findings: Sequence[Finding]) -> str:
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
        demand_laying_down(actor(), tree.chain(form.unit_id))
        names = level_names(db)
    unit = tree.unit(form.unit_id)
    return render_template(
        "frames/frame.html",
        unit=unit,
        frame_id=frame_id,
        findings=findings,
        strands=_strands(findings),
        **_choices(form, unit, tree, names),
    )


def _choices(form: FrameForm, unit: Unit, tree: Tree, names: Mapping[int, str]) -> dict[str, Any]:
    owner = tree.units.get(form.owner_id)
    return {
        "form": form,
        # Hours may have been given to the unit's own level: they are not to lose it by being shown.
        "levels": [
            (rank, name)
            for rank, name in names.items()
            if rank > unit.level_rank or rank == form.owner_rank
        ],
        "owners": [unit] if owner is None or owner == unit else [unit, owner],
        # Nor are they to become everybody's because whose they were is no more.
        "ended_owner": form.owner_id if owner is None else "",
        "marks": weekday_marks(),
    }


def _page(form: FrameForm, findings: Sequence[Finding], withdrawing: str = "") -> str:
    person = actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
        chain = tree.chain(form.unit_id)
        if findings:
            demand_laying_down(person, chain)
        demand(person, Action.VIEW, chain)
        laid_down = framing.frames_at(db, form.unit_id, units=tree)
        names = level_names(db)
    unit = tree.unit(form.unit_id)
    return render_template(
        "frames/week.html",
        unit=unit,
        findings=findings,
        withdrawing=withdrawing,
        strands=_strands(findings),
        days=list(zip(weekday_names(), week(unit.unit_id, laid_down, tree, names), strict=False)),
        entries=entries(laid_down, tree, names),
        all_levels=list(names.items()),
        may_add=may_lay_down(person, chain),
        above=tree.units.get(seen_above(person, chain) or ""),
        **_choices(form, unit, tree, names),
    )
