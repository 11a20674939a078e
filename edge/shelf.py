"""The audio that a node has, and the audio that it will want."""

from typing import final

import structlog

from edge.cache import plan_cache
from edge.parts import Parts
from edge.player import Damaged
from edge.playout import OnDisk, Spoiled
from edge.runs import ClaimKey
from edge.settings import NodeSettings
from edge.stage import Stage

_log = structlog.get_logger()

_MEGABYTE = 1_000_000


@final
class Shelf:
    """Sees that what will be wanted is fetched in time, and that there is room for it."""

    def __init__(self, settings: NodeSettings, parts: Parts, stage: Stage) -> None:
        self._settings, self._stage = settings, stage
        self._cache, self._fetcher, self._clock = parts.cache, parts.fetcher, parts.clock
        self._does_not_fit = False

    def look(self) -> None:
        """Let the playout know what is here, whole and unharmed."""
        self._stage.take(OnDisk(frozenset(self._cache.sizes())))

    def take_fetched(self) -> None:
        """Take in that another file is here."""
        self.look()
        self.plan()

    def take_damaged(self, event: Damaged) -> None:
        """Look again at a file that did not decode; one that is not what it was is fetched anew."""
        digest = event.path.name
        good = self._cache.recheck(digest)
        _log.error("audio_damaged", asset=digest[:12], error=event.reason, refetch=not good)
        if good:
            self._stage.take(Spoiled(ClaimKey(event.claim_id), digest))
        else:
            self.take_fetched()

    def plan(self) -> None:
        """Say what is to be fetched, and throw out what stands in its way."""
        playout, held = self._stage.playout, self._stage.held
        claims = playout.programme.claims.items()
        plan = plan_cache(
            (claim for key, claim in claims if key not in playout.done),
            held.pinned(),
            self._cache.sizes(),
            now=self._clock.now() if self._clock.is_trusted else None,
            limit_bytes=min(self._settings.cache_limit_mb * _MEGABYTE, self._cache.room_bytes()),
        )
        if plan.unfit and not self._does_not_fit:
            missing_mb = sum(want.size_bytes for want in plan.unfit) / _MEGABYTE
            _log.error("audio_does_not_fit", files=len(plan.unfit), missing_mb=round(missing_mb, 1))
        self._does_not_fit = bool(plan.unfit)
        self._cache.evict(plan)
        servers = held.config.audio if held.config else ()
        bases = dict.fromkeys((*servers, *self._settings.audio))
        self._fetcher.want(plan.wants, [base.rstrip("/") for base in bases])
        if plan.evict:
            self.look()

    def troubles(self) -> frozenset[str]:
        """Name what stands in the way of audio."""
        own = ("audio-does-not-fit",) if self._does_not_fit else ()
        return self._fetcher.troubles().union(own)
