"""The document of the protocol says what the code does: no row is missing, wrong or left over."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import inspect

from protocol import ids, live, messages, signing
from protocol.errors import Refusal
from protocol.messages import NodeWord, Signed
from protocol.topics import ACCESS_PATTERNS, RULES
from protocol.version import PROTOCOL_VERSION
from tests.factories.messages import kinds

README = (Path(__file__).parents[2] / "protocol" / "README.md").read_text(encoding="utf-8")
WORDS = {
    ids.ID_PATTERN: "id",
    ids.CLAIM_ID_PATTERN: "claim id",
    ids.DIGEST_PATTERN: "digest",
    ids.KEY_ID_PATTERN: "key id",
    messages.RELAY_PATTERN: "web address",
    messages.NONCE_PATTERN: "nonce",
    messages.ASKED_PATTERN: "nonce of an answer",
    messages.PUBLIC_KEY_PATTERN: "public key",
}
EXAMPLE = re.compile(
    r'^```python title="a node in twenty lines"\n(.*?)^```$', re.DOTALL | re.MULTILINE
)


def section(title: str) -> str:
    """Cut out what stands under one heading, up to the next."""
    found = re.findall(
        rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", README, re.DOTALL | re.MULTILINE
    )
    assert len(found) == 1, f"one section called {title}"
    return found[0]


def rows(title: str) -> list[list[str]]:
    """Read the one table of a section, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    assert len({len(line) for line in cells}) == 1, f"a ragged table under {title}"
    return cells[1:]


def bare(cell: str) -> str:
    return cell.strip("`")


def models() -> dict[str, type[msgspec.Struct]]:
    """List every model on the wire by the heading of its table."""
    found: dict[str, type[msgspec.Struct]] = {"Token": signing.Token}
    for model in (*kinds(Signed), *kinds(NodeWord)):
        found[str(model.__struct_config__.tag)] = model
        for part in parts(inspect.type_info(model)):
            if part.__struct_config__.tag is None:
                found[part.__name__] = part
    return found


def parts(kind: inspect.Type) -> Iterator[type[msgspec.Struct]]:
    match kind:
        case inspect.StructType(cls=cls, fields=fields):
            yield cls
            for field in fields:
                yield from parts(field.type)
        case inspect.VarTupleType(item_type=item):
            yield from parts(item)
        case inspect.UnionType(types=types):
            for one in types:
                yield from parts(one)


def bounds(low: object, high: object) -> str:
    if low is None and high is None:
        return ""
    if high is None:
        return f", at least {low}"
    text = f", at most {high}" if low is None else f", {low} to {high}"
    return text.replace(str(messages.MAX_WHOLE), "2^53-1")


def described(kind: inspect.Type) -> str:  # noqa: PLR0911 - one sentence for each type
    """Say in words what may stand in a field: the second column of each table."""
    match kind:
        case inspect.StrType(pattern=str(pattern)):
            return WORDS[pattern]
        case inspect.StrType(min_length=low, max_length=high):
            return f"text{bounds(low, high)}{' characters' if high else ''}"
        case inspect.IntType(ge=low, le=high):
            return f"whole number{bounds(low, high)}"
        case inspect.FloatType(ge=low, le=high):
            return f"number{bounds(low, high)}"
        case inspect.DateTimeType():
            return "instant"
        case inspect.BoolType():
            return "true or false"
        case inspect.BytesType(min_length=low, max_length=high):
            return f"bytes{bounds(low, high)}"
        case _:
            return described_compound(kind)


def described_compound(kind: inspect.Type) -> str:  # noqa: PLR0911 - as above
    match kind:
        case inspect.EnumType(cls=cls) if cls is Refusal:
            return "a [refusal](#refusals)"
        case inspect.EnumType(cls=cls):
            return "one of " + ", ".join(f"`{one.value}`" for one in cls)
        case inspect.StructType(cls=cls):
            return f"`{cls.__name__}`"
        case inspect.VarTupleType(item_type=item, min_length=low, max_length=high):
            return f"list of {described(item)}" + (f" ({low or 0} to {high})" if high else "")
        case inspect.DictType(key_type=key, value_type=value):
            return f"map of {described(key)} to {described(value)}"
        case inspect.UnionType(types=types) if all(
            isinstance(one, inspect.StructType) for one in types
        ):
            return "a message"
        case inspect.UnionType(types=types):
            return " or ".join(
                "null" if isinstance(one, inspect.NoneType) else described(one) for one in types
            )
    message = f"say this in words too: {kind}"
    raise AssertionError(message)


def default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "needed"
    made = field.default_factory
    value = field.default if made is msgspec.NODEFAULT else made()
    return f"`{msgspec.json.encode(value).decode()}`"


def expected_rows(model: type[msgspec.Struct]) -> list[tuple[str, str, str]]:
    types = {field.name: field.type for field in inspect.type_info(model).fields}
    tag = model.__struct_config__.tag
    head = [("`kind`", f"`{tag}`", "needed")] if tag else []
    return head + [
        (f"`{field.encode_name}`", described(types[field.name]), default(field))
        for field in msgspec.structs.fields(model)
    ]


@pytest.mark.parametrize("name", sorted(models()))
def test_the_table_of_a_message_has_its_fields_types_and_defaults(name):
    table = rows(name)
    assert [tuple(row[:3]) for row in table] == expected_rows(models()[name])
    assert all(len(row) == 6 and row[4] for row in table), "each field says what it means"


def test_every_table_of_messages_belongs_to_a_message():
    part = README.split("\n## Messages\n")[1].split("\n## ")[0]
    titles = re.findall(r"^### (.+)$", part, re.MULTILINE)
    assert sorted(titles) == sorted(set(models()) - {"Token"})


def test_the_table_of_frames_has_their_fields_in_their_order():
    fields = inspect.type_info(live.LiveFrames).fields
    assert [(bare(row[0]), row[1]) for row in rows("Somebody who speaks")] == [
        (field.name, described(field.type)) for field in fields
    ]


def test_every_topic_has_its_row_and_no_row_lacks_its_topic():
    assert {tuple(bare(cell) for cell in row[:4]) for row in rows("Topics")} == {
        (rule.pattern, rule.sender, "yes" if rule.retained else "no", str(rule.qos))
        for rule in RULES.values()
    }
    assert len(rows("Topics")) == len(RULES)


def test_the_topics_say_which_messages_expire_at_the_broker():
    expiring = {bare(row[0]) for row in rows("Topics") if row[4] == "yes"}
    assert expiring == {rule.pattern for rule in RULES.values() if rule.expires}


def test_every_right_at_the_broker_has_its_row():
    assert [(row[0], bare(row[1])) for row in rows("Rights at the broker")] == list(ACCESS_PATTERNS)


def test_every_refusal_has_its_row():
    assert [bare(row[0]) for row in rows("Refusals")] == [one.value for one in Refusal]


def test_the_limits_are_those_of_the_code():
    assert {row[0]: int(row[1]) for row in rows("Limits")} == {
        "signed token, bytes": signing.MAX_TOKEN_BYTES,
        "word of a node, bytes": messages.MAX_PLAIN_BYTES,
        "message of frames, bytes": live.MAX_LIVE_BYTES,
        "difference of clocks, seconds": int(signing.LEEWAY.total_seconds()),
        "whole number": messages.MAX_WHOLE,
    }


def test_the_patterns_of_names_are_those_of_the_code():
    assert {row[0]: bare(row[1]) for row in rows("Names")} == {
        word: pattern.replace("\\Z", "$") for pattern, word in WORDS.items()
    }


def test_the_document_names_the_version_and_the_algorithm():
    assert f"protocol version is **{PROTOCOL_VERSION}**" in section("Versions")
    assert f'`{{"alg":"{signing.ALGORITHM}","kid":' in section("Token")


def test_the_example_is_whole_and_short():
    (example,) = EXAMPLE.findall(README)
    compile(example, "README.md", "exec")
    lines = [line for line in example.splitlines() if line.strip()]
    assert len([line for line in lines if not line.startswith(("import ", "from "))]) <= 60
    assert max(map(len, lines)) <= 100
