"""All that a reform does, before it is done; hands for what no rule can place; approval."""

from collections.abc import Sequence

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server.domain.errors import Finding, ReformRefusedError
from server.http.context import actor, here, now, writing
from server.services import reform_ground, reforming
from server.web.reforms import forms
from server.web.reforms.presenters import candidates, choices, names, passages
from server.web.reforms.views import pages, version_sent


@pages.post("/reforms/<reform_id>/review")
def check(reform_id: str) -> ResponseReturnValue:
    """Show what a draft would do, and remember what was shown."""
    return _review_page(reform_id, ())


@pages.post("/reforms/<reform_id>/hands")
def save_hands(reform_id: str) -> ResponseReturnValue:
    """Place single clusters, end single slots, and show what the draft would do then."""
    instant, person = now(), actor()
    try:
        with writing() as db:
            row = reforming.find(db, reform_id, now=instant, actor=person)
            proposal = forms.with_hands(reforming.asked(row), request.form)
            reforming.save(
                db, reform_id, proposal, version=version_sent(), now=instant, actor=person
            )
    except ReformRefusedError as refused:
        return _review_page(reform_id, refused.findings), 409
    return _review_page(reform_id, ())


@pages.post("/reforms/<reform_id>/approve")
def approve(reform_id: str) -> ResponseReturnValue:
    """Do it, if it is still just what was shown."""
    try:
        with writing() as db:
            reforming.approve(
                db,
                reform_id,
                seen=request.form.get("seen", ""),
                now=now(),
                actor=actor(),
                keyring=here().keyring,
            )
    except ReformRefusedError as refused:
        stale = any(finding.code == "reform-stale" for finding in refused.findings)
        shown = refused.findings if stale else ()
        return _review_page(reform_id, shown), 409 if stale else 422
    return redirect(url_for("reforms.reform", reform_id=reform_id), 303)


def _review_page(reform_id: str, findings: Sequence[Finding]) -> str:
    instant, person = now(), actor()
    with writing() as db:
        verdict = reforming.look(db, reform_id, now=instant, actor=person, keyring=here().keyring)
        row = reforming.find(db, reform_id, now=instant, actor=person)
        ground = reform_ground.ground(db, valid_from=verdict.proposal.valid_from, now=instant)
    called = names(ground, verdict.proposal)
    open_choices = choices(ground, verdict.proposal)
    return render_template(
        "reforms/review.html",
        row=row,
        verdict=verdict,
        findings=[*findings, *verdict.findings],
        names=called,
        passages=passages(verdict.drawing, called),
        undecided=[
            (one, candidates(verdict, one.unit_id, open_choices))
            for one in verdict.drawing.undecided
        ],
        hands=verdict.proposal.hands,
        ended_slots=frozenset(verdict.proposal.ended_slots),
        choices=open_choices,
    )
