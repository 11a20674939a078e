"""What every page has: its frame, addresses of static files, words and formats."""

import hashlib
from functools import cache, lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, g, request
from flask_babel import get_locale
from flask_security import current_user
from markupsafe import Markup

from server.domain.authority import ALLOWED, Action, may_somewhere
from server.domain.recurrence import local_day
from server.http.context import actor, here, now, reading
from server.http.fields import at_field, field_of
from server.http.languages import LANGUAGES
from server.http.wording import finding_sentence, reason_sentence
from server.services import inbox
from server.web import formats, words
from server.web.hush_notices import hush_notices
from server.web.rule_words import lunar_words

STATIC = Path(__file__).parent / "static"
_KEPT_S = 31_536_000


def set_up_shell(app: Flask) -> None:
    """Give templates what they use."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(formats.FILTERS, lunar=lunar_words, local_day=local_day)
    app.jinja_env.globals.update(
        icon=icon,
        static_file=static_file,
        finding_sentence=finding_sentence,
        field_of=field_of,
        at_field=at_field,
        reason_sentence=reason_sentence,
        words=words,
        languages=LANGUAGES,
    )
    app.context_processor(_facts)
    app.after_request(_keep_named_versions)


def _facts() -> dict[str, object]:
    return {
        "language": str(get_locale()),
        "person": current_user if current_user.is_authenticated else None,
        "may_announce": current_user.is_authenticated and may_somewhere(actor(), Action.ANNOUNCE),
        "letters_waiting": _letters_waiting,
        "hush_notices": hush_notices,
        "demo": here().settings.demo,
        "instant": now(),
    }


def _letters_waiting() -> int:
    """Count what waits for an answer of the person's own communes; asked once for a page."""
    if "letters_waiting" not in g:
        mine = [grant.unit_id for grant in actor().grants if Action.SCHEDULE in ALLOWED[grant.role]]
        with reading() as db:
            g.letters_waiting = inbox.unanswered(db, mine, now=now()) if mine else 0
    return int(g.letters_waiting)


def icon(name: str, label: str = "") -> Markup:
    """Draw an icon of the sprite; without a label it is decoration."""
    return _drawn(static_file("vendor/icons.svg"), name, label)


def static_file(name: str) -> str:
    """Tell the address of a static file; it changes with the file's bytes."""
    # Routing would build it a thousand times for one long page; our names need no quoting.
    return f"{request.script_root}{current_app.static_url_path}/{name}?v={_version(name)}"


@lru_cache(maxsize=4096)
def _drawn(sprite: str, name: str, label: str) -> Markup:
    if label:
        return Markup(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"/></svg>'
        ).format(label, sprite, name)
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>').format(
        sprite, name
    )


@cache
def _version(name: str) -> str:
    path = STATIC / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "missing"


def _keep_named_versions(response: Response) -> Response:
    if request.endpoint == "static" and "v" in request.args and response.status_code < 400:  # noqa: PLR2004 - the first status of errors
        response.cache_control.no_cache = None
        response.cache_control.public = True
        response.cache_control.max_age = _KEPT_S
        response.cache_control.immutable = True
    return response
