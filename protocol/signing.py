"""Sign and verify: signed tokens (RFC 7515, 7519) with Ed25519 keys (RFC 8037).

A token is a JSON Web Token whose payload carries the registered claims and, under ``msg``, one of
our messages. The signature is checked over the received bytes, before anything is decoded.
"""

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWS
from jwt.exceptions import DecodeError, InvalidSignatureError, InvalidTokenError
from typing_extensions import override

from protocol.errors import Refusal, RefusedError
from protocol.messages import (
    Acknowledge,
    BulletinClass,
    Certificate,
    Claim,
    ClaimKind,
    Config,
    Hush,
    HushState,
    Identify,
    LiftHush,
    Mode,
    Plan,
    Play,
    Restart,
    Signed,
    SignedTime,
    SoundCheck,
    Stop,
    encode,
    read,
)

ALGORITHM = "EdDSA"
ROOT_ISSUER = "root"
MAX_TOKEN_BYTES = 1024 * 1024
LEEWAY = timedelta(seconds=5)
"""How far the clocks of sender and receiver may differ before times are held against a token."""

CERTIFICATES_REMEMBERED = 256
OTHER_PARTS = 2
"""Payload and signature, behind the header."""

_BASE64URL = re.compile(rb"[A-Za-z0-9_-]*")


class _Tokens(PyJWS):
    """The library's own reading of tokens, but for one thing.

    PyJWT 2.15 looks at the characters of a token one by one, in Python: for the plan of a province
    five times as long as all the rest takes, and a plan is read twice.
    """

    @override
    @staticmethod
    def _decode_base64url_segment(segment: bytes, name: str) -> bytes:
        """Read base64url without padding, as RFC 7515 writes it, and nothing that is nearly that.

        Raises:
            DecodeError: It is something else.
        """
        if not _BASE64URL.fullmatch(segment):
            raise DecodeError(f"Invalid {name} padding")
        padding = b"=" * (-len(segment) % 4)
        try:
            plain = urlsafe_b64decode(segment + padding)
        except ValueError as error:
            raise DecodeError(f"Invalid {name} padding") from error
        # Bits that nobody reads are to be zero: one token has one spelling.
        if urlsafe_b64encode(plain) != segment + padding:
            raise DecodeError(f"Invalid {name} padding")
        return plain


_jws = _Tokens()


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of a signed token: registered claims, and the message."""

    iss: str
    aud: tuple[str, ...]
    iat: int
    nbf: int
    exp: int
    jti: str
    msg: Signed


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, with the unit (or the root) in whose name it signs."""

    issuer: str
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def key_id(self) -> str:
        """Identifier of the key, worked out from its public half."""
        return key_id(self.private.public_key())


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a receiver believes.

    Attributes:
        root: The pinned root public key.
        certificates: Certificates found good under that root, by key id.
        revoked: Key ids that are refused whatever vouches for them.
    """

    root: Ed25519PublicKey
    certificates: Mapping[str, "Vouched"] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Vouched:
    """A certificate and the time in which it holds."""

    certificate: Certificate
    not_before: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that is what it says: who signed it, and what it says."""

    token: Token
    certificate: Certificate | None

    @property
    def issued_at(self) -> datetime:
        """When it was signed, in whole seconds."""
        return datetime.fromtimestamp(self.token.iat, UTC)

    @property
    def expires(self) -> datetime:
        """First instant at which the token no longer holds."""
        return datetime.fromtimestamp(self.token.exp, UTC)


def audience_unit(unit: str) -> str:
    """Name all nodes under ``unit`` as an audience."""
    return f"unit:{unit}"


def audience_node(node: str) -> str:
    """Name one node as an audience."""
    return f"node:{node}"


def key_id(public: Ed25519PublicKey) -> str:
    """Name a public key by the start of its SHA-256."""
    return hashlib.sha256(_raw(public)).hexdigest()[:16]


def public_text(public: Ed25519PublicKey) -> str:
    """Write a public key as base64url without padding, as in a certificate."""
    return urlsafe_b64encode(_raw(public)).rstrip(b"=").decode()


def public_from_text(text: str) -> Ed25519PublicKey:
    """Read a public key as written by ``public_text``.

    Raises:
        RefusedError: It is not one.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError as error:
        raise RefusedError(Refusal.GARBLED, "public key") from error


def sign(
    key: SigningKey,
    message: Signed,
    *,
    audience: Iterable[str],
    issued_at: datetime,
    expires: datetime,
    token_id: str,
) -> bytes:
    """Make the final bytes of a message; the same arguments always give the same bytes."""
    issued = int(issued_at.timestamp())
    token = Token(
        iss=key.issuer,
        aud=tuple(audience),
        iat=issued,
        nbf=issued,
        exp=int(expires.timestamp()),
        jti=token_id,
        msg=message,
    )
    text = _jws.encode(
        encode(token),
        key.private,
        algorithm=ALGORITHM,
        headers={"kid": key.key_id, "typ": "JWT"},
    )
    return text.encode()


def certify(
    root: SigningKey, certificate: Certificate, *, issued_at: datetime, expires: datetime
) -> bytes:
    """Let the root key vouch for a unit's key."""
    return sign(
        root,
        certificate,
        audience=(),
        issued_at=issued_at,
        expires=expires,
        token_id=f"cert-{certificate.key_id}",
    )


def trust(
    root: Ed25519PublicKey, certificates: Iterable[str], revoked: Collection[str] = ()
) -> Trust:
    """Build what a receiver believes from the certificates it was handed.

    Whether a certificate holds *now* is asked when it is used, so that trust built before a clock
    was set is not wrong for ever.

    Raises:
        RefusedError: One of them was not signed by the root key.
    """
    raw_root = _raw(root)
    vouched = (_vouched(raw_root, text) for text in certificates)
    return Trust(root, {one.certificate.key_id: one for one in vouched}, frozenset(revoked))


def verify(raw: bytes, believed: Trust, *, audiences: Collection[str], now: datetime) -> Verified:
    """Check a token and say who signed what.

    Signature first, over the bytes as received; then decode; then audience and times; then
    whether the signing key may say such a thing.

    Raises:
        RefusedError: With the reason that is to be reported.
    """
    kid = _key_named(raw)
    if kid in believed.revoked:
        raise RefusedError(Refusal.REVOKED_KEY, kid)
    if kid == key_id(believed.root):
        certificate = None
        token = _opened(raw, believed.root)
    else:
        certificate = _certificate(kid, believed, now)
        token = _opened(raw, public_from_text(certificate.public_key))
    _check_times(token, now)
    if not set(token.aud) & set(audiences):
        raise RefusedError(Refusal.WRONG_AUDIENCE, ",".join(token.aud)[:200])
    _check_issuer(token, certificate)
    return Verified(token, certificate)


def unverified(raw: bytes) -> Token:
    """Read a token without believing a word of it.

    Only for finding the certificates that a configuration or plan carries along (they are checked
    against the root key by ``trust``), and for naming a token that is refused.

    Raises:
        RefusedError: It cannot be read.
    """
    if len(raw) > MAX_TOKEN_BYTES:
        raise RefusedError(Refusal.TOO_LARGE, f"{len(raw)} bytes")
    try:
        opened = _jws.decode_complete(raw, options={"verify_signature": False})
    except InvalidTokenError as error:
        raise RefusedError(Refusal.GARBLED, str(error)) from error
    return read(_token_decoder, opened["payload"])


def check_scope(verified: Verified, chain: Collection[str]) -> None:
    """Refuse what reaches beyond the subtree of the unit that signed it.

    ``chain`` names the units above the receiving cluster, from the top down: a unit whose subtree
    holds this cluster is in it, and a target above the issuer would reach beyond its subtree.

    Raises:
        RefusedError: Out of scope.
    """
    for claim in _claims(verified.token.msg):
        if claim.kind is ClaimKind.LOCAL:
            raise RefusedError(Refusal.OUT_OF_SCOPE, f"{claim.claim_id} is for its box to say")
    certificate = verified.certificate
    if certificate is None:
        return
    places = list(chain)
    if certificate.unit not in places:
        raise RefusedError(Refusal.OUT_OF_SCOPE, f"{certificate.unit} is not above this cluster")
    above = set(places[: places.index(certificate.unit)])
    for claim in _claims(verified.token.msg):
        if claim.unit != certificate.unit or above & set(claim.targets.units):
            raise RefusedError(Refusal.OUT_OF_SCOPE, claim.claim_id)


def _claims(message: Signed) -> tuple[Claim, ...]:
    match message:
        case Plan():
            return message.claims
        case Play() | SoundCheck():
            return (message.claim,)
        case Config() | Stop() | Hush() | LiftHush() | Identify() | Restart():
            return ()
        case Acknowledge() | SignedTime() | Certificate():
            return ()


def _hushes(message: Signed) -> tuple[HushState, ...]:
    match message:
        case Plan():
            return message.rules.hushes
        case Hush() | LiftHush():
            return (message.state,)
        case Config() | Play() | Stop() | SoundCheck() | Identify() | Restart():
            return ()
        case Acknowledge() | SignedTime() | Certificate():
            return ()


def _check_issuer(token: Token, certificate: Certificate | None) -> None:
    issuer = ROOT_ISSUER if certificate is None else certificate.unit
    if token.iss != issuer or not _may_say(token.msg, certificate):
        raise RefusedError(Refusal.OUT_OF_SCOPE, f"{token.iss} may not say this")
    if certificate is not None:
        _check_classes(token.msg, certificate)


def _may_say(message: Signed, certificate: Certificate | None) -> bool:
    """Say whether a key may sign such a message; the root key (no certificate) only configures."""
    match message:
        case Config() | Acknowledge() | SignedTime():
            return certificate is None or certificate.configures
        case Plan() | Stop() | Hush() | LiftHush() | SoundCheck() | Identify() | Restart():
            return certificate is not None and message.unit == certificate.unit
        case Play():
            return certificate is not None and message.claim.unit == certificate.unit
        case Certificate():
            return False


def _check_classes(message: Signed, certificate: Certificate) -> None:
    allowed: frozenset[BulletinClass] = frozenset(certificate.classes)
    for claim in _claims(message):
        if claim.bulletin_class not in allowed:
            raise RefusedError(Refusal.CLASS_NOT_ALLOWED, claim.claim_id)
        if claim.level != certificate.level:
            raise RefusedError(Refusal.OUT_OF_SCOPE, f"level of {claim.claim_id}")
    for state in _hushes(message):
        # Who may not order an emergency may not silence one either.
        lasts = state.until is None and state.mode is Mode.REAL
        if lasts and not state.spares_emergencies and BulletinClass.EMERGENCY not in allowed:
            raise RefusedError(Refusal.CLASS_NOT_ALLOWED, state.hush_id)


@lru_cache(CERTIFICATES_REMEMBERED)
def _vouched(root: bytes, text: str) -> Vouched:
    """Read a certificate that the root key has signed.

    It comes with every message that has to be believed, and what was signed once stays signed: an
    order is verified in half the time when its certificate need not be looked at again.
    """
    token = _opened(text.encode(), Ed25519PublicKey.from_public_bytes(root))
    if not isinstance(token.msg, Certificate) or token.iss != ROOT_ISSUER:
        raise RefusedError(Refusal.UNKNOWN_KIND, "not a certificate")
    if token.msg.key_id != key_id(public_from_text(token.msg.public_key)):
        raise RefusedError(Refusal.FORGED, "key id does not name the key")
    return Vouched(token.msg, _instant(token.nbf), _instant(token.exp))


def _key_named(raw: bytes) -> str:
    if len(raw) > MAX_TOKEN_BYTES:
        raise RefusedError(Refusal.TOO_LARGE, f"{len(raw)} bytes")
    header_alone, *others = raw.split(b".", OTHER_PARTS + 1)
    if len(others) != OTHER_PARTS:
        raise RefusedError(Refusal.GARBLED, f"{len(others) + 1} parts")
    try:
        # Without the rest, each byte of which it would look at, and again when it is verified.
        header = _jws.get_unverified_header(header_alone + b"." * OTHER_PARTS)
    except InvalidTokenError as error:
        raise RefusedError(Refusal.GARBLED, str(error)) from error
    if header.get("alg") != ALGORITHM:
        raise RefusedError(Refusal.UNSIGNED, str(header.get("alg"))[:40])
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise RefusedError(Refusal.UNKNOWN_KEY, "no key id")
    return kid


def _certificate(kid: str, believed: Trust, now: datetime) -> Certificate:
    vouched = believed.certificates.get(kid)
    if vouched is None:
        raise RefusedError(Refusal.UNKNOWN_KEY, kid[:40])
    if now - LEEWAY >= vouched.expires:
        raise RefusedError(Refusal.EXPIRED, f"certificate of {kid}")
    if now + LEEWAY < vouched.not_before:
        raise RefusedError(Refusal.NOT_YET_VALID, f"certificate of {kid}")
    return vouched.certificate


_token_decoder = msgspec.json.Decoder(Token)


def _opened(raw: bytes, public: Ed25519PublicKey) -> Token:
    if len(raw) > MAX_TOKEN_BYTES:
        raise RefusedError(Refusal.TOO_LARGE, f"{len(raw)} bytes")
    try:
        opened = _jws.decode_complete(raw, public, algorithms=[ALGORITHM])
    except InvalidSignatureError as error:
        raise RefusedError(Refusal.FORGED, str(error)) from error
    except DecodeError as error:
        raise RefusedError(Refusal.GARBLED, str(error)) from error
    except InvalidTokenError as error:
        raise RefusedError(Refusal.FORGED, str(error)) from error
    return read(_token_decoder, opened["payload"])


def _check_times(token: Token, now: datetime) -> None:
    if now - LEEWAY >= _instant(token.exp):
        raise RefusedError(Refusal.EXPIRED, token.jti)
    if now + LEEWAY < _instant(token.nbf):
        raise RefusedError(Refusal.NOT_YET_VALID, token.jti)


def _instant(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise RefusedError(Refusal.GARBLED, "time out of range") from error


def _raw(public: Ed25519PublicKey) -> bytes:
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)
