"""The languages of the pages, and their catalogues.

A catalogue is read from its ``.po`` file once per process: what translators edit is what is shown,
and there is no compiled copy that could be stale.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import flask_babel
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, has_request_context, request, session
from flask_babel import Babel, Domain, get_locale
from typing_extensions import override

COOKIE_KEY = "language"
DEFAULT = "vi"
FOLDER = Path(__file__).parent / "translations"


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the pages speak.

    Attributes:
        own_name: Its name in itself.
        catalogue: File of its sentences; None: the sentences stand in the code.
    """

    own_name: str
    catalogue: Path | None


LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {
        "vi": Language("Tiếng Việt", FOLDER / "vi" / "LC_MESSAGES" / "messages.po"),
        "en": Language("English", None),
    }
)


class _Catalogues(Domain):  # type: ignore[misc]  # flask_babel is untyped
    """Hands out the catalogue of the request's language."""

    @override
    def get_translations(self) -> NullTranslations:
        return catalogue(str(get_locale() or DEFAULT))


class _Speech(Babel):  # type: ignore[misc]  # flask_babel is untyped
    """Flask-Babel with our way of finding catalogues."""

    @property
    @override
    def domain_instance(self) -> Domain:
        return _CATALOGUES


_CATALOGUES = _Catalogues()


@cache
def catalogue(code: str) -> NullTranslations:
    """Read the sentences of a language."""
    language = LANGUAGES.get(code)
    if language is None or language.catalogue is None:
        return NullTranslations()
    with language.catalogue.open("rb") as file:
        sentences = read_po(file, locale=code)
    compiled = BytesIO()
    write_mo(compiled, sentences)
    compiled.seek(0)
    return Translations(compiled)


def chosen() -> str:
    """Tell the language of this request: as chosen, else Vietnamese."""
    if not has_request_context():
        return DEFAULT
    wanted = request.args.get("lang") or session.get(COOKIE_KEY)
    return str(wanted) if wanted in LANGUAGES else DEFAULT


def set_up_languages(app: Flask) -> None:
    """Let pages and answers speak the language of their reader."""
    app.config["BABEL_DEFAULT_LOCALE"] = DEFAULT
    _Speech().init_app(app, locale_selector=chosen, default_timezone="Asia/Ho_Chi_Minh")


def gettext(sentence: str, **fields: object) -> str:
    """Say a sentence in the reader's language."""
    return str(flask_babel.gettext(sentence, **fields))


def ngettext(one: str, many: str, num: int, **fields: object) -> str:
    """Say a sentence about a number of things in the reader's language."""
    return str(flask_babel.ngettext(one, many, num, **fields))
