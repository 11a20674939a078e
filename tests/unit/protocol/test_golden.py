"""Golden bytes: what others built their receivers on; a change here is a change of protocol.

Each version of the protocol has a folder, and all of them are kept and read for ever.
"""

from pathlib import Path

import msgspec
import pytest

from protocol.messages import (
    AsRun,
    Certificate,
    Config,
    NodeWord,
    Plan,
    Presence,
    Signed,
    Telemetry,
    decode_node_word,
    encode,
)
from protocol.signing import Trust, check_scope, public_from_text, trust, verify
from protocol.version import PROTOCOL_VERSION
from tests.factories.claims import HERE, NOON
from tests.factories.messages import (
    ROOT_KEY,
    added_words,
    additions,
    audiences,
    kinds,
    one_of_each,
    signed_additions,
    signed_one_of_each,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "protocol"
ADDED = GOLDEN / "additions"
NOW = GOLDEN / f"v{PROTOCOL_VERSION}"
ADDED_FIELDS = {
    (Config, "delay_s"),
    (Plan, "turns"),
    (Config, "talk_key"),
    (AsRun, "frames"),
    (AsRun, "link"),
    (AsRun, "proof"),
    (Presence, "nonce"),
    (Presence, "equipment"),
    (Telemetry, "nonce"),
    (Telemetry, "troubles"),
    (Telemetry, "clock_source"),
    (Telemetry, "clock_error_s"),
    (Telemetry, "memory_free_mb"),
    (Telemetry, "under_voltage"),
    (Telemetry, "card_wear_percent"),
    (Telemetry, "network"),
    (Telemetry, "signal_dbm"),
    (Telemetry, "data_month_mb"),
    (Telemetry, "data_total_mb"),
    (Telemetry, "tone"),
}
"""Fields of messages that came later: the first golden bytes know nothing of them."""
WORDS = {str(model.__struct_config__.tag) for model in kinds(NodeWord)}
ALL_JSON = sorted(GOLDEN.glob("v*/*.json"))
ALL_TOKENS = sorted(GOLDEN.glob("v*/*.jwt"))


class Pinned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom the golden tokens of one version are to be believed under."""

    root_key: str
    certificates: tuple[str, ...]


def believed(version: Path) -> Trust:
    pinned = msgspec.json.decode((version / "pinned.trust").read_bytes(), type=Pinned)
    return trust(public_from_text(pinned.root_key), pinned.certificates)


@pytest.mark.parametrize("kind", sorted(one_of_each()))
def test_a_message_is_written_as_the_very_bytes_that_others_expect(kind):
    assert encode(one_of_each()[kind]) == (NOW / f"{kind}.json").read_bytes()


@pytest.mark.parametrize("kind", sorted(signed_one_of_each()))
def test_a_token_is_signed_as_the_very_bytes_that_others_expect(kind):
    assert signed_one_of_each()[kind] == (NOW / f"{kind}.jwt").read_bytes()


def test_every_kind_of_message_has_its_golden_bytes_and_no_file_lacks_its_kind():
    signed = {str(model.__struct_config__.tag) for model in kinds(Signed)}
    assert {path.stem for path in NOW.glob("*.json")} == signed | WORDS
    assert {path.stem for path in NOW.glob("*.jwt")} == signed
    assert set(one_of_each()) == signed | WORDS
    assert set(signed_one_of_each()) == signed


def test_the_golden_messages_leave_no_field_at_its_default():
    for message in one_of_each().values():
        for field in msgspec.structs.fields(message):
            came_later = (type(message), field.name) in ADDED_FIELDS
            made = field.default_factory
            default = field.default if made is msgspec.NODEFAULT else made()
            is_given = getattr(message, field.name) != default
            assert field.required or is_given is not came_later, field


@pytest.mark.parametrize("path", ALL_JSON, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_old_message_is_read_for_ever(path):
    expected = one_of_each()[path.stem]
    if path.stem in WORDS:
        assert decode_node_word(path.read_bytes()) == expected
    else:
        assert msgspec.json.decode(path.read_bytes(), type=type(expected)) == expected


@pytest.mark.parametrize("path", ALL_TOKENS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_old_token_is_believed_for_ever(path):
    if path.stem == "certificate":
        vouched = trust(ROOT_KEY.private.public_key(), [path.read_text()]).certificates
        (only,) = vouched.values()
        assert only.certificate == one_of_each()["certificate"]
        assert isinstance(only.certificate, Certificate)
        return
    verified = verify(path.read_bytes(), believed(path.parent), audiences=audiences(), now=NOON)
    check_scope(verified, HERE.chain)
    assert verified.token.msg == one_of_each()[path.stem]


@pytest.mark.parametrize("name", sorted(additions()))
def test_a_field_that_came_later_is_written_as_the_very_bytes_that_others_expect(name):
    assert encode(additions()[name]) == (ADDED / f"{name}.json").read_bytes()
    assert signed_additions()[name] == (ADDED / f"{name}.jwt").read_bytes()


@pytest.mark.parametrize("path", sorted(ADDED.glob("*.jwt")), ids=lambda path: path.stem)
def test_a_field_that_came_later_is_believed_and_read_for_ever(path):
    verified = verify(path.read_bytes(), believed(NOW), audiences=audiences(), now=NOON)
    check_scope(verified, HERE.chain)
    assert verified.token.msg == additions()[path.stem]


@pytest.mark.parametrize("name", sorted(added_words()))
def test_a_field_that_came_later_into_a_word_is_written_and_read_for_ever(name):
    raw = (ADDED / f"{name}.json").read_bytes()
    assert encode(added_words()[name]) == raw
    assert decode_node_word(raw) == added_words()[name]


def test_every_golden_addition_belongs_to_one_that_is_made_here():
    assert {path.stem for path in ADDED.glob("*.jwt")} == set(additions())
    assert {path.stem for path in ADDED.glob("*.json")} == set(additions()) | set(added_words())
