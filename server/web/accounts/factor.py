"""One's own account: the second factor is set up, proven, changed and removed here."""

import io
from collections.abc import Sequence

import segno
from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from flask import url_for as address_of
from flask.typing import ResponseReturnValue
from flask_security import current_user

from server.domain.errors import FactorRefusedError, Finding, TooOftenError
from server.http.context import actor, here, now, reading, writing
from server.http.pacing import password_try
from server.http.person import by_script
from server.http.problems import as_json, problem_of
from server.http.proving import is_proven, prove, remember
from server.services import factors
from server.services.passwords import is_password

pages = Blueprint("factor", __name__)


@pages.get("/account")
def account() -> ResponseReturnValue:
    """Show one's own account."""
    return _page(())


@pages.post("/account/factor/begin")
def begin() -> ResponseReturnValue:
    """Begin to set up a second factor, or another one."""
    _demand_owner()
    with writing() as db:
        factors.begin(db, current_user.id, keyring=here().keyring)
    return redirect(address_of("factor.account", _anchor="set-up"), 303)


@pages.get("/account/factor.svg")
def picture() -> ResponseReturnValue:
    """Draw what an authenticator app reads with its camera."""
    _demand_factor()
    with reading() as db:
        secret = factors.pending(db, current_user, keyring=here().keyring)
    drawn = io.BytesIO()
    segno.make(secret.to_uri(), error="m").save(drawn, kind="svg", scale=5, border=4, light="white")
    answer = Response(drawn.getvalue(), mimetype="image/svg+xml")
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.post("/account/factor/confirm")
def confirm() -> ResponseReturnValue:
    """Take it into use with its first code, and show the recovery codes, once."""
    _demand_factor()
    code = request.form.get("code", "")
    with writing() as db:
        made = factors.confirm(
            db, current_user, code, now=now(), keyring=here().keyring, actor=actor()
        )
    remember()
    return _codes_page(made)


@pages.post("/account/factor/prove")
def show_code() -> ResponseReturnValue:
    """Prove it, for the next minutes; asked in place by the urgent page, or on this one."""
    prove(request.form.get("code", ""))
    remember()
    if by_script():
        return jsonify(fresh_min=here().settings.factor_fresh_min)
    return redirect(address_of("factor.account"), 303)


@pages.post("/account/factor/codes")
def codes() -> ResponseReturnValue:
    """Make new recovery codes; the old ones are worth nothing any more."""
    _demand_owner()
    with writing() as db:
        made = factors.new_codes(db, current_user, now=now(), actor=actor())
    return _codes_page(made)


@pages.post("/account/factor/remove")
def remove() -> ResponseReturnValue:
    """Do without a second factor."""
    _demand_owner()
    with writing() as db:
        factors.remove(db, current_user, now=now(), actor=actor())
    return redirect(address_of("factor.account"), 303)


@pages.errorhandler(FactorRefusedError)
@pages.errorhandler(TooOftenError)
def _told(refused: FactorRefusedError | TooOftenError) -> ResponseReturnValue:
    problem = problem_of(refused)
    if by_script():
        return as_json(problem)
    return _page(refused.findings), problem.status, dict(problem.headers)


def _demand_owner() -> None:
    """Go on only when whoever holds this browser knows the password, and has the factor there is.

    Raises:
        FactorRefusedError: The password is wrong, or the factor was not proven lately.
        TooOftenError: Too many passwords were wrong.
    """
    with password_try():
        if not is_password(request.form.get("password", ""), current_user.password or ""):
            raise FactorRefusedError([Finding("wrong-own-password")])
    _demand_factor()


def _demand_factor() -> None:
    """Go on only when the factor that there is was proven lately.

    What its owner has begun to set up and left lying must not be finished by somebody else.

    Raises:
        FactorRefusedError: It was not.
    """
    with reading() as db:
        known = factors.standing(db, current_user.id)
    if known.has_factor and not is_proven(now()):
        raise FactorRefusedError([Finding("prove-first")])


def _page(findings: Sequence[Finding]) -> str:
    with reading() as db:
        known = factors.standing(db, current_user.id)
        proven = known.has_factor and is_proven(now())
        shows_begun = known.is_begun and (proven or not known.has_factor)
        secret = factors.pending(db, current_user, keyring=here().keyring) if shows_begun else None
    return render_template(
        "accounts/account.html",
        known=known,
        key=secret.pretty_key() if secret else "",
        proven=proven,
        fresh_min=here().settings.factor_fresh_min,
        findings=findings,
    )


def _codes_page(made: Sequence[str]) -> Response:
    page = make_response(render_template("accounts/recovery_codes.html", codes=made))
    page.headers["Cache-Control"] = "no-store"
    return page
