"""Build the web application from its settings: no thread, no environment, no broker."""

from datetime import datetime

from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Flask, Response
from flask.json.provider import DefaultJSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix

from audio_library.store import Store
from audio_library.tts.engines import engines
from server import api, web
from server.http import uploads
from server.http.context import Installation, install
from server.http.fields import unreadable
from server.http.languages import set_up_languages
from server.http.problems import MEANINGS, Problem, as_json, for_program, problem_of
from server.services.keyring import FLASK, Keyring, secret_text
from server.settings import Settings
from server.store.engine import open_engine, open_sessions


def create_app(settings: Settings) -> Flask:
    """Build pages and API; the secrets and the database's tables must be there."""
    app = APIFlask(
        "server.web",
        title="Loa Làng",
        version="1.0.0",
        spec_path="/api/v1/openapi.json",
        docs_path=None,
    )
    app.request_class = uploads.request_class(settings.upload_dir)
    app.config.update(
        SECRET_KEY=secret_text(settings.secrets_dir, FLASK),
        MAX_CONTENT_LENGTH=uploads.MAX_UPLOAD_BYTES + uploads.MAX_FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=uploads.MAX_FORM_BYTES,
        OPENAPI_VERSION="3.1.0",
        VALIDATION_ERROR_STATUS_CODE=422,
    )
    app.json = _Json(app)
    engine = open_engine(settings.database)
    installation = Installation(
        settings=settings,
        engine=engine,
        reads=open_sessions(engine, reads_only=True),
        writes=open_sessions(engine),
        keyring=Keyring.open(settings.secrets_dir),
        audio=Store(settings.asset_dir),
        engines=engines(settings.piper, settings.piper_voice),
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        proxied = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)
        app.wsgi_app = proxied  # type: ignore[method-assign]  # as Flask’s manual does it
    install(app, installation)
    set_up_languages(app)
    web.register(app, installation)
    api.register(app)
    _answer_errors(app)
    return app


def sweep(settings: Settings, *, before: datetime) -> int:
    """Remove what uploads that a kill cut off ``before`` have left; say how much."""
    left = uploads.sweep(settings.upload_dir, before=before)
    return left + Store(settings.asset_dir).sweep(before=before)


class _Json(DefaultJSONProvider):
    """JSON that keeps Vietnamese letters readable."""

    ensure_ascii = False


def _answer_errors(app: APIFlask) -> None:
    app.error_processor(_http_error)
    for kind in MEANINGS:
        app.register_error_handler(kind, lambda error: _answer(problem_of(error)))


def _answer(problem: Problem) -> Response:
    return as_json(problem) if for_program() else web.error_page(problem)


def _http_error(error: HTTPError) -> Response:
    problem = Problem(
        error.status_code,
        "invalid" if error.detail else f"http-{error.status_code}",
        tuple(unreadable(error.detail or {})),
        invalid=error.detail or {},
        headers={name: str(value) for name, value in dict(error.headers).items() if _worth(name)},
    )
    return _answer(problem)


def _worth(header: str) -> bool:
    return header.lower() not in {"content-type", "content-length"}
