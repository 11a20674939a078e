"""Bulletins of the units that send them: list, write, approve, send, and what became of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from server.domain.authority import Action, demand, may, seen_units
from server.domain.bulletins import Act, Answer, State, allowed
from server.domain.errors import (
    BroadcastRefusedError,
    BulletinRefusedError,
    Finding,
    NotAllowedError,
    RefusedRequestError,
    SlotRefusedError,
    StaleError,
)
from server.domain.recurrence import local_day
from server.domain.units import Tree, Unit
from server.http.context import actor, here, now, reading, writing
from server.http.sending import way
from server.services import bulletin_results, bulletins, catalogue, inbox, sending, units
from server.store.models import BulletinRow
from server.store.queries import lists
from server.web.bulletins.forms import SEVERITIES, BulletinForm, whole
from server.web.bulletins.presenters import addressees, may_do, own_stations, senders
from server.web.dashboard.presenters import plain
from server.web.targets import acting_units

MOST_LISTED = 200
REFUSED = (BulletinRefusedError, SlotRefusedError, BroadcastRefusedError)

pages = Blueprint("bulletins", __name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the small forms of the detail page send."""

    version: int
    reason: str


@pages.get("/bulletins")
def listed() -> ResponseReturnValue:
    """List bulletins; whoever only receives some goes straight to their inbox."""
    person, instant = actor(), now()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        stations = own_stations(person, tree)
        able = senders(person, tree)
        rows = lists.recent_bulletins(db, units=seen_units(person, tree), limit=MOST_LISTED)
        waiting = {
            one.unit_id: inbox.unanswered(db, [one.unit_id], now=instant) for one in stations
        }
        lives = {row.bulletin_id: bulletins.life_of(row) for row in rows}
    if stations and not able and not rows:
        return redirect(url_for("inbox.received", unit_id=stations[0].unit_id), 303)
    wanted = request.args.get("state", "")
    for_me = [
        row
        for row in rows
        if Act.APPROVE in allowed(lives[row.bulletin_id], person.name)
        and row.unit_id in tree.units
        and may(person, Action.APPROVE, tree.chain(row.unit_id))
    ]
    return render_template(
        "bulletins/list.html",
        rows=[row for row in rows if not wanted or row.state == wanted],
        for_me=for_me,
        stations=stations,
        waiting=waiting,
        senders=able,
        tree=tree,
        chosen=wanted,
        states=[state.value for state in State],
    )


@pages.get("/bulletins/new")
def new_bulletin() -> ResponseReturnValue:
    """Show the empty form, for the unit that was asked for or the person's own."""
    with reading() as db:
        able = senders(actor(), units.tree(db, today=local_day(now())))
    if not able:
        raise NotAllowedError(Action.SCHEDULE.value, "*")
    unit_id = request.args.get("unit") or able[0].unit_id
    return _form_page(BulletinForm.fresh(unit_id, now()), ())


@pages.post("/bulletins/new")
def compose() -> ResponseReturnValue:
    """Keep a draft, and ask for its approval if that button was used."""
    form = BulletinForm.sent(request.form.get("unit_id", ""), request.form)
    new, findings = form.parsed()
    if new is None:
        return _form_page(form, findings), 422
    try:
        with writing() as db:
            row = bulletins.compose(db, new, now=now(), actor=actor())
            _submit_if_asked(db, row)
    except BulletinRefusedError as refused:
        return _form_page(form, refused.findings), 422
    return redirect(url_for("bulletins.bulletin", bulletin_id=row.bulletin_id), 303)


@pages.get("/bulletins/<bulletin_id>/edit")
def edit_form(bulletin_id: str) -> ResponseReturnValue:
    """Show what is there, to be written anew."""
    with reading() as db:
        row = lists.bulletin(db, bulletin_id)
    return _form_page(BulletinForm.of(row), (), bulletin_id)


@pages.post("/bulletins/<bulletin_id>/edit")
def edit(bulletin_id: str) -> ResponseReturnValue:
    """Keep a new version; whatever was approved is not approved any more."""
    with reading() as db:
        unit_id = lists.bulletin(db, bulletin_id).unit_id
    form = BulletinForm.sent(unit_id, request.form)
    new, findings = form.parsed()
    if new is None:
        return _form_page(form, findings, bulletin_id), 422
    try:
        with writing() as db:
            row = bulletins.edit(
                db, bulletin_id, new, version=form.version, now=now(), actor=actor()
            )
            _submit_if_asked(db, row)
    except BulletinRefusedError as refused:
        return _form_page(form, refused.findings, bulletin_id), 422
    except StaleError:
        return _form_page(form, [Finding("edited-meanwhile")], bulletin_id), 409
    return redirect(url_for("bulletins.bulletin", bulletin_id=bulletin_id), 303)


@pages.get("/bulletins/<bulletin_id>")
def bulletin(bulletin_id: str) -> ResponseReturnValue:
    """Show a bulletin, its history, and what became of it."""
    return render_template("bulletins/bulletin.html", **_bulletin(bulletin_id, ()))


@pages.get("/bulletins/<bulletin_id>/state")
def bulletin_state(bulletin_id: str) -> ResponseReturnValue:
    """Show the part of the page that changes."""
    return render_template("bulletins/state.html", **_bulletin(bulletin_id, ()))


@pages.post("/bulletins/<bulletin_id>/submit")
def submit(bulletin_id: str) -> ResponseReturnValue:
    """Ask for approval."""
    return _done(
        bulletin_id,
        lambda db, asked: bulletins.submit(
            db, bulletin_id, version=asked.version, now=now(), actor=actor()
        ),
    )


@pages.post("/bulletins/<bulletin_id>/approve")
def approve(bulletin_id: str) -> ResponseReturnValue:
    """Approve the version that was shown."""
    return _done(
        bulletin_id,
        lambda db, asked: bulletins.approve(
            db, bulletin_id, version=asked.version, now=now(), actor=actor()
        ),
    )


@pages.post("/bulletins/<bulletin_id>/return")
def send_back(bulletin_id: str) -> ResponseReturnValue:
    """Return it to its authors with a reason."""
    return _done(
        bulletin_id,
        lambda db, asked: bulletins.send_back(
            db,
            bulletin_id,
            version=asked.version,
            reason=asked.reason,
            now=now(),
            actor=actor(),
        ),
    )


@pages.post("/bulletins/<bulletin_id>/send")
def send(bulletin_id: str) -> ResponseReturnValue:
    """Send it; a second time is the same sending."""
    return _done(
        bulletin_id,
        lambda db, asked: sending.send(db, bulletin_id, version=asked.version, way=way()),
    )


@pages.post("/bulletins/<bulletin_id>/withdraw")
def withdraw(bulletin_id: str) -> ResponseReturnValue:
    """Call it back for good."""
    return _done(
        bulletin_id,
        lambda db, asked: sending.withdraw(db, bulletin_id, version=asked.version, way=way()),
    )


def _done(bulletin_id: str, deed: Callable[[Session, _Asked], BulletinRow]) -> ResponseReturnValue:
    """Do one thing and go back to the page; or show it again with what stands against it."""
    asked = _Asked(whole(request.form.get("version", "")), request.form.get("reason", ""))
    try:
        with writing() as db:
            deed(db, asked)
    except REFUSED as refused:
        shown = _bulletin(bulletin_id, _findings(refused))
        return render_template("bulletins/bulletin.html", **shown), 422
    except StaleError:
        shown = _bulletin(bulletin_id, [Finding("edited-meanwhile")])
        return render_template("bulletins/bulletin.html", **shown), 409
    return redirect(url_for("bulletins.bulletin", bulletin_id=bulletin_id), 303)


def _findings(refused: RefusedRequestError) -> Sequence[Finding]:
    return refused.findings


def _submit_if_asked(db: Session, row: BulletinRow) -> None:
    if request.form.get("then") == "submit":
        bulletins.submit(db, row.bulletin_id, version=row.version, now=now(), actor=actor())


def _bulletin(bulletin_id: str, findings: Sequence[Finding]) -> dict[str, object]:
    person, instant = actor(), now()
    with reading() as db:
        row = lists.bulletin(db, bulletin_id)
        tree = units.tree(db, today=local_day(instant))
        demand(person, Action.VIEW, tree.chain(row.unit_id))
        report = bulletin_results.report(
            db, row, units=tree, seen=seen_units(person, tree), now=instant
        )
        asset = lists.asset(db, row.asset_digest) if row.asset_digest else None
    wanted = request.args.get("answer", "")
    return {
        "row": row,
        "unit": tree.unit(row.unit_id),
        "tree": tree,
        "findings": findings,
        "asset": asset,
        "addressed": addressees(row, tree),
        "report": report,
        "lines": sorted(
            (line for line in report.lines if not wanted or line.standing == wanted),
            key=lambda line: plain(line.unit_name),
        ),
        "chosen": wanted,
        "answers": [answer for answer in Answer if report.counts[answer]],
        "may_do": may_do(row, person, tree),
    }


def _form_page(form: BulletinForm, findings: Sequence[Finding], bulletin_id: str = "") -> str:
    person = actor()
    with reading() as db:
        tree = units.tree(db, today=local_day(now()))
        chain = tree.chain(form.unit_id)
        demand(person, Action.SCHEDULE, chain)
        assets = catalogue.usable_assets(db, chain=chain)
    below = sorted(
        bulletins.stations(tree, form.unit_id, [form.unit_id]),
        key=lambda one: plain(tree.unit(one).name),
    )
    return render_template(
        "bulletins/form.html",
        form=form,
        findings=findings,
        bulletin_id=bulletin_id,
        unit=tree.unit(form.unit_id),
        acting=_able(tree),
        communes=[tree.unit(one) for one in below],
        clusters={one: len(tree.own_clusters(one)) for one in below},
        assets=[asset for asset in assets if asset.purpose not in catalogue.PIECES],
        chosen=next((asset for asset in assets if asset.digest == form.asset_digest), None),
        severities=SEVERITIES,
        plan_days=here().settings.plan_days,
    )


def _able(tree: Tree) -> list[Unit]:
    person = actor()
    able = {one.unit_id for one in senders(person, tree)}
    return [one for one in acting_units(person, Action.SCHEDULE, tree) if one.unit_id in able]
