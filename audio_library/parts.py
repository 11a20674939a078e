"""Parts of files, and where each is heard in one stream: what ``rehearse`` is asked for."""

import msgspec


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a file, and where in the stream it is heard."""

    path: str
    from_s: float
    length_s: float
    at_s: float
    gain_db: float = 0.0


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole stream: its parts in order, none over another."""

    parts: tuple[Part, ...]
    length_s: float
