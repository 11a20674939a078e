"""What an asset *is*, kept next to it and never changed.

What it is used for, who brought it and when stands in the server's rows, and only there.
"""

import contextlib
import io
from pathlib import Path

import msgspec

from audio_library.assets import Asset
from audio_library.errors import BadManifestError, MissingAssetError, StoreError
from audio_library.store import Store, write_whole
from protocol.ids import AssetDigest


def manifest_path(store: Store, digest: AssetDigest) -> Path:
    """Tell where the description of an asset is, or would be."""
    return store.path(digest).with_suffix(".json")


def write_manifest(store: Store, asset: Asset) -> Asset:
    """Describe an asset, unless it is described already; return what stands.

    Two sources can give the same sound; the first one's description is kept, as long as it
    can be read.
    """
    with contextlib.suppress(MissingAssetError, BadManifestError):
        return read_manifest(store, asset.digest)
    try:
        write_whole(manifest_path(store, asset.digest), io.BytesIO(_written(asset)))
    except OSError as error:
        raise StoreError(str(error)) from error
    return asset


def read_manifest(store: Store, digest: AssetDigest) -> Asset:
    """Read what an asset is.

    Raises:
        MissingAssetError: It is not described.
        BadManifestError: The description was written by something else, or changed since.
    """
    try:
        content = manifest_path(store, digest).read_bytes()
    except FileNotFoundError as error:
        raise MissingAssetError(digest) from error
    try:
        asset = msgspec.json.decode(content, type=Asset)
    except msgspec.MsgspecError as error:
        raise BadManifestError(digest, str(error)) from error
    if asset.digest != digest or _written(asset) != content:
        raise BadManifestError(digest, "not as it was written")
    return asset


def forget(store: Store, digest: AssetDigest) -> None:
    """Remove an asset and its description; what is gone already is no fault.

    Raises:
        StoreError: The disk does not let it go.
    """
    try:
        # Nobody takes it for whole from here on.
        manifest_path(store, digest).unlink(missing_ok=True)
        store.path(digest).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(str(error)) from error


def _written(asset: Asset) -> bytes:
    return msgspec.json.format(msgspec.json.encode(asset), indent=2) + b"\n"
