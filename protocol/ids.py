"""Names of things on the wire: immutable, never place names or tree paths.

Every identifier is 1 to 64 characters of ``[a-z0-9-]``, so that it can be a topic level, a file
name and a certificate subject on every broker and file system (no dots: some brokers turn
slashes into dots). An asset's digest is the 64 hexadecimal digits of its SHA-256.
"""

import re
from typing import NewType

from protocol.errors import BadIdError

UnitId = NewType("UnitId", str)
ClusterId = NewType("ClusterId", str)
NodeId = NewType("NodeId", str)
SlotId = NewType("SlotId", str)
BroadcastId = NewType("BroadcastId", str)
ClaimId = NewType("ClaimId", str)
AssetDigest = NewType("AssetDigest", str)

TALK_PREFIX = "nt-"
"""How the name of what was spoken by the key of a box begins, and that of nothing else."""

# Ended by \Z: a dollar sign would also match before a newline at the end.
ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,63}\Z"
CLAIM_ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,95}\Z"
DIGEST_PATTERN = r"^[0-9a-f]{64}\Z"
KEY_ID_PATTERN = r"^[0-9a-f]{16}\Z"

_ID = re.compile(ID_PATTERN)
_DIGEST = re.compile(DIGEST_PATTERN)


def checked_id(text: str) -> str:
    """Return ``text`` when it may name something on the wire.

    Raises:
        BadIdError: It holds other characters, is empty or too long.
    """
    if not _ID.fullmatch(text):
        raise BadIdError(text)
    return text


def is_digest(text: str) -> bool:
    """Say whether ``text`` can name an asset."""
    return _DIGEST.fullmatch(text) is not None
