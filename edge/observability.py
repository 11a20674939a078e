"""Log set-up, called once by the program: one line for each event, and no floods."""

import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any, final

import structlog

_WINDOW_S = 60.0
_MOST_ALIKE = 5


def configure(*, json: bool) -> None:
    """Write events to standard error: JSON for a journal, columns for a person."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            RateLimit(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer()
            if json
            else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


@final
class RateLimit:
    """Lets through a few events of one name a minute, and counts the rest: a card must not fill."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}

    def __call__(
        self,
        _logger: Any,  # noqa: ANN401 - the signature of a structlog processor
        _method: str,
        event: MutableMapping[str, Any],
    ) -> MutableMapping[str, Any]:
        """Pass the event on or drop it."""
        name, now_s = str(event["event"]), time.monotonic()
        began_s, count = self._windows.get(name, (now_s, 0))
        if now_s - began_s >= _WINDOW_S:
            if count > _MOST_ALIKE:
                event["suppressed"] = count - _MOST_ALIKE
            began_s, count = now_s, 0
        self._windows[name] = (began_s, count + 1)
        if count >= _MOST_ALIKE:
            raise structlog.DropEvent
        return event
