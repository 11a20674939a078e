"""Topic names: what is built can be taken apart, and nothing else can be smuggled in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import topics
from protocol.errors import BadIdError, BadTopicError
from protocol.ids import NodeId, UnitId, checked_id, is_digest
from protocol.topics import ACCESS_PATTERNS, NODE_WORDS, RULES, Kind, Place, parse

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"
ids = st.text(LETTERS, min_size=1, max_size=64).filter(lambda text: text[0] != "-")
BUILDERS = {
    Kind.PLAN: topics.unit_plan,
    Kind.ORDER: topics.unit_order,
    Kind.CONFIG: topics.node_config,
    Kind.NODE_ORDER: topics.node_order,
    Kind.PRESENCE: topics.node_presence,
    Kind.REPORT: topics.node_report,
    Kind.TELEMETRY: topics.node_telemetry,
    Kind.LIVE: topics.live,
}
NOT_IDS = (
    "",
    "+",
    "#",
    "/",
    "a/b",
    "..",
    "a.b",
    "A",
    "-a",
    "a b",
    "a\n",
    "\na",
    "a\0",
    "xã-1",
    "%u",
    "a" * 65,
)


def matches(pattern: str, topic: str) -> bool:
    """Say whether an MQTT filter covers a topic (MQTT 5.0, section 4.7)."""
    parts, levels = pattern.split("/"), topic.split("/")
    for i, part in enumerate(parts):
        if part == "#":
            return True
        if i >= len(levels) or part not in ("+", levels[i]):
            return False
    return len(parts) == len(levels)


@given(st.sampled_from(Kind), ids)
def test_a_topic_that_was_built_is_taken_apart_into_what_it_was_built_from(kind, owner):
    assert parse(BUILDERS[kind](owner)) == Place(kind, owner)


@pytest.mark.parametrize("text", NOT_IDS)
@pytest.mark.parametrize("kind", Kind)
def test_no_topic_is_built_from_what_is_no_identifier(kind, text):
    with pytest.raises(BadIdError):
        BUILDERS[kind](text)


@pytest.mark.parametrize("text", NOT_IDS)
def test_nobody_subscribes_to_what_is_no_identifier(text):
    with pytest.raises(BadIdError):
        topics.unit_filter(UnitId(text))
    with pytest.raises(BadIdError):
        topics.node_filter(NodeId(text))


@given(st.sampled_from(Kind), st.sampled_from(NOT_IDS))
def test_a_topic_with_a_smuggled_name_is_none_of_ours(kind, text):
    with pytest.raises(BadTopicError):
        parse(
            RULES[kind]
            .pattern.replace("<unit>", text)
            .replace("<node>", text)
            .replace("<broadcast>", text)
        )


@given(st.text())
def test_any_text_is_either_ours_or_refused(text):
    try:
        place = parse(text)
    except BadTopicError:
        return
    assert BUILDERS[place.kind](place.owner) == text


@pytest.mark.parametrize(
    "topic",
    [
        "loa/2/unit/xa-1/plan",
        "/loa/1/unit/xa-1/plan",
        "loa/1/unit/xa-1/plan/",
        "loa/1/unit/xa-1/plan\n",
        "loa/1/unit/xa-1",
        "loa/1/node/nut-1/in/order/x",
        "loa/1/node/nut-1/out/config",
        "$SYS/broker",
    ],
)
def test_a_topic_beside_ours_is_refused(topic):
    with pytest.raises(BadTopicError):
        parse(topic)


def test_every_kind_has_one_rule_and_one_builder():
    assert set(RULES) == set(Kind) == set(BUILDERS)
    assert all(kind is rule.kind for kind, rule in RULES.items())


def test_no_order_is_ever_retained():
    # A retained order would sound again at every reconnect.
    assert not RULES[Kind.ORDER].retained
    assert not RULES[Kind.NODE_ORDER].retained


def test_a_node_may_write_its_own_words_and_nothing_else():
    mine, other = NodeId("nut-1"), NodeId("nut-2")
    writable = [p.replace("%u", mine) for verb, p in ACCESS_PATTERNS if verb == "write"]
    for kind, rule in RULES.items():
        allowed = any(matches(pattern, BUILDERS[kind](mine)) for pattern in writable)
        assert allowed is (rule.sender == "node"), kind
        assert not any(matches(pattern, BUILDERS[kind](other)) for pattern in writable)


def test_a_node_may_read_what_is_said_to_it_and_to_units_but_no_other_node():
    mine, other = NodeId("nut-1"), NodeId("nut-2")
    readable = [p.replace("%u", mine) for verb, p in ACCESS_PATTERNS if verb == "read"]
    for kind, rule in RULES.items():
        allowed = any(matches(pattern, BUILDERS[kind](mine)) for pattern in readable)
        assert allowed is (rule.sender == "server"), kind
        if "<node>" in rule.pattern:
            assert not any(matches(pattern, BUILDERS[kind](other)) for pattern in readable)


def test_the_filters_cover_exactly_what_each_side_must_hear():
    for kind, rule in RULES.items():
        topic = BUILDERS[kind]("nut-1")
        heard_by_node = matches(topics.unit_filter(UnitId("nut-1")), topic) or matches(
            topics.node_filter(NodeId("nut-1")), topic
        )
        # A live broadcast is heard by those whom its order has armed, by its own name.
        assert heard_by_node is (rule.sender == "server" and kind is not Kind.LIVE), kind
        assert matches(NODE_WORDS, topic) is (rule.sender == "node"), kind


@given(ids)
def test_an_identifier_is_returned_as_it_is(text):
    assert checked_id(text) == text


@pytest.mark.parametrize("text", ["", "A" * 64, "a" * 63, "a" * 65, "g" * 64, "a" * 64 + "\n"])
def test_a_digest_is_64_lower_case_hexadecimal_digits(text):
    assert not is_digest(text)
    assert is_digest("0123456789abcdef" * 4)
