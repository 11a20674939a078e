"""A commune's inbox: what came, taking it into the commune's own hours, declining, ordering."""

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.authority import Action, demand, may
from server.domain.bulletins import Answer
from server.domain.clashes import SlotClashError
from server.domain.errors import (
    BulletinRefusedError,
    Finding,
    SlotRefusedError,
    StaleError,
)
from server.domain.offers import Offer
from server.domain.recurrence import local_day
from server.http.context import actor, here, now, reading, writing
from server.http.offering import ways_out_of_airing
from server.http.wording import offer_sentence
from server.services import answers, inbox, ranking, units
from server.web import rule_words
from server.web.bulletins.forms import AiringForm
from server.web.bulletins.ordering import moved
from server.web.bulletins.presenters import own_stations
from server.web.formats import weekday_marks

MOST_LISTED = 100

inbox_pages = Blueprint("inbox", __name__)


@inbox_pages.get("/units/<unit_id>/inbox")
def received(unit_id: str) -> ResponseReturnValue:
    """List what was sent to a commune, and where its own priority items clash with others."""
    return render_template("bulletins/inbox.html", **_inbox(unit_id, ()))


@inbox_pages.get("/units/<unit_id>/inbox/list")
def received_list(unit_id: str) -> ResponseReturnValue:
    """Show the part of the page that changes."""
    return render_template("bulletins/inbox_list.html", **_inbox(unit_id, ()))


@inbox_pages.get("/units/<unit_id>/inbox/<bulletin_id>")
def letter(unit_id: str, bulletin_id: str) -> ResponseReturnValue:
    """Show one bulletin, and the forms to take or decline it."""
    return _letter(unit_id, bulletin_id, None, ())


@inbox_pages.post("/units/<unit_id>/inbox/<bulletin_id>/take")
def take(unit_id: str, bulletin_id: str) -> ResponseReturnValue:
    """Take it into the commune's own hours, or show the form again with what is wrong."""
    form = AiringForm.sent(request.form)
    airing, findings = form.parsed()
    if airing is None:
        return _letter(unit_id, bulletin_id, form, findings), 422
    try:
        with ways_out_of_airing(bulletin_id, unit_id, airing), writing() as db:
            answers.take(
                db,
                bulletin_id,
                unit_id,
                airing,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
    except SlotClashError as refused:
        return _letter(unit_id, bulletin_id, form, refused.findings, ways=refused.offers), 409
    except (BulletinRefusedError, SlotRefusedError) as refused:
        return _letter(unit_id, bulletin_id, form, refused.findings), 422
    return redirect(url_for("inbox.received", unit_id=unit_id), 303)


@inbox_pages.post("/units/<unit_id>/inbox/<bulletin_id>/decline")
def decline(unit_id: str, bulletin_id: str) -> ResponseReturnValue:
    """Decline it with a reason."""
    form = AiringForm.sent(request.form)
    try:
        with writing() as db:
            answers.decline(db, bulletin_id, unit_id, reason=form.reason, now=now(), actor=actor())
    except BulletinRefusedError as refused:
        return _letter(unit_id, bulletin_id, None, refused.findings, form.reason), 422
    return redirect(url_for("inbox.received", unit_id=unit_id), 303)


@inbox_pages.post("/units/<unit_id>/inbox/order")
def order(unit_id: str) -> ResponseReturnValue:
    """Put clashing priority items into the order that was asked for."""
    seen = request.form.getlist("seen")
    wanted = moved(request.form.getlist("claim"), request.form.get("up"), request.form.get("down"))
    try:
        with writing() as db:
            ranking.order(
                db,
                unit_id,
                wanted,
                seen=seen,
                now=now(),
                actor=actor(),
                keyring=here().keyring,
                plan_days=here().settings.plan_days,
            )
    except StaleError:
        shown = _inbox(unit_id, [Finding("order-changed")])
        return render_template("bulletins/inbox.html", **shown), 409
    except BulletinRefusedError as refused:
        return render_template("bulletins/inbox.html", **_inbox(unit_id, refused.findings)), 422
    return redirect(url_for("inbox.received", unit_id=unit_id, _anchor="clashes"), 303)


def _inbox(unit_id: str, findings: Sequence[Finding]) -> dict[str, object]:
    person, instant = actor(), now()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        chain = tree.chain(unit_id)
        demand(person, Action.VIEW, chain)
        found = inbox.received(db, unit_id, now=instant, limit=MOST_LISTED)
        clashes = ranking.clashes_at(
            db, unit_id, units=tree, now=instant, days=here().settings.plan_days
        )
    return {
        "unit": tree.unit(unit_id),
        "tree": tree,
        "findings": findings,
        "waiting": [one for one in found if one.standing is Answer.WAITING],
        "others": [one for one in found if one.standing is not Answer.WAITING],
        "clashes": clashes,
        "stations": own_stations(person, tree),
        "may_answer": may(person, Action.SCHEDULE, chain[-1:]),
        "coming_words": rule_words.coming_words,
    }


def _letter(
    unit_id: str,
    bulletin_id: str,
    form: AiringForm | None,
    findings: Sequence[Finding],
    reason: str = "",
    ways: Sequence[Offer] = (),
) -> str:
    person, instant = actor(), now()
    with reading() as db:
        tree = units.tree(db, today=local_day(instant))
        chain = tree.chain(unit_id)
        demand(person, Action.VIEW, chain)
        one = inbox.find(db, bulletin_id, unit_id, now=instant)
        waits = one.standing is Answer.WAITING and may(person, Action.SCHEDULE, chain[-1:])
        if form is None and waits:
            opening = inbox.suggested(
                db, unit_id, one.length_s, now=instant, plan_days=here().settings.plan_days
            )
            form = AiringForm.suggested(opening)
    return render_template(
        "bulletins/letter.html",
        unit=tree.unit(unit_id),
        tree=tree,
        one=one,
        form=form,
        reason=reason,
        findings=findings,
        ways=[(f"{way.local_start:%H:%M:%S}", offer_sentence(way)) for way in ways],
        waits=waits,
        marks=weekday_marks(),
        coming_words=rule_words.coming_words,
    )
