"""Choose the language of the pages."""

from urllib.parse import urlsplit

from flask import Blueprint, redirect, request, session
from flask.typing import ResponseReturnValue

from server.http.languages import COOKIE_KEY, LANGUAGES

pages = Blueprint("accounts", __name__)


@pages.post("/language")
def language() -> ResponseReturnValue:
    """Keep the chosen language, and go back to the page it was chosen on."""
    wanted = request.form.get("language", "")
    if wanted in LANGUAGES:
        session[COOKIE_KEY] = wanted
    return redirect(_own_page(request.form.get("back", "")), 303)


def _own_page(address: str) -> str:
    """Follow an address only when it stays on this site."""
    parts = urlsplit(address)
    on_this_site = not parts.scheme and not parts.netloc and address.startswith("/")
    return address if on_this_site and "\\" not in address else "/"
