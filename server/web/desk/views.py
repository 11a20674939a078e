"""The desk on a big screen and as a list, taking changes back, copying, and the question why."""

from collections.abc import Callable

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from server.domain.authority import Action, Actor, may
from server.domain.errors import DeskRefusedError, Finding, SlotRefusedError, StaleError
from server.domain.recurrence import local_day
from server.domain.units import Tree
from server.http.context import actor, here, now, reading, writing
from server.http.why_words import absence_sentence, why_sentence
from server.services import copies, desk_changes, monitoring, units, why
from server.services import desk as desks
from server.services.slot_hand import Hand
from server.store.models import SlotChangeRow
from server.web.desk.forms import CopyForm, asked_instant
from server.web.desk.presenters import (
    SPANS,
    Days,
    known_units,
    level_words,
    listed,
    script_words,
    shown_rows,
)
from server.web.fields import parsed_day
from server.web.formats import weekday_names
from server.web.frames.presenters import level_names

pages = Blueprint("desk", __name__)


@pages.get("/desk")
def desk() -> ResponseReturnValue:
    """Show some days of all that the person may see, or of one unit."""
    return render_template("desk/desk.html", **_desk())


@pages.post("/desk/undo")
def turn_back() -> ResponseReturnValue:
    """Take the person's last change back."""
    return _turned(desk_changes.undo)


@pages.post("/desk/redo")
def turn_forward() -> ResponseReturnValue:
    """Do again what the person took back last."""
    return _turned(desk_changes.redo)


@pages.get("/desk/copy")
def copy() -> ResponseReturnValue:
    """Show the form, and what the copy would make once enough is chosen."""
    form = CopyForm.sent(request.args, local_day(now()))
    return _copy_page(form, *form.wish_or_findings()), 200


@pages.post("/desk/copy")
def make_copies() -> ResponseReturnValue:
    """Make the copies, or show again what stands against them."""
    form = CopyForm.sent(request.form, local_day(now()))
    wish, findings = form.wish_or_findings()
    if wish is None:
        return _copy_page(form, None, findings), 422
    try:
        with writing() as db:
            made, _ = copies.copy(_hand(db), wish, only_free=form.only_free)
    except (SlotRefusedError, DeskRefusedError):
        return _copy_page(form, wish, ()), 409
    day = wish.to_days[0].isoformat()
    return redirect(url_for("desk.desk", day=day, span=form.span, copied=made), 303)


@pages.get("/why")
def any_why() -> ResponseReturnValue:
    """Go to the answer about the chosen cluster, or about the first one of a unit."""
    cluster_id = request.args.get("cluster", "")
    if not cluster_id:
        with reading() as db:
            tree = units.tree(db, today=local_day(now()))
        cluster_id = min(tree.clusters_under(request.args.get("unit", "")), default="")
    if not cluster_id:
        abort(404)
    day, clock, at = (request.args.get(name) for name in ("day", "time", "at"))
    address = url_for("desk.why_at", cluster_id=cluster_id, day=day, time=clock, at=at)
    return redirect(address, 303)


@pages.get("/clusters/<cluster_id>/why")
def why_at(cluster_id: str) -> ResponseReturnValue:
    """Say what a cluster sounds at an instant, and why nothing else."""
    return render_template("desk/why.html", **_why(cluster_id))


@pages.get("/clusters/<cluster_id>/why/answer")
def why_answer(cluster_id: str) -> ResponseReturnValue:
    """Show the answer alone, for a dialog."""
    return render_template("desk/why_answer.html", **_why(cluster_id))


def _desk(findings: tuple[Finding, ...] = ()) -> dict[str, object]:
    instant, person, days = now(), actor(), _days()
    opened = frozenset(request.args.get("open", "").split(",")) - {""}
    only = request.args.get("unit", "")
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        roots = desks.seen_roots(person, tree)
        rows = [only] if only in tree.units else shown_rows(tree, roots, opened)
        shown = desks.feed(
            db,
            rows[: desks.MOST_UNITS],
            start=days.start,
            until=days.until,
            actor=person,
            now=instant,
            units=tree,
        )
        names = level_names(db)
        back = desk_changes.undoable(db, person)
        forward = desk_changes.redoable(db, person)
    return {
        "days": days,
        "view": "list" if request.args.get("view") == "list" else "timeline",
        "only": only,
        "opened": ",".join(sorted(opened & tree.units.keys())),
        "known": known_units(tree, roots),
        "listed": listed(shown),
        "level_names": names,
        "levels": list(level_words(names)),
        "weekday_names": weekday_names(),
        "script_words": script_words(),
        "today": local_day(instant),
        "may_change": _may_change_some(person, tree),
        "undoable": back.title if back else "",
        "redoable": forward.title if forward else "",
        "findings": findings,
        "copied": request.args.get("copied", type=int),
    }


def _turned(turn: Callable[[Hand], SlotChangeRow]) -> ResponseReturnValue:
    try:
        with writing() as db:
            turn(_hand(db))
    except (SlotRefusedError, DeskRefusedError) as refused:
        return render_template("desk/desk.html", **_desk(refused.findings)), 409
    except StaleError:
        stale = (Finding("changed-meanwhile"),)
        return render_template("desk/desk.html", **_desk(stale)), 409
    return redirect(_back(), 303)


def _back() -> str:
    asked = request.form.get("back", "")
    home = url_for("desk.desk")
    return asked if asked.startswith(f"{home}?") else home


def _hand(db: Session) -> Hand:
    return Hand(db, now(), actor(), here().keyring, here().settings.plan_days)


def _days() -> Days:
    span = request.args.get("span", "day")
    chosen = parsed_day(request.args.get("day", "")) or local_day(now())
    return Days(span if span in SPANS else "day", chosen)


def _may_change_some(person: Actor, tree: Tree) -> bool:
    return any(may(person, Action.SCHEDULE, tree.chain(unit_id)) for unit_id in tree.units)


def _copy_page(form: CopyForm, wish: copies.Wish | None, findings: tuple[Finding, ...]) -> str:
    instant, person = now(), actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        able = [
            unit
            for unit_id, unit in tree.units.items()
            if may(person, Action.SCHEDULE, tree.chain(unit_id))
        ]
        seen = [tree.unit(one[0]) for one in known_units(tree, desks.seen_roots(person, tree))]
        draft = None
        if wish is not None:
            try:
                draft = copies.draft(db, wish, actor=person, now=instant)
            except DeskRefusedError as refused:
                findings = refused.findings
        partly = [line.clusters for line in draft.lines if not line.is_whole] if draft else []
        names = monitoring.names(db, frozenset[str]().union(*partly))
    return render_template(
        "desk/copy.html",
        form=form,
        draft=draft,
        findings=findings if form.is_sent else (),
        seen=seen,
        able=able,
        tree=tree,
        named=lambda clusters: ", ".join(sorted({names[one] for one in clusters})),
        today=local_day(instant),
    )


def _why(cluster_id: str) -> dict[str, object]:
    instant = now()
    at = asked_instant(request.args, instant)
    with reading() as db:
        said = why.answer(db, cluster_id, at=at, actor=actor(), now=instant)
        tree = units.tree(db, today=local_day(at))
        states = monitoring.overview(db, now=instant, units=tree, under=said.unit_id)
    names = {state.cluster_id: f"{state.village} · {state.name}" for state in states}
    return {
        "said": said,
        "tree": tree,
        "at": at,
        "why_sentence": why_sentence,
        "absence_sentence": absence_sentence,
        "cluster_id": cluster_id,
        "name": names[cluster_id],
        "clusters": names,
    }
