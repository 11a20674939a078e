"""Whom a receiver believes: forged, altered, misdirected and untimely tokens are refused."""

import contextlib
import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import signing
from protocol.errors import Refusal, RefusedError
from protocol.messages import encode
from protocol.signing import (
    LEEWAY,
    MAX_TOKEN_BYTES,
    SigningKey,
    audience_node,
    audience_unit,
    check_scope,
    key_id,
    public_from_text,
    public_text,
    trust,
    unverified,
    verify,
)
from tests.factories.claims import COMMUNE, HERE, NODE, NOON, PROVINCE
from tests.factories.messages import (
    A_MINUTE,
    A_YEAR,
    COMMUNE_KEY,
    PROVINCE_KEY,
    ROOT_KEY,
    a_certified,
    a_config,
    a_key,
    a_play,
    a_token,
    a_trust,
    all_kinds,
    audiences,
    signed_one_of_each,
)

TRUST = a_trust()
TOKEN = a_token()
ORDERS = sorted(set(signed_one_of_each()) - {"certificate"})
JUST = timedelta(microseconds=1)


def accepted(raw, believed=TRUST, now=NOON):
    return verify(raw, believed, audiences=audiences(), now=now)


def refusal(raw, believed=TRUST, now=NOON):
    with pytest.raises(RefusedError) as caught:
        accepted(raw, believed, now)
    return caught.value.refusal


def b64(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


def signed_bytes(payload: bytes, key: SigningKey = COMMUNE_KEY, **header: object) -> bytes:
    """Sign any payload under any header with a key that is trusted."""
    fields = {"alg": "EdDSA", "kid": key.key_id, "typ": "JWT", **header}
    head = b64(json.dumps({k: v for k, v in fields.items() if v is not None}).encode())
    text = head + b"." + b64(payload)
    return text + b"." + b64(key.private.sign(text))


def payload_of(raw: bytes = TOKEN) -> dict[str, object]:
    return jwt.decode(raw, options={"verify_signature": False})


@pytest.mark.parametrize("kind", ORDERS)
def test_what_was_signed_by_whoever_may_is_believed(kind):
    verified = accepted(signed_one_of_each()[kind])
    check_scope(verified, HERE.chain)
    assert isinstance(verified.token.msg, all_kinds()[kind])
    assert verified.certificate.key_id in {COMMUNE_KEY.key_id, PROVINCE_KEY.key_id}


def test_signing_the_same_thing_again_gives_the_same_bytes():
    assert a_token() == TOKEN
    assert a_token(message_id="lenh-2") != TOKEN


def test_a_token_is_a_plain_json_web_token_that_other_libraries_read():
    assert jwt.get_unverified_header(TOKEN) == {
        "alg": "EdDSA",
        "kid": COMMUNE_KEY.key_id,
        "typ": "JWT",
    }
    later = NOON.timestamp()
    read = jwt.decode(
        TOKEN,
        COMMUNE_KEY.private.public_key(),
        algorithms=["EdDSA"],
        audience=audience_unit(COMMUNE),
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert read["msg"] == json.loads(encode(a_play()))
    assert (read["iat"], read["nbf"], read["exp"]) == (later, later, later + 600)
    assert (read["iss"], read["aud"]) == (COMMUNE, ["unit:xa-1"])


@pytest.mark.parametrize("kind", ["stop", "certificate"])
def test_a_token_altered_in_any_byte_is_refused(kind):
    raw = signed_one_of_each()[kind]
    for i, byte in enumerate(raw):
        altered = raw[:i] + (b"A" if byte != ord("A") else b"B") + raw[i + 1 :]
        if kind == "certificate":
            with pytest.raises(RefusedError):
                trust(ROOT_KEY.private.public_key(), [altered.decode()])
        else:
            refusal(altered)


@given(st.integers(0, len(TOKEN) - 1), st.integers(0, 3), st.binary(max_size=3))
def test_a_token_cut_or_stretched_anywhere_is_refused(place, cut, new):
    altered = TOKEN[:place] + new + TOKEN[place + cut :]
    if altered != TOKEN:
        refusal(altered)


def test_a_payload_under_the_signature_of_another_is_forged():
    head, _, signature = TOKEN.split(b".")
    other = a_token(message_id="lenh-2").split(b".")[1]
    assert refusal(b".".join((head, other, signature))) is Refusal.FORGED


def test_a_key_that_names_itself_after_a_trusted_one_is_forged():
    thief = a_key(seed="thief")
    assert refusal(signed_bytes(encode_payload(), thief, kid=COMMUNE_KEY.key_id)) is Refusal.FORGED


def encode_payload(**overrides: object) -> bytes:
    return json.dumps({**payload_of(), **overrides}).encode()


def test_a_token_without_a_signature_is_unsigned():
    head = b64(json.dumps({"alg": "none", "kid": COMMUNE_KEY.key_id}).encode())
    body = b64(encode_payload())
    assert refusal(head + b"." + body + b".") is Refusal.UNSIGNED
    signature = TOKEN.rsplit(b".", 1)[1]
    assert refusal(head + b"." + body + b"." + signature) is Refusal.UNSIGNED


def test_a_public_key_used_as_a_shared_secret_opens_nothing():
    secret = COMMUNE_KEY.private.public_key().public_bytes_raw()
    head = b64(json.dumps({"alg": "HS256", "kid": COMMUNE_KEY.key_id}).encode())
    text = head + b"." + b64(encode_payload())
    tag = hmac.new(secret, text, hashlib.sha256).digest()
    assert refusal(text + b"." + b64(tag)) is Refusal.UNSIGNED


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"alg": None}, Refusal.UNSIGNED),
        ({"alg": "eddsa"}, Refusal.UNSIGNED),
        ({"alg": ["EdDSA"]}, Refusal.UNSIGNED),
        ({"kid": None}, Refusal.UNKNOWN_KEY),
        ({"kid": "0" * 16}, Refusal.UNKNOWN_KEY),
        ({"kid": "\ud800"}, Refusal.UNKNOWN_KEY),
        ({"kid": 7}, Refusal.GARBLED),
        ({"crit": ["exp"]}, Refusal.GARBLED),
        ({"b64": False, "crit": ["b64"]}, Refusal.GARBLED),
    ],
)
def test_a_header_that_asks_for_something_else_is_refused(header, reason):
    assert refusal(signed_bytes(encode_payload(), **header)) is reason


def test_a_key_inside_the_header_is_not_believed():
    thief = a_key(seed="thief")
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": public_text(thief.private.public_key())}
    raw = signed_bytes(encode_payload(), thief, jwk=jwk)
    assert refusal(raw) is Refusal.UNKNOWN_KEY


@pytest.mark.parametrize(
    "audience", [(), ("unit:xa-2",), ("node:nut-2",), ("xa-1",), ("unit:*",), ("UNIT:xa-1",)]
)
def test_a_token_for_others_is_refused(audience):
    assert refusal(a_token(audience=audience)) is Refusal.WRONG_AUDIENCE


def test_a_token_for_several_is_believed_by_each_of_them():
    raw = a_token(audience=("unit:xa-2", audience_node(NODE)))
    assert accepted(raw).token.aud == ("unit:xa-2", "node:nut-1")


def test_a_token_holds_from_its_time_to_its_expiry_give_or_take_five_seconds():
    assert timedelta(seconds=5) == LEEWAY
    expiry = NOON + 10 * A_MINUTE
    assert accepted(TOKEN, now=NOON - LEEWAY).expires == expiry
    assert refusal(TOKEN, now=NOON - LEEWAY - JUST) is Refusal.NOT_YET_VALID
    assert accepted(TOKEN, now=expiry + LEEWAY - JUST).expires == expiry
    assert refusal(TOKEN, now=expiry + LEEWAY) is Refusal.EXPIRED


def test_a_certificate_holds_from_its_time_to_its_expiry_give_or_take_five_seconds():
    def order(now):
        return a_token(issued_at=now - A_MINUTE, expires=now + A_MINUTE)

    def early(now):
        return a_token(issued_at=now - A_MINUTE * 60, expires=now + A_MINUTE)

    expiry = NOON + A_YEAR
    last, over = expiry + LEEWAY - JUST, expiry + LEEWAY
    assert accepted(order(last), now=last)
    assert refusal(order(over), now=over) is Refusal.EXPIRED
    first, before = NOON - LEEWAY, NOON - LEEWAY - JUST
    assert accepted(early(first), now=first)
    assert refusal(early(before), now=before) is Refusal.NOT_YET_VALID


@pytest.mark.parametrize("name", ["nbf", "exp"])
@pytest.mark.parametrize("seconds", [10**30, -(10**30), 253402300799, -62135596800, 2**63])
def test_times_at_the_end_of_the_calendar_are_judged_or_refused(name, seconds):
    with contextlib.suppress(RefusedError):
        accepted(signed_bytes(encode_payload(**{name: seconds})))


def test_an_unknown_key_is_refused():
    stranger = a_key("xa-2")
    assert refusal(a_token(key=stranger)) is Refusal.UNKNOWN_KEY


def test_a_revoked_key_is_refused_whatever_vouches_for_it():
    assert refusal(TOKEN, a_trust(revoked=[COMMUNE_KEY.key_id])) is Refusal.REVOKED_KEY
    config = a_token(a_config(), ROOT_KEY, audience=[audience_node(NODE)])
    assert accepted(config).certificate is None
    assert refusal(config, a_trust(revoked=[ROOT_KEY.key_id])) is Refusal.REVOKED_KEY
    assert accepted(TOKEN, a_trust(revoked=[PROVINCE_KEY.key_id]))


def test_a_certificate_that_a_key_signed_for_itself_vouches_for_nothing():
    for signer in (COMMUNE_KEY, PROVINCE_KEY, SigningKey("root", COMMUNE_KEY.private)):
        with pytest.raises(RefusedError) as caught:
            a_trust(a_certified(COMMUNE_KEY, root=signer))
        assert caught.value.refusal is Refusal.FORGED


def test_a_certificate_under_another_root_vouches_for_nothing():
    with pytest.raises(RefusedError) as caught:
        a_trust(a_certified(COMMUNE_KEY, root=a_key("root", seed="another root")))
    assert caught.value.refusal is Refusal.FORGED


def test_the_root_vouches_only_in_its_own_name_and_only_with_certificates():
    for raw in (
        a_certified(COMMUNE_KEY, root=SigningKey(PROVINCE, ROOT_KEY.private)),
        a_token(a_config(), ROOT_KEY, audience=[audience_node(NODE)]).decode(),
    ):
        with pytest.raises(RefusedError) as caught:
            a_trust(raw)
        assert caught.value.refusal is Refusal.UNKNOWN_KIND


def test_a_certificate_whose_key_id_names_another_key_is_forged():
    with pytest.raises(RefusedError) as caught:
        a_trust(a_certified(COMMUNE_KEY, key_id=PROVINCE_KEY.key_id))
    assert caught.value.refusal is Refusal.FORGED


def test_a_certificate_that_was_found_good_is_good_under_its_own_root_alone():
    text = a_certified(COMMUNE_KEY)
    assert COMMUNE_KEY.key_id in trust(ROOT_KEY.private.public_key(), [text]).certificates
    with pytest.raises(RefusedError) as caught:
        trust(a_key(seed="thief").private.public_key(), [text])
    assert caught.value.refusal is Refusal.FORGED


@pytest.mark.parametrize("text", ["", "AAAA", "é" * 43, "A" * 64])
def test_a_certificate_of_something_that_is_no_key_is_refused(text):
    with pytest.raises(RefusedError) as caught:
        a_trust(a_certified(COMMUNE_KEY, public_key=text))
    assert caught.value.refusal is Refusal.GARBLED


def test_a_public_key_is_read_as_it_was_written_and_named_by_its_digest():
    public = COMMUNE_KEY.private.public_key()
    assert public_from_text(public_text(public)) == public
    assert key_id(public) == hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def test_a_private_key_is_not_written_where_its_holder_is_printed():
    assert "private" not in repr(COMMUNE_KEY)


def test_a_token_larger_than_any_honest_one_is_refused_before_it_is_read():
    whole = b"." * MAX_TOKEN_BYTES
    assert refusal(whole) is Refusal.GARBLED
    assert refusal(whole + b".") is Refusal.TOO_LARGE
    for read in (
        lambda raw: trust(ROOT_KEY.private.public_key(), [raw.decode()]),
        unverified,
    ):
        with pytest.raises(RefusedError) as caught:
            read(whole + b".")
        assert caught.value.refusal is Refusal.TOO_LARGE


@pytest.mark.parametrize("name", ["iss", "aud", "iat", "nbf", "exp", "jti", "msg"])
def test_a_signed_payload_that_lacks_a_claim_is_garbled(name):
    payload = payload_of()
    del payload[name]
    assert refusal(signed_bytes(json.dumps(payload).encode())) is Refusal.GARBLED


def test_a_signed_payload_of_an_unknown_kind_is_refused_as_such():
    raw = signed_bytes(encode_payload(msg={"kind": "self-destruct"}))
    assert refusal(raw) is Refusal.UNKNOWN_KIND


def test_a_signed_payload_with_fields_from_the_future_is_believed():
    raw = signed_bytes(encode_payload(future={"a": 1}), cty="later")
    assert accepted(raw).token.msg == a_play()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[" * 200_000,
        b'{"msg":' * 100_000,
        b'{"x":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"iss":"\xff"}',
        b'{"iss":"\\ud800"}',
        b'{"exp":' + b"9" * 5_000 + b"}",
        b'{"exp":1e999}',
    ],
    ids=["empty", "null", "arrays", "messages", "objects", "bytes", "half", "digits", "float"],
)
def test_a_hostile_payload_under_a_good_signature_is_garbled(payload):
    assert refusal(signed_bytes(payload)) is Refusal.GARBLED
    with pytest.raises(RefusedError):
        unverified(signed_bytes(payload))


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_and_nothing_worse(raw):
    refusal(raw)
    refusal(b"eyJhbGciOiJFZERTQSJ9." + b64(raw) + b".AAAA")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["alg", "kid", "b64", "crit", "typ"]), inner)
        ),
        max_leaves=6,
    )
)
def test_any_header_is_refused_and_nothing_worse(header):
    head = b64(json.dumps(header).encode())
    refusal(head + b"." + b64(b"{}") + b".AAAA")


@given(st.sampled_from(ORDERS), st.integers(0), st.binary(max_size=3), st.integers(0, 4))
def test_a_damaged_payload_under_a_good_signature_is_read_or_refused(kind, place, new, cut):
    payload = json.dumps(payload_of(signed_one_of_each()[kind])).encode()
    place %= len(payload)
    with contextlib.suppress(RefusedError):
        accepted(signed_bytes(payload[:place] + new + payload[place + cut :]))


HEADER = b64(b'{"alg":"EdDSA"}')
SPELLINGS = st.text("AQgw_-9z+/= .\n", max_size=12).map(str.encode) | st.binary(max_size=24).map(
    b64
)


@given(payload=SPELLINGS, signature=SPELLINGS)
def test_tokens_are_spelt_as_the_library_reads_them_and_without_padding(payload, signature):
    raw = b".".join((HEADER, payload, signature))
    nothing_verified = {"verify_signature": False}
    try:
        read = jwt.PyJWS().decode_complete(raw, options=nothing_verified)
    except jwt.DecodeError:
        read = None
    if read is None or b"=" in raw:
        with pytest.raises(jwt.DecodeError):
            signing._jws.decode_complete(raw, options=nothing_verified)
    else:
        assert signing._jws.decode_complete(raw, options=nothing_verified) == read


def test_a_token_can_be_read_before_it_is_believed_and_says_the_same():
    assert unverified(TOKEN) == accepted(TOKEN).token
