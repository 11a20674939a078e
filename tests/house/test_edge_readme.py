"""The node's README and its settings agree."""

import dataclasses
import re
from pathlib import Path

import msgspec

from edge.settings import NodeSettings, _NodeFile, _Profile

ROOT = Path(__file__).parents[2]


def first_cells(readme: str, heading: str):
    """The names in the first column of the first table after a heading."""
    text = (ROOT / readme).read_text("utf-8").partition(f"\n## {heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE).group()
    return {
        name
        for row in table.splitlines()[2:]
        for name in re.findall(r"`([\w.]+)`", row.split("|")[1])
    }


def test_every_key_of_the_node_file_has_its_row():
    keys = {field.name for field in msgspec.structs.fields(_NodeFile)}
    assert first_cells("edge/README.md", "The node file") == keys


def test_every_setting_has_its_row():
    fields = {field.name for field in dataclasses.fields(NodeSettings)}
    assert first_cells("edge/README.md", "Settings") == fields


def test_every_key_of_a_board_profile_has_its_row():
    text = (ROOT / "firmware_config/README.md").read_text("utf-8")
    rows = set(
        re.findall(
            r"^\| `([\w.]+)` \|", text.partition("| Key | What | Default |")[2], re.MULTILINE
        )
    )
    plain = {field.name for field in msgspec.structs.fields(_Profile)} - {"amplifier"}
    amplifier = next(f for f in msgspec.structs.fields(_Profile) if f.name == "amplifier")
    wired = {f"amplifier.{f.name}" for f in msgspec.structs.fields(amplifier.type.__args__[0])}
    assert rows == plain | wired
