"""Manifest, worker and the page for when there is no network; and who is logged in now."""

import hashlib
from functools import cache

from flask import Blueprint, Response, json, jsonify, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_security import current_user
from flask_wtf.csrf import generate_csrf

from server.http.context import here
from server.http.languages import gettext
from server.http.person import person_key
from server.web.static_files import STATIC, modules_of, static_file, urgent_scripts, version

WORKER = "js/worker/worker.js"
ICON_SIZES = (192, 512)
_SHELL = (
    "vendor/vendor.css",
    "css/app.css",
    "css/urgent.css",
    "vendor/htmx.js",
    "vendor/icons.svg",
    "logo.svg",
    *urgent_scripts(),
)

pages = Blueprint("phone", __name__)


@pages.get("/app.webmanifest")
def manifest() -> ResponseReturnValue:
    """Describe the application that can be put on the home screen."""
    icons = [
        {
            "src": static_file(f"vendor/app-icon-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": "any maskable",
        }
        for size in ICON_SIZES
    ]
    about = {
        "id": "/urgent",
        "name": gettext("Loa Làng: announce now"),
        "short_name": "Loa Làng",
        "lang": str(get_locale()),
        "start_url": url_for("live.urgent"),
        "scope": "/",
        "display": "standalone",
        "theme_color": "#0b3a66",
        "background_color": "#f3f6fa",
        "icons": icons,
    }
    return Response(json.dumps(about, ensure_ascii=False), mimetype="application/manifest+json")


@pages.get("/sw.js")
def worker() -> ResponseReturnValue:
    """Send the worker: what it keeps is named here, how it does so in its module."""
    facts = {
        "build": _build(),
        "shell": [
            *(static_file(name) for name in _SHELL),
            # The style sheet names its fonts without a version.
            *(f"/static/{name}" for name in _fonts()),
        ],
        "offline": url_for("phone.offline"),
        "own": [url_for("live.urgent")],
        "staleMin": here().settings.unsent_stale_min,
    }
    text = f'import {{ serve }} from "{static_file(WORKER)}";\n\nserve({json.dumps(facts)});\n'
    answer = Response(text, mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@pages.get("/offline")
def offline() -> ResponseReturnValue:
    """Show what a browser shows for a page that it can neither fetch nor has kept."""
    return render_template("phone/offline.html")


@pages.get("/me")
def me() -> ResponseReturnValue:
    """Tell a page's script who is logged in, and the token of the log-in there is now."""
    answer = jsonify(
        person=person_key(), username=current_user.username, csrf_token=generate_csrf()
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _fonts() -> list[str]:
    return sorted(f"vendor/{path.name}" for path in (STATIC / "vendor").glob("*.woff2"))


@cache
def _build() -> str:
    whole = "".join(version(name) for name in (*_SHELL, *modules_of(WORKER), *_fonts()))
    return hashlib.sha256(whole.encode()).hexdigest()[:12]
