"""What goes with a request to show that an announcement is meant by whoever may.

A second factor that was proven is remembered in the cookie, for the person and the log-in in which
it was; the API, which has no cookie, is given the code itself.
"""

from datetime import datetime

from flask import session
from flask_security import current_user

from server.domain.authority import Actor
from server.domain.errors import FactorRefusedError, Finding, WaitingRefusedError
from server.http.context import actor, here, now, reading, writing
from server.http.pacing import password_try, too_many
from server.http.person import person_key
from server.services import accounts, factors
from server.services.assenting import Proof

_KEY = "factor"
_LOGGED_IN = "fs_paa"
"""Flask-Security's word for when the password was typed."""


def proof(*, prefers_other: bool = False, is_fresh: bool | None = None) -> Proof:
    """Gather it.

    Args:
        prefers_other: The sender would rather have somebody else confirm.
        is_fresh: They have just proven their factor; None: as the cookie says.
    """
    with reading() as db:
        known = factors.standing(db, current_user.id)
    fresh = is_proven(now()) if is_fresh is None else is_fresh
    return Proof(known.has_factor, known.has_factor and fresh, prefers_other)


def is_proven(instant: datetime) -> bool:
    """Say whether the second factor was proven a short time ago, since the last log-in."""
    said = session.get(_KEY)
    if not isinstance(said, dict) or said.get("person") != person_key():
        return False
    age_s = instant.timestamp() - float(said["at"])
    is_of_this_login = float(said["at"]) >= float(session.get(_LOGGED_IN, 0))
    return is_of_this_login and 0 <= age_s < 60 * here().settings.factor_fresh_min


def prove(code: str) -> None:
    """Try a code of whoever is logged in.

    Raises:
        FactorRefusedError: It is wrong, or was used before.
        TooOftenError: Too many were.
    """
    with writing() as db:
        tried = factors.prove(
            db, current_user, code, now=now(), keyring=here().keyring, actor=actor()
        )
    if tried.wait_s:
        raise too_many("too-many-codes", wait_s=tried.wait_s)
    if not tried.is_proven:
        raise FactorRefusedError([Finding("wrong-code")])


def second_person(username: str, password: str) -> Actor:
    """Find who types user name and password on the phone of whoever is logged in.

    Raises:
        WaitingRefusedError: They are wrong.
        TooOftenError: Too many were, typed by whoever is logged in.
    """
    with password_try(), reading() as db:
        found = accounts.authenticated(db, username, password)
        if found is None:
            raise WaitingRefusedError([Finding("wrong-password")])
        return accounts.actor_of(found)


def remember() -> None:
    """Keep in the cookie that the second factor was proven just now."""
    session[_KEY] = {"person": person_key(), "at": now().timestamp()}
