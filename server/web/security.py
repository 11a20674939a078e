"""Log-in, the wall behind it, forgery protection and headers.

Everything is behind the wall save what is named here; rights are decided by services, not here.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, redirect, request, url_for
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_security import (
    Security,
    SQLAlchemySessionUserDatastore,
    current_user,
    uia_username_mapper,
)
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.orm import scoped_session

from server.domain.authority import ALLOWED, Action
from server.http.context import Installation, actor, here
from server.http.person import is_another
from server.http.problems import Problem, as_json, for_program
from server.http.uploads import (
    MAX_FORM_BYTES,
    SHEET_ENDPOINTS,
    UPLOADING_ENDPOINTS,
)
from server.services import commissioning
from server.services.sheets import MAX_SHEET_BYTES
from server.web.accounts.demo import demo_logins
from server.web.accounts.people import NoRole, Person
from server.web.limiting import SCHEME

FAILED_LOGINS = "10 per minute; 60 per hour"
OPEN_ENDPOINTS = frozenset(
    {
        "static",
        "security.login",
        "security.static",
        "api.health",
        "openapi.spec",
        "accounts.language",
        "calendars.subscribed",
        "phone.manifest",
        "phone.worker",
        "phone.offline",
        "static_files.module",
    }
)
NODE_ENDPOINTS = frozenset({"api.asset_bytes"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_TOKEN_HEADER = "Authentication-Token"  # noqa: S105 - the header's name, not a secret


_SELF = "'self'"


def content_policy(connect: str = "") -> str:
    """Say what a page may load; nothing from elsewhere, save connections to ``connect``."""
    return (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "media-src 'self' blob:; font-src 'self'; "
        f"connect-src {' '.join(filter(None, (_SELF, connect)))}; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


_HEADERS = {
    "Content-Security-Policy": content_policy(),
    "X-Content-Type-Options": "nosniff",
    # Flask-WTF looks at the referrer of forms sent over HTTPS: it must not be hidden from us.
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_YEAR_S = 31_536_000


def set_up_security(app: Flask, installation: Installation) -> None:
    """Put the wall around an application."""
    secure = urlsplit(installation.settings.address).scheme == "https"
    tiles = installation.settings.map_tiles
    app.config.update(_settings(secure=secure))
    people = scoped_session(installation.reads)
    security = Security(app, SQLAlchemySessionUserDatastore(people, Person, NoRole))
    security.login_context_processor(lambda: {"demo_logins": demo_logins(installation.settings)})
    csrf = CSRFProtect(app)
    app.teardown_appcontext(lambda _error: people.remove())
    # In this order: nobody's body is read, and nothing written, before its sender is known.
    app.before_request(_limit_body)
    app.before_request(_refuse_other_sites)
    app.before_request(_wall)
    app.before_request(_refuse_another)
    app.before_request(lambda: _check_form(csrf))
    app.before_request(_refuse_zero_characters)
    app.after_request(lambda response: _with_headers(response, secure=secure, tiles=tiles))
    _slow_down_guessing(app)


def _slow_down_guessing(app: Flask) -> None:
    limiter = Limiter(
        get_remote_address,
        app=app,
        storage_uri=f"{SCHEME}://",
        headers_enabled=True,
    )
    limited: Any = limiter.limit(
        FAILED_LOGINS,
        methods=["POST"],
        # A whole commune may share one address: only what fails is counted.
        deduct_when=lambda _response: not current_user.is_authenticated,
    )
    app.view_functions["security.login"] = limited(app.view_functions["security.login"])


def _settings(*, secure: bool) -> dict[str, object]:
    wrong = (lazy_gettext("The user name or the password is not right."), "error")
    return {
        "SECURITY_USER_IDENTITY_ATTRIBUTES": [
            {"username": {"mapper": uia_username_mapper, "case_insensitive": True}}
        ],
        "SECURITY_USERNAME_ENABLE": True,
        "SECURITY_USERNAME_REQUIRED": True,
        "SECURITY_USERNAME_MIN_LENGTH": 2,
        "SECURITY_USERNAME_MAX_LENGTH": 64,
        "SECURITY_USERNAME_ALLOWED_CHARS": ["L", "N", "P"],
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_SINGLE_HASH": True,
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
        "SECURITY_JOIN_USER_ROLES": False,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_TOKEN_MAX_AGE": timedelta(hours=12),
        "SECURITY_CSRF_IGNORE_UNAUTH_ENDPOINTS": True,
        "SECURITY_LOGIN_USER_TEMPLATE": "accounts/login.html",
        "SECURITY_POST_LOGIN_VIEW": "/",
        "SECURITY_POST_LOGOUT_VIEW": "/login",
        "SECURITY_FLASH_MESSAGES": False,
        # Werkzeug would write its values as words; our own header says the same.
        "SECURITY_CACHE_CONTROL": None,
        "SECURITY_MSG_GENERIC_AUTHN_FAILED": wrong,
        "SECURITY_MSG_PASSWORD_NOT_PROVIDED": wrong,
        "SECURITY_MSG_USER_DOES_NOT_EXIST": wrong,
        "SECURITY_MSG_INVALID_PASSWORD": wrong,
        "WTF_CSRF_CHECK_DEFAULT": False,
        "WTF_CSRF_TIME_LIMIT": None,
        "SESSION_COOKIE_NAME": "loa",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": secure,
        "REMEMBER_COOKIE_HTTPONLY": True,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_SECURE": secure,
    }


def _limit_body() -> None:
    """Let only those send a long body who may upload somewhere: it is written to the disk."""
    if request.endpoint in SHEET_ENDPOINTS:
        request.max_content_length = MAX_SHEET_BYTES + MAX_FORM_BYTES
    elif request.endpoint not in UPLOADING_ENDPOINTS or not _may_upload():
        request.max_content_length = MAX_FORM_BYTES


def _may_upload() -> bool:
    if not current_user.is_authenticated:
        return False
    return any(Action.UPLOAD in ALLOWED[grant.role] for grant in actor().grants)


def _refuse_other_sites() -> ResponseReturnValue | None:
    """Refuse what another site's page made a browser send: a second wall beside the token."""
    if request.method in _SAFE_METHODS:
        return None
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        return _refused("other-site")
    origin = request.headers.get("Origin")
    own = {request.host, urlsplit(here().settings.address).netloc}
    if origin is not None and urlsplit(origin).netloc not in own:
        return _refused("other-site")
    return None


def _check_form(csrf: CSRFProtect) -> None:
    """Demand the form's token wherever a browser's cookie could be what lets a request in.

    A page of another site cannot set a header of its own, so a token in a header proves a program;
    and logging in by JSON rests on no cookie.
    """
    by_program = _TOKEN_HEADER in request.headers or (
        request.endpoint == "security.login" and request.is_json
    )
    if request.method in _SAFE_METHODS or request.endpoint is None:
        return
    if by_program:
        g.csrf_valid = True
        return
    csrf.protect()


def _refuse_zero_characters() -> ResponseReturnValue | None:
    """Refuse what nobody types and PostgreSQL cannot even compare with."""
    fields = (*request.args.lists(), *request.form.lists())
    said = (text for _name, texts in fields for text in texts)
    if "\0" in request.path or any("\0" in text for text in said):
        return _refused("zero-character", 400)
    return None


def _wall() -> ResponseReturnValue | None:
    endpoint = request.endpoint
    if endpoint is None or endpoint in OPEN_ENDPOINTS or current_user.is_authenticated:
        return None
    if endpoint in NODE_ENDPOINTS and _is_node():
        return None
    if for_program():
        headers = {"WWW-Authenticate": 'Basic realm="loa"'} if endpoint in NODE_ENDPOINTS else {}
        return as_json(Problem(401, "not-logged-in", headers=headers))
    if "HX-Request" in request.headers:
        # Part of a page that stays as it is, with all that is typed and recorded on it.
        return Response(status=401, headers={"HX-Trigger": "logged-out"})
    if request.method in _SAFE_METHODS:
        return redirect(url_for("security.login", next=request.full_path.rstrip("?")), 303)
    return redirect(url_for("security.login", next=came_from(), undone="yes"), 303)


def came_from() -> str:
    """Find the page whose button was pressed: what was to be done itself is no page."""
    page = urlsplit(request.referrer or "")
    adapter = request_ctx.url_adapter
    if page.netloc != request.host or adapter is None or not adapter.test(page.path, "GET"):
        return "/"
    return f"{page.path}?{page.query}" if page.query else page.path


def _refuse_another() -> ResponseReturnValue | None:
    """Refuse what a page of one person sends while another is logged in on the same phone."""
    return _refused("another-person", 409) if is_another() else None


def _is_node() -> bool:
    said = request.authorization
    if said is None or said.type != "basic" or not said.username or not said.password:
        return False
    with here().reads.begin() as db:
        return commissioning.node_secret_is(db, said.username, said.password)


def _refused(code: str, status: int = 403) -> ResponseReturnValue:
    return as_json(Problem(status, code))


def _with_images_from(tiles: str) -> str:
    """Let pages show the pictures of one map server that the operator has named."""
    parts = urlsplit(tiles)
    policy = _HEADERS["Content-Security-Policy"]
    return policy.replace("img-src 'self'", f"img-src 'self' {parts.scheme}://{parts.netloc}")


def _with_headers(response: Response, *, secure: bool, tiles: str) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if tiles:
        response.headers["Content-Security-Policy"] = _with_images_from(tiles)
    if secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR_S}")
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
