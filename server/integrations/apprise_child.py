"""Run as ``python -m``: send letters through Apprise, tell on standard output what became of each.

A process of its own, for what a service does with its addresses is not ours to know: it has a bare
environment, may not connect to private places, and is ended when it takes too long.
"""

import logging
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextvars import ContextVar
from importlib import import_module
from typing import Any
from urllib.parse import unquote

import msgspec
from apprise import Apprise, AppriseAsset
from typing_extensions import override

from server.integrations.apprise_messenger import ChildAnswer, Errand, ErrandLetter
from server.integrations.apprise_services import SERVICES
from server.integrations.private_places import PrivatePlaceError, guard_connections

AT_ONCE = 8
LONGEST_WORDS = 400
_SHORTEST_SECRET = 3
_APPRISE = "apprise"


_HEARD: ContextVar[list[str]] = ContextVar("heard")
"""What Apprise says while one letter is sent; its own threads are given the context along."""


class Overhearing(logging.Handler):
    """Keeps what Apprise says of a failure, letter by letter."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep warnings, and the causes that Apprise tells only to those who look for faults."""
        text = record.getMessage()
        if record.levelno >= logging.WARNING or "Exception" in text:
            _HEARD.get([]).append(text)


def main() -> None:
    """Read an errand, do it, and answer line by line as letters are done."""
    errand = msgspec.json.decode(sys.stdin.buffer.read(), type=Errand)
    guard_connections(errand.private_networks)
    logger = logging.getLogger(_APPRISE)
    logger.addHandler(Overhearing())
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    with ThreadPoolExecutor(AT_ONCE) as pool:
        under_way = [pool.submit(_answered, letter, errand) for letter in errand.letters]
        for done in as_completed(under_way):
            sys.stdout.buffer.write(msgspec.json.encode(done.result()) + b"\n")
            sys.stdout.buffer.flush()


def without_secrets(words: str, url: str) -> str:
    """Take out of a service's words whatever stands in the address."""
    rest = url.partition("://")[2]
    for sign in "/:@?&=#,":
        rest = rest.replace(sign, " ")
    pieces = {*rest.split(), *unquote(rest).split()}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= _SHORTEST_SECRET:
            words = words.replace(piece, "…")
    return words[:LONGEST_WORDS]


def _answered(letter: ErrandLetter, errand: Errand) -> ChildAnswer:
    try:
        return _sent(letter, errand)
    except Exception as error:  # noqa: BLE001 - one letter must not keep the others from going
        return ChildAnswer(letter.letter_id, "failed", type(error).__name__)


def _sent(letter: ErrandLetter, errand: Errand) -> ChildAnswer:
    heard: list[str] = []
    _HEARD.set(heard)
    service = _service(letter.url, errand)
    if service is None:
        return ChildAnswer(letter.letter_id, "bad-address")
    one = Apprise()
    one.add(service)
    is_sent = bool(one.notify(title=letter.subject, body=letter.body, body_format="text"))
    if is_sent:
        return ChildAnswer(letter.letter_id, "sent")
    words = "; ".join(dict.fromkeys(map(_shortened, heard)))
    if str(PrivatePlaceError()) in words:
        return ChildAnswer(letter.letter_id, "private-address")
    return ChildAnswer(letter.letter_id, "failed", without_secrets(words, letter.url))


def _shortened(text: str) -> str:
    """Leave out what libraries wrap around a cause."""
    wrapped, sign, cause = text.rpartition("(Caused by ")
    if sign:
        return cause.rpartition(": ")[2].rstrip("\"')") or wrapped
    return text.removeprefix("Socket Exception: ")


def _service(url: str, errand: Errand) -> Any:  # noqa: ANN401 - Apprise's classes are untyped
    """Make the service of an address; None: it is none that may be used, or cannot be read."""
    scheme = url.partition("://")[0].lower()
    if scheme not in SERVICES or scheme not in errand.schemes:
        return None
    module, _, name = SERVICES[scheme].partition(".")
    kind = getattr(import_module(f"apprise.plugins.{module}"), name)
    facts = kind.parse_url(url)
    if not facts:
        return None
    try:
        return kind(**facts, asset=AppriseAsset(async_mode=False))
    except TypeError:  # what Apprise raises for an address that lacks something
        return None


if __name__ == "__main__":
    main()
