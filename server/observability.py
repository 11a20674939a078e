"""Logging and memory, set up once per process: structlog at the call sites, one line format."""

import gc
import logging
import sys

import structlog

NEW_VALUES = 20_000
"""How many more values there are before a search for garbage."""


def set_up_logging(*, as_json: bool | None = None, level: int = logging.INFO) -> None:
    """Send every log line to standard error, ours and the libraries' alike.

    Args:
        as_json: JSON lines (for a journal) or columns; None: columns where a person looks.
        level: Least level shown.
    """
    json_lines = not sys.stderr.isatty() if as_json is None else as_json
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer()
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def settle() -> None:
    """Leave what a process has loaded by now out of every later search for garbage.

    Modules and tables of a program are a few hundred thousand objects that live as long as it
    does. To look through them took a third of the time of a request that reads thousands of rows.
    What a request has in hand was looked through for every seven hundred values more, a tenth of
    its time; nearly none of it is garbage that must be searched for.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_VALUES)
