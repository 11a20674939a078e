"""Brings audio files by digest over HTTP, the most urgent first, resuming what was begun.

Two threads: one for urgent files alone, one for all. A download of the second gives way while an
urgent file is wanted. A file gets its name only after its digest was checked.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import final

import structlog
import urllib3
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from edge.cache import Cache, Want, size_of
from edge.certificates import Certificates
from edge.errors import FetchError, FetchOutrankedError

_log = structlog.get_logger()

_CONNECT_S = 5.0
_READ_S = 10.0
_CHUNK_BYTES = 32 * 1024
# A server that is slower than this for so long is left for another try, or another address.
_LEAST_BYTES_S = 200
_PACE_OVER_S = 20.0
_WRONG_WAIT_S = 60.0
_LONGEST_WRONG_WAIT_S = 6 * 3600.0
_TELLS_AFTER = 3
_TELLS_WRONG_AFTER = 2
_SOON_DUE_S = 3600.0
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 60.0
_OK = 200
_PARTIAL = 206
_RANGE_IMPOSSIBLE = 416

_dice = SystemRandom()


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file is there, verified."""

    digest: str


@dataclass(slots=True)
class _Trouble:
    """How often a file could not be had, or was another, and when to try again."""

    failures: int = 0
    wrong: int = 0
    retry_at_s: float = 0.0


@final
class Fetcher:
    """Downloads what is wanted.

    Args:
        cache: Where the files go.
        user: Name for HTTP Basic.
        password: Secret for HTTP Basic.
        arrived: Called from a thread of the fetcher for each file that is there.
        certificates: Judges those of the server.
        spread_s: Longest that a file waits at random before it is fetched, so that not all nodes
            ask at once for what a plan has just named.
        slow_after_s: How long a server may be slower than any usable link.
    """

    def __init__(
        self,
        cache: Cache,
        user: str,
        password: str,
        arrived: Callable[[Fetched], None],
        certificates: Certificates | None = None,
        *,
        spread_s: float = 0.0,
        slow_after_s: float = _PACE_OVER_S,
    ) -> None:
        self._spread_s = spread_s
        self._slow_after_s = slow_after_s
        self._begins_at_s: dict[str, float] = {}
        self._cache = cache
        self._arrived = arrived
        self._certificates = certificates or Certificates()
        self._pool = urllib3.PoolManager(
            maxsize=2,
            retries=False,
            timeout=urllib3.Timeout(connect=_CONNECT_S, read=_READ_S),
            headers=urllib3.make_headers(basic_auth=f"{user}:{password}"),
            ssl_context=self._certificates.context,
        )
        self._changed = threading.Condition()
        self._wants: tuple[Want, ...] = ()
        self._bases: tuple[str, ...] = ()
        self._busy: set[str] = set()
        self._there: set[str] = set()
        self._troubles: dict[str, _Trouble] = {}
        self._stopping = False
        self.bad_digests = 0
        self._threads = [
            threading.Thread(target=self._work, args=(lane,), name=f"fetch-{lane}", daemon=True)
            for lane in ("urgent", "any")
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop; what is half fetched is kept and resumed another day."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(2.0)
        self._pool.clear()

    def is_alive(self) -> bool:
        """Say whether both threads are at work."""
        return all(thread.is_alive() for thread in self._threads)

    def want(self, wants: Iterable[Want], bases: Iterable[str]) -> None:
        """Say what is wanted now, in order, and from where; replaces what was said before."""
        with self._changed:
            self._wants, self._bases = tuple(wants), tuple(bases)
            before, now_s = self._begins_at_s, time.monotonic()
            self._begins_at_s = {
                want.digest: before.get(want.digest, now_s + self._wait_s(want))
                for want in self._wants
                if not want.urgent
            }
            named = {want.digest for want in self._wants}
            self._troubles = {key: one for key, one in self._troubles.items() if key in named}
            self._there.clear()
            self._changed.notify_all()

    def troubles(self) -> frozenset[str]:
        """Say in codes what cannot be had."""
        with self._changed:
            found = [(want, self._troubles.get(want.digest, _Trouble())) for want in self._wants]
        late = any(
            one.failures >= _TELLS_AFTER and (want.urgent or want.spare_s < _SOON_DUE_S)
            for want, one in found
        )
        wrong = any(one.wrong >= _TELLS_WRONG_AFTER for _want, one in found)
        codes = (("audio-unreachable", late), ("audio-wrong", wrong))
        return frozenset(code for code, holds in codes if holds)

    def _wait_s(self, want: Want) -> float:
        return _dice.uniform(0.0, max(0.0, min(self._spread_s, want.spare_s / 2)))

    def _work(self, lane: str) -> None:
        while True:
            with self._changed:
                want = self._next(lane)
                if want is None:
                    return
                self._busy.add(want.digest)
                bases = self._bases
            fetched = False
            try:
                fetched = self._fetch(want, bases)
            finally:
                with self._changed:
                    self._busy.discard(want.digest)
                    self._changed.notify_all()
                    if fetched:
                        # Until the wants are said anew it would be fetched a second time.
                        self._there.add(want.digest)
            if fetched:
                self._arrived(Fetched(want.digest))

    def _next(self, lane: str) -> Want | None:
        """Wait for something to do; None when stopping."""
        while not self._stopping:
            now_s = time.monotonic()
            waits = [_LONGEST_WAIT_S]
            for want in self._wants:
                if want.digest in self._busy | self._there or not self._is_for(lane, want):
                    continue
                trouble = self._troubles.get(want.digest)
                retry_at_s = trouble.retry_at_s if trouble else now_s
                at_s = max(retry_at_s, self._begins_at_s.get(want.digest, now_s))
                if at_s <= now_s:
                    return want
                waits.append(at_s - now_s)
            self._changed.wait(min(waits))
        return None

    def _is_for(self, lane: str, want: Want) -> bool:
        # The lane for all takes urgent files too, but nothing else while one is under way.
        if lane == "urgent":
            return want.urgent
        return want.urgent or not self._urgent_is_under_way()

    def _urgent_is_under_way(self) -> bool:
        return any(want.urgent and want.digest in self._busy for want in self._wants)

    def _fetch(self, want: Want, bases: tuple[str, ...]) -> bool:
        if self._cache.path(want.digest).exists():
            # It arrived while the agent was still working out what to want.
            return True
        for base in bases:
            try:
                self._fetch_from(base, want)
            except FetchOutrankedError:
                return False
            except FetchError as error:
                _log.info("audio_not_fetched", asset=want.digest[:12], error=error.reason)
            else:
                self._troubles.pop(want.digest, None)
                return True
        self._note_trouble(want.digest)
        return False

    def _note_trouble(self, digest: str) -> None:
        with self._changed:
            trouble = self._troubles.setdefault(digest, _Trouble())
            trouble.failures += 1
            wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** min(trouble.failures - 1, 10))
            if trouble.wrong > 1:
                # Fetched in vain each minute it would eat the data of a month in a day.
                longer_s = _WRONG_WAIT_S * 5 ** min(trouble.wrong - 2, 10)
                wait_s = min(_LONGEST_WRONG_WAIT_S, longer_s)
            trouble.retry_at_s = time.monotonic() + wait_s

    def _fetch_from(self, base: str, want: Want) -> None:
        """Fetch one file from one address, going on where an earlier try ended.

        Raises:
            FetchError: It could not be had from there.
            FetchOutrankedError: Something urgent came in between.
        """
        part = self._cache.part(want.digest)
        have_bytes = size_of(part)
        if have_bytes < want.size_bytes:
            self._download(f"{base}/{want.digest}", want, part, have_bytes)
        try:
            adopted = self._cache.adopt(want.digest)
        except OSError as error:
            # Nobody wants it any more and it was evicted, or the disk gives no more.
            raise FetchError(want.digest, type(error).__name__) from error
        if not adopted:
            self.bad_digests += 1
            with self._changed:
                self._troubles.setdefault(want.digest, _Trouble()).wrong += 1
            _log.warning("audio_digest_wrong", asset=want.digest[:12])
            raise FetchError(want.digest, "is not what its name says")

    def _download(self, url: str, want: Want, part: Path, have_bytes: int) -> None:
        headers = dict(self._pool.headers)
        if have_bytes:
            headers["Range"] = f"bytes={have_bytes}-"
        try:
            if url.startswith("https:"):
                self._certificates.judging()
            answer = self._pool.request("GET", url, headers=headers, preload_content=False)
            with _finished(answer):
                self._save(answer, want, part, have_bytes)
        except (HTTPError, OSError) as error:
            raise FetchError(want.digest, type(error).__name__) from error

    def _save(self, answer: BaseHTTPResponse, want: Want, part: Path, have_bytes: int) -> None:
        if answer.status == _RANGE_IMPOSSIBLE:
            part.unlink()
            raise FetchError(want.digest, "the part is longer than the file")
        if answer.status not in {_OK, _PARTIAL}:
            raise FetchError(want.digest, f"HTTP {answer.status}")
        resumes = answer.status == _PARTIAL and have_bytes > 0
        size_bytes = have_bytes if resumes else 0
        paced_at_s, paced_bytes = time.monotonic(), size_bytes
        with part.open("ab" if resumes else "wb") as file:
            for chunk in _chunks(answer):
                self._give_way(want)
                size_bytes += len(chunk)
                if (passed_s := time.monotonic() - paced_at_s) >= self._slow_after_s:
                    if size_bytes - paced_bytes < _LEAST_BYTES_S * passed_s:
                        raise FetchError(want.digest, "slower than any usable link")
                    paced_at_s, paced_bytes = time.monotonic(), size_bytes
                if size_bytes > want.size_bytes:
                    # Truncated, so that the digest check that follows throws it away.
                    break
                file.write(chunk)
        if size_bytes < want.size_bytes:
            raise FetchError(want.digest, f"{size_bytes} of {want.size_bytes} bytes")

    def _give_way(self, want: Want) -> None:
        with self._changed:
            gone = self._stopping or all(other.digest != want.digest for other in self._wants)
            if gone or (not want.urgent and self._urgent_is_under_way()):
                raise FetchOutrankedError(want.digest)


@contextmanager
def _finished(answer: BaseHTTPResponse) -> Iterator[None]:
    """Use the connection again when the body was read, and close it when it was not."""
    try:
        yield
    except BaseException:
        answer.close()
        raise
    answer.release_conn()


def _chunks(answer: BaseHTTPResponse) -> Iterator[bytes]:
    # As it comes: a server that sends a byte a second must not be waited for until there are many.
    while chunk := answer.read1(_CHUNK_BYTES, decode_content=False):
        yield chunk
