"""Tell open pages what has changed, by server-sent events that can be resumed by number."""

from collections.abc import Iterator
from threading import BoundedSemaphore, Event
from time import monotonic

from flask import Blueprint, Response, current_app, json, request
from flask.typing import ResponseReturnValue

from server.http.context import Installation, here
from server.http.problems import Problem, as_json
from server.services import events

MOST_STREAMS = 24
LOOK_EVERY_S = 0.3
HEARTBEAT_S = 15.0
BUSY_RETRY_S = 5
LONGEST_S = 600.0
"""Then the browser opens it anew, by number: whoever may no longer log in gets no further."""
_PLACES = "loa_stream_places"

pages = Blueprint("stream", __name__)


@pages.record
def _make_places(state: object) -> None:
    # Each stream holds a thread: half of them stay free for pages.
    state.app.extensions[_PLACES] = BoundedSemaphore(MOST_STREAMS)  # type: ignore[attr-defined]  # Flask's set-up state


@pages.get("/events/stream")
def stream() -> ResponseReturnValue:
    """Open a stream, or say when to ask again."""
    places: BoundedSemaphore = current_app.extensions[_PLACES]
    if not places.acquire(blocking=False):
        return as_json(Problem(503, "streams-full", headers={"Retry-After": str(BUSY_RETRY_S)}))
    installation = here()
    with installation.reads.begin() as db:
        start = _last_seen() or events.newest(db)
    answer = Response(told(installation, start), mimetype="text/event-stream")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    # Also when the browser goes away before the first byte.
    answer.call_on_close(places.release)
    return answer


@pages.get("/events/newest")
def newest() -> ResponseReturnValue:
    """Give the newest number: what pages ask every few seconds when no stream is to be had."""
    with here().reads.begin() as db:
        return {"event": events.newest(db)}


def told(installation: Installation, start: int, *, longest_s: float = LONGEST_S) -> Iterator[str]:
    """Tell all that happens after the event number ``start``, in the form of event streams."""
    at, quiet_s, pause = start, 0.0, Event()
    ends_s = monotonic() + longest_s
    yield f"retry: 2000\nid: {at}\ndata: {{}}\n\n"
    while monotonic() < ends_s:
        with installation.reads.begin() as db:
            rows = events.since(db, at)
        for row in rows:
            at = row.event_id
            yield f"id: {at}\nevent: {row.kind}\ndata: {json.dumps({'ref': row.ref})}\n\n"
        if rows:
            quiet_s = 0.0
        elif quiet_s >= HEARTBEAT_S:
            # It finds out browsers that have gone, keeps proxies from closing, and tells pages that
            # what stands on them is not old.
            yield "event: still\ndata: {}\n\n"
            quiet_s = 0.0
        pause.wait(LOOK_EVERY_S)
        quiet_s += LOOK_EVERY_S


def _last_seen() -> int | None:
    said = request.headers.get("Last-Event-ID") or request.args.get("after", "")
    return int(said) if said.isdecimal() and len(said) < 16 else None  # noqa: PLR2004 - digits of a sane number
