"""What every page has: its frame, addresses of static files, words and formats."""

from functools import lru_cache

from flask import Flask, g
from flask_babel import get_locale
from flask_security import current_user
from markupsafe import Markup

from server.domain.authority import ALLOWED, Action, may_somewhere
from server.domain.recurrence import local_day
from server.http.context import actor, here, now, reading
from server.http.fields import at_field, field_of
from server.http.languages import LANGUAGES
from server.http.person import person_key
from server.http.wording import alert_sentence, finding_sentence, reason_sentence
from server.services import inbox
from server.web import formats, words
from server.web.hush_notices import hush_notices
from server.web.rule_words import lunar_words
from server.web.security import came_from
from server.web.static_files import after_page, after_static, static_file, urgent_scripts
from server.web.waiting_notices import waiting_notices


def set_up_shell(app: Flask) -> None:
    """Give templates what they use."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(formats.FILTERS, lunar=lunar_words, local_day=local_day)
    app.jinja_env.globals.update(
        icon=icon,
        static_file=static_file,
        urgent_scripts=urgent_scripts,
        finding_sentence=finding_sentence,
        field_of=field_of,
        at_field=at_field,
        reason_sentence=reason_sentence,
        alert_sentence=alert_sentence,
        words=words,
        languages=LANGUAGES,
        came_from=came_from,
    )
    app.context_processor(_facts)
    app.after_request(after_static)
    app.after_request(after_page)


def _facts() -> dict[str, object]:
    return {
        "language": str(get_locale()),
        "person": current_user if current_user.is_authenticated else None,
        "person_key": person_key(),
        "may_announce": current_user.is_authenticated and may_somewhere(actor(), Action.ANNOUNCE),
        "letters_waiting": _letters_waiting,
        "hush_notices": hush_notices,
        "waiting_notices": waiting_notices,
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


@lru_cache(maxsize=4096)
def _drawn(sprite: str, name: str, label: str) -> Markup:
    if label:
        return Markup(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"/></svg>'
        ).format(label, sprite, name)
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>').format(
        sprite, name
    )
