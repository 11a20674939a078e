"""Markers by folder, and no sockets in unit tests; nothing else."""

import gc
import socket
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

# The same few examples at every run: what fails is what the change broke. New ones are looked for
# by ``make test-soak``.
settings.register_profile("every-run", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile("every-run")

# By itself it would draw each error in colours, with all that stood around it: for seconds.
structlog.configure(
    processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
)

# What is loaded here stays; to look through it for what may go took a fifth of the time.
gc.set_threshold(200_000, 50, 100)

FOLDERS = ("unit", "contracts", "integration", "e2e", "browser", "house")
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the name of its top folder."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        if folder in FOLDERS:
            item.add_marker(folder)


def pytest_collection_finish() -> None:
    """Leave what has been loaded out of every later look for what may go."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_sockets_in_unit_tests(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if request.node.get_closest_marker("unit") is None:
        return

    def refused(*_args: object, **_kwargs: object) -> None:
        message = "a unit test may not open a socket"
        raise AssertionError(message)

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket.socket, "bind", refused)
