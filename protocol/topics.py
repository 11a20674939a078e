"""Topic names: the only place where a slash is joined, and who may use which."""

import re
from dataclasses import dataclass
from enum import StrEnum

from protocol.errors import BadTopicError
from protocol.ids import BroadcastId, NodeId, UnitId, checked_id
from protocol.version import PROTOCOL_VERSION

ROOT = f"loa/{PROTOCOL_VERSION}"


class Kind(StrEnum):
    """Where a message travels."""

    PLAN = "plan"
    ORDER = "order"
    LIVE = "live"
    CONFIG = "config"
    NODE_ORDER = "node-order"
    PRESENCE = "presence"
    REPORT = "report"
    TELEMETRY = "telemetry"


@dataclass(frozen=True, slots=True)
class TopicRule:
    """How one kind of topic is used.

    Attributes:
        kind: What travels there.
        pattern: Topic with the identifier written as ``<unit>``, ``<broadcast>`` or ``<node>``.
        sender: ``server`` or ``node``.
        retained: Whether the broker keeps the last message.
        qos: Quality of service used.
        expires: Whether the MQTT 5 message expiry is set from the token's own expiry.
    """

    kind: Kind
    pattern: str
    sender: str
    retained: bool
    qos: int
    expires: bool


RULES: dict[Kind, TopicRule] = {
    rule.kind: rule
    for rule in (
        TopicRule(
            Kind.PLAN,
            f"{ROOT}/unit/<unit>/plan",
            sender="server",
            retained=True,
            qos=1,
            expires=False,
        ),
        TopicRule(
            Kind.ORDER,
            f"{ROOT}/unit/<unit>/order",
            sender="server",
            retained=False,
            qos=1,
            expires=True,
        ),
        TopicRule(
            Kind.LIVE,
            f"{ROOT}/live/<broadcast>",
            sender="server",
            retained=False,
            qos=0,
            expires=False,
        ),
        TopicRule(
            Kind.CONFIG,
            f"{ROOT}/node/<node>/in/config",
            sender="server",
            retained=True,
            qos=1,
            expires=False,
        ),
        TopicRule(
            Kind.NODE_ORDER,
            f"{ROOT}/node/<node>/in/order",
            sender="server",
            retained=False,
            qos=1,
            expires=True,
        ),
        TopicRule(
            Kind.PRESENCE,
            f"{ROOT}/node/<node>/out/presence",
            sender="node",
            retained=True,
            qos=1,
            expires=False,
        ),
        TopicRule(
            Kind.REPORT,
            f"{ROOT}/node/<node>/out/report",
            sender="node",
            retained=False,
            qos=1,
            expires=False,
        ),
        TopicRule(
            Kind.TELEMETRY,
            f"{ROOT}/node/<node>/out/telemetry",
            sender="node",
            retained=False,
            qos=0,
            expires=False,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Place:
    """A topic taken apart: what travels there, and whose it is."""

    kind: Kind
    owner: str


def unit_plan(unit: UnitId) -> str:
    """Topic of the plan that ``unit`` has published."""
    return _filled(Kind.PLAN, unit)


def unit_order(unit: UnitId) -> str:
    """Topic of the orders given to all that is under ``unit``."""
    return _filled(Kind.ORDER, unit)


def live(broadcast: BroadcastId) -> str:
    """Topic of the frames of one live broadcast."""
    return _filled(Kind.LIVE, broadcast)


def node_config(node: NodeId) -> str:
    """Topic of the configuration of ``node``."""
    return _filled(Kind.CONFIG, node)


def node_order(node: NodeId) -> str:
    """Topic of the orders given to ``node`` alone."""
    return _filled(Kind.NODE_ORDER, node)


def node_presence(node: NodeId) -> str:
    """Topic on which ``node`` is said to be here, leaving or lost."""
    return _filled(Kind.PRESENCE, node)


def node_report(node: NodeId) -> str:
    """Topic of what ``node`` has to report."""
    return _filled(Kind.REPORT, node)


def node_telemetry(node: NodeId) -> str:
    """Topic of the measurements of ``node``."""
    return _filled(Kind.TELEMETRY, node)


def unit_filter(unit: UnitId) -> str:
    """Subscribe to all that ``unit`` says."""
    return f"{ROOT}/unit/{checked_id(unit)}/+"


def node_filter(node: NodeId) -> str:
    """Subscribe to all that is said to ``node`` alone."""
    return f"{ROOT}/node/{checked_id(node)}/in/+"


NODE_WORDS = f"{ROOT}/node/+/out/+"
"""What the server subscribes to."""

ACCESS_PATTERNS: tuple[tuple[str, str], ...] = (
    ("read", f"{ROOT}/unit/+/+"),
    ("read", f"{ROOT}/live/+"),
    ("read", f"{ROOT}/node/%u/in/#"),
    ("write", f"{ROOT}/node/%u/out/#"),
)
"""What a node may do at the broker, ``%u`` being its user name, which is its node id."""

_PARSERS = {
    kind: re.compile(re.sub(r"<\w+>", "([a-z0-9][a-z0-9-]{0,63})", rule.pattern) + r"\Z")
    for kind, rule in RULES.items()
}


def parse(topic: str) -> Place:
    """Take a topic apart.

    Raises:
        BadTopicError: It is none of ours.
    """
    for kind, pattern in _PARSERS.items():
        if found := pattern.match(topic):
            return Place(kind, found.group(1))
    raise BadTopicError(topic)


def _filled(kind: Kind, owner: str) -> str:
    return re.sub(r"<\w+>", checked_id(owner), RULES[kind].pattern)
