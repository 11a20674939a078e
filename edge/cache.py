"""Which audio files stay on disk, and which are to be fetched first.

The plan is pure; ``Cache`` is the small shell around the folder.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from typing import final

import structlog

from edge.disk import sync_folder
from protocol.content import assets
from protocol.ids import is_digest
from protocol.messages import AssetRef, Claim, ClaimKind

_log = structlog.get_logger()

HORIZON = timedelta(days=14)
"""Files of claims that start later than this are not fetched yet."""

RESERVE_BYTES = 50_000_000
"""What is left of the disk for the node's own memory and the system's log."""

PART = ".part"
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Want:
    """A file that is to be fetched; urgent ones overtake all others.

    Attributes:
        spare_s: How long there is until it is due; infinite where nobody waits for it.
    """

    digest: str
    size_bytes: int
    urgent: bool
    spare_s: float = 0.0


@dataclass(frozen=True, slots=True)
class CachePlan:
    """What to fetch, in order, what to delete, and what there is no room for."""

    wants: tuple[Want, ...]
    evict: frozenset[str]
    unfit: tuple[Want, ...] = ()


def plan_cache(
    claims: Iterable[Claim],
    pinned: Iterable[AssetRef],
    sizes: Mapping[str, int],
    *,
    now: datetime | None,
    limit_bytes: int,
) -> CachePlan:
    """Decide what to fetch and what to give up.

    Urgent claims first, then what is kept for good, then by start. A file that some claim needs,
    or that is kept for good, is never given up; the others go when space is short. What does not
    fit even so is not fetched, but for what is urgent.

    Args:
        claims: All that may still sound.
        pinned: Files kept for good.
        sizes: Files on disk, with their size in bytes; the longest unused ones first.
        now: The time; None while it is not known: then no claim is far off.
        limit_bytes: Space that all files together may take.
    """
    needed: dict[str, Want] = {}
    ordered = sorted(claims, key=lambda claim: (claim.start, claim.claim_id))
    urgent = [claim for claim in ordered if _is_urgent(claim)]
    rest = [claim for claim in ordered if not _is_urgent(claim)]
    for claim in urgent:
        _need(needed, assets(claim.content), urgent=True)
    _need(needed, pinned, spare_s=inf)
    for claim in rest:
        if now is None or claim.start <= now + HORIZON:
            spare_s = inf if now is None else (claim.start - now).total_seconds()
            _need(needed, assets(claim.content), spare_s=spare_s)
    wants, unfit = _fitting(needed, sizes, limit_bytes)
    space = sum(sizes.values()) + sum(want.size_bytes for want in wants)
    evict: set[str] = set()
    for digest, size_bytes in sizes.items():
        if space > limit_bytes and digest not in needed:
            evict.add(digest)
            space -= size_bytes
    return CachePlan(wants, frozenset(evict), unfit)


def _fitting(
    needed: Mapping[str, Want], sizes: Mapping[str, int], limit_bytes: int
) -> tuple[tuple[Want, ...], tuple[Want, ...]]:
    """Part what is to be fetched into what there is room for and what there is not, in order."""
    room = limit_bytes - sum(size for digest, size in sizes.items() if digest in needed)
    wants: list[Want] = []
    unfit: list[Want] = []
    for want in needed.values():
        if want.digest in sizes:
            continue
        if want.urgent or want.size_bytes <= room:
            wants.append(want)
            room -= want.size_bytes
        else:
            unfit.append(want)
    return tuple(wants), tuple(unfit)


@final
class Cache:
    """The folder of files, each named by its digest; a name exists only once it is verified."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Tell where a file lies, or will."""
        return self._folder / digest

    def part(self, digest: str) -> Path:
        """Tell where what is fetched of a file so far lies."""
        return self._folder / (digest + PART)

    def sizes(self) -> dict[str, int]:
        """List the files that are there with their sizes, the oldest first."""
        found = [
            (entry.stat(), entry.name)
            for entry in os.scandir(self._folder)
            if is_digest(entry.name) and entry.is_file()
        ]
        return {name: status.st_size for status, name in sorted(found, key=_by_age)}

    def room_bytes(self) -> int:
        """Tell how much all files together may take for the disk to have some left."""
        parts = sum(size_of(part) for part in self._folder.glob("*" + PART))
        free = shutil.disk_usage(self._folder).free
        return max(0, sum(self.sizes().values()) + parts + free - RESERVE_BYTES)

    def adopt(self, digest: str) -> bool:
        """Give a fetched file its name if it is what the name says; else delete it."""
        part = self.part(digest)
        if _sha256(part) != digest:
            part.unlink()
            return False
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.rename(self.path(digest))
        sync_folder(self._folder)
        return True

    def recheck(self, digest: str) -> bool:
        """Verify a file that gave trouble, and delete one that is not what its name says.

        Returns:
            Whether it is there all the same: it is good, or the disk gives nothing back.
        """
        path = self.path(digest)
        try:
            is_good = _sha256(path) == digest
        except OSError as error:
            _log.warning("audio_unreadable", asset=digest[:12], error=str(error))
            is_good = False
        if not is_good:
            _delete(path)
        return path.exists()

    def evict(self, plan: CachePlan) -> None:
        """Delete the files that are given up, and begun ones that nobody wants any more."""
        for digest in plan.evict:
            _delete(self.path(digest))
        wanted = {want.digest for want in plan.wants}
        for part in self._folder.glob("*" + PART):
            if part.stem not in wanted:
                _delete(part)


def size_of(path: Path) -> int:
    """Tell how long a file is; 0 where there is none, or none any more."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        # A disk that gives nothing back still plays what it holds.
        _log.warning("audio_not_deleted", asset=path.name[:12], error=str(error))


def _is_urgent(claim: Claim) -> bool:
    return claim.kind is not ClaimKind.SCHEDULED


def _need(
    needed: dict[str, Want],
    refs: Iterable[AssetRef],
    *,
    urgent: bool = False,
    spare_s: float = 0.0,
) -> None:
    for ref in refs:
        known = needed.get(ref.digest)
        if known is None:
            needed[ref.digest] = Want(ref.digest, ref.size_bytes, urgent, spare_s)
        elif spare_s < known.spare_s:
            needed[ref.digest] = replace(known, spare_s=spare_s)


def _by_age(found: tuple[os.stat_result, str]) -> tuple[float, str]:
    return found[0].st_mtime, found[1]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
