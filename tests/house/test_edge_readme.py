"""The node's README and its settings agree."""

import dataclasses
import re
from pathlib import Path

import msgspec
from msgspec import inspect

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


def keys(name: str, kind: inspect.Type) -> set[str]:
    """The keys of a profile that a field stands for, as its table writes them."""
    match kind:
        case inspect.UnionType(types=types):
            return set().union(*(keys(name, one) for one in types))
        case inspect.StructType(fields=fields):
            return {f"{name}.{field.name}" for field in fields}
        case inspect.DictType(value_type=inspect.StructType() as value):
            return keys(f"{name}.<alarm>", value)
        case inspect.DictType(key_type=inspect.LiteralType(values=values)):
            return {f"{name}.{value}" for value in values}
        case inspect.NoneType():
            return set()
        case _:
            return {name}


def test_every_key_of_a_board_profile_has_its_row():
    text = (ROOT / "firmware_config/README.md").read_text("utf-8")
    table = text.partition("| Key | What | Default |")[2]
    rows = set(re.findall(r"^\| `([\w.<>]+)` \|", table, re.MULTILINE))
    fields = inspect.type_info(_Profile).fields
    assert rows == set().union(*(keys(field.name, field.type) for field in fields))
