"""Who may do what at the broker: the password and access files, written and read.

The text is Mosquitto's own; the embedded broker reads the same files, so that a rule is written
down once. Pure: files are written by ``broker`` and watched by whoever runs the broker.
"""

import binascii
import hashlib
import hmac
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from protocol.topics import ACCESS_PATTERNS, ROOT

GATEWAY_USER = "gateway"
"""The server's own name at the broker."""

LIVE_USER = "server.live"
"""The name of the program that takes microphones; no node can have one with a dot."""

_SCHEME = "7"  # Mosquitto's number for PBKDF2 with SHA-512
_READS = frozenset(("read", "readwrite"))
_WRITES = frozenset(("write", "readwrite"))


@dataclass(frozen=True, slots=True)
class AccessList:
    """What an access file says.

    Attributes:
        patterns: Rules for everybody, ``%u`` being the user name.
        topics: Rules for single users.
    """

    patterns: tuple[tuple[str, str], ...] = ()
    topics: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def may_read(self, user: str, topic: str) -> bool:
        """Say whether ``user`` may receive what is published on ``topic``."""
        return self._allows(user, topic, _READS)

    def may_write(self, user: str, topic: str) -> bool:
        """Say whether ``user`` may publish on ``topic``."""
        return self._allows(user, topic, _WRITES)

    def _allows(self, user: str, topic: str, wanted: frozenset[str]) -> bool:
        own = self.topics.get(user, ())
        for_all = ((kind, pattern.replace("%u", user)) for kind, pattern in self.patterns)
        return any(kind in wanted and _matches(topic, rule) for kind, rule in (*own, *for_all))


def access_text() -> str:
    """Write the access file: the gateway may use all our topics, a node its own and its units'.

    Who takes microphones says frames and nothing else: no order can come from there.
    """
    lines = [f"user {GATEWAY_USER}", f"topic readwrite {ROOT}/#", ""]
    lines += [f"user {LIVE_USER}", f"topic write {ROOT}/live/+", ""]
    lines += [f"pattern {kind} {pattern}" for kind, pattern in ACCESS_PATTERNS]
    return "\n".join(lines) + "\n"


def read_access(text: str) -> AccessList:
    """Read an access file."""
    patterns: list[tuple[str, str]] = []
    topics: dict[str, list[tuple[str, str]]] = {}
    user = ""
    for line in text.splitlines():
        match line.split():
            case ["user", name]:
                user = name
            case ["topic", kind, rule]:
                topics.setdefault(user, []).append((kind, rule))
            case ["pattern", kind, rule]:
                patterns.append((kind, rule))
            case _:  # blank, or a remark
                continue
    return AccessList(tuple(patterns), {name: tuple(rules) for name, rules in topics.items()})


def password_text(lines: Iterable[str], *, own: Iterable[str]) -> str:
    """Write the password file from the nodes' lines and the server's own."""
    return "\n".join([*own, *sorted(lines)]) + "\n"


def read_passwords(text: str) -> dict[str, str]:
    """Read a password file: hash by user name."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {user: hashed for user, hashed in pairs}  # noqa: C416 - dict() loses the pair's type


def is_secret(hashed: str, secret: str) -> bool:
    """Say whether ``secret`` is what was hashed; what cannot be read hashes nothing."""
    try:
        _, scheme, iterations, salt, digest = hashed.split("$")
        expected = b64decode(digest, validate=True)
        found = _derived(secret, b64decode(salt, validate=True), int(iterations))
    except (ValueError, binascii.Error):
        return False
    return scheme == _SCHEME and hmac.compare_digest(expected, found)


def _derived(secret: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, iterations)


def _matches(topic: str, rule: str) -> bool:
    levels = topic.split("/")
    rules = rule.split("/")
    if rules[-1] == "#":
        rules = rules[:-1]
        # "a/#" matches "a" as well, by the standard (4.7.1.2).
        if len(levels) < len(rules):
            return False
        levels = levels[: len(rules)]
    return len(levels) == len(rules) and all(
        wanted in ("+", level) for wanted, level in zip(rules, levels, strict=True)
    )
