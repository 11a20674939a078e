"""Write the file with which a node joins, in the format that the node program reads."""

import os
from pathlib import Path

import msgspec

from server.settings import Settings

FORMAT = 1


class NodeFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a node is told about itself and where its server is."""

    format: int = FORMAT
    node: str
    secret: str
    root_key: str
    mqtt: tuple[str, ...]
    audio: tuple[str, ...]


def node_file_bytes(node_id: str, secret: str, root_key: str, settings: Settings) -> bytes:
    """Write down one node's identity and addresses."""
    file = NodeFile(
        node=node_id,
        secret=secret,
        root_key=root_key,
        mqtt=settings.mqtt_urls,
        audio=settings.audio_urls,
    )
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


def readdressed(raw: bytes, settings: Settings) -> bytes:
    """Keep a node's identity and give it the addresses that hold now."""
    known = msgspec.json.decode(raw, type=NodeFile)
    return node_file_bytes(known.node, known.secret, known.root_key, settings)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()  # fsync knows nothing of Python's own buffer
        os.fsync(file.fileno())
    draft.replace(path)
