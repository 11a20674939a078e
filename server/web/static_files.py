"""Addresses of static files, that change with the files, and how files and pages are sent."""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, current_app, request, send_from_directory
from flask.typing import ResponseReturnValue

STATIC = Path(__file__).parent / "static"
_MODULES = "js/"
_URGENT = "js/urgent_page.js"
_KEPT_S = 31_536_000
_LEAST_SQUEEZED_BYTES = 1024
_QUICKLY = 5
_SQUEEZED = frozenset({"text/css", "text/javascript", "application/javascript", "image/svg+xml"})
_IMPORT = re.compile(r'^import [^"]*"(\.{1,2}/[^"]+)";$', re.MULTILINE)

pages = Blueprint("static_files", __name__)


def static_file(name: str) -> str:
    """Tell the address of a static file; it changes with the file's bytes.

    Modules name each other by relative addresses, so all of them stand under one name that changes
    when any of them does.
    """
    # Routing would build it a thousand times for one long page; our names need no quoting.
    root = f"{request.script_root}{current_app.static_url_path}"
    if name.startswith(_MODULES):
        return f"{root}/js-{_modules_version()}/{name.removeprefix(_MODULES)}"
    return f"{root}/{name}?v={version(name)}"


def urgent_scripts() -> tuple[str, ...]:
    """List the urgent page's scripts: one file, while it is made of the modules as they are.

    Whoever works on the modules, and has not set up since, is given them one by one.
    """
    return urgent_scripts_in(STATIC)


def modules_of(name: str) -> tuple[str, ...]:
    """List a module and all that it takes in, so that a browser can fetch them at once."""
    return _modules_of(STATIC, name)


@cache
def version(name: str) -> str:
    """Name a file's content."""
    path = STATIC / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "missing"


@pages.get("/static/js-<build>/<path:name>")
def module(build: str, name: str) -> ResponseReturnValue:
    """Send a module; one of another version, as it is now, is not to be kept."""
    answer = send_from_directory(STATIC / _MODULES, name)
    return keep(answer) if build == _modules_version() else answer


def keep(answer: Response) -> Response:
    """Let browsers keep for ever what can never change under its address."""
    answer.cache_control.no_cache = None
    answer.cache_control.public = True
    answer.cache_control.max_age = _KEPT_S
    answer.cache_control.immutable = True
    return answer


def after_static(response: Response) -> Response:
    """Keep what is asked for by its version, and squeeze what is worth it."""
    if request.endpoint not in {"static", "static_files.module"} or response.status_code != 200:  # noqa: PLR2004 - whole and well
        return response
    if request.endpoint == "static" and "v" in request.args:
        keep(response)
    response.vary.add("Accept-Encoding")
    if _is_taken() and response.mimetype in _SQUEEZED and response.direct_passthrough:
        response.direct_passthrough = False
        plain = response.get_data()
        if len(plain) >= _LEAST_SQUEEZED_BYTES:
            _send_squeezed(response, _squeezed(plain))
            tag, _weak = response.get_etag()
            response.set_etag(f"{tag}-gz")
    return response


def after_page(response: Response) -> Response:
    """Squeeze a page, unless it may repeat what was typed into its address.

    Next to a secret, the length of what is squeezed tells how much of a guess is right (the BREACH
    attack of 2013): who could guess again and again must not find their guess in the page.
    """
    if response.mimetype != "text/html" or response.is_streamed:
        return response
    response.vary.add("Accept-Encoding")
    may_repeat = request.method != "GET" or request.query_string or response.status_code != 200  # noqa: PLR2004 - errors name what was asked for
    plain = response.get_data()
    if not may_repeat and _is_taken() and len(plain) >= _LEAST_SQUEEZED_BYTES:
        _send_squeezed(response, gzip.compress(plain, _QUICKLY, mtime=0))
    return response


def _is_taken() -> bool:
    return request.accept_encodings.quality("gzip") > 0


def _send_squeezed(response: Response, squeezed: bytes) -> None:
    response.set_data(squeezed)
    response.content_encoding = "gzip"


@cache
def _squeezed(plain: bytes) -> bytes:
    return gzip.compress(plain, 9, mtime=0)


@cache
def _modules_version() -> str:
    whole = hashlib.sha256()
    for path in sorted((STATIC / _MODULES).rglob("*.js")):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:12]


@cache
def urgent_scripts_in(static: Path) -> tuple[str, ...]:
    """List the scripts of the urgent page out of a folder of static files."""
    names = _modules_of(static, _URGENT)
    manifest = static / "vendor" / "manifest.json"
    made_of = json.loads(manifest.read_bytes()).get("urgent") if manifest.is_file() else None
    sources = hashlib.sha256(b"".join((static / name).read_bytes() for name in sorted(names)))
    return ("vendor/urgent.js",) if made_of == sources.hexdigest() else names


@cache
def _modules_of(static: Path, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_walked(static, name, frozenset())))


def _walked(static: Path, name: str, above: frozenset[str]) -> Iterator[str]:
    yield name
    path = static / name
    for found in _IMPORT.findall(path.read_text(encoding="utf-8")):
        other = str((path.parent / found).resolve().relative_to(static.resolve()))
        if other not in above:
            yield from _walked(static, other, above | {name})
