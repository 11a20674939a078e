"""The chain of a node's as-run records: each one says what the one before it was.

Who alters a record, or takes one away, breaks the chain at the next one. The digest is over the
values of fixed fields, not over bytes, so that whoever keeps the values can compute it again.
"""

import hashlib
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from protocol.messages import AsRun, Segment

NOTHING_BEFORE = "0" * 64
"""What the first record of a chain says of the one before it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def digest_of(record: AsRun) -> str:
    """Give the digest of a record, in hexadecimal digits.

    Raises:
        ValueError: It has no link.
    """
    hashed = hashlib.sha256()
    for text in _told(record):
        # Its length goes before each, so that no two records are written alike.
        value = text.encode()
        hashed.update(b"%d:%b" % (len(value), value))
    return hashed.hexdigest()


def _told(record: AsRun) -> Iterator[str]:
    link = record.link
    if link is None:
        raise ValueError("a record without a link is in no chain")
    yield from (link.chain, str(link.number), link.previous)
    yield from (record.report_id, record.claim_id, record.cluster, _instant(record.at))
    yield from (record.outcome.value, record.reason, str(len(record.segments)))
    for segment in record.segments:
        yield from _segment(segment)
    if record.frames is not None:
        frames = record.frames
        yield "frames"
        yield from (str(count) for count in (frames.heard, frames.late, frames.missing))
    if record.proof is not None:
        proof = record.proof
        yield from ("proof", proof.verdict.value)
        for number in (proof.sent_dbfs, proof.level_dbfs, proof.correlation, proof.delay_s):
            yield "" if number is None else _number(number)


def _segment(segment: Segment) -> Iterator[str]:
    yield from (_instant(segment.start), _instant(segment.end))
    yield _number(segment.position_s)


def _number(value: float) -> str:
    # Its bits: how a number is written differs from language to language.
    return struct.pack(">d", value).hex()


def _instant(at: datetime) -> str:
    return str((at - _EPOCH) // _MICROSECOND)
