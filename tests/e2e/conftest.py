"""One small installation for all tests of a module that can share it."""

import pytest

from tests.factories.towns import a_town


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Run a server, a commune with all its nodes, and one node of another commune."""
    clusters = {"lang-ma", "ban-cap", "dong-cap", "pho-co"}
    with a_town(tmp_path_factory.mktemp("town"), clusters) as running:
        yield running
