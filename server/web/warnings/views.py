"""The library of prepared warnings: list, one with its words and recordings."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.authority import Action, demand, may
from server.domain.errors import NotAllowedError
from server.domain.languages import NAMES
from server.domain.recurrence import local_day
from server.http import voicing
from server.http.context import actor, here, now, reading, writing
from server.services import configuring, units, warning_sounds
from server.web.targets import acting_units

pages = Blueprint("warnings", __name__)


@pages.get("/warnings")
def warnings() -> ResponseReturnValue:
    """List the warnings, as the unit that was asked for has them."""
    unit_id = _asked_unit()
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
        demand(actor(), Action.VIEW, tree.chain(unit_id))
        shown = warning_sounds.shown(db, unit_id, engine=_engine(), now=now())
    return render_template(
        "warnings/list.html",
        shown=shown,
        unit=tree.unit(unit_id),
        acting=acting_units(actor(), Action.VIEW, tree),
        language_names=NAMES,
    )


@pages.get("/warnings/<code>")
def warning(code: str) -> ResponseReturnValue:
    """Show what a warning says, and its recordings."""
    unit_id = _asked_unit()
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
        chain = tree.chain(unit_id)
        demand(actor(), Action.VIEW, chain)
        (one,) = warning_sounds.shown(db, unit_id, engine=_engine(), now=now(), codes=(code,))
    return render_template(
        "warnings/one.html",
        one=one,
        unit=tree.unit(unit_id),
        acting=acting_units(actor(), Action.VIEW, tree),
        language_names=NAMES,
        may_record=may(actor(), Action.UPLOAD, chain),
        done=request.args.get("done", ""),
    )


@pages.post("/warnings/<code>/prepare")
def prepare(code: str) -> ResponseReturnValue:
    """Have the unit's nodes keep what a warning says every time."""
    unit_id = request.form.get("unit_id", "")
    voicing.prepare(voicing.booth(), unit_id, code)
    _tell_nodes(unit_id)
    return _back(code, unit_id, "prepared")


@pages.post("/warnings/<code>/recordings")
def record(code: str) -> ResponseReturnValue:
    """Use an uploaded file as the warning in another language."""
    unit_id = request.form.get("unit_id", "")
    with writing() as db:
        warning_sounds.record(
            db,
            unit_id=unit_id,
            code=code,
            language=request.form.get("language", ""),
            digest=request.form.get("asset_digest", ""),
            now=now(),
            actor=actor(),
        )
    _tell_nodes(unit_id)
    return _back(code, unit_id, "recorded")


@pages.post("/warnings/<code>/recordings/<language>/forget")
def forget(code: str, language: str) -> ResponseReturnValue:
    """Take the unit's own recording away."""
    unit_id = request.form.get("unit_id", "")
    with writing() as db:
        warning_sounds.forget(
            db, unit_id=unit_id, code=code, language=language, now=now(), actor=actor()
        )
    return _back(code, unit_id, "forgotten")


def _asked_unit() -> str:
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
    acting = acting_units(actor(), Action.VIEW, tree)
    if not acting:
        raise NotAllowedError(Action.VIEW.value, "*")
    return request.args.get("unit") or acting[0].unit_id


def _engine() -> str:
    return here().engines[0].name


def _tell_nodes(unit_id: str) -> None:
    with writing() as db:
        configuring.publish_due_configs(db, now=now(), keyring=here().keyring, under=unit_id)


def _back(code: str, unit_id: str, done: str) -> ResponseReturnValue:
    return redirect(url_for("warnings.warning", code=code, unit=unit_id, done=done), 303)
