"""A node installed by itself: ``pip install loalang[edge]`` brings all that it loads."""

import re
import subprocess
import sys
from importlib.metadata import distribution, packages_distributions

import pytest
from packaging.requirements import Requirement

ALONE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Absent())
import edge.__main__
print(len(sys.modules))
"""


def brought_by(name: str, extras: frozenset[str], seen: set[str]) -> None:
    """Collect what one distribution needs, and what that needs."""
    for text in distribution(name).requires or ():
        wanted = Requirement(text)
        marker = wanted.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in extras or {""}):
            continue
        known = re.sub(r"[-_.]+", "-", wanted.name).lower()
        if known not in seen:
            seen.add(known)
            brought_by(wanted.name, frozenset(wanted.extras), seen)


@pytest.mark.slow
def test_a_node_starts_with_nothing_but_what_its_extra_brings():
    there = {"loalang"}
    brought_by("loalang", frozenset({"", "edge"}), there)
    absent = {
        module
        for module, owners in packages_distributions().items()
        if not any(re.sub(r"[-_.]+", "-", owner).lower() in there for owner in owners)
    }
    assert {"flask", "sqlalchemy", "pydub"} <= absent
    done = subprocess.run(
        [sys.executable, "-c", ALONE.format(absent=absent)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
