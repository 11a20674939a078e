"""The font of paper: what browsers fetch in parts, one for each script, put together as one file.

Vietnamese words change between the parts at nearly every letter, and each change costs: a record of
5,000 clusters took five times as long with them.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from fontTools.merge import Merger  # type: ignore[import-untyped] # it has no types

PARTS = Path(__file__).parent.parent / "static" / "vendor"
_SCRIPTS = ("latin", "latin-ext", "vietnamese")


@cache
def whole_font(weight: int) -> Path:
    """Tell where the whole font of a weight is; it is made once in the life of a process."""
    parts = [str(PARTS / f"be-vietnam-pro-{script}-{weight}-normal.woff") for script in _SCRIPTS]
    font = Merger().merge(parts)
    font.flavor = None  # a browser's packing is of no use here
    path = Path(_folder().name) / f"be-vietnam-pro-{weight}.ttf"
    font.save(path)
    return path


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="loa-fonts-")
