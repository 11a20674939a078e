"""What is written can be read again; what is new is ignored; what is wrong is refused."""

import contextlib
import json
import math
import re
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from protocol.content import length_s
from protocol.errors import Refusal, RefusedError
from protocol.messages import (
    EARLIEST,
    LATEST,
    MAX_PLAIN_BYTES,
    MAX_WHOLE,
    Content,
    Hush,
    HushState,
    LiftHush,
    LiveSource,
    Mode,
    NodeWord,
    Plan,
    Presence,
    PresenceState,
    Relay,
    Signed,
    SoundCheck,
    Turns,
    decode_node_word,
    encode,
    read,
)
from tests.factories.claims import NODE, an_asset, an_interval, at
from tests.factories.live import a_live_source
from tests.factories.messages import (
    a_hush_state,
    a_lifted_state,
    a_plan,
    a_sound_check,
    all_kinds,
    kinds,
    one_of_each,
)

WORDS = sorted(str(model.__struct_config__.tag) for model in kinds(NodeWord))
KINDS = sorted(all_kinds())
SIGNED = msgspec.json.Decoder(Signed)
HEX = "0123456789abcdef"
BY_NAME = {"ranks", "plan_versions", "refused"}
LENGTHS = st.floats(0, 86_400)
FILE = st.sampled_from([an_asset("song"), an_asset("talk")])
FILES = st.lists(FILE, min_size=1, max_size=2).map(tuple)
URLS = st.sampled_from(["http://a", "https://dai.example/live.m3u8?ma=1"])
LASTING = st.builds(a_hush_state, number=st.integers(1, MAX_WHOLE), mode=st.sampled_from(Mode))
LIFTED = st.builds(
    a_lifted_state, number=st.integers(1, MAX_WHOLE), spares_emergencies=st.booleans()
)
BOUND = {
    HushState: LASTING | LIFTED,
    Hush: st.builds(Hush, unit=st.just("xa-1"), state=LASTING),
    LiftHush: st.builds(LiftHush, unit=st.just("xa-1"), state=LIFTED),
    Turns: st.builds(
        lambda order, times: Turns(order=order, lasts_s=min(times), every_s=max(times)),
        st.lists(st.integers(0, 999), min_size=2, max_size=4, unique=True).map(tuple),
        st.tuples(LENGTHS, LENGTHS),
    ),
}
"""Messages of which not every field may say what it likes beside the others."""


def decoded(kind: str, payload: bytes) -> msgspec.Struct:
    return decode_node_word(payload) if kind in WORDS else read(SIGNED, payload)


def refusal(kind: str, payload: bytes) -> Refusal:
    with pytest.raises(RefusedError) as caught:
        decoded(kind, payload)
    return caught.value.refusal


def drawn(  # noqa: C901, PLR0911, PLR0912 - one case for each type on the wire
    kind: inspect.Type,
) -> st.SearchStrategy[object]:
    """Draw any value that the wire allows for ``kind``, so that no new field is left out."""
    match kind:
        case inspect.StructType(cls=cls) if cls is Content:
            return st.builds(Content, items=FILES, gap_s=LENGTHS) | st.builds(
                Content, relay=st.builds(Relay, url=URLS), opening=st.none() | FILE
            )
        case inspect.StructType(cls=cls) if cls in BOUND:
            return BOUND[cls]
        case inspect.StructType(cls=cls) if cls is SoundCheck:
            return st.builds(a_sound_check, mode=st.sampled_from(Mode), gain_db=st.floats(-60, 0))
        case inspect.StructType(cls=cls, fields=fields):
            return st.builds(cls, **{field.name: drawn(field.type) for field in fields})
        case inspect.StrType(pattern=None, min_length=low, max_length=high):
            return st.text(min_size=low or 0, max_size=min(high or 12, 12))
        case inspect.StrType(pattern=pattern):
            names = [text for text in ("a", "xa-1", HEX, HEX * 4) if re.search(pattern, text)]
            return st.sampled_from(names)
        case inspect.IntType(ge=low, le=high):
            return st.integers(low, high)
        case inspect.FloatType(ge=low, le=high):
            return st.floats(low, high, allow_nan=False, allow_infinity=False)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.EnumType(cls=cls):
            return st.sampled_from(cls)
        case inspect.DateTimeType():
            return st.integers(0, 10**12).map(lambda ms: at(ms / 60_000))
        case inspect.VarTupleType(item_type=item, min_length=low):
            return st.lists(drawn(item), min_size=low or 0, max_size=(low or 0) + 1).map(tuple)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(drawn(key), drawn(value), max_size=2)
        case inspect.UnionType(types=types):
            return st.one_of([drawn(one) for one in types])
    message = f"draw this too: {kind}"
    raise AssertionError(message)


def spots(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """List the path of every value inside a decoded JSON text."""
    yield path
    inside = value.items() if isinstance(value, dict) else ()
    for step, child in enumerate(value) if isinstance(value, list) else inside:
        yield from spots(child, (*path, step))


def found(value, path):
    for step in path:
        value = value[step]
    return value


def changed(payload: bytes, path: tuple[str | int, ...], new: object) -> bytes:
    value = json.loads(payload)
    found(value, path[:-1])[path[-1]] = new
    return json.dumps(value).encode()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read_as_the_same_message(kind):
    @given(drawn(inspect.type_info(all_kinds()[kind])))
    def holds(message: msgspec.Struct) -> None:
        assert decoded(kind, encode(message)) == message

    holds()


@pytest.mark.parametrize("kind", KINDS)
def test_fields_from_a_newer_version_are_ignored_at_every_depth(kind):
    message = one_of_each()[kind]
    value = json.loads(encode(message))
    for path in list(spots(value)):
        inner = found(value, path)
        if isinstance(inner, dict) and not (path and path[-1] in BY_NAME):
            inner["from_the_future"] = [{"kind": "mystery"}, 1e9, None]
    assert decoded(kind, json.dumps(value).encode()) == message


@pytest.mark.parametrize("kind", KINDS)
def test_times_without_an_offset_are_refused_at_every_depth(kind):
    payload = encode(one_of_each()[kind])
    value = json.loads(payload)
    times = [
        path
        for path in spots(value)
        if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", str(found(value, path)))
    ]
    assert times or kind in {"config", "identify", "restart", "acknowledge", "certificate"}
    for path in times:
        naive = changed(payload, path, str(found(value, path)).removesuffix("Z"))
        assert refusal(kind, naive) is Refusal.GARBLED, path


@pytest.mark.parametrize("far", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00"])
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("plan", ("claims", 0, "start")),
        ("plan", ("claims", 0, "end")),
        ("play", ("claim", "start")),
        ("play", ("claim", "end")),
        ("sound-check", ("claim", "end")),
        ("stop", ("until",)),
    ],
)
def test_what_cannot_be_reckoned_with_is_refused(kind, path, far):
    payload = encode(one_of_each()[kind])
    assert refusal(kind, changed(payload, path, far)) is Refusal.GARBLED
    for at_the_edge in (EARLIEST, LATEST):
        decoded(kind, changed(payload, path, at_the_edge.isoformat()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_that_lacks_what_it_must_say_is_refused(kind):
    payload = encode(one_of_each()[kind])
    required = [f for f in msgspec.structs.fields(all_kinds()[kind]) if f.required]
    assert required
    for name in ["kind", *(field.encode_name for field in required)]:
        value = json.loads(payload)
        del value[name]
        assert refusal(kind, json.dumps(value).encode()) is Refusal.GARBLED, name


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_be_left_out_takes_its_default(kind):
    model = all_kinds()[kind]
    given_only = {f.name: getattr(one_of_each()[kind], f.name) for f in fields_required(model)}
    sparse = model(**given_only)
    names = {field.encode_name for field in fields_required(model)}
    assert set(json.loads(encode(sparse))) == {"kind", *names}
    assert decoded(kind, encode(sparse)) == sparse


def fields_required(model: type[msgspec.Struct]) -> list[msgspec.structs.FieldInfo]:
    return [field for field in msgspec.structs.fields(model) if field.required]


@pytest.mark.parametrize("kind", ["teapot", "", "Plan", "plan ", "x" * 1000])
def test_a_kind_that_nobody_knows_is_refused_as_such(kind):
    payload = json.dumps({"kind": kind, "node": NODE}).encode()
    assert refusal("presence", payload) is Refusal.UNKNOWN_KIND
    assert refusal("plan", payload) is Refusal.UNKNOWN_KIND


def test_an_order_is_no_word_of_a_node_nor_the_other_way_round():
    orders = set(KINDS) - set(WORDS)
    for kind in orders:
        assert refusal("presence", encode(one_of_each()[kind])) is Refusal.UNKNOWN_KIND
    for kind in WORDS:
        assert refusal("plan", encode(one_of_each()[kind])) is Refusal.UNKNOWN_KIND


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("play", ("claim", "claim_id"), "Tin"),
        ("play", ("claim", "claim_id"), "a" * 97),
        ("play", ("claim", "claim_id"), "tin-1\n"),
        ("play", ("claim", "unit"), "../xa-1"),
        ("play", ("claim", "unit"), "a" * 65),
        ("play", ("claim", "level"), -1),
        ("play", ("claim", "level"), 10),
        ("play", ("claim", "class"), "urgent"),
        ("play", ("claim", "kind"), "song"),
        ("play", ("claim", "mode"), "test"),
        ("play", ("claim", "severity"), 5),
        ("play", ("claim", "gain_db"), 0.1),
        ("play", ("claim", "gain_db"), -60.1),
        ("play", ("claim", "title"), "a" * 501),
        ("play", ("claim", "start"), 1795237200),
        ("play", ("claim", "start"), "2026-11-21"),
        ("play", ("claim", "start"), "2026-02-30T00:00:00Z"),
        ("play", ("claim", "content", "items"), []),
        ("play", ("claim", "content", "repeat"), 0),
        ("play", ("claim", "content", "repeat"), 51),
        ("play", ("claim", "content", "gap_s"), -1),
        ("play", ("claim", "content", "opening", "digest"), "A" * 64),
        ("play", ("claim", "content", "opening", "digest"), "a" * 64 + "\n"),
        ("play", ("claim", "content", "opening", "duration_s"), 86_401),
        ("play", ("claim", "content", "opening", "size_bytes"), 0),
        ("plan", ("version",), 0),
        ("plan", ("version",), 1.5),
        ("plan", ("version",), MAX_WHOLE + 1),
        ("plan", ("ranks", "tin-1"), MAX_WHOLE + 1),
        ("plan", ("rules", "volume_ceiling_db"), 1),
        ("config", ("chain",), []),
        ("config", ("node",), "+"),
        ("acknowledge", ("report_ids",), ["a"] * 501),
        ("certificate", ("key_id",), "0" * 15),
        ("certificate", ("key_id",), "0" * 16 + "\n"),
        ("presence", ("config_version",), -1),
        ("presence", ("config_version",), 10**4000),
        ("presence", ("state",), "gone"),
        ("refused", ("reason",), "boredom"),
        ("received", ("report_id",), ""),
        ("received", ("report_id",), "a" * 65),
        ("telemetry", ("level_dbfs",), "loud"),
        ("as-run", ("outcome",), "fine"),
    ],
)
def test_a_value_outside_its_bounds_is_refused(kind, path, value):
    payload = encode(one_of_each()[kind])
    decoded(kind, payload)
    assert refusal(kind, changed(payload, path, value)) is Refusal.GARBLED


def test_a_word_too_long_to_be_honest_is_refused_before_it_is_read():
    word = Presence(node=NODE, state=PresenceState.HERE)
    body = encode(word)
    padded = body + b" " * (MAX_PLAIN_BYTES - len(body))
    assert decode_node_word(padded) == word
    assert refusal("presence", padded + b" ") is Refusal.TOO_LARGE


def test_nesting_without_end_is_refused():
    for opener, closer in ((b"[", b"]"), (b'{"x":', b"}")):
        deep = opener * 9_000 + b"1" + closer * 9_000
        assert refusal("presence", b'{"kind":"presence","x":' + deep + b"}") is Refusal.GARBLED


@pytest.mark.parametrize("text", [b'"\xff\xfe"', b'"\\ud800"', b'"\xed\xa0\x80"', b'"\x00"'])
def test_text_that_is_not_unicode_is_refused(text):
    word = b'{"kind":"presence","node":"nut-1","state":"here","software":' + text + b"}"
    assert refusal("presence", word) is Refusal.GARBLED


@given(st.binary(max_size=200))
def test_random_bytes_from_a_node_are_refused_and_nothing_worse(payload):
    with contextlib.suppress(RefusedError):
        decode_node_word(payload)


@given(st.sampled_from(KINDS), st.integers(0), st.binary(max_size=3), st.integers(0, 4))
def test_a_damaged_message_is_refused_or_read_and_nothing_worse(kind, place, new, cut):
    payload = encode(one_of_each()[kind])
    place %= len(payload)
    damaged = payload[:place] + new + payload[place + cut :]
    with contextlib.suppress(RefusedError):
        decoded(kind, damaged)


def test_equal_messages_are_equal_bytes_however_they_were_put_together():
    one = a_plan(ranks={"a": 1, "b": 2})
    other = a_plan(ranks={"b": 2, "a": 1})
    assert one == other
    assert encode(one) == encode(other)


def test_exclusion_is_called_except_and_the_class_class_on_the_wire():
    claim = json.loads(encode(one_of_each()["play"]))["claim"]
    assert claim["class"] == "emergency"
    assert claim["targets"]["except"] == ["cum-2"]


def test_an_interval_begins_with_its_start_and_ends_before_its_end():
    stretch = an_interval(0, 10)
    assert [stretch.covers(at(m)) for m in (-0.001, 0, 9.999, 10)] == [False, True, True, False]


def test_an_instant_with_another_offset_is_the_same_instant():
    payload = encode(a_plan())
    elsewhere = changed(payload, ("start",), "2026-11-21T00:00:00+07:00")
    assert decoded("plan", elsewhere) == a_plan()
    assert isinstance(decoded("plan", elsewhere), Plan)


@pytest.mark.parametrize("content", [b"{}", b'{"items":[],"opening":null}'])
def test_a_content_that_says_nothing_is_refused(content):
    with pytest.raises(msgspec.ValidationError, match="either items or a relay"):
        msgspec.json.decode(content, type=Content)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "rtmp://dai.example/live", "http://", "http://a b", "https://đài"]
)
def test_a_relay_is_an_address_on_the_web(url):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode({"relay": {"url": url}}), type=Content)


def test_a_relay_stands_in_place_of_items():
    relay = Relay(url="https://dai.example/live.m3u8")
    assert length_s(Content(relay=relay)) == math.inf
    with pytest.raises(ValueError, match="either items or a relay"):
        Content(relay=relay, items=(an_asset(),))


def test_somebody_who_speaks_stands_in_place_of_items_and_relays():
    source = a_live_source()
    assert length_s(Content(live=source)) == math.inf
    for other in ({"items": (an_asset(),)}, {"relay": Relay(url="https://dai.example/live")}):
        with pytest.raises(ValueError, match="or live"):
            Content(live=source, **other)


@pytest.mark.parametrize(
    "wrong", [{"public_key": "short"}, {"delay_s": 0.0}, {"delay_s": 6}, {"max_length_s": 3601}]
)
def test_who_speaks_has_a_key_a_delay_and_a_longest_time_within_bounds(wrong):
    raw = msgspec.json.encode(msgspec.structs.replace(a_live_source(), **wrong))
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=LiveSource)
