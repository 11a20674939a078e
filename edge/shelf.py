"""The audio that a node has, and the audio that it will want."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import final

import structlog

from edge.cache import Cache, plan_cache
from edge.fetch import Fetcher
from edge.settings import NodeSettings
from protocol.messages import AssetRef, Claim

_log = structlog.get_logger()

_MEGABYTE = 1_000_000


@final
class Shelf:
    """Sees that what will be wanted is fetched in time, and that there is room for it."""

    def __init__(self, settings: NodeSettings, cache: Cache, fetcher: Fetcher) -> None:
        self._settings, self._cache, self._fetcher = settings, cache, fetcher
        self._does_not_fit = False

    def names(self) -> frozenset[str]:
        """Give the digests of what is here, whole and unharmed."""
        return frozenset(self._cache.sizes())

    def plan(
        self,
        claims: Iterable[Claim],
        pinned: Sequence[AssetRef],
        *,
        now: datetime | None,
        servers: Sequence[str],
    ) -> bool:
        """Say what is to be fetched, and throw out what stands in its way.

        Args:
            claims: What may still be played.
            pinned: What is kept whatever else is wanted.
            now: The time; None where it is not known.
            servers: Where the server says that audio is; the settings may know more.

        Returns:
            Whether something was thrown out.
        """
        plan = plan_cache(
            claims,
            pinned,
            self._cache.sizes(),
            now=now,
            limit_bytes=min(self._settings.cache_limit_mb * _MEGABYTE, self._cache.room_bytes()),
        )
        if plan.unfit and not self._does_not_fit:
            missing_mb = sum(want.size_bytes for want in plan.unfit) / _MEGABYTE
            _log.error("audio_does_not_fit", files=len(plan.unfit), missing_mb=round(missing_mb, 1))
        self._does_not_fit = bool(plan.unfit)
        self._cache.evict(plan)
        bases = dict.fromkeys((*servers, *self._settings.audio))
        self._fetcher.want(plan.wants, [base.rstrip("/") for base in bases])
        return bool(plan.evict)

    def troubles(self) -> frozenset[str]:
        """Name what stands in the way of audio."""
        own = ("audio-does-not-fit",) if self._does_not_fit else ()
        return self._fetcher.troubles().union(own)
