"""This node's end of the chain of its as-run records."""

from dataclasses import dataclass
from uuid import uuid4

from msgspec.structs import replace

from protocol.chain import NOTHING_BEFORE, digest_of
from protocol.messages import AsRun, ChainLink


@dataclass(frozen=True, slots=True)
class Head:
    """The newest record of a chain: the next one names it.

    Attributes:
        chain: Names the chain.
        number: How many records the chain has.
        digest: That of the newest.
    """

    chain: str
    number: int = 0
    digest: str = NOTHING_BEFORE


def new_chain() -> Head:
    """Begin a chain: what is remembered of another is gone, or is not to be gone on with."""
    return Head(uuid4().hex)


def linked(head: Head, record: AsRun) -> tuple[Head, AsRun]:
    """Put a record at the end of a chain."""
    link = ChainLink(chain=head.chain, number=head.number + 1, previous=head.digest)
    chained = replace(record, link=link)
    return Head(link.chain, link.number, digest_of(chained)), chained
