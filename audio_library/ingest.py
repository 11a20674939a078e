"""From a file somebody brought to an asset in the store, or to a reason why not."""

import subprocess
from pathlib import Path

import msgspec

from audio_library.assets import DEFAULT_LIMITS, RECIPE, Asset, Limits, Origin
from audio_library.child import last_words, run_module
from audio_library.errors import Reason, RefusedAudioError, StoreError
from audio_library.manifest import write_manifest
from audio_library.store import Store, digest_of
from audio_library.verdict import Prepared, prepared_or_refused


def ingest(source: Path, store: Store, limits: Limits = DEFAULT_LIMITS) -> Asset:
    """Prepare a file for air and keep it.

    The same source gives the same asset, however often and by however many at once.

    Raises:
        RefusedAudioError: The file cannot go on air; nothing is stored.
        PreparationError: This machine failed; nothing is stored.
        StoreError: The disk did not take it; nothing is stored.
    """
    size_bytes = source.stat().st_size
    if size_bytes == 0:
        raise RefusedAudioError(Reason.EMPTY, "the file has no bytes")
    if size_bytes > limits.max_size_bytes:
        raise RefusedAudioError(Reason.TOO_LARGE, f"{size_bytes} bytes")
    with store.workspace() as folder:
        work = Path(folder) / "work.opus"
        prepared = _prepared(source, work, limits)
        return _kept(source, work, store, prepared)


def _prepared(source: Path, out: Path, limits: Limits) -> Prepared:
    limits_json = msgspec.json.encode(limits).decode()
    try:
        done = run_module(
            "audio_library.prepare",
            [str(source.resolve()), str(out), limits_json],
            timeout_s=limits.wall_s,
        )
    except subprocess.TimeoutExpired as error:
        raise RefusedAudioError(Reason.TIMEOUT, f"over {limits.wall_s:.0f} s") from error
    return prepared_or_refused(done.returncode, done.stdout, last_words(done.stderr))


def _kept(source: Path, work: Path, store: Store, prepared: Prepared) -> Asset:
    asset = Asset(
        digest=digest_of(work),
        frames=prepared.frames,
        size_bytes=work.stat().st_size,
        loudness_lufs=round(prepared.after.integrated_lufs, 2),
        peak_dbtp=round(prepared.after.peak_dbtp, 2),
        gain_db=round(prepared.gain_db, 2),
        source_digest=digest_of(source),
        recipe=RECIPE,
        origin=Origin(
            size_bytes=source.stat().st_size,
            container=prepared.container,
            codec=prepared.codec,
            rate_hz=prepared.rate_hz,
            channels=prepared.channels,
            loudness=prepared.before,
            lost_packets=prepared.lost_packets,
        ),
    )
    was_there = store.path(asset.digest).exists()
    store.put(work)
    try:
        return write_manifest(store, asset)
    except StoreError:
        if not was_there:
            store.path(asset.digest).unlink(missing_ok=True)
        raise
