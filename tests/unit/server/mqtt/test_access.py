"""The broker's access and password files."""

import pytest

from protocol.ids import NodeId, UnitId
from protocol.topics import (
    ROOT,
    node_config,
    node_order,
    node_presence,
    node_report,
    node_telemetry,
    unit_order,
    unit_plan,
)
from server.mqtt.access import (
    GATEWAY_USER,
    access_text,
    is_secret,
    password_text,
    read_access,
    read_passwords,
)
from server.services.commissioning import hashed_secret

ONE, OTHER, UNIT = NodeId("nut-1"), NodeId("nut-2"), UnitId("xa-1")
RULES = read_access(access_text())


@pytest.mark.parametrize("topic", [unit_plan(UNIT), unit_order(UNIT), f"{ROOT}/live/khan-1"])
def test_every_node_hears_units_and_live_broadcasts_but_does_not_speak_there(topic):
    assert RULES.may_read(ONE, topic)
    assert not RULES.may_write(ONE, topic)


@pytest.mark.parametrize("topic", [node_config(ONE), node_order(ONE)])
def test_what_is_said_to_a_node_is_heard_by_it_alone(topic):
    assert RULES.may_read(ONE, topic)
    assert not RULES.may_read(OTHER, topic)
    assert not RULES.may_write(ONE, topic)


@pytest.mark.parametrize("topic", [node_presence(ONE), node_report(ONE), node_telemetry(ONE)])
def test_a_node_speaks_on_its_own_topics_alone(topic):
    assert RULES.may_write(ONE, topic)
    assert not RULES.may_write(OTHER, topic)
    assert not RULES.may_read(OTHER, topic)


def test_the_gateway_reads_and_writes_all_our_topics_and_no_others():
    for topic in (unit_order(UNIT), node_config(ONE), node_report(ONE)):
        assert RULES.may_read(GATEWAY_USER, topic)
        assert RULES.may_write(GATEWAY_USER, topic)
    assert not RULES.may_read(GATEWAY_USER, "$SYS/broker/uptime")
    assert not RULES.may_write(GATEWAY_USER, "elsewhere/1")


@pytest.mark.parametrize("topic", [f"{ROOT}/unit", f"{ROOT}/unit/xa-1", f"{ROOT}/unit/xa-1/a/b"])
def test_a_plus_stands_for_exactly_one_level(topic):
    assert not RULES.may_read(ONE, topic)


def test_a_user_named_like_a_wildcard_gains_nothing():
    assert not RULES.may_read("nobody", node_config(ONE))


def test_passwords_are_read_back_as_written():
    text = password_text(["nut-2:b", "nut-1:a"], own=["gateway:c"])
    assert read_passwords(text) == {"gateway": "c", "nut-1": "a", "nut-2": "b"}


def test_only_the_secret_itself_is_what_was_hashed():
    hashed = hashed_secret("bí mật")
    assert is_secret(hashed, "bí mật")
    assert not is_secret(hashed, "bí  mật")


@pytest.mark.parametrize(
    "hashed", ["", "$7$101$x", "$7$101$###$YQ==", "$7$many$YQ==$YQ==", "plain"]
)
def test_what_cannot_be_read_lets_nobody_in(hashed):
    assert not is_secret(hashed, "")
    assert not is_secret(hashed, "plain")
