"""A rehearsal as a stream that a browser plays while it is made; so many at once and no more."""

from threading import BoundedSemaphore

from flask import Response, current_app
from flask.typing import ResponseReturnValue

from server.domain.rehearsal import Rehearsal
from server.http.context import here
from server.http.problems import Problem, as_json
from server.services import preview

MOST_AT_ONCE = 4
"""Each holds a thread, and a process that decodes and encodes."""
BUSY_RETRY_S = 10
_PLACES = "loa_preview_places"


def make_places(state: object) -> None:
    """Give an application its places; part of its set-up."""
    state.app.extensions[_PLACES] = BoundedSemaphore(MOST_AT_ONCE)  # type: ignore[attr-defined]  # Flask's set-up state


def streamed(rehearsal: Rehearsal) -> ResponseReturnValue:
    """Play it, or say that too many are listening."""
    places: BoundedSemaphore = current_app.extensions[_PLACES]
    if not places.acquire(blocking=False):
        headers = {"Retry-After": str(BUSY_RETRY_S)}
        return as_json(Problem(503, "previews-full", headers=headers))
    answer = Response(preview.stream_of(rehearsal, here().audio), mimetype="audio/ogg")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Accept-Ranges"] = "none"
    answer.headers["X-Accel-Buffering"] = "no"
    # Also when the browser goes away before the first byte.
    answer.call_on_close(places.release)
    return answer
